"""A question that stands in the page, beside what it is about: nothing waits for it, Esc says no."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QWidget

from widgets.demo import demo
from widgets.panel import button, label, row
from widgets.theme import set_state


class QuestionStrip(QFrame):
    """Hidden until `ask`; then `accepted()` or `refused()`. Return presses the chosen button, Esc refuses."""

    accepted = Signal()
    refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_state(self, role="banner", state="warning")
        self._text = label("", wrap=True)
        self._yes, self._no = button(""), button("")
        for one in (self._yes, self._no):
            one.setAutoDefault(True)
            one.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._yes.clicked.connect(self.accepted)
        self._no.clicked.connect(self.refused)
        layout = row(self._text, self._yes, self._no)
        layout.setContentsMargins(14, 8, 8, 8)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.hide()

    @property
    def text(self) -> str:
        """What is asked, "" for nothing."""
        return self._text.text() if not self.isHidden() else ""

    def ask(self, text: str, yes: str, no: str) -> None:
        """Ask this; the keys go to the answer that changes nothing."""
        self._text.setText(text)
        self._yes.setText(yes)
        self._no.setText(no)
        self.show()
        self._no.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.refused.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            (self._yes if self._yes.hasFocus() else self._no).click()
        else:
            super().keyPressEvent(event)


def main() -> None:
    """Ask something."""

    def make() -> QWidget:
        strip = QuestionStrip()
        strip.ask("Remove 2 jobs from the list?", "Remove", "Keep")
        return strip

    demo(make)


if __name__ == "__main__":
    main()
