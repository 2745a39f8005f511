"""One arm: is it there, is it well, and which limits hold."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from widgets.demo import demo
from widgets.panel import Panel, clear, label, row
from widgets.theme import set_state
from widgets.values import ArmCard


class ArmCardView(Panel):
    """`clear_wanted(arm)` asks to clear its error."""

    clear_wanted = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._name = name
        self._title, self._state = label("", "title"), label("", "chip")
        self._detail, self._error = label("", "muted", wrap=True), label("", state="alarm", wrap=True)
        self._clear = QPushButton("Clear error")
        self._clear.clicked.connect(lambda: self.clear_wanted.emit(self._name))
        self._joints = label("", "number")
        self._limits = QGridLayout()
        self._limits.setHorizontalSpacing(14)
        self._limits.setVerticalSpacing(3)
        self._limits.setColumnStretch(0, 1)
        self._shown: ArmCard | None = None
        self.body.addLayout(row(self._title, 1, self._state))
        self.body.addWidget(self._detail)
        self.body.addWidget(self._error)
        self.body.addLayout(row(self._clear, 1))
        self.body.addWidget(self._joints)
        self.body.addLayout(self._limits)

    def show_arm(self, arm: ArmCard) -> None:
        """Show an arm; cheap when nothing changed."""
        if arm == self._shown:
            return
        if self._shown is None or arm.limits != self._shown.limits:
            self._show_limits(arm)
        self._shown = arm
        self._title.setText(arm.title)
        self._state.setText(f"{arm.state} · emulated" if arm.emulated else arm.state)
        set_state(self._state, state=arm.mood)
        self._detail.setText(arm.detail)
        self._detail.setVisible(bool(arm.detail))
        self._error.setText(arm.error)
        for widget in (self._error, self._clear):
            widget.setVisible(bool(arm.error))
        self._joints.setText(" ".join(f"{q:4.0f}°" for q in arm.joints_deg))
        self._joints.setVisible(bool(arm.joints_deg))

    def _show_limits(self, arm: ArmCard) -> None:
        clear(self._limits)
        for line, limit in enumerate(arm.limits):
            self._limits.addWidget(label(limit.name, "muted"), line, 0)
            self._limits.addWidget(label(limit.value), line, 1)
            source = label(limit.source, "faint")
            source.setToolTip("where this limit was read: the arm's controller, or the rig's file")
            self._limits.addWidget(source, line, 2)


def main() -> None:
    """Show an arm in error."""

    def make() -> QWidget:
        card = ArmCardView("left")
        card.show_arm(ArmCard("left", "xArm 7 left", "error", "alarm", error="error 31: something was hit"))
        return card

    demo(make)


if __name__ == "__main__":
    main()
