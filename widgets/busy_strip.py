"""Long work: what it is, how far, how long it still takes, and a cancel that works."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QProgressBar, QPushButton, QWidget

from widgets.panel import ElidedLabel, label, row, show_done
from widgets.theme import set_state
from widgets.values import BusyState


def time_left(seconds: float | None) -> str:
    """Return "12 s left", "3 min left", or nothing where it is unknown."""
    if seconds is None:
        return ""
    return f"{max(seconds, 0):.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"


class BusyStrip(QFrame):
    """Hidden while nothing goes on."""

    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_state(self, role="banner")
        self._text, self._left = ElidedLabel(), label(role="muted")
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedHeight(8)
        self._cancel = QPushButton("Cancel")
        self._cancel.clicked.connect(lambda: self.cancel_wanted.emit())
        layout = row(self._text, self._bar, self._left, self._cancel, spacing=12)
        layout.setContentsMargins(12, 4, 6, 4)
        layout.setStretch(0, 1)
        layout.setStretch(1, 2)
        self.setLayout(layout)
        self.hide()

    def show_busy(self, busy: BusyState | None) -> None:
        """Show the work, or nothing."""
        self.setVisible(busy is not None)
        if busy is None:
            return
        self._text.setText(busy.text)
        if busy.done < 0:
            self._bar.setRange(0, 0)
        else:
            show_done(self._bar, busy.done)
        self._left.setText(time_left(busy.left_s))
        self._cancel.setVisible(busy.can_cancel)
