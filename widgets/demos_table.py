"""The demos of a dataset as a table: thousands of rows, pictures only of those that are seen."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import (
    QItemSelectionRange,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QWidget

from hardware.types import Image
from widgets.demo import demo
from widgets.demos_values import DemoLine, LineKey
from widgets.rows_table import Index, RowsModel, RowsTable
from widgets.theme import color, level_color
from widgets.views.paint import to_qimage

THUMB = QSize(80, 46)
ROW = 54
COLUMNS: Sequence[tuple[str, str, int]] = (
    # field, heading, width
    ("number", "No.", 134),
    ("task", "Task", 110),
    ("object", "Object", 106),
    ("success", "Success", 70),
    ("duration", "Length", 62),
    ("level", "Checks", 66),
    ("tags", "Tags", 100),
    ("instruction", "Instruction", 200),
    ("marks", "State", 120),
    ("started", "Recorded", 136),
    ("streams", "Streams", 240),
)
SORTED_BY = {"duration": "duration_s", "marks": "edited"}  # columns that sort by another name
_MOODS = {"yes": "ok", "no": "alarm", "ok": "ok", "mark": "warning", "bad": "alarm"}
_WORDS = {"unknown": "", "ok": "fine", "mark": "marked", "bad": "bad"}
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LOOK_MS = 120
_HELD = 600  # pictures scaled for the screen


class ThumbnailSource(Protocol):
    """Where the small pictures come from."""

    @property
    def version(self) -> int:
        """Changes when more pictures have come."""
        ...

    def thumbnail(self, key: LineKey) -> Image | None:
        """Return a picture (H, W, 3), None while, or where, there is none."""
        ...


class DemosModel(RowsModel):
    """The lines that the filter lets through."""

    def __init__(self) -> None:
        super().__init__([heading for _, heading, _ in COLUMNS])
        self.lines: Sequence[DemoLine] = ()
        self.keys: Sequence[LineKey] = ()
        self.source: ThumbnailSource | None = None
        self._pictures: dict[int, QPixmap] = {}

    def show_lines(self, lines: Sequence[DemoLine], keys: Sequence[LineKey]) -> None:
        self.beginResetModel()
        self.lines, self.keys = lines, keys
        self._pictures.clear()
        self.endResetModel()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line, name = self.lines[index.row()], COLUMNS[index.column()][0]
        text = str(getattr(line, name))
        if role == Qt.ItemDataRole.DisplayRole:
            return _WORDS.get(text, text) if name in ("success", "level") else text
        if role == Qt.ItemDataRole.DecorationRole and name == "number":
            return self._picture(index.row(), line)
        if role == Qt.ItemDataRole.ForegroundRole and (line.problem or name in ("success", "level")):
            return QColor(level_color("alarm" if line.problem else _MOODS.get(text, "idle")))
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.problem or (text if len(text) > 12 else None)
        if role == Qt.ItemDataRole.TextAlignmentRole and name == "duration":
            return _RIGHT
        return None

    def pictures_came(self, first: int, last: int) -> None:
        """Ask anew for the pictures of rows that have none."""
        if self.lines:
            column = [name for name, _, _ in COLUMNS].index("number")
            roles = [Qt.ItemDataRole.DecorationRole]
            self.dataChanged.emit(self.index(first, column), self.index(last, column), roles)

    def _picture(self, row: int, line: DemoLine) -> QPixmap:
        if row not in self._pictures:
            found = self.source.thumbnail(line.key) if self.source is not None else None
            if found is None:
                return _blank()
            if len(self._pictures) >= _HELD:
                self._pictures.clear()
            self._pictures[row] = _framed(to_qimage(found))
        return self._pictures[row]


class DemosTable(RowsTable):
    """`picked(key)`: the demo to look at; `chosen_changed()`; `sort_wanted(field, descending)`."""

    picked = Signal(object)
    sort_wanted = Signal(str, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._model = DemosModel()
        super().__init__("Demos", self._model, ROW, THUMB, parent)
        self._seen = -1
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        head = self.horizontalHeader()
        head.setSortIndicatorShown(True)
        head.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        head.setSectionsClickable(True)
        head.sortIndicatorChanged.connect(self._sort)
        for column, (_, _, width) in enumerate(COLUMNS):
            self.setColumnWidth(column, width)
        self._looks = QTimer(self, interval=_LOOK_MS)
        self._looks.timeout.connect(self._look)
        self._looks.start()
        self.went.connect(self._tell)

    @property
    def lines(self) -> Sequence[DemoLine]:
        """What is shown."""
        return self._model.lines

    @property
    def chosen(self) -> tuple[LineKey, ...]:
        """The demos that are chosen, in the order of the table."""
        # by ranges: asking Qt for ten thousand indices takes a second (the stubs know no iteration)
        chosen: Iterable[QItemSelectionRange] = self.selectionModel().selection()  # type: ignore[assignment]
        spans = [range(part.top(), part.bottom() + 1) for part in chosen]
        rows = sorted({row for span in spans for row in span})
        return tuple(self._model.keys[row] for row in rows)

    @property
    def current(self) -> LineKey | None:
        """The demo that is looked at."""
        row = self.currentIndex().row()
        return self._model.keys[row] if 0 <= row < len(self._model.keys) else None

    def set_source(self, source: ThumbnailSource | None) -> None:
        """Take the small pictures from here."""
        self._model.source = source

    def show_lines(self, lines: Sequence[DemoLine], keys: Sequence[LineKey]) -> None:
        """Show these; what was chosen stays chosen where it still is, else the row that took its place.

        lines: looked at one by one, when they are seen; keys: of all of them.
        """
        if lines == self._model.lines:
            return
        kept, current, row = set(self.chosen), self.current, self.currentIndex().row()
        at = self.verticalScrollBar().value()
        self.selectionModel().blockSignals(True)
        self._model.show_lines(lines, keys)
        rows = [i for i, key in enumerate(keys) if key in kept]
        here = next((i for i, key in enumerate(keys) if key == current), min(max(row, 0), len(lines) - 1))
        self.choose(rows or ([here] if lines else []), here)
        self.selectionModel().blockSignals(False)
        self.verticalScrollBar().setValue(at)
        self.viewport().update()
        self.chosen_changed.emit()
        if self.current != current:
            self.picked.emit(self.current)

    def show_key(self, key: LineKey) -> None:
        """Choose one demo, where it is shown."""
        if key in self._model.keys:
            self.go(self._model.keys.index(key))

    @Slot()
    def _tell(self) -> None:
        self.picked.emit(self.current)

    @Slot(int, Qt.SortOrder)
    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        field = COLUMNS[column][0]
        self.sort_wanted.emit(SORTED_BY.get(field, field), order == Qt.SortOrder.DescendingOrder)

    @Slot()
    def _look(self) -> None:
        """Show the pictures that have come meanwhile."""
        source = self._model.source
        if source is None or source.version == self._seen or not self.isVisible():
            return
        self._seen = source.version
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        count = len(self._model.lines)
        self._model.pictures_came(max(first, 0), last if last >= 0 else count - 1)


def _framed(picture: QImage) -> QPixmap:
    """All of one size, so that the numbers beside them stand below each other."""
    scaled = picture.scaled(THUMB, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    made = _blank()
    painter = QPainter(made)
    left, top = (THUMB.width() - scaled.width()) // 2, (THUMB.height() - scaled.height()) // 2
    painter.drawImage(left, top, scaled)
    painter.end()
    return made


def _blank() -> QPixmap:
    made = QPixmap(THUMB)
    made.fill(color("well"))
    return made


def main() -> None:
    """Show five thousand made-up demos."""

    def make() -> QWidget:
        table = DemosTable()
        keys = [("s", k, 1) for k in range(5000)]
        table.show_lines([DemoLine(key, str(key[1]), "rotation", duration="4.1 s") for key in keys], keys)
        table.picked.connect(print)
        table.resize(1000, 600)
        return table

    demo(make)


if __name__ == "__main__":
    main()
