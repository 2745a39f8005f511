"""The robot panel of page Rig: choose an arm, hold to move it, send it to a pose that was saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSlider, QToolButton, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.hold_button import HoldButton
from widgets.jog_pad import JogPad
from widgets.panel import button, clear, label, row
from widgets.theme import set_state
from widgets.transport import action_button
from widgets.values import Mood

ROBOT_ACTIONS = (
    *("enable", "clear", "home", "home_all", "park", "go_to_pose", "save_pose", "delete_pose"),
    *("grip_open", "grip_close"),
)
FRAMES = ("base", "tool", "camera")
_FRAME_TIPS = {
    "base": "Along the axes of the arm's base",
    "tool": "Along the axes of the tool in its hand",
    "camera": "As the first camera sees it: x right, y down, z away",
}
_SLOWEST, _STEPS = 0.005, 100


@dataclass(frozen=True)
class RobotState:
    """What the robot panel shows. arms: (name, title) of each; arm: the chosen one; reason: why it cannot be moved
    by hand now, "" where it can; speed of at most speed_max [m/s]; status: what it does, in a word or two.

    poses: names of the saved ones; move: what was planned, "" for nothing; move_reasons: why it may not be
    approved; opening: of its gripper, 0 closed to 1, None for none; gamepad, gripper (why there is none), tool,
    table, compliance: a sentence each, "" where there is nothing to say.
    """

    arms: tuple[tuple[str, str], ...] = ()
    arm: str = ""
    status: str = ""
    mood: Mood = "idle"
    reason: str = ""
    frame: str = "base"
    speed: float = 0.05
    speed_max: float = 0.10
    can_guide: bool = False
    poses: tuple[str, ...] = ()
    move: str = ""
    move_reasons: tuple[str, ...] = ()
    opening: float | None = None
    gamepad: str = ""
    gripper: str = ""
    tool: str = ""
    table: str = ""
    compliance: str = ""


class RobotPanel(QWidget):
    """Hold a stick or key of `pad` to move; every other button is a wish that the binder answers.

    actions: ROBOT_ACTIONS, and any others. guide_wanted(True) while its button is held; move_approved: the planned
    move is to start; grip_wanted: how far the gripper is to open, 0 closed to 1.
    """

    arm_picked = Signal(str)
    frame_picked = Signal(str)
    speed_picked = Signal(float)
    guide_wanted = Signal(bool)
    grip_wanted = Signal(float)
    move_approved = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = JogPad()
        self._shown: RobotState | None = None
        self._status, self._reason = label("", "chip"), label("", state="warning", wrap=True)
        self._arms, self._arm_buttons = row(spacing=4), dict[str, QToolButton]()
        self._frames = {name: self._choice(name.capitalize(), _FRAME_TIPS[name]) for name in FRAMES}
        for name, choice in self._frames.items():
            choice.clicked.connect(lambda _=False, name=name: self.frame_picked.emit(name))
        self._speed, self._speed_text = QSlider(Qt.Orientation.Horizontal), label("", "number")
        self._speed.setRange(1, _STEPS)
        self._speed.setToolTip("How fast a stick at its end moves the tool")
        self._speed.valueChanged.connect(self._pick_speed)
        self._guide = button("Hold to guide by hand", tip="While it is held the arm gives way to your hand")
        self._guide.pressed.connect(lambda: self.guide_wanted.emit(True))
        self._guide.released.connect(lambda: self.guide_wanted.emit(False))
        self._jaws, self._jaws_text = QSlider(Qt.Orientation.Horizontal), label("", "number")
        self._jaws.setRange(0, 100)
        self._jaws.setToolTip("How far the gripper is open: drag, or press the arrow and page keys")
        self._jaws.sliderReleased.connect(self._pick_opening)
        self._jaws.valueChanged.connect(self._opening_changed)
        self._poses, written = QComboBox(), QLineEdit()
        self._poses.setLineEdit(written)
        self._poses.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._poses.setToolTip("Poses saved for this arm; write a name to save where it stands")
        written.setPlaceholderText("Name of a pose")
        self._move, self._move_reason = label("", wrap=True), label("", state="alarm", wrap=True)
        self._hold = HoldButton("Hold to approve and go  ⏎")
        self._hold.held.connect(self.move_approved)
        self._facts = [label("", "muted", wrap=True) for _ in range(5)]
        self._lay_out({name: action_button(actions[name]) for name in ROBOT_ACTIONS})
        self.show_robot(RobotState(reason="Connect the arms first"))

    @property
    def pose(self) -> str:
        """The name that is chosen or written, "" without one."""
        return self._poses.currentText().strip()

    def show_robot(self, robot: RobotState) -> None:
        """Show the chosen arm; cheap when nothing changed."""
        if robot == self._shown:
            return
        before, self._shown = self._shown, robot
        if before is None or robot.arms != before.arms:
            self._show_arms(robot.arms)
        for name, arm_button in self._arm_buttons.items():
            arm_button.setChecked(name == robot.arm)
        for name, choice in self._frames.items():
            choice.setChecked(name == robot.frame)
        self._status.setText(robot.status)
        set_state(self._status, state=robot.mood)
        _show(self._reason, robot.reason)
        self._show_speed(robot)
        if before is None or robot.poses != before.poses:
            self._show_poses(robot.poses)
        self.pad.setEnabled(not robot.reason)
        self._guide.setEnabled(robot.can_guide and not robot.reason)
        self._show_move(robot)
        self._show_gripper(robot)
        facts = robot.gamepad, robot.gripper, robot.tool, robot.table, robot.compliance
        for line, text in zip(self._facts, facts, strict=True):
            _show(line, text)

    def _show_speed(self, robot: RobotState) -> None:
        self._speed.blockSignals(True)
        self._speed.setValue(round((robot.speed - _SLOWEST) / (robot.speed_max - _SLOWEST) * _STEPS))
        self._speed.blockSignals(False)
        self._speed_text.setText(f"{1000 * robot.speed:.0f} mm/s")

    def _show_arms(self, arms: Sequence[tuple[str, str]]) -> None:
        clear(self._arms)
        self._arm_buttons = {name: self._choice(title) for name, title in arms}
        for name, made in self._arm_buttons.items():
            made.clicked.connect(lambda _=False, name=name: self.arm_picked.emit(name))
            self._arms.addWidget(made)
        self._arms.addStretch(1)

    def _show_poses(self, poses: Sequence[str]) -> None:
        chosen = self.pose
        self._poses.clear()
        self._poses.addItems(list(poses))
        at = self._poses.findText(chosen)
        self._poses.setCurrentIndex(at if at >= 0 else 0 if poses and not chosen else -1)
        if at < 0 and chosen:
            self._poses.setEditText(chosen)

    def _show_move(self, robot: RobotState) -> None:
        _show(self._move, robot.move)
        _show(self._move_reason, robot.move_reasons[0] if robot.move and robot.move_reasons else "")
        self._hold.setVisible(bool(robot.move))
        self._hold.setEnabled(not robot.move_reasons)

    def _show_gripper(self, robot: RobotState) -> None:
        self._grip.setVisible(robot.opening is not None)
        if robot.opening is None:
            return
        self._jaws.setEnabled(not robot.reason)
        self._jaws_text.setText(f"{100 * robot.opening:3.0f} %")
        if not self._jaws.isSliderDown():
            self._jaws.blockSignals(True)
            self._jaws.setValue(round(100 * robot.opening))
            self._jaws.blockSignals(False)

    def _lay_out(self, buttons: Mapping[str, QToolButton]) -> None:
        top = row(1, self._status)
        top.insertLayout(0, self._arms)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(8)
        frame = row(label("Frame", "muted"), *self._frames.values(), 1, spacing=4)
        speed = row(label("Speed", "muted"), self._speed, self._speed_text)
        care = row(buttons["enable"], buttons["clear"], self._guide, 1, spacing=6)
        ways = row(label("Way", "muted"), *(buttons[name] for name in ("home", "home_all", "park")), 1, spacing=6)
        jaws = (buttons["grip_close"], self._jaws, self._jaws_text, buttons["grip_open"])
        self._grip = QWidget()
        self._grip.setLayout(row(label("Gripper", "muted"), *jaws))
        poses = row(self._poses, buttons["go_to_pose"], buttons["save_pose"], buttons["delete_pose"], spacing=6)
        poses.setStretch(0, 1)
        layout.addLayout(top)
        layout.addLayout(care)
        layout.addLayout(ways)
        for widget in (self._move, self._move_reason, self._hold):
            layout.addWidget(widget)
        for line in (frame, speed):
            layout.addLayout(line)
        layout.addWidget(self._reason)
        layout.addWidget(self.pad)
        layout.addWidget(self._grip)
        layout.addLayout(poses)
        for fact in self._facts:
            layout.addWidget(fact)
        layout.addStretch(1)

    @staticmethod
    def _choice(text: str, tip: str = "") -> QToolButton:
        made = QToolButton()
        made.setText(text)
        made.setCheckable(True)
        made.setToolTip(tip)
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click must not take the keys from the pad
        return made

    @Slot(int)
    def _pick_speed(self, step: int) -> None:
        if self._shown is not None:
            self.speed_picked.emit(_SLOWEST + step / _STEPS * (self._shown.speed_max - _SLOWEST))

    @Slot()
    def _pick_opening(self) -> None:
        self.grip_wanted.emit(self._jaws.value() / 100)

    @Slot(int)
    def _opening_changed(self, _percent: int) -> None:
        if not self._jaws.isSliderDown():  # by a key; a drag counts where it ends
            self._pick_opening()


def _show(line: QLabel, text: str) -> None:
    line.setText(text)
    line.setVisible(bool(text))


def main() -> None:
    """Show two arms, one chosen."""

    def make() -> QWidget:
        panel = RobotPanel({name: QAction(name.replace("_", " ").capitalize()) for name in ROBOT_ACTIONS})
        panel.show_robot(
            RobotState(
                arms=(("left", "xArm 7 left"), ("right", "UR5e right")),
                arm="left",
                status="ready",
                mood="ok",
                can_guide=True,
                poses=("above the board",),
                move="left home: 6.2 s, all 14 rules of motion hold",
                gamepad="Gamepad: Xbox pad. Hold its left shoulder button, then the sticks move the arm",
                tool="Holds rotation gripper left: 0.35 kg",
                opening=0.4,
                compliance="Gives way to forces over 20 N: force-torque sensor at the wrist",
            )
        )
        return panel

    demo(make)


if __name__ == "__main__":
    main()
