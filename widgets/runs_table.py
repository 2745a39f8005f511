"""The runs of the ledger, newest first."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from widgets.approve_panel import short_hash
from widgets.demo import demo
from widgets.theme import level_color
from widgets.values import RunRow

_COLUMNS = ("Time", "Dream", "Outcome", "Tags", "Note", "Approved by", "Ended", "Plan")
_WIDTHS = (185, 150, 100, 150, 240, 110, 130, 110)
_ID = Qt.ItemDataRole.UserRole


class RunsTable(QTreeWidget):
    """Emits `run_picked` with the run's id."""

    run_picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderLabels(list(_COLUMNS))
        self.setRootIsDecorated(False)
        self.setAlternatingRowColors(True)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.header().setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        self.header().setStretchLastSection(False)
        self.currentItemChanged.connect(self._pick)

    @property
    def chosen(self) -> str:
        """The id of the chosen run, empty where there is none."""
        item = self.currentItem()
        return str(item.data(0, _ID)) if item else ""

    def show_runs(self, runs: Sequence[RunRow]) -> None:
        """Show these runs; the choice stays where its run stays, else the newest is chosen."""
        chosen = self.chosen
        self.blockSignals(True)
        self.clear()
        for run in runs:
            self.addTopLevelItem(_item(run))
        rows = [run.id for run in runs]
        if item := self.topLevelItem(rows.index(chosen) if chosen in rows else 0):
            self.setCurrentItem(item)
        self.blockSignals(False)
        self._pick(self.currentItem())

    @Slot("QTreeWidgetItem*")
    def _pick(self, item: QTreeWidgetItem | None, _before: object = None) -> None:
        self.run_picked.emit(str(item.data(0, _ID)) if item else "")


def _item(run: RunRow) -> QTreeWidgetItem:
    texts = (run.time, run.dream, run.outcome, run.tags, run.note, run.person, run.ended, short_hash(run.plan))
    item = QTreeWidgetItem(list(texts))
    item.setData(0, _ID, run.id)
    item.setToolTip(7, run.plan)
    item.setToolTip(4, run.note)
    item.setForeground(2, QColor(level_color(run.mood)))
    return item


def main() -> None:
    """Show one run."""

    def make() -> QWidget:
        table = RunsTable()
        table.show_runs([RunRow("1", "2026-01-01 12:00", "example", "success", "ok", person="anna")])
        return table

    demo(make)


if __name__ == "__main__":
    main()
