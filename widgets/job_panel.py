"""What is known of the chosen job, several of them beside each other, and what the machine has left."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPixmap, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QStackedLayout,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.demo import demo
from widgets.panel import ElidedLabel, Panel, label, scrolled, show_done
from widgets.theme import COLORS, color
from widgets.train_values import Comparison, Meter
from widgets.views.loss_curves import INKS

_ONE, _SEVERAL = 0, 1
MOST = 64  # jobs at once


class JobPanel(Panel):
    """`show_facts` of one job, or `show_comparison` of several."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("THIS JOB", parent)
        self._problem = label("", state="alarm", wrap=True)
        self._problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._facts: list[tuple[QLabel, ElidedLabel]] = []
        one = QWidget()
        column = QVBoxLayout(one)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._problem)
        column.addLayout(self._grid)
        column.addStretch(1)
        self._comparison = Comparison()
        self._table = QTreeWidget()
        self._table.setRootIsDecorated(False)
        self._table.setUniformRowHeights(True)
        self._table.setAccessibleName("Jobs compared")
        self._table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._stack = QStackedLayout()
        self._stack.addWidget(scrolled(one))
        self._stack.addWidget(self._table)
        self.body.addLayout(self._stack)

    def show_facts(self, facts: Sequence[tuple[str, str]], problem: str = "") -> None:
        """Show (name, value) pairs; problem: why it failed or was interrupted, and what to do."""
        self.heading.setText("THIS JOB")
        self._stack.setCurrentIndex(_ONE)
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        while len(self._facts) < len(facts):
            name, value = label("", "muted"), ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
            at = len(self._facts)
            self._grid.addWidget(name, at, 0)
            self._grid.addWidget(value, at, 1)
            self._facts.append((name, value))
        for i, (name, value) in enumerate(self._facts):
            for widget in (name, value):
                widget.setVisible(i < len(facts))
            if i < len(facts):
                name.setText(facts[i][0])
                value.setText(facts[i][1])

    def show_comparison(self, comparison: Comparison) -> None:
        """Show what differs between jobs and what came of them, each in the colour of its curve."""
        self.heading.setText(f"{len(comparison.names)} JOBS COMPARED")
        self._stack.setCurrentIndex(_SEVERAL)
        if comparison == self._comparison:
            return
        self._comparison = comparison
        at = self._table.verticalScrollBar().value()
        self._table.clear()
        self._table.setColumnCount(len(comparison.names) + 1)
        head = QTreeWidgetItem(["", *comparison.names])
        for i in range(len(comparison.names)):
            head.setIcon(i + 1, _dot(INKS[i % len(INKS)]))
            head.setToolTip(i + 1, comparison.names[i])
        self._table.setHeaderItem(head)
        for name, values in comparison.rows:
            item = QTreeWidgetItem([name, *values])
            item.setForeground(0, QColor(COLORS["muted"]))
            for i, value in enumerate(values):
                item.setToolTip(i + 1, value)
            self._table.addTopLevelItem(item)
        header = self._table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self._table.verticalScrollBar().setValue(at)


class MachinePanel(Panel):
    """Bars of what is used: CPU, memory, each GPU. `slots_changed(cpu, gpu)`: so many jobs shall run at once."""

    slots_changed = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("THIS MACHINE", parent)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 2)
        self.body.addLayout(self._grid)
        self._rows: list[tuple[QLabel, QProgressBar, ElidedLabel]] = []
        self._cpu, self._gpu = _Count("Jobs at once, without a GPU"), _Count("Jobs at once, with a GPU")
        self._with_gpu = label("with a GPU", "muted")
        for widget in (label("jobs at once", "muted"), self._cpu, self._with_gpu, self._gpu):
            self.corner.addWidget(widget)
        for box in (self._cpu, self._gpu):
            box.activated.connect(self._tell)

    def show_slots(self, cpu: int, gpu: int, gpus: int) -> None:
        """Show how many jobs run at once, and with how many of the machine's GPUs."""
        for box, count in ((self._cpu, cpu), (self._gpu, gpu)):
            if count != box.currentIndex():
                box.setCurrentIndex(min(count, MOST))
        for widget in (self._gpu, self._with_gpu):
            widget.setVisible(gpus > 0)

    @Slot()
    def _tell(self) -> None:
        self.slots_changed.emit(self._cpu.currentIndex(), self._gpu.currentIndex())

    def show_meters(self, meters: Sequence[Meter]) -> None:
        """Show these."""
        while len(self._rows) < len(meters):
            name, bar, words = label("", "muted"), QProgressBar(textVisible=False), ElidedLabel()
            name.setMinimumWidth(64)
            bar.setFixedHeight(8)
            at = len(self._rows)
            for column, widget in enumerate((name, bar, words)):
                self._grid.addWidget(widget, at, column)
            self._rows.append((name, bar, words))
        for i, (name, bar, words) in enumerate(self._rows):
            for widget in (name, bar, words):
                widget.setVisible(i < len(meters))
            if i < len(meters):
                name.setText(meters[i].name)
                show_done(bar, meters[i].used)
                words.setText(meters[i].words)


def _dot(ink: str) -> QIcon:
    made = QPixmap(10, 10)
    made.fill(color(ink))
    return QIcon(made)


class _Count(QComboBox):
    """How many; the wheel changes nothing."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(f"{name}; those that run go on")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addItems([str(count) for count in range(MOST + 1)])

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def main() -> None:
    """Show a job and a machine."""

    def make() -> QWidget:
        made = QWidget()
        column = QVBoxLayout(made)
        job, machine = JobPanel(), MachinePanel()
        job.show_facts([("Data", "/recordings/2026-01-01"), ("Step", "410 of 1,000")])
        machine.show_meters([Meter("CPU", 0.8, "3.2 of 4 cores"), Meter("Memory", 0.4, "3.1 of 8 GB")])
        column.addWidget(job, 1)
        column.addWidget(machine)
        return made

    demo(make)


if __name__ == "__main__":
    main()
