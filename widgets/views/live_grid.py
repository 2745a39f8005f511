"""Live cameras in their physical order, each over a strip that says how its stream does; sensors below them.

Pictures are pulled, one camera a turn, so that no turn of the window's loop carries all of them; a picture is
scaled once, to the size of its cell, and only the cell that has a new one is painted.
"""

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from widgets.health_strip import HEIGHT, HealthStrip
from widgets.record_values import StreamRow
from widgets.sensor_tile import TILE_HEIGHT, SensorTile
from widgets.theme import color
from widgets.views.live_picture import LivePicture
from widgets.views.paint import draw_empty
from widgets.views.types import LatestSource

CELL_MS = 40  # how often each camera is looked at: more often than any view's stream delivers
SHORTEST_MS = 8
GAP, FRAME = 6, 3
TILE_WIDTH = 190
WORTH_STACKING = 1.05  # cameras stay side by side, as they stand, until they would grow by this much


class LiveGrid(QWidget):
    """`set_source` says where pictures come from; `show_streams`, some times a second, how the streams do.

    `arranged` comes after other streams, or pictures of another shape.
    """

    camera_picked = Signal(str)
    button_pressed = Signal(str)  # of a sensor
    arranged = Signal()
    # a camera; share of its picture from left and from top, 0..1; with the right button; only now pressed
    pointed = Signal(str, float, float, bool, bool)
    wheeled = Signal(float, Qt.KeyboardModifier)  # notches, while a hint is shown

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: LatestSource | None = None
        self._cells: dict[str, _Cell] = {}
        self._tiles: dict[str, SensorTile] = {}
        self._names: tuple[tuple[str, str], ...] = ()
        self._empty = "No cameras yet"
        self._hint: tuple[str, frozenset[str]] = "", frozenset()
        self._next = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self.setMinimumSize(260, 160)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Live cameras")

    def set_source(self, source: LatestSource | None) -> None:
        """Pull pictures from here; None stops."""
        if source is not self._source:
            self._source = source
            for cell in self._cells.values():
                cell.picture.show_again()

    def show_streams(self, rows: Sequence[StreamRow]) -> None:
        """Show these streams in this order: cameras as a grid, the others as tiles below it."""
        names = tuple((row.name, row.shape) for row in rows)
        if names != self._names:
            self._names = names
            self._remake(rows)
        for row in rows:
            if row.shape == "picture":
                self._cells[row.name].show_stream(row)
            else:
                self._tiles[row.name].show_stream(row)

    def show_empty(self, text: str) -> None:
        """What to do next, shown while there is nothing."""
        self._empty = text
        self.update()

    def show_frame(self, ink: str) -> None:
        """Frame every picture in a colour of the theme, such as "stop" while recording; "" for none."""
        for cell in self._cells.values():
            cell.show_frame(ink)

    def show_badge(self, text: str) -> None:
        """A few words in every picture's corner, such as "REPLAY 1.2 s"."""
        for cell in self._cells.values():
            cell.picture.show_badge(text)

    def show_hint(self, text: str, cameras: Collection[str] = ()) -> None:
        """Say along the foot of these cameras' pictures what mouse and wheel do there; "" takes both away."""
        self._hint = text, frozenset(cameras)
        for name, cell in self._cells.items():
            cell.picture.show_hint(text if name in cameras else "")

    def natural_height(self, width: int) -> int:
        """How high [px] the grid has to be at this width for cameras side by side to fill it."""
        count = len(self._cells)
        if not count:
            return 200
        columns = best_columns(count, width, 10_000, self._aspect()) if count > 3 else count
        room = (width - (columns - 1) * GAP) / columns - 2 * FRAME
        rows = -(-count // columns)
        tall = room / self._aspect() + HEIGHT + 2 * FRAME
        return round(rows * tall + (rows - 1) * GAP) + self._tiles_height()

    def sizeHint(self) -> QSize:
        return QSize(900, 420)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._cells and not self._tiles:
            draw_empty(QPainter(self), self.rect().toRectF(), self._empty)

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _remake(self, rows: Sequence[StreamRow]) -> None:
        for old in (*self._cells.values(), *self._tiles.values()):
            old.hide()
            old.deleteLater()
        self._cells = {row.name: _Cell(self) for row in rows if row.shape == "picture"}
        self._tiles = {row.name: SensorTile(self) for row in rows if row.shape != "picture"}
        for name, cell in self._cells.items():
            cell.picture.picked.connect(lambda name=name: self.camera_picked.emit(name))
            cell.picture.pointed.connect(partial(self.pointed.emit, name))
            cell.picture.wheeled.connect(self.wheeled)
            cell.show()
        for name, tile in self._tiles.items():
            tile.pressed.connect(partial(self.button_pressed.emit, name))
            tile.show()
        self._timer.setInterval(max(SHORTEST_MS, CELL_MS // max(1, len(self._cells))))
        self.show_hint(*self._hint)
        self._arrange()
        self.update()
        self.arranged.emit()

    def _tiles_height(self) -> int:
        if not self._tiles:
            return 0
        in_a_row = max(1, (self.width() + GAP) // (TILE_WIDTH + GAP))
        return -(-len(self._tiles) // in_a_row) * (TILE_HEIGHT + GAP)

    def _aspect(self) -> float:
        cells = list(self._cells.values())
        return cells[0].picture.aspect if cells else 16 / 9

    def _arrange(self) -> None:
        """Lay cameras out where their pictures come out largest, in their order, and the tiles below."""
        room = QRect(0, 0, self.width(), self.height() - self._tiles_height())
        cells = list(self._cells.values())
        if cells:
            columns = best_columns(len(cells), room.width(), room.height(), self._aspect())
            rows = -(-len(cells) // columns)
            width = (room.width() - (columns - 1) * GAP) // columns
            height = (room.height() - (rows - 1) * GAP) // rows
            # no taller than the picture needs: strips stay at their pictures
            height = min(height, round((width - 2 * FRAME) / self._aspect()) + HEIGHT + 2 * FRAME)
            for i, cell in enumerate(cells):
                left, top = (i % columns) * (width + GAP), (i // columns) * (height + GAP)
                cell.setGeometry(left, top, width, height)
            room.setHeight(rows * (height + GAP))
        self._arrange_tiles(room.bottom() + 1 if cells else 0)

    def _arrange_tiles(self, top: int) -> None:
        in_a_row = max(1, min(len(self._tiles), (self.width() + GAP) // (TILE_WIDTH + GAP)))
        width = (self.width() - (in_a_row - 1) * GAP) // in_a_row
        for i, tile in enumerate(self._tiles.values()):
            left = (i % in_a_row) * (width + GAP)
            tile.setGeometry(left, top + (i // in_a_row) * (TILE_HEIGHT + GAP), width, TILE_HEIGHT)

    @Slot()
    def _turn(self) -> None:
        """Look at one camera; the next turn looks at the next one."""
        if not self._cells or self._source is None:
            return
        names = list(self._cells)
        name = names[self._next % len(names)]
        self._next += 1
        picture = self._cells[name].picture
        before = picture.aspect
        picture.show_frame(self._source.latest(name))
        if picture.aspect != before:
            self._arrange()  # the first picture tells how wide it really is
            self.arranged.emit()


class _Cell(QWidget):
    """One camera: its picture over its strip, in a frame."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.picture, self.strip = LivePicture(), HealthStrip()
        self._ink, self._mood = "", "idle"
        layout = QVBoxLayout(self)
        layout.setContentsMargins(FRAME, FRAME, FRAME, FRAME)
        layout.setSpacing(0)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.strip)

    def show_stream(self, row: StreamRow) -> None:
        self.picture.setAccessibleName(f"Camera {row.name}")
        self.strip.show_stream(row)
        self.picture.show_problem(row.problem)
        if row.mood != self._mood:
            self._mood = row.mood
            self.update()

    def show_frame(self, ink: str) -> None:
        if ink != self._ink:
            self._ink = ink
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ink = "alarm" if self._mood == "alarm" and not self._ink else self._ink or "border"
        QPainter(self).fillRect(self.rect(), color(ink))


def best_columns(count: int, width: float, height: float, aspect: float) -> int:
    """Return in how many columns `count` pictures of this aspect (width by height) are largest in a grid [px]."""

    def picture_width(columns: int) -> float:
        rows = -(-count // columns)
        room = (width - (columns - 1) * GAP) / columns
        tall = (height - (rows - 1) * GAP) / rows - HEIGHT
        return max(min(room, tall * aspect), 1.0)

    best = count
    for columns in range(count - 1, 0, -1):
        even = -(-count // columns) == -(-count // best) and picture_width(columns) >= picture_width(best)
        if even or picture_width(columns) > WORTH_STACKING * picture_width(best):
            best = columns
    return max(best, 1)


def main() -> None:
    """Show two made-up cameras and two sensors."""
    from PySide6.QtWidgets import QApplication

    from widgets.record_values import Fact
    from widgets.theme import apply_theme
    from widgets.views import made_up

    app = QApplication([])
    apply_theme(app)
    grid = LiveGrid()
    grid.set_source(made_up.LiveCameras())
    facts = (Fact("30.0 fps", "ok"), Fact("age 31 ms"), Fact("0 drops", "ok"))
    cameras = [StreamRow(name, facts=facts) for name in made_up.VIEWS]
    grid.show_streams([*cameras, StreamRow("force", "number", "ok", facts, value="0.4 N")])
    grid.resize(1100, 500)
    grid.show()
    app.exec()


if __name__ == "__main__":
    main()
