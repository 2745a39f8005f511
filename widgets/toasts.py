"""Short messages in the lower left of the window: never modal, never over Stop or Approve."""

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from widgets.panel import label, row
from widgets.theme import set_state

Level = Literal["info", "warning", "error"]
SHOWN_MS = {"info": 4000, "warning": 8000, "error": 20000}
WIDTH = 520
_MOST = 3
_LONGEST = 240  # characters; the log has all of it
_STATES = {"info": "", "warning": "warning", "error": "alarm"}


class _Toast(QFrame):
    gone = Signal(QWidget)

    def __init__(self, text: str, level: Level, details: Callable[[], None] | None, words: str) -> None:
        super().__init__()
        self.text, self.level = text, level
        self.setFixedWidth(WIDTH)
        set_state(self, role="banner", state=_STATES[level])
        message = label(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…", wrap=True)
        message.setToolTip(text)
        buttons = []
        if details:
            buttons.append(self._button(words, details))
        buttons.append(self._button("Close", lambda: None))
        layout = row(message, *buttons, spacing=6)
        layout.setStretch(0, 1)
        layout.setContentsMargins(14, 8, 8, 8)
        self.setLayout(layout)
        self.ensurePolished()
        self.setFixedHeight(max(layout.totalHeightForWidth(self.width()), 46))
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go)
        self._timer.start(SHOWN_MS[level])

    def _button(self, text: str, action: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        set_state(button, role="flat")
        button.clicked.connect(action)
        button.clicked.connect(self._go)
        return button

    @Slot()
    def _go(self) -> None:
        self.gone.emit(self)


class Toasts(QWidget):
    """A stack of messages over its parent, `left` and `bottom` pixels from its corner. No text is shown twice.

    above(): height [px] of what they are not to cover at the bottom.
    """

    def __init__(
        self, parent: QWidget, left: int = 100, bottom: int = 60, above: Callable[[], int] = lambda: 0
    ) -> None:
        super().__init__(parent)
        self._over = parent
        self._left, self._bottom, self._above = left, bottom, above
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        parent.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> list[str]:
        """What is shown now, oldest first."""
        return [toast.text for toast in self._toasts()]

    def say(
        self,
        text: str,
        level: Level = "info",
        details: Callable[[], None] | None = None,
        words: str = "See details",
    ) -> None:
        """Show a message for some seconds; details() is what its button does."""
        shown = self._toasts()
        if any(toast.text == text for toast in shown):
            return
        for toast in shown[: max(len(shown) - _MOST + 1, 0)]:
            self._remove(toast)
        toast = _Toast(text, level, details, words)
        toast.gone.connect(self._remove)
        self._layout.addWidget(toast)
        self.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self.place()
        return False

    def _toasts(self) -> list[_Toast]:
        items = (self._layout.itemAt(i) for i in range(self._layout.count()))
        return [toast for item in items if item is not None and isinstance(toast := item.widget(), _Toast)]

    @Slot(QWidget)
    def _remove(self, toast: QWidget) -> None:
        self._layout.removeWidget(toast)
        toast.hide()
        toast.deleteLater()
        self.place()

    @Slot()
    def place(self) -> None:
        """Move to the corner, above what is not to be covered."""
        toasts = self._toasts()
        self.setVisible(bool(toasts))
        self.resize(WIDTH, sum(t.height() for t in toasts) + self._layout.spacing() * max(len(toasts) - 1, 0))
        self.move(self._left, self._over.height() - self._bottom - self._above() - self.height())
        self.raise_()
