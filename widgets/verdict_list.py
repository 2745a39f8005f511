"""What the checks say of a take, worst first; a click plays the place."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from widgets.checks_list import SIGNS
from widgets.demo import demo
from widgets.panel import clear, label, row
from widgets.record_values import VerdictRow

_ORDER = {"alarm": 0, "warning": 1, "idle": 2, "ok": 3}


class VerdictList(QWidget):
    """Emits `time_picked(seconds)` since the take's start."""

    time_picked = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[VerdictRow, ...] | None = None
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)

    def show_verdicts(self, verdicts: Sequence[VerdictRow]) -> None:
        """Show these."""
        if tuple(verdicts) == self._shown:
            return
        self._shown = tuple(verdicts)
        clear(self._rows)
        for verdict in sorted(verdicts, key=lambda v: _ORDER[v.mood]):
            made = _Row(verdict)
            made.picked.connect(self.time_picked)
            self._rows.addWidget(made)


class _Row(QFrame):
    picked = Signal(float)

    def __init__(self, verdict: VerdictRow) -> None:
        super().__init__()
        self._at = verdict.at
        loud = verdict.mood in ("warning", "alarm")
        sign = label(SIGNS[verdict.mood], state=verdict.mood)
        sign.setFixedWidth(16)
        text = label(verdict.text, state=verdict.mood if loud else "", wrap=True)
        text.setMinimumWidth(60)
        line = row(sign, text)
        line.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
        line.setStretch(1, 1)
        self.setLayout(line)
        self.setToolTip(verdict.detail)
        if verdict.at is not None:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setToolTip(f"{verdict.detail}\nPlay from {verdict.at:.1f} s".strip())

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        if self._at is not None:
            self.picked.emit(self._at)


def main() -> None:
    """Show a take that dropped."""

    def make() -> QWidget:
        verdicts = VerdictList()
        verdicts.show_verdicts([VerdictRow("ok", "sharp"), VerdictRow("warning", "side dropped 2 frames", at=1.2)])
        return verdicts

    demo(make)


if __name__ == "__main__":
    main()
