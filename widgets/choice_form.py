"""What the next take is of: task, object, condition, instruction, goal. Remembered, or sampled from a plan."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QSizePolicy, QWidget

from widgets.demo import demo
from widgets.own_keys import keep_own_keys
from widgets.panel import label
from widgets.record_values import Choice

MOST = 100_000


class ChoiceForm(QWidget):
    """Emits `changed()` when a person changed something; `choice` is what stands there then."""

    changed = Signal()
    shown_by_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Choice()
        self._task, self._object, self._condition = (_words() for _ in range(3))
        self._instruction = QLineEdit(placeholderText="In words, as a policy is told it")
        self._goal = QLineEdit()
        self._goal.setValidator(QIntValidator(1, MOST, self._goal))
        self._shown_by = QComboBox()
        fields = {
            "Task": self._task,
            "Object": self._object,
            "Condition": self._condition,
            "Instruction": self._instruction,
            "Goal": self._goal,
            "Shown by": self._shown_by,
        }
        self._labels: dict[str, QWidget] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for i, (title, field) in enumerate(fields.items()):
            self._labels[title] = label(title, "muted")
            field.setAccessibleName(title)
            field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            keep_own_keys(field)
            grid.addWidget(self._labels[title], i, 0)
            grid.addWidget(field, i, 1)
        for combo in (self._task, self._object, self._condition):
            combo.activated.connect(self._tell)
            line = combo.lineEdit()
            if line is not None:
                keep_own_keys(line)
                line.editingFinished.connect(self._tell)
                line.returnPressed.connect(self._done)
        self._instruction.returnPressed.connect(self._done)
        self._instruction.editingFinished.connect(self._tell)
        self._goal.editingFinished.connect(self._tell)
        self._goal.returnPressed.connect(self._done)
        self._shown_by.activated.connect(self._tell_shown_by)

    @property
    def choice(self) -> Choice:
        """What stands in the fields now."""
        return Choice(
            task=self._task.currentText().strip(),
            object=self._object.currentText().strip(),
            condition=self._condition.currentText().strip(),
            instruction=self._instruction.text().strip(),
            goal=int(self._goal.text() or 0) or self._shown.goal,
        )

    def show_choice(self, choice: Choice) -> None:
        """Show what is chosen; a field that somebody types in is left alone."""
        if choice == self._shown:
            return
        self._shown = choice
        _fill(self._task, choice.task, choice.tasks)
        _fill(self._object, choice.object, choice.objects)
        _fill(self._condition, choice.condition, choice.conditions)
        if not self._instruction.hasFocus():
            self._instruction.setText(choice.instruction)
            self._instruction.setCursorPosition(0)
        if not self._goal.hasFocus():
            self._goal.setText(str(max(1, choice.goal)))
        self._show_shown_by(choice.shown_by_choices, choice.shown_by)
        for field in (self._task, self._object, self._condition, self._instruction, self._goal, self._shown_by):
            field.setEnabled(not choice.locked)

    def write_task(self) -> None:
        """Put the cursor into the task, all of it chosen: what is typed takes its place."""
        line = self._task.lineEdit()
        if line is not None:
            line.setFocus()
            line.selectAll()

    def _show_shown_by(self, choices: Sequence[tuple[str, str]], chosen: str) -> None:
        for widget in (self._shown_by, self._labels["Shown by"]):
            widget.setVisible(bool(choices))
        self._shown_by.clear()
        for value, words in choices:
            self._shown_by.addItem(words, value)
        self._shown_by.setCurrentIndex(max(0, self._shown_by.findData(chosen)))

    @Slot()
    def _tell(self) -> None:
        now, shown = self.choice, self._shown
        before = (shown.task, shown.object, shown.condition, shown.instruction, shown.goal)
        if (now.task, now.object, now.condition, now.instruction, now.goal) != before and now.task:
            self.changed.emit()

    @Slot()
    def _done(self) -> None:
        """Give the keys back to the page: the next Space is to record, not to write a blank."""
        page = self.parentWidget()
        if page is not None:
            page.window().setFocus()

    @Slot()
    def _tell_shown_by(self) -> None:
        self.shown_by_changed.emit(str(self._shown_by.currentData()))


def _words() -> QComboBox:
    made = QComboBox(editable=True)
    made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return made


def _fill(combo: QComboBox, text: str, choices: Sequence[str]) -> None:
    line = combo.lineEdit()
    if line is not None and line.hasFocus():
        return
    combo.clear()
    combo.addItems(list(dict.fromkeys([*choices, *([text] if text else [])])))
    combo.setCurrentIndex(combo.findText(text))
    combo.setEditText(text)
    if line is not None:
        line.setCursorPosition(0)


def main() -> None:
    """Show a task to choose; it prints what is chosen."""

    def make() -> QWidget:
        form = ChoiceForm()
        form.show_choice(Choice("push-shape", "letter K", "new place", "push the letter to the goal", goal=50))
        form.changed.connect(lambda: print(form.choice))
        return form

    demo(make)


if __name__ == "__main__":
    main()
