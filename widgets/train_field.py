"""One value of a training's config: what it does, its value with its unit, and what the paper says."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.own_keys import keep_own_keys
from widgets.panel import button, label, row
from widgets.theme import set_state
from widgets.train_values import FormField
from widgets.views.paint import elided

EDITOR_PX, UNIT_PX, PAPER_PX = 210, 60, 250


class TrainField(QFrame):
    """`edited(name, text)` at every change a person makes: what is typed is judged while it is typed."""

    edited = Signal(str, str)

    def __init__(self, shown: FormField, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = shown
        self._title, self._help = label(shown.title), label(shown.help, "muted", wrap=True)
        self._problem = label("", state="alarm", wrap=True)
        self._problem.setAccessibleName(f"{shown.title}: what is wrong")
        self._unit = label(shown.unit, "muted")
        self._unit.setFixedWidth(UNIT_PX)
        self._paper = button("", "tag")
        self._paper.clicked.connect(self._take_published)
        self.editor, self._show_value = _EDITORS[shown.kind](self)
        self.editor.setFixedWidth(EDITOR_PX)
        self.editor.setAccessibleName(shown.title)
        self.editor.setAccessibleDescription(shown.help)
        self.editor.setToolTip(f"Valid: {shown.valid}" if shown.valid else "")
        about = QVBoxLayout()
        about.setSpacing(1)
        about.addWidget(self._title)
        about.addWidget(self._help)
        about.addWidget(self._problem)
        paper = QWidget()
        paper.setFixedWidth(PAPER_PX)
        inner = row(self._paper, 1)
        paper.setLayout(inner)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(12)
        layout.addLayout(about, 1)
        top = Qt.AlignmentFlag.AlignTop
        for widget in (self.editor, self._unit, paper):
            layout.addWidget(widget, alignment=top)
        self._unit.setFixedHeight(self.editor.sizeHint().height())
        self.show_field(shown)

    def show_field(self, shown: FormField) -> None:
        """Show the field as it is now; what somebody types in it is left alone."""
        before, self.shown = self.shown, shown
        self._show_value(shown.value)
        self._problem.setText(shown.problem)
        self._problem.setVisible(bool(shown.problem))
        if before.differs != shown.differs or before is shown:
            set_state(self._title, role="strong" if shown.differs else "")
        self._paper.setVisible(shown.differs)
        words = shown.choices.get(shown.published, shown.published)
        self._paper.setText(elided(f"published: {words}", PAPER_PX - 24, 13))
        self._paper.setToolTip(f"Use the published value: {words}")

    def send(self, text: str) -> None:
        """Tell a value that a person gave, when it is another one."""
        if text != self.shown.value:
            self.edited.emit(self.shown.name, text)

    @Slot()
    def _take_published(self) -> None:
        self.editor.clearFocus()
        self.edited.emit(self.shown.name, self.shown.published)


class _Choice(QComboBox):
    """The wheel scrolls the form, it does not change a value."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


Editor = tuple[QWidget, Callable[[str], None]]


def _text(owner: TrainField) -> Editor:
    made = QLineEdit()
    keep_own_keys(made)
    made.textEdited.connect(lambda text: owner.send(text.strip()))

    def show(value: str) -> None:
        if not made.hasFocus() and made.text() != value:
            made.setText(value)
            made.setCursorPosition(0)

    made.editingFinished.connect(lambda: show(owner.shown.value))
    return made, show


def _choice(owner: TrainField) -> Editor:
    made = _Choice()
    for value, words in owner.shown.choices.items():
        made.addItem(words, value)
    made.activated.connect(lambda index: owner.send(str(made.itemData(index))))
    return made, lambda value: made.setCurrentIndex(max(made.findData(value), 0))


_EDITORS: Mapping[str, Callable[[TrainField], Editor]] = {
    "text": _text,
    "choice": _choice,
}


def main() -> None:
    """Show a learning rate that differs from the paper's and is wrong."""
    demo(
        lambda: TrainField(
            FormField(
                "train.learning_rate",
                "train",
                "learning rate",
                "of the optimizer",
                "text",
                "-1",
                "1e-05",
                problem="-1; valid: 0 and more",
            )
        )
    )


if __name__ == "__main__":
    main()
