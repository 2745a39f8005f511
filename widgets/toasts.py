"""Short messages in the lower left of the window: never modal, never over Stop or Approve."""

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from widgets.panel import label, row
from widgets.theme import set_state

Level = Literal["info", "warning", "error"]
SHOWN_MS = {"info": 4000, "warning": 8000, "error": 20000}
_MOST = 3
_STATES = {"info": "", "warning": "warning", "error": "alarm"}


class _Toast(QFrame):
    def __init__(self, text: str, level: Level, details: Callable[[], None] | None) -> None:
        super().__init__()
        self.text, self.level = text, level
        self.setFixedWidth(520)
        set_state(self, role="banner", state=_STATES[level])
        words = label(text, wrap=True)
        buttons = []
        if details:
            buttons.append(self._button("See details", details))
        buttons.append(self._button("Close", lambda: None))
        layout = row(words, *buttons, spacing=6)
        layout.setStretch(0, 1)
        layout.setContentsMargins(14, 8, 8, 8)
        self.setLayout(layout)
        self.ensurePolished()
        self.setFixedHeight(max(layout.totalHeightForWidth(self.width()), 46))
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.deleteLater)
        self._timer.start(SHOWN_MS[level])

    def _button(self, text: str, action: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        set_state(button, role="flat")
        button.clicked.connect(action)
        button.clicked.connect(self.deleteLater)
        return button


class Toasts(QWidget):
    """A stack of messages over its parent, `left` and `bottom` pixels from its corner. The same text is shown once."""

    def __init__(self, parent: QWidget, left: int = 100, bottom: int = 60) -> None:
        super().__init__(parent)
        self._left, self._bottom = left, bottom
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        parent.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> list[str]:
        """What is shown now, oldest first."""
        return [toast.text for toast in self._toasts()]

    def say(self, text: str, level: Level = "info", details: Callable[[], None] | None = None) -> None:
        """Show a message for some seconds; details() is offered as "See details"."""
        shown = self._toasts()
        if any(toast.text == text for toast in shown):
            return
        for toast in shown[: max(len(shown) - _MOST + 1, 0)]:
            self._remove(toast)
        toast = _Toast(text, level, details)
        toast.destroyed.connect(self._place)
        self._layout.addWidget(toast)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self._place()
        return False

    def _toasts(self) -> list[_Toast]:
        items = (self._layout.itemAt(i).widget() for i in range(self._layout.count()))
        return [item for item in items if isinstance(item, _Toast)]

    def _remove(self, toast: _Toast) -> None:
        self._layout.removeWidget(toast)
        toast.deleteLater()

    @Slot()
    def _place(self) -> None:
        self.setVisible(bool(self._toasts()))
        self.adjustSize()
        self.move(self._left, self.parentWidget().height() - self._bottom - self.height())
        self.raise_()
