"""The checks of a plan, worst first: a sign, what was found, how much of the limit; a click leads there."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.panel import ElidedLabel, clear, label, row, scrolled
from widgets.theme import set_state
from widgets.values import CheckRow

SIGNS = {"ok": "✓", "warning": "!", "alarm": "✕", "idle": "·"}
_ORDER = {"alarm": 0, "warning": 1, "idle": 2, "ok": 3}


class _Row(QFrame):
    picked = Signal(float)

    def __init__(self, check: CheckRow) -> None:
        super().__init__()
        self._at = check.at
        sign = label(SIGNS[check.mood], state=check.mood)
        sign.setFixedWidth(14)
        text = ElidedLabel(check.text) if check.mood == "ok" else label(check.text, wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 1, 0, 1)
        layout.setSpacing(0)
        line = row(sign, text, label(check.amount, "muted"))
        line.setStretch(1, 1)
        layout.addLayout(line)
        if check.hint and check.mood != "ok":
            hint = label(check.hint, "muted", wrap=True)
            hint.setIndent(22)
            layout.addWidget(hint)
        if check.mood in ("warning", "alarm"):
            set_state(text, state=check.mood)
        text.setToolTip(check.detail)
        if check.at is not None:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setToolTip(f"Go to {check.at:.2f} s")

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self._pick()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._pick()
        else:
            super().keyPressEvent(event)

    def _pick(self) -> None:
        if self._at is not None:
            self.picked.emit(self._at)


class ChecksList(QWidget):
    """Emits `time_picked` [s] of the check that a person clicks."""

    time_picked = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._note = label("", "muted", wrap=True)
        self._shown: tuple[CheckRow, ...] | None = None
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        inner = QWidget()
        inside = QVBoxLayout(inner)
        inside.setContentsMargins(0, 0, 6, 0)
        inside.addWidget(self._note)
        inside.addLayout(self._rows)
        inside.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(inner))
        self.show_checks((), "Plan the motion to see its checks.")

    def show_checks(self, checks: Sequence[CheckRow], note: str = "") -> None:
        """Show these checks, violations first; note: a sentence above them."""
        self._note.setText(note)
        self._note.setVisible(bool(note))
        if tuple(checks) == self._shown:
            return
        self._shown = tuple(checks)
        clear(self._rows)
        for check in sorted(checks, key=lambda c: _ORDER[c.mood]):
            made = _Row(check)
            made.picked.connect(self.time_picked)
            self._rows.addWidget(made)


def main() -> None:
    """Show a rule that holds and one that does not."""

    def make() -> QWidget:
        checks = ChecksList()
        checks.show_checks([CheckRow("ok", "Tip speed", "0.21 ≤ 0.25 m/s"), CheckRow("alarm", "too low", at=1.0)])
        return checks

    demo(make)


if __name__ == "__main__":
    main()
