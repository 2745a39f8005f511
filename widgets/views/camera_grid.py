"""Live cameras side by side, each with a line that says how well its stream does."""

import time
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from hardware.types import Frame
from widgets.theme import color, font, level_color
from widgets.views.paint import draw_empty, text_size, to_qimage
from widgets.views.stream_health import Health, StreamHealth
from widgets.views.types import LatestSource
from widgets.views.zoom import Zoom

LINE = 34.0  # height of the health line
PULL_MS = 33
GAP = 6.0
HEALTH_EVERY = 8  # pulls between two looks at a stream that sends nothing new
USUAL_ASPECT = 16 / 9  # width by height of a picture, before the first one has come
WORTH_STACKING = 1.05  # pictures stay side by side, as the cameras stand, until they would grow by this much


class CameraGrid(QWidget):
    """The newest frame of each camera, pulled from a source by a timer while visible."""

    camera_picked = Signal(str)

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._source: LatestSource | None = None
        self._clock = clock
        self._cells: dict[str, CameraCell] = {}
        self._empty = "No cameras yet"
        self._pulls = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(int(GAP))
        self._columns = 0
        self._timer = QTimer(self)
        self._timer.setInterval(PULL_MS)
        self._timer.timeout.connect(self._pull)
        self.setMinimumSize(260, 160)
        self.setAccessibleName("Live cameras")

    def set_source(self, source: LatestSource | None) -> None:
        """Pull frames from here; None stops, and the last frames grow old in sight."""
        self._source = source

    def show_cameras(self, names: Sequence[str], fps: Mapping[str, float] | None = None) -> None:
        """Lay out a cell a camera; fps: what each stream should reach (amber below 90%, red below 50%)."""
        for cell in self._cells.values():
            self._grid.removeWidget(cell)
            cell.setParent(None)
            cell.deleteLater()
        self._cells = {name: CameraCell(name, (fps or {}).get(name, 0.0), self) for name in names}
        self._columns = 0
        for cell in self._cells.values():
            cell.picked.connect(self.camera_picked)
        self._arrange()
        self.update()

    def show_selected(self, name: str) -> None:
        """Frame one camera in the accent colour; "" frames none."""
        for cell in self._cells.values():
            cell.show_selected(cell.name == name)

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there are no cameras."""
        self._empty = text
        self.show_cameras(())

    def sizeHint(self) -> QSize:
        return QSize(900, 420)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._cells:
            draw_empty(QPainter(self), QRectF(self.rect()), self._empty)

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _arrange(self) -> None:
        """Lay the cells out where their pictures come out largest, in their order."""
        cells = list(self._cells.values())
        if not cells:
            return
        columns = best_columns(len(cells), self.width(), self.height(), cells[0].aspect)
        if columns == self._columns:
            return
        self._columns = columns
        # a row or column that is not used any more takes no room
        for track in range(max(len(cells), self._grid.columnCount(), self._grid.rowCount())):
            self._grid.setColumnStretch(track, int(track < columns))
            self._grid.setRowStretch(track, int(track * columns < len(cells)))
        for i, cell in enumerate(cells):
            self._grid.removeWidget(cell)
            self._grid.addWidget(cell, i // columns, i % columns)

    @Slot()
    def _pull(self) -> None:
        self._pulls += 1
        now = self._clock()
        for name, cell in self._cells.items():
            frame = self._source.latest(name) if self._source is not None else None
            cell.show_frame(frame, now, again=self._pulls % HEALTH_EVERY == 0)
        if self._pulls % HEALTH_EVERY == 0:
            self._arrange()  # the first picture tells how wide it really is


def best_columns(count: int, width: float, height: float, aspect: float) -> int:
    """Return in how many columns `count` pictures of this aspect (width by height) are largest in a grid [px]."""

    def picture_width(columns: int) -> float:
        rows = -(-count // columns)
        room = (width - (columns - 1) * GAP) / columns
        tall = (height - (rows - 1) * GAP) / rows - LINE
        return max(min(room, tall * aspect), 1.0)

    best = count
    for columns in range(count - 1, 0, -1):
        if picture_width(columns) > WORTH_STACKING * picture_width(best):
            best = columns
    return max(best, 1)


class CameraCell(QWidget):
    """One camera of the grid."""

    picked = Signal(str)

    def __init__(self, name: str, wanted_fps: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self._stream = StreamHealth(wanted_fps)
        self._health: Health | None = None
        self._image: QImage | None = None
        self._zoom = Zoom()
        self._selected = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 96)
        self.setAccessibleName(f"Camera {name}")

    @property
    def aspect(self) -> float:
        """Width by height of the picture."""
        return self._image.width() / self._image.height() if self._image is not None else USUAL_ASPECT

    def show_frame(self, frame: Frame | None, now: float, again: bool = False) -> None:
        """Show the newest frame at host time now [s]; without a new one only the health line, and that seldom."""
        fresh = frame is not None and self._stream.see(frame)
        if fresh and frame is not None:
            self._image = to_qimage(frame.rgb)
            self._zoom.size = (self._image.width(), self._image.height())
        if fresh or again:
            self._health = self._stream.report(now)
            self.update()

    def show_selected(self, selected: bool) -> None:
        """Whether a frame in the accent colour is drawn."""
        self._selected = selected
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("well"))
        area = QRectF(self.rect()).adjusted(0, 0, 0, -LINE)
        self._zoom.area = area
        if self._image is None:
            draw_empty(painter, area, "Waiting for the first picture")
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._zoom.picture, self._image)
        left = self._zoom.picture.left() if self._image is not None else 0.0
        painter.fillRect(QRectF(0, self.height() - LINE, self.width(), LINE), color("rail"))
        self._paint_line(painter, QRectF(left, self.height() - LINE, self.width() - left, LINE))
        ink = self._border()
        if ink:
            painter.setPen(QPen(color(ink), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))

    def _border(self) -> str:
        if self._health is not None and self._health.worst == "alarm":
            return "alarm"
        return "accent" if self._selected else ""

    def _paint_line(self, painter: QPainter, area: QRectF) -> None:
        """Name, rate, age and size, as many of them as fit."""
        x = area.left() + 12
        for text, ink, bold in self._words():
            width = text_size(text, 14, bold)[0]
            if x + width > area.right() - 8:
                return
            painter.setFont(font(14, bold))
            painter.setPen(color("text") if ink == "text" else level_color(ink))
            painter.drawText(QRectF(x, area.top(), width + 2, area.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += width + 18

    def _words(self) -> list[tuple[str, str, bool]]:
        health = self._health
        if health is None:
            return [(self.name, "text", True), ("no picture yet", "idle", False)]
        age = f"age {1000 * health.age:.0f} ms" if health.age < 1 else f"no new picture for {health.age:.0f} s"
        width, height = health.size
        return [
            (self.name, "text", True),
            (f"{health.fps:.1f} fps", health.fps_level, False),
            (age, "text" if health.age_level == "ok" else health.age_level, False),
            (f"{width}×{height}", "idle", False),
        ]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.picked.emit(self.name)


def main() -> None:
    """Show two made-up cameras, one of which stops after three seconds."""
    from PySide6.QtWidgets import QApplication

    from widgets.theme import apply_theme
    from widgets.views import made_up

    app = QApplication([])
    apply_theme(app)
    grid = CameraGrid()
    grid.set_source(made_up.LiveCameras(stops={"side": 3.0}))
    grid.show_cameras(made_up.VIEWS, dict.fromkeys(made_up.VIEWS, 30.0))
    grid.camera_picked.connect(grid.show_selected)
    grid.show()
    app.exec()


if __name__ == "__main__":
    main()
