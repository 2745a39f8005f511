"""One camera's picture with everything drawn over it that a person judges a track by."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from hardware.types import Image
from widgets.theme import color
from widgets.views.grips import OutlineGrip
from widgets.views.overlay_paint import draw_box, draw_hints, draw_tools
from widgets.views.paint import badge_rect, draw_badge, draw_empty, draw_strip, same_picture, to_qimage
from widgets.views.painted_frames import PaintedFrames, frame_key
from widgets.views.types import FrameSource, HintBox, ToolOverlay
from widgets.views.zoom import Zoom

SMALLEST_BOX = 4.0  # [px]; a shorter drag is a slip of the hand
STRIP = 34.0


class VideoView(QWidget):
    """A letterboxed picture with overlays, zoom by wheel, pan by drag, double click resets.

    Where a tool's outline may be taken (`let_drag`) a drag on it emits `outline_dragged(OutlineDrag)`: Shift turns
    the tool, Ctrl moves it near or far, Esc gives it up.
    """

    outline_dragged = Signal(object)
    box_drawn = Signal(str, str, float, float, float, float)  # view, tool, x0, y0, x1, y1 [px]
    drawing_changed = Signal(bool)
    mend, mend_short = "draw a box (B), or put it here (N)", "box (B), put (N)"  # what is said of a lost tool

    def __init__(self, view: str, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view, self._title = view, title or view
        self._empty = "No picture yet"
        self._source: FrameSource | None = None
        self._rgb: Image | None = None
        self._picture: QImage | None = None
        self._frames = PaintedFrames()
        self._tools: tuple[ToolOverlay, ...] = ()
        self._hints: tuple[HintBox, ...] = ()
        self._zoom = Zoom()
        self._drawing: tuple[str, QColor] | None = None
        self._band: tuple[float, float, float, float] | None = None
        self._grip: QPointF | None = None
        self._hover: tuple[int, int] | None = None
        self._outline = OutlineGrip()
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 140)
        self.setAccessibleName(f"Video {self._title}")

    def set_source(self, source: FrameSource | None) -> None:
        """Pull pictures from here on `show_time`."""
        if source is None:
            self._frames.clear()
        self._source = source

    def show_time(self, t: float) -> None:
        """Show the source's picture of this view at playback time t [s]."""
        if self._source is not None:
            self.show_picture(self._source.frame_at(self.view, t))

    def show_picture(self, rgb: Image | None) -> None:
        """Show a picture (H, W, 3); None shows the empty state."""
        if rgb is not None and same_picture(rgb, self._rgb):
            return
        self._rgb = rgb
        self._picture = None if rgb is None else to_qimage(rgb)
        if self._picture is not None:
            self._zoom.size = (self._picture.width(), self._picture.height())
        elif self._drawing:
            self.cancel_drawing()
        self.update()

    def show_overlays(self, tools: Sequence[ToolOverlay], hints: Sequence[HintBox] = ()) -> None:
        """Draw these tools and hint boxes over the picture, in place of the earlier ones."""
        shown = (tuple(tools), tuple(hints))
        if shown != (self._tools, self._hints):
            self._tools, self._hints = shown
            self.update()

    def show_title(self, title: str) -> None:
        """Such as "View 1 · top"."""
        self._title = title
        self.setAccessibleName(f"Video {title}")
        self.update()

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there is no picture."""
        self._empty = text
        self.show_overlays(())
        self.show_picture(None)

    @property
    def drawing(self) -> bool:
        """Whether a box is being drawn."""
        return self._drawing is not None

    def start_drawing(self, tool: str, ink: str) -> None:
        """Let the person draw one box for a tool; ends with box_drawn, or without by Esc."""
        if self._picture is None:
            return
        self._drawing, self._band = (tool, QColor(ink)), None
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.drawing_changed.emit(True)
        self.update()

    def let_drag(self, tool: str) -> None:
        """Let a person drag the outline of this tool; "": of none."""
        if tool != self._outline.tool:
            self._outline.tool, self._outline.hot = tool, False
            self._outline.release()
            self.unsetCursor()
            self.update()

    def cancel_drawing(self) -> None:
        """End drawing without a box."""
        if self._drawing is None:
            return
        self._drawing = self._band = self._grip = None
        self.unsetCursor()
        self.drawing_changed.emit(False)
        self.update()

    def reset_zoom(self) -> None:
        """Fit the whole picture."""
        self._zoom.reset()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(700, 410)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._zoom.area = QRectF(self.rect())
        frame = self._frame()
        painter = QPainter(self)
        if frame is None:
            painter.fillRect(self.rect(), color("well"))
            draw_empty(painter, QRectF(self.rect()), self._empty)
        else:
            painter.drawPixmap(0, 0, frame)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_band(painter)
            self._paint_strip(painter)
            self._paint_hover(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_badge(
            painter, badge_rect(self._title, QPointF(8, 8), 13, bold=True), self._title, pixels=13, bold=True
        )

    def _frame(self) -> QPixmap | None:
        """The picture with tools and boxes over it: scaled and drawn once for each picture, zoom and overlay."""
        picture, rgb, where = self._picture, self._rgb, self._zoom.picture
        if picture is None or rgb is None:
            return None
        ratio = self.devicePixelRatioF()
        place = (where.x(), where.y(), where.width(), where.height(), self.width(), self.height(), ratio)
        key = frame_key(rgb, self._tools, self._hints, place)
        frame = self._frames.find(key)
        if frame is None:
            frame = QPixmap(self.size() * ratio)
            frame.setDevicePixelRatio(ratio)
            frame.fill(color("well"))
            self._paint_frame(frame, where, picture)
            self._frames.keep(key, frame, (rgb, self._tools))
        return frame

    def _paint_frame(self, frame: QPixmap, where: QRectF, picture: QImage) -> None:
        painter = QPainter(frame)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._zoom.scale < 4)
        painter.drawImage(where, picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_tools(painter, self._zoom, self._tools)
        draw_hints(painter, self._zoom, self._hints)
        painter.end()

    def _paint_band(self, painter: QPainter) -> None:
        if self._drawing and self._band:
            draw_box(painter, self._zoom, self._band, self._drawing[1])

    def _paint_strip(self, painter: QPainter) -> None:
        lost = [tool.tool for tool in self._tools if tool.state == "lost"]
        area = QRectF(0, self.height() - STRIP, self.width(), STRIP)
        if self._drawing:
            tool = self._drawing[0]
            texts = [
                f"Draw a box around the {tool} tool · Esc cancels",
                f"Draw a box: {tool} · Esc",
                f"Box: {tool}",
            ]
            draw_strip(painter, area, texts, "accent")
        elif self._outline.tool in {tool.tool for tool in self._tools if tool.state not in ("lost", "original")}:
            tool = self._outline.tool
            texts = [
                f"Drag the {tool} outline · Shift turns · Ctrl near or far · Esc ends",
                f"Drag {tool} · Shift turns · Ctrl depth",
                f"Drag {tool}",
            ]
            draw_strip(painter, area, texts, "accent")
        elif lost:
            names = " and ".join(lost)
            names = names[:1].upper() + names[1:]
            tools = names + (" tool" if len(lost) == 1 else " tools")
            texts = [
                f"{tools} lost in this frame: {self.mend}",
                f"{names} lost · {self.mend_short}",
            ]
            draw_strip(painter, area, texts, "warning")

    def _paint_hover(self, painter: QPainter) -> None:
        if self._hover is None:
            return
        text = f"{self._hover[0]}, {self._hover[1]} px" + (
            f" · {self._zoom.factor:.1f}×" if self._zoom.factor > 1 else ""
        )
        rect = badge_rect(text, QPointF(0, 8), 12)
        rect.moveRight(self.width() - 8)
        draw_badge(painter, rect, text, ink=color("muted"), pixels=12)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._picture is None or event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        left = event.button() == Qt.MouseButton.LeftButton and not self._drawing
        if left and self._outline.press(self.view, self._tools, self._zoom, event.position(), event.modifiers()):
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            return
        self._grip = event.position()
        if self._drawing and event.button() == Qt.MouseButton.LeftButton:
            x, y = self._inside(event.position())
            self._band = (x, y, x, y)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._show_hover(event.position())
        if self._outline.held is not None:
            self.outline_dragged.emit(self._outline.drag(self._zoom, event.position()))
        elif self._grip is None and not self._drawing:
            if self._outline.hover(self._tools, self._zoom, event.position()):
                self.setCursor(Qt.CursorShape.OpenHandCursor) if self._outline.hot else self.unsetCursor()
        elif self._grip is not None and self._band is not None:
            self._band = (*self._band[:2], *self._inside(event.position()))
        elif self._grip is not None:
            moved = event.position() - self._grip
            self._zoom.pan(moved.x(), moved.y())
            self._grip = event.position()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        if self._outline.held is not None:
            self._end_outline(given_up=False)
        if self._drawing is None or self._band is None:
            return
        (x0, x1), (y0, y1) = sorted(self._band[0::2]), sorted(self._band[1::2])
        self._band = None
        if min(x1 - x0, y1 - y0) >= SMALLEST_BOX:
            tool = self._drawing[0]
            self.cancel_drawing()
            self.box_drawn.emit(self.view, tool, x0, y0, x1, y1)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._drawing:
            self.reset_zoom()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._picture is None:
            return
        self._zoom.zoom_at(event.position(), 1.2 ** (event.angleDelta().y() / 120))
        self._show_hover(event.position())
        self.update()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._frames.clear()  # badges keep the colours that they were painted with

    def leaveEvent(self, event: object) -> None:
        self._hover = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._drawing:
            self.cancel_drawing()
        elif event.key() == Qt.Key.Key_Escape and self._outline.held is not None:
            self._end_outline(given_up=True)
        else:
            super().keyPressEvent(event)

    def _end_outline(self, given_up: bool) -> None:
        ended = self._outline.release(given_up)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        if ended is not None:
            self.outline_dragged.emit(ended)

    def _inside(self, point: QPointF) -> tuple[float, float]:
        width, height = self._zoom.size
        x, y = self._zoom.to_pixel(point)
        return min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)

    def _show_hover(self, point: QPointF) -> None:
        width, height = self._zoom.size
        x, y = (round(v) for v in self._zoom.to_pixel(point))
        inside = self._picture is not None and 0 <= x < width and 0 <= y < height
        self._hover = (x, y) if inside else None


def main() -> None:
    """Play the made-up dream in one view; B draws a box."""
    from PySide6.QtWidgets import QApplication

    from widgets.playback import Playback
    from widgets.theme import apply_theme
    from widgets.views import made_up

    app = QApplication([])
    apply_theme(app)
    view, playback = VideoView("top", "View 1 · top"), Playback()
    view.set_source(made_up.MadeUpSource())
    playback.time_changed.connect(view.show_time)
    playback.time_changed.connect(lambda t: view.show_overlays(*made_up.overlays("top", t)))
    view.box_drawn.connect(print)
    playback.set_range(0.0, made_up.FRAMES / made_up.FPS, 1 / made_up.FPS)
    playback.play()
    view.show()
    app.exec()


if __name__ == "__main__":
    main()
