"""What a page says while it has nothing to show: what will be here, and what to do now."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from widgets.panel import follow_tip, label, paragraph, row
from widgets.theme import set_state


class EmptyState(QWidget):
    """A title, a sentence, optional steps, and buttons for the actions that lead on; the first is the main one."""

    def __init__(
        self,
        title: str,
        text: str,
        actions: Sequence[QAction] = (),
        steps: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.setSpacing(14)
        head = label(title, "title")
        body = paragraph(text, 600, "muted")
        body.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(head, alignment=Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(body, alignment=Qt.AlignmentFlag.AlignCenter)
        for number, step in enumerate(steps, 1):
            layout.addWidget(paragraph(f"{number}.  {step}", 600), alignment=Qt.AlignmentFlag.AlignCenter)
        if actions:
            layout.addSpacing(6)
            buttons = [push_button(action, primary=not i) for i, action in enumerate(actions)]
            layout.addLayout(row(1, *buttons, 1))


def push_button(action: QAction, primary: bool = False) -> QPushButton:
    """Return a button that is the action, its key beside its name."""
    button = QPushButton(_with_keys(action))
    action.changed.connect(lambda: button.setText(_with_keys(action)))
    follow_tip(button, action)
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    button.setEnabled(action.isEnabled())
    if primary:
        set_state(button, role="primary")
    return button


def _with_keys(action: QAction) -> str:
    keys = action.shortcut().toString()
    return f"{action.text()}   {keys}" if keys else action.text()
