"""Plan, rehearse, approve by holding, execute, pause: one step visible at a time, the reason in words when not."""

from PySide6.QtCore import Qt, Signal, SignalInstance, Slot
from PySide6.QtWidgets import QComboBox, QProgressBar, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.hold_button import HoldButton
from widgets.outcome_card import OutcomeCard
from widgets.panel import ElidedLabel, label, row, show_done
from widgets.theme import set_state
from widgets.values import ApproveState

APPROVAL_S = 120.0
HEIGHT = 236  # room for every line and for the outcome card, so that nothing jumps when a run ends
_GIVE_WAY = (
    "What the arms do when something pushes at a tool while they follow the plan: stay stiff until they are all\n"
    "stopped, or give way by up to 30 mm and come back. A plan that gives way takes up to twice as long."
)
_UNKNOWN = "Which arms can is known once they are connected."


def clock(seconds: float) -> str:
    """Return "1:47"."""
    whole = max(int(seconds + 0.999), 0)
    return f"{whole // 60}:{whole % 60:02d}"


def short_hash(sha256: str) -> str:
    """Return "3fa9…c41"."""
    return f"{sha256[:4]}…{sha256[-3:]}" if len(sha256) == 64 else sha256


class ApprovePanel(QWidget):
    """Shows an ApproveState; a person's wishes come out as signals."""

    connect_wanted = Signal()
    plan_wanted = Signal()
    rehearse_wanted = Signal()
    approved = Signal()
    execute_wanted = Signal()
    pause_wanted = Signal()
    speed_picked = Signal(float)
    give_way_picked = Signal(float)  # [N]; 0: stiff
    outcome_given = Signal(bool, str, str)
    outcome_skipped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan = self._button("Plan", "Work out how the arms would do it  (P)", self.plan_wanted)
        self._rehearse = self._button(
            "Rehearse", "Play the plan with ghosts; nothing moves  (R)", self.rehearse_wanted
        )
        self._speed = QComboBox()
        self._speed.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._speed.setMinimumContentsLength(8)
        self._speed.setToolTip("Highest tool speed of the plan. The first run of a plan is slow.")
        self._speed.activated.connect(lambda i: self.speed_picked.emit(float(self._speed.itemData(i))))
        self._give_way = QComboBox()
        self._give_way.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._give_way.setMinimumContentsLength(8)
        self._give_way.activated.connect(lambda i: self.give_way_picked.emit(float(self._give_way.itemData(i))))
        self._facts, self._felt, self._reason = ElidedLabel(), ElidedLabel(), label("", wrap=True)
        self.hold = HoldButton("Hold to approve  ⏎")
        self.hold.held.connect(self.approved)
        self._execute = self._button(
            "Execute", "The arms do the approved plan  (Ctrl+G)", self.execute_wanted, "primary"
        )
        self._execute.setMinimumHeight(46)
        self._pause = self._button("Pause", "Hold still; going on needs a fresh approval", self.pause_wanted)
        self._pause.setMinimumHeight(46)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedHeight(8)
        self._stage = QStackedLayout()
        self._connect = self._button(
            "Connect arms", "Start and connect every arm  (Ctrl+Return)", self.connect_wanted
        )
        self._connect.setMinimumHeight(46)
        for widget in (self.hold, self._execute, self._pause, self._connect):
            self._stage.addWidget(widget)
        self.outcome = OutcomeCard()
        self.outcome.outcome_given.connect(self.outcome_given)
        self.outcome.skipped.connect(self.outcome_skipped)
        self.setMinimumHeight(HEIGHT)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._steps())
        self._pages.addWidget(self.outcome)
        self._ended = False
        self._shown: ApproveState | None = None
        self.show_state(ApproveState())

    def show_state(self, state: ApproveState) -> None:
        """Show this; a run that has just ended brings the outcome card up."""
        if state == self._shown:
            return
        self._shown = state
        if state.stage == "ended" and not self._ended:
            self.outcome.ask(state.message)
        self._ended = state.stage == "ended"
        self._pages.setCurrentIndex(int(self._ended))
        moving = state.stage == "running"
        self._plan.setEnabled(state.can_plan and not moving)
        self._plan.setText("Plan again" if state.plan else "Plan")
        self._rehearse.setEnabled(bool(state.plan) and not moving)
        self._rehearse.setText("End rehearsal" if state.rehearsing else "Rehearse")
        self._show_speeds(state)
        self._show_forces(state)
        self._facts.setText(_facts(state))
        self._show_stage(state)
        self._show_reason(state)

    def _show_stage(self, state: ApproveState) -> None:
        widget = {"approved": self._execute, "running": self._pause}.get(state.stage, self.hold)
        if not state.connected and state.stage in ("empty", "planning", "planned"):
            widget = self._connect
        self._connect.setEnabled(not state.connecting)
        self._connect.setText("Connecting…" if state.connecting else "Connect arms")
        if widget is not self._stage.currentWidget():
            self._stage.setCurrentWidget(widget)
        self.hold.setEnabled(state.stage in ("planned", "paused") and not state.reasons)
        self._execute.setText(f"Execute on the {'emulated' if state.emulated else 'real'} arms")
        shown = state.stage in ("approved", "running")
        self._bar.setVisible(shown)
        if shown:
            whole, part = (
                (APPROVAL_S, state.expires_s) if state.stage == "approved" else (state.duration_s, state.elapsed_s)
            )
            show_done(self._bar, part / whole if whole > 0 else 0.0)

    def _show_reason(self, state: ApproveState) -> None:
        text, mood = state.message, state.mood
        if state.stage in ("planned", "paused") and state.reasons:
            more = f"  (and {len(state.reasons) - 1} more)" if len(state.reasons) > 1 else ""
            text, mood = f"Approve is off: {state.reasons[0]}{more}", "warning"
        self._reason.setText(text)
        self._reason.setToolTip("\n".join(state.reasons))
        if self._reason.property("state") != mood:
            set_state(self._reason, state=mood)

    def _show_speeds(self, state: ApproveState) -> None:
        if [self._speed.itemData(i) for i in range(self._speed.count())] != list(state.speeds):
            self._speed.clear()
            for speed in state.speeds:
                note = " · first run" if speed == min(state.speeds) else ""
                self._speed.addItem(f"{speed:.2f} m/s{note}", speed)
        nearest = min(range(len(state.speeds)), key=lambda i: abs(state.speeds[i] - state.speed))
        self._speed.setCurrentIndex(nearest)
        self._speed.setEnabled(state.stage not in ("running", "planning"))

    def _show_forces(self, state: ApproveState) -> None:
        choices = [0.0, *state.forces]
        if [self._give_way.itemData(i) for i in range(self._give_way.count())] != choices:
            self._give_way.clear()
            for force in choices:
                self._give_way.addItem(f"Gives way over {force:g} N" if force else "Stiff", force)
        self._give_way.setCurrentIndex(choices.index(state.give_way or 0.0))
        self._give_way.setEnabled(bool(state.forces) and state.stage not in ("running", "planning"))
        words = "\n".join(state.compliance_words)
        self._give_way.setToolTip(f"{_GIVE_WAY}\n{words}" if words else f"{_GIVE_WAY}\n{_UNKNOWN}")
        self._felt.setText("  ·  ".join(state.compliance))
        self._felt.setToolTip(words)
        self._felt.setVisible(bool(state.compliance))

    def _steps(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for line in (row(self._plan, self._rehearse), row(self._speed, self._give_way)):
            for index in range(2):
                line.setStretch(index, 1)
            layout.addLayout(line)
        layout.addWidget(self._facts)
        layout.addWidget(self._felt)
        layout.addLayout(self._stage)
        layout.addWidget(self._bar)
        layout.addWidget(self._reason)
        layout.addStretch(1)
        return page

    def _button(self, text: str, tip: str, signal: SignalInstance, role: str = "") -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda: signal.emit())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if role:
            set_state(button, role=role)
        return button

    @Slot()
    def focus_hold(self) -> None:
        """Put the keyboard on the approve button."""
        self.hold.setFocus(Qt.FocusReason.ShortcutFocusReason)


def _facts(state: ApproveState) -> str:
    if state.stage == "planning":
        return "Planning…"
    if not state.plan:
        return "No plan yet"
    parts = [f"plan {short_hash(state.plan)}", f"{state.duration_s:.1f} s", state.gives_way]
    if state.stage == "approved":
        parts.append(f"approved, expires {clock(state.expires_s)}")
    if state.stage == "paused" and not state.phase:
        parts.append("what is left")
    elif state.stage in ("running", "paused"):
        parts = [
            f"plan {short_hash(state.plan)}",
            state.phase,
            f"{state.elapsed_s:.1f} of {state.duration_s:.1f} s",
        ]
    return "  ·  ".join(part for part in parts if part)


def main() -> None:
    """Show a plan that may be approved; it says when it was."""

    def make() -> QWidget:
        panel = ApprovePanel()
        panel.show_state(ApproveState("planned", "f" * 64, 26.0, can_plan=True))
        panel.approved.connect(lambda: print("approved"))
        return panel

    demo(make)


if __name__ == "__main__":
    main()
