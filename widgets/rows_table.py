"""A table of whole rows of which several may be chosen and one is looked at."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

Index = QModelIndex | QPersistentModelIndex


class RowsModel(QAbstractTableModel):
    """columns: heading of each; `lines` is what is shown, a row each."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__()
        self.lines: Sequence[Any] = ()
        self._columns = columns

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section]
        return None


class RowsTable(QTableView):
    """`chosen_changed()`: other rows are chosen; `went()`: another row is looked at."""

    chosen_changed = Signal()
    went = Signal()

    def __init__(
        self, name: str, model: QAbstractTableModel, row_px: int, icon: QSize, parent: QWidget | None = None
    ) -> None:
        """name: for screen readers."""
        super().__init__(parent)
        self.setModel(model)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(icon)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(row_px)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def step(self, rows: int) -> None:
        """Go to a row further down or up."""
        if count := self.model().rowCount():
            self.go(min(max(self.currentIndex().row() + rows, 0), count - 1))

    def go(self, row: int) -> None:
        """Choose this row alone. Not by selectRow, which a Ctrl key that is still held turns into its opposite."""
        self.choose([row], row)
        self.scrollTo(self.model().index(row, 0))

    def choose(self, rows: Sequence[int], current: int) -> None:
        """Choose these rows; current: the one that is looked at, -1 for none."""
        model, flags, chosen = self.model(), QItemSelectionModel.SelectionFlag, QItemSelection()
        for row in rows:
            chosen.select(model.index(row, 0), model.index(row, model.columnCount() - 1))
        self.selectionModel().select(chosen, flags.ClearAndSelect)
        if current >= 0:
            self.selectionModel().setCurrentIndex(model.index(current, 0), flags.NoUpdate)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self.chosen_changed.emit()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.row() != previous.row():
            self.went.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Letters belong to the page's actions, not to a search in the table."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
        if plain and event.text().isprintable() and event.text():
            event.ignore()
        else:
            super().keyPressEvent(event)
