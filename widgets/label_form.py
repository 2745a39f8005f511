"""What is said of the chosen demos: task, instruction, object, success, tags, note. For one at once, for many after
a look at what would change."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QGridLayout, QLineEdit, QPushButton, QSizePolicy, QWidget

from widgets.demo import demo
from widgets.demos_values import LabelEdit, Labels, SuccessWord
from widgets.own_keys import keep_own_keys
from widgets.panel import button, label, row

SEVERAL = "several"
_TEXTS = ("task", "instruction", "object", "condition", "note")
_SUCCESS: Sequence[tuple[SuccessWord, str]] = (("yes", "Yes"), ("no", "No"), ("unknown", "Not judged"))


class LabelForm(QWidget):
    """Emits `edited(LabelEdit)` when a person changed something and left the field, pressed Return or a button.

    Tags are words with commas between. Of many demos a tag that only some have stands in brackets; what is left out
    is taken from all, and what is left in brackets stays as it is.
    """

    edited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Labels()
        self._task, self._object = _combo("Task"), _combo("Object")
        self._lines = {
            name: _line(name.capitalize(), hint)
            for name, hint in (
                ("instruction", "In words, as a policy is told it"),
                ("condition", "Such as dim light"),
                ("note", "Anything worth knowing"),
                ("tags", "Words with commas between"),
            )
        }
        self._success = QButtonGroup(self)
        self._success.setExclusive(False)
        buttons: list[QWidget] = []
        for word, text in _SUCCESS:
            made = button(text, "tag", checkable=True)
            made.setObjectName(word)
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            made.clicked.connect(self._pick_success)
            self._success.addButton(made)
            buttons.append(made)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        fields: dict[str, QWidget] = {
            "Task": self._task,
            "Instruction": self._lines["instruction"],
            "Object": self._object,
            "Condition": self._lines["condition"],
            "Success": _holder(buttons),
            "Tags": self._lines["tags"],
            "Note": self._lines["note"],
        }
        for i, (title, field) in enumerate(fields.items()):
            grid.addWidget(label(title, "muted"), i, 0)
            grid.addWidget(field, i, 1)
        for combo in (self._task, self._object):
            combo.activated.connect(self._tell)
        for line in self._all_lines().values():
            line.editingFinished.connect(self._tell)

    def show_labels(self, labels: Labels) -> None:
        """Show what is said of the chosen demos."""
        self._shown = labels
        _fill(self._task, labels.task, labels.tasks)
        _fill(self._object, labels.object, labels.objects)
        for name in ("instruction", "condition", "note"):
            _show(self._lines[name], getattr(labels, name))
        tags = ", ".join([*labels.tags, *(f"[{tag}]" for tag in labels.some_tags)])
        _show(self._lines["tags"], tags)
        for made in self._success.buttons():
            made.setChecked(made.objectName() == labels.success)
        self.setEnabled(labels.of > 0)

    def write_tags(self) -> None:
        """Put the cursor behind the tags."""
        line = self._lines["tags"]
        line.setFocus()
        line.end(False)

    def write_instruction(self) -> None:
        """Put the cursor into the instruction, all of it chosen."""
        self._lines["instruction"].setFocus()
        self._lines["instruction"].selectAll()

    @property
    def edit(self) -> LabelEdit:
        """What stands in the fields against what was shown."""
        changed: dict[str, Any] = {}
        for name, line in self._all_lines().items():
            text, was = line.text().strip(), getattr(self._shown, name, None)
            if name != "tags" and text != (was or "") and (text or was is not None):
                changed[name] = text
        add, remove = self._tag_changes()
        return LabelEdit(**changed, add_tags=add, remove_tags=remove)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc puts back what was shown."""
        if event.key() == Qt.Key.Key_Escape:
            self.show_labels(self._shown)
            self.window().setFocus()
        else:
            super().keyPressEvent(event)

    def _tag_changes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        written = [tag.strip() for tag in self._lines["tags"].text().split(",")]
        now = list(dict.fromkeys(tag for tag in written if tag))
        left = {tag[1:-1] for tag in now if tag.startswith("[") and tag.endswith("]")}
        plain = [tag for tag in now if not (tag.startswith("[") and tag.endswith("]"))]
        had = [*self._shown.tags, *self._shown.some_tags]
        add = tuple(tag for tag in plain if tag not in self._shown.tags)
        return add, tuple(tag for tag in had if tag not in plain and tag not in left)

    def _all_lines(self) -> dict[str, QLineEdit]:
        combos = {"task": self._task.lineEdit(), "object": self._object.lineEdit()}
        return {**{name: line for name, line in combos.items() if line is not None}, **self._lines}

    @Slot()
    def _tell(self) -> None:
        edit = self.edit
        if self._shown.of and not edit.empty:
            self._emit(edit)

    @Slot()
    def _pick_success(self) -> None:
        picked = self.sender()
        if isinstance(picked, QPushButton):
            for made in self._success.buttons():
                made.setChecked(made is picked)
            for word, _ in _SUCCESS:
                if word == picked.objectName() and word != self._shown.success:
                    self._emit(LabelEdit(success=word))

    def _emit(self, edit: LabelEdit) -> None:
        """Say it once: Return, and leaving the field after it, are one wish."""
        said = {name: getattr(edit, name) for name in (*_TEXTS, "success") if getattr(edit, name) is not None}
        kept = tuple(tag for tag in self._shown.tags if tag not in edit.remove_tags)
        some = tuple(tag for tag in self._shown.some_tags if tag not in (*edit.add_tags, *edit.remove_tags))
        self._shown = replace(self._shown, **said, tags=(*kept, *edit.add_tags), some_tags=some)
        self.edited.emit(edit)


def _combo(name: str) -> QComboBox:
    made = QComboBox(editable=True)
    made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    made.setAccessibleName(name)
    keep_own_keys(made)
    if (line := made.lineEdit()) is not None:
        keep_own_keys(line)
    return made


def _line(name: str, hint: str) -> QLineEdit:
    made = QLineEdit(placeholderText=hint)
    made.setAccessibleName(name)
    keep_own_keys(made)
    return made


def _holder(buttons: Sequence[QWidget]) -> QWidget:
    made = QWidget()
    made.setLayout(row(*buttons, 1, spacing=6))
    return made


def _show(line: QLineEdit, text: str | None) -> None:
    if text is None:
        line.setPlaceholderText(SEVERAL)
    line.setText(text or "")
    line.setCursorPosition(0)


def _fill(combo: QComboBox, text: str | None, choices: Sequence[str]) -> None:
    combo.clear()
    combo.addItems(list(dict.fromkeys([*choices, *([text] if text else [])])))
    combo.setCurrentIndex(combo.findText(text) if text else -1)
    if (line := combo.lineEdit()) is not None:
        _show(line, text)


def main() -> None:
    """Show the labels of three demos; it prints what is changed."""

    def make() -> QWidget:
        form = LabelForm()
        form.show_labels(Labels("rotation", None, "cube", "", "", None, ("clean",), ("slow",), 3, ("rotation",)))
        form.edited.connect(print)
        return form

    demo(make)


if __name__ == "__main__":
    main()
