"""After a run: how did it go? Two keys and Enter, and it is in the ledger."""

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from widgets.panel import ElidedLabel, button, label, row
from widgets.theme import set_state

_KEYS = (Qt.Key.Key_S, Qt.Key.Key_F, Qt.Key.Key_Return, Qt.Key.Key_Enter)
TAGS = ("bad dream", "bad track", "bad plan", "bad execution", "slipped", "missed")


class OutcomeCard(QWidget):
    """Emits `outcome_given(success, tags, note)`; tags are joined by commas. S and F choose, Enter saves."""

    outcome_given = Signal(bool, str, str)
    skipped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head = label("How did it go?", "title")
        self._detail = ElidedLabel()
        set_state(self._detail, role="muted")
        self._success = button("Success  (S)", checkable=True)
        self._failure = button("Failure  (F)", checkable=True)
        self._verdict = QButtonGroup(self)
        for choice in (self._success, self._failure):
            self._verdict.addButton(choice)
            choice.clicked.connect(self._refresh)
        self._tags = [button(tag, "tag", checkable=True) for tag in TAGS]
        self._note = QLineEdit(placeholderText="Note: what you saw")
        self._note.returnPressed.connect(self.save)
        self._save = button("Save  ⏎", "primary", "Save the outcome in the ledger  (Return)")
        self._save.clicked.connect(self.save)
        later = button("Not now", "flat")
        later.clicked.connect(lambda: self.skipped.emit())
        grid = QGridLayout()
        grid.setSpacing(4)
        for index, tag in enumerate(self._tags):
            tag.setMinimumHeight(28)
            grid.addWidget(tag, index // 3, index % 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row(self._head, 1, later))
        layout.addWidget(self._detail)
        layout.addLayout(row(self._success, self._failure))
        layout.addLayout(grid)
        layout.addLayout(row(self._note, self._save))
        layout.addStretch(1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.ask("")

    def ask(self, detail: str) -> None:
        """Start anew for a run that ended like this."""
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self._verdict.setExclusive(False)
        for choice in (self._success, self._failure, *self._tags):
            choice.setChecked(False)
        self._verdict.setExclusive(True)
        self._note.clear()
        self._refresh()

    def choose(self, success: bool) -> None:
        """Choose a verdict as a person would."""
        (self._success if success else self._failure).setChecked(True)
        self._refresh()

    @Slot()
    def save(self) -> None:
        """Give the outcome, once there is a verdict."""
        if self._verdict.checkedButton() is None:
            self._detail.setText("Choose Success or Failure first.")
            self._detail.show()
            return
        tags = ",".join(tag.text() for tag in self._tags if tag.isChecked())
        self.outcome_given.emit(self._success.isChecked(), tags, self._note.text().strip())

    def event(self, event: QEvent) -> bool:
        # its own keys come before the page's shortcuts: S splits a track there
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_S, Qt.Key.Key_F):
            self.choose(event.key() == Qt.Key.Key_S)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.save()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _refresh(self) -> None:
        self._save.setEnabled(self._verdict.checkedButton() is not None)


def main() -> None:
    """Answer it; it prints what would be saved."""
    from PySide6.QtWidgets import QApplication

    from widgets.theme import apply_theme

    app = QApplication([])
    apply_theme(app)
    card = OutcomeCard()
    card.ask("The plan ended by itself after 12.4 s.")
    card.outcome_given.connect(lambda *given: print(given))
    card.show()
    app.exec()


if __name__ == "__main__":
    main()
