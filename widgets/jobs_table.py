"""The jobs as a table: what each is, how it is, how far and how long still."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from widgets.demo import demo
from widgets.rows_table import Index, RowsModel, RowsTable
from widgets.theme import color, font, level_color
from widgets.train_values import JobLine

ROW = 34
COLUMNS: Sequence[tuple[str, str, int]] = (
    # field, heading, width; 0: what is left
    ("title", "Job", 0),
    ("state", "State", 104),
    ("done", "Progress", 116),
    ("left", "Left", 96),
    ("started", "Begun", 112),
)
_DONE = Qt.ItemDataRole.UserRole
_NAMES = tuple(name for name, _, _ in COLUMNS)


class JobsModel(RowsModel):
    """The lines as they were shown last; what changed in a line is told without a reset."""

    def __init__(self) -> None:
        super().__init__([heading for _, heading, _ in COLUMNS])
        self.lines: tuple[JobLine, ...] = ()
        self.inks: Mapping[str, str] = {}

    def show_lines(self, lines: Sequence[JobLine]) -> bool:
        """Return whether rows came, went or moved."""
        before, now = self.lines, tuple(lines)
        if [line.id for line in before] == [line.id for line in now]:
            self.lines = now
            for i, (old, new) in enumerate(zip(before, now, strict=True)):
                if old != new:
                    self.dataChanged.emit(self.index(i, 0), self.index(i, len(COLUMNS) - 1))
            return False
        self.beginResetModel()
        self.lines = now
        self.endResetModel()
        return True

    def show_inks(self, inks: Mapping[str, str]) -> None:
        if inks != self.inks:
            self.inks = dict(inks)
            if self.lines:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.lines) - 1, 0))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line, name = self.lines[index.row()], _NAMES[index.column()]
        if role == Qt.ItemDataRole.DisplayRole and name != "done":
            return str(getattr(line, name))
        if role == _DONE and name == "done":
            return line.done
        if role == Qt.ItemDataRole.ForegroundRole and name == "state":
            return QColor(level_color(line.mood))
        if role == Qt.ItemDataRole.DecorationRole and name == "title" and line.id in self.inks:
            return color(self.inks[line.id])
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.tip or None
        if role == Qt.ItemDataRole.AccessibleTextRole and name == "done":
            return f"{100 * line.done:.0f} %" if line.done >= 0 else "unknown"
        return None


class _Bar(QStyledItemDelegate):
    """A bar with its percentage in it; a job that says nothing of its progress has an empty one."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        done = float(index.data(_DONE))
        if done < 0:
            return
        area = QRectF(option.rect).adjusted(4, 9, -8, -9)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("well"))
        painter.drawRoundedRect(area, 4, 4)
        painter.setBrush(color("accent", 0.5))
        filled = QRectF(area)
        filled.setWidth(area.width() * min(done, 1.0))
        painter.drawRoundedRect(filled, 4, 4)
        painter.setPen(color("text"))
        painter.setFont(font(12))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, f"{100 * done:.0f} %")
        painter.restore()


class JobsTable(RowsTable):
    """`picked(id)`: the job to look at, "" for none; `chosen_changed()`: which are chosen, to compare them."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._model = JobsModel()
        super().__init__("Jobs", self._model, ROW, QSize(10, 10), parent)
        self.setItemDelegateForColumn(_NAMES.index("done"), _Bar(self))
        head = self.horizontalHeader()
        for column, (_, _, width) in enumerate(COLUMNS):
            if width:
                self.setColumnWidth(column, width)
            else:
                head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        self.went.connect(self._tell)

    @property
    def lines(self) -> Sequence[JobLine]:
        """What is shown."""
        return self._model.lines

    @property
    def chosen(self) -> tuple[str, ...]:
        """The ids of the jobs that are chosen, in the order of the table."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return tuple(self._model.lines[row].id for row in rows)

    @property
    def current(self) -> str:
        """The id of the job that is looked at, "" for none."""
        row = self.currentIndex().row()
        return self._model.lines[row].id if 0 <= row < len(self._model.lines) else ""

    def show_lines(self, lines: Sequence[JobLine]) -> None:
        """Show these; what was chosen stays chosen where it still is, else the row that took its place."""
        if tuple(lines) == self._model.lines:
            return
        kept, current, row = set(self.chosen), self.current, self.currentIndex().row()
        ids, at = [line.id for line in lines], self.verticalScrollBar().value()
        selection = self.selectionModel()
        blocked = selection.blockSignals(True)
        moved = self._model.show_lines(lines)
        if moved:
            here = ids.index(current) if current in ids else min(max(row, 0), len(ids) - 1)
            self.choose([i for i, id in enumerate(ids) if id in kept] or ([here] if ids else []), here)
            self.verticalScrollBar().setValue(at)
        selection.blockSignals(blocked)
        if moved:
            self.viewport().update()
            self.chosen_changed.emit()
            if self.current != current:
                self.picked.emit(self.current)

    def show_inks(self, inks: Mapping[str, str]) -> None:
        """Mark these jobs with the colours of the theme that their curves have."""
        self._model.show_inks(inks)

    def show_job(self, id: str) -> None:
        """Choose one job, where it is shown."""
        ids = [line.id for line in self._model.lines]
        if id in ids:
            self.go(ids.index(id))

    @Slot()
    def _tell(self) -> None:
        self.picked.emit(self.current)


def main() -> None:
    """Show fifty made-up jobs."""

    def make() -> QWidget:
        table = JobsTable()
        lines = [JobLine(str(k), f"push-shape {k}", "training", "waits") for k in range(49)]
        running = JobLine("r", "push-shape", "training", "runs", "ok", 0.41, "2 h 10 min", "14:02")
        table.show_lines([running, *lines])
        table.show_job("r")
        table.resize(800, 400)
        return table

    demo(make)


if __name__ == "__main__":
    main()
