"""What must hold before anything is recorded; what does not may be passed with a reason, which is written down."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from widgets.checks_list import SIGNS
from widgets.demo import demo
from widgets.own_keys import keep_own_keys
from widgets.panel import button, clear, label, row
from widgets.record_values import GateRow


class GatesList(QWidget):
    """Emits `override_wanted(gate, reason)`, and with an empty reason where a person takes it back."""

    override_wanted = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[GateRow, ...] = ()
        self._asking = ""
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)

    @property
    def shown(self) -> tuple[GateRow, ...]:
        """The gates that are shown."""
        return self._shown

    def show_gates(self, gates: Sequence[GateRow]) -> None:
        """Show these gates in their order; what a person is typing stays where its gate did not change."""
        if tuple(gates) == self._shown:
            return
        self._shown = tuple(gates)
        if self._asking not in {gate.gate for gate in gates if gate.can_override and not gate.overridden}:
            self._asking = ""
        if self._asking and self.focusWidget() is not None and isinstance(self.focusWidget(), QLineEdit):
            return  # somebody writes a reason: the rows are made anew when that is done
        self._remake()

    def _remake(self) -> None:
        clear(self._rows)
        for gate in self._shown:
            self._rows.addWidget(self._row(gate))

    def _row(self, gate: GateRow) -> QFrame:
        made = QFrame()
        layout = QVBoxLayout(made)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        sign = label(SIGNS[gate.mood], state=gate.mood)
        sign.setFixedWidth(16)
        loud = gate.mood in ("warning", "alarm")
        text = label(gate.text, state=gate.mood if loud else "", wrap=True)
        text.setMinimumWidth(60)
        line = row(sign, text, *self._buttons(gate))
        line.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
        line.setStretch(1, 1)
        layout.addLayout(line)
        if gate.overridden:
            layout.addWidget(_indented(f"recorded all the same: {gate.overridden}"))
        elif gate.hint and loud:
            layout.addWidget(_indented(gate.hint))
        if self._asking == gate.gate:
            layout.addLayout(self._reason(gate))
        return made

    def _buttons(self, gate: GateRow) -> list[QWidget]:
        if not gate.can_override or self._asking == gate.gate:
            return []
        if gate.overridden:
            back = button("Take back", "flat", "Hold to this condition again")
            back.clicked.connect(lambda: self.override_wanted.emit(gate.gate, ""))
            return [back]
        wish = button("Record anyway…", "flat", "With a reason, which is written into every take")
        wish.clicked.connect(lambda: self._ask(gate.gate))
        return [wish]

    def _reason(self, gate: GateRow) -> QVBoxLayout:
        field = _Reason()
        done = button("Record anyway", "primary")
        done.setEnabled(False)
        field.textChanged.connect(lambda text: done.setEnabled(bool(text.strip())))
        field.returnPressed.connect(done.click)
        field.given_up.connect(lambda: self._ask(""))
        done.clicked.connect(lambda: self._give(gate.gate, field.text()))
        no = button("Cancel", "flat")
        no.clicked.connect(lambda: self._ask(""))
        column = QVBoxLayout()
        column.setContentsMargins(24, 2, 0, 2)
        column.addWidget(field)
        column.addLayout(row(1, no, done))
        field.setFocus()
        return column

    def _ask(self, gate: str) -> None:
        self._asking = gate
        self._remake()
        for field in self.findChildren(_Reason):
            if field.isVisibleTo(self):
                field.setFocus()

    def _give(self, gate: str, reason: str) -> None:
        self._asking = ""
        self._remake()
        self.override_wanted.emit(gate, reason.strip())


class _Reason(QLineEdit):
    given_up = Signal()

    def __init__(self) -> None:
        super().__init__(placeholderText="Why: written into every take")
        keep_own_keys(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


def _indented(text: str) -> QWidget:
    made = label(text, "muted", wrap=True)
    made.setIndent(24)
    return made


def main() -> None:
    """Show a gate that holds and one that does not."""

    def make() -> QWidget:
        gates = GatesList()
        stale = GateRow("calibration", "alarm", "calibration 40 days old", "Calibrate again on page Rig", True)
        gates.show_gates([GateRow("streams", "ok", "all streams run"), stale])
        return gates

    demo(make)


if __name__ == "__main__":
    main()
