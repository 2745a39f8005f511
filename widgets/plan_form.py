"""A plan that the next takes are sampled from: folded away until it is wanted, remembered once it is used."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from widgets.choice_form import MOST
from widgets.demo import demo
from widgets.own_keys import keep_own_keys
from widgets.panel import button, label, row


@dataclass(frozen=True)
class PlanState:
    """What stands in the fields; used: takes are sampled from it; next: what the next one is of; problem: "" or
    what is wrong; tables: a simulated table says object and condition; locked: not now."""

    tasks: str = ""
    objects: str = ""
    conditions: str = ""
    instruction: str = ""
    goal: int = 50
    used: bool = False
    next: str = ""
    problem: str = ""
    tables: bool = False
    locked: bool = False


class PlanForm(QWidget):
    """Emits `use_wanted` with True to sample from what stands in the fields, with False to stop."""

    use_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: PlanState | None = None
        self._line = label("", wrap=True)
        self._unfold = button("Edit", tip="Sample tasks, objects and conditions evenly, each in turn")
        self._unfold.setCheckable(True)
        self._use = button("Sample from this plan", "primary")
        self._stop = button("Stop sampling")
        self._fields = {
            "Tasks": QLineEdit(placeholderText="push, sweep"),
            "Objects": QLineEdit(placeholderText="cup, bowl"),
            "Conditions": QLineEdit(placeholderText="bright, dim"),
            "Instruction": QLineEdit(placeholderText="put the {object} on the mat"),
            "Goal": QLineEdit(),
        }
        self._fields["Goal"].setValidator(QIntValidator(1, MOST, self._fields["Goal"]))
        self._folded, grid = QWidget(), QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self._labels = {title: label(title, "muted") for title in self._fields}
        for i, (title, field) in enumerate(self._fields.items()):
            field.setAccessibleName(f"Plan: {title}")
            field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            keep_own_keys(field)
            field.returnPressed.connect(self._want)
            grid.addWidget(self._labels[title], i, 0)
            grid.addWidget(field, i, 1)
        inside = QVBoxLayout(self._folded)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addLayout(grid)
        inside.addLayout(row(1, self._use))
        for knob in (self._unfold, self._use, self._stop):
            knob.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        head = row(self._line, self._stop, self._unfold)
        head.setStretch(0, 1)
        layout.addLayout(head)
        layout.addWidget(self._folded)
        self._unfold.toggled.connect(self._folded.setVisible)
        self._use.clicked.connect(self._want)
        self._stop.clicked.connect(lambda: self.use_wanted.emit(False))
        self._folded.hide()
        self._stop.hide()

    @property
    def written(self) -> PlanState:
        """What stands in the fields now."""
        texts = {title: field.text().strip() for title, field in self._fields.items()}
        return PlanState(
            texts["Tasks"],
            texts["Objects"],
            texts["Conditions"],
            texts["Instruction"],
            goal=int(texts["Goal"] or 0) or 50,
        )

    def show_plan(self, state: PlanState) -> None:
        """Show a plan; fields that somebody writes in are left alone."""
        before, self._shown = self._shown, state
        if state == before:
            return
        if state.used and (before is None or not before.used):
            self._unfold.setChecked(False)
        values = (state.tasks, state.objects, state.conditions, state.instruction, str(state.goal))
        same = before is not None and values == (
            before.tasks, before.objects, before.conditions, before.instruction, str(before.goal)
        )  # fmt: skip
        for field, value in zip(self._fields.values(), values, strict=True):
            if not same and not field.hasFocus():
                field.setText(value)
            field.setEnabled(not state.locked)
        for title in ("Objects", "Conditions", "Instruction"):
            for widget in (self._fields[title], self._labels[title]):
                widget.setVisible(not state.tables)
        said = f"Next: {state.next}" if state.used else "The same again, as chosen above"
        self._line.setText(state.problem or said)
        for knob in (self._use, self._stop):
            knob.setEnabled(not state.locked)
        self._stop.setVisible(state.used)

    @Slot()
    def _want(self) -> None:
        self.use_wanted.emit(True)


def main() -> None:
    """Show a plan of two tasks; it prints what is wanted."""

    def make() -> QWidget:
        form = PlanForm()
        form.show_plan(PlanState("push, sweep", "letter K, letter T", used=True, next="push · letter K"))
        form.use_wanted.connect(lambda use: print(use, form.written))
        return form

    demo(make)


if __name__ == "__main__":
    main()
