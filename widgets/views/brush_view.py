"""A camera's picture over which a mask can be painted with a brush."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen

from hardware.types import Image
from widgets.theme import color
from widgets.views.paint import draw_strip, polygon
from widgets.views.video_view import STRIP, VideoView

_NEXT_PX = 1.5  # a point nearer than this to the last one adds nothing
_INK = 110  # of 255: how strong a mask lies over its picture


class BrushView(VideoView):
    """While a brush is taken up the left button paints, the right one, or Shift, erases: `stroke_drawn(view, add,
    points)`, points [(x, y)] in pixels of the shown picture. The middle button still moves the picture."""

    stroke_drawn = Signal(str, bool, object)
    mend, mend_short = "draw a box (B)", "box (B)"

    def __init__(self, view: str, title: str = "") -> None:
        super().__init__(view, title)
        self._mask: QImage | None = None
        self._mask_words = ""
        self._radius: float | None = None
        self._stroke: list[tuple[float, float]] = []
        self._adds = True
        self._at: QPointF | None = None

    def show_mask(self, mask: Image | None, words: str = "") -> None:
        """Lay a mask (H, W), 0 or 255, over the picture; None: there is none. words: what it is."""
        self._mask, self._mask_words = None if mask is None else _inked(mask), words
        self.update()

    def take_brush(self, radius: float | None) -> None:
        """Let a person paint with a brush of this radius [px of the shown picture]; None: take it away."""
        if (radius is None) != (self._radius is None):
            self._stroke = []
            self.setCursor(Qt.CursorShape.CrossCursor) if radius is not None else self.unsetCursor()
        self._radius = radius
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._mask is None and self._radius is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._mask is not None:
            painter.drawImage(self._zoom.picture, self._mask)
        if self._radius is not None:
            self._paint_brush(painter, self._radius)
            text = "Paint: left · erase: right or Shift · size: [ ] · Esc ends"
            short = "Left paints, right erases · [ ] size"
            texts = [f"{self._mask_words} · {text}", text, short, "Left paints, right erases"]
            draw_strip(painter, QRectF(0, self.height() - STRIP, self.width(), STRIP), texts, "accent")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        sides = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
        if self._radius is None or self.drawing or self._rgb is None or event.button() not in sides:
            super().mousePressEvent(event)
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._adds = event.button() == Qt.MouseButton.LeftButton and not shift
        self._stroke = [self._zoom.to_pixel(event.position())]
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._at = event.position()
        if not self._stroke:
            super().mouseMoveEvent(event)
            return
        x, y = self._zoom.to_pixel(event.position())
        last = self._stroke[-1]
        if np.hypot(x - last[0], y - last[1]) >= _NEXT_PX:
            self._stroke.append((x, y))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._stroke:
            super().mouseReleaseEvent(event)
            return
        points, self._stroke = self._stroke, []
        self.stroke_drawn.emit(self.view, self._adds, points)
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._at = None
        super().leaveEvent(event)

    def _paint_brush(self, painter: QPainter, radius: float) -> None:
        wide = radius * self._zoom.scale
        if self._stroke:
            ink = QColor(color("ok" if self._adds else "alarm"))
            ink.setAlpha(_INK)
            pen = QPen(ink, 2 * wide, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            points = self._zoom.to_widget(np.array(self._stroke))
            painter.drawPolyline(polygon(points)) if len(points) > 1 else painter.drawPoint(QPointF(*points[0]))
        if self._at is not None:
            painter.setPen(QPen(color("text"), 1.2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(self._at, wide, wide)


def _inked(mask: Image) -> QImage:
    """A mask as a green veil, premultiplied."""
    veil = np.zeros((*mask.shape, 4), np.uint8)
    veil[mask > 0] = (20, _INK, 40, _INK)
    height, width = mask.shape
    return QImage(veil.data, width, height, 4 * width, QImage.Format.Format_RGBA8888_Premultiplied).copy()


def main() -> None:
    """Show a mask to paint on; it prints every stroke."""
    from PySide6.QtWidgets import QApplication

    from widgets.theme import apply_theme
    from widgets.views import made_up

    app = QApplication([])
    apply_theme(app)
    view = BrushView("top", "top")
    view.set_source(made_up.MadeUpSource())
    view.show_time(0.5)
    width, height = view._zoom.size
    mask: Image = np.zeros((height, width), np.uint8)
    mask[60:120, 80:160] = 255
    view.show_mask(mask, "Mask")
    view.take_brush(12.0)
    view.stroke_drawn.connect(print)
    view.show()
    app.exec()


if __name__ == "__main__":
    main()
