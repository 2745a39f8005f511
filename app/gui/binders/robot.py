"""Binds the robot panel of page Rig: jogging, leading by hand, saved poses, with mouse, keys and gamepad."""

import logging
from collections.abc import Callable, Mapping

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QApplication

from app.execution.teleoperation import Teleoperation, Wish
from app.gui.binders.arm_facts import arm_title, gripper_in_words, load_in_words, table_in_words
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.figures import Figures
from app.gui.program import Program
from hardware.sensors.gamepad import Gamepad, GamepadError, GamepadState
from hardware.types import Plan
from models.data.errors import DreamFileError
from widgets.jog_pad import STILL
from widgets.pages.rig import RigPage
from widgets.robot_panel import RobotState
from widgets.values import Mood

log = logging.getLogger(__name__)
FINE = 0.2
_MODES: dict[str, tuple[str, Mood]] = {
    "jog": ("jogging", "warning"),
    "hand": ("led by hand", "warning"),
    "grip": ("gripping", "warning"),
}


def gamepad_wish(pad: GamepadState) -> Wish:
    """Return what a pad asks for: nothing unless its left shoulder button is held.

    Left stick: x and y; right stick: z and the turn about it; with the right shoulder button the left stick tilts.
    The right trigger, pulled, slows down to a fifth.
    """
    if "left_shoulder" not in pad.buttons:
        return STILL
    (x, y), (spin, z) = pad.left, pad.right
    share = 1.0 - (1.0 - FINE) * pad.triggers[1]
    turned = (0.0, 0.0, z, -y, x, -spin) if "right_shoulder" in pad.buttons else (x, y, z, 0.0, 0.0, -spin)
    return tuple(share * value for value in turned)


class RobotBinder(QuietBinder):
    """Feeds what is held to the teleoperation in every tick, and shows what comes of it."""

    def __init__(
        self,
        page: RigPage,
        program: Program,
        shell: Shell,
        gamepad: Callable[[], Gamepad] = Gamepad,
        figures: Callable[[], Figures] = Figures,
    ) -> None:
        super().__init__(page)
        panel = self.panel = page.robot
        self._page, self._program, self._shell = page, program, shell
        self._robot: Teleoperation = program.teleoperation
        self._poses: tuple[str, ...] = ()
        self._said = ""
        self._figures = figures
        self._pad, self._pad_problem = _open(gamepad())
        self._forget = self._robot.on_change(self._changed)
        panel.arm_picked.connect(self._robot.choose)
        panel.frame_picked.connect(self._robot.choose_frame)
        panel.speed_picked.connect(self._robot.choose_speed)
        panel.guide_wanted.connect(self._robot.guide)
        panel.pad.let_go.connect(self._let_go)
        panel.grip_wanted.connect(self._robot.grip)
        panel.move_approved.connect(self._go)
        self._read_poses()

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        robot = self._robot
        arms = tuple(arm.name for arm in self._program.rig.arms)
        return {
            "arms.by_hand": self._show,
            "rig.enable": robot.enable,
            "rig.home": robot.plan_home,
            "rig.home_all": lambda: robot.plan_home(arms),
            "rig.park": lambda: self._try(robot.plan_park),
            "rig.grip_open": lambda: robot.grip(1.0),
            "rig.grip_close": lambda: robot.grip(0.0),
            "rig.go_to_pose": lambda: self._try(lambda: robot.plan_to_pose(self.panel.pose)),
            "rig.save_pose": lambda: self._try(lambda: robot.save_pose(self.panel.pose)),
            "rig.delete_pose": lambda: self._try(lambda: robot.delete_pose(self.panel.pose)),
        }

    def facts(self) -> set[str]:
        robot = self._robot
        held = {
            "holding": robot.mode != "none",
            "pose": self.panel.pose in self._poses,
            "park": bool(robot.arm) and robot.config.park is not None,
            "gripper": robot.opening is not None,
        }
        return {name for name, holds in held.items() if holds}

    def tick(self) -> None:
        wish, pad = self._wish()
        self._robot.tick(wish)
        if not self.panel.isVisible():
            return
        self.panel.pad.show_wish(wish if self._robot.mode == "jog" else STILL)
        self.panel.show_robot(self._state(pad))

    def close(self) -> None:
        self._forget()
        if self._pad is not None:
            self._pad.close()
            self._pad = None

    # what is held ------------------------------------------------------------------------------------------------
    def _wish(self) -> tuple[Wish, GamepadState | None]:
        """What mouse, keys and gamepad ask for; the gamepad counts while the panel can be seen."""
        pad = self._pad.read() if self._pad is not None else None
        wish: Wish = self.panel.pad.wish
        seen = self.panel.isVisible() and QApplication.activeWindow() is self.panel.window()
        if pad is not None and wish == STILL and seen and self.panel.pad.isEnabled():
            wish = gamepad_wish(pad)
        return wish, pad

    @Slot()
    def _let_go(self) -> None:
        """At once, not with the next tick."""
        if self._robot.mode == "jog" and self._wish()[0] == STILL:
            self._robot.let_go()

    def _show(self) -> None:
        self._shell.go("rig")
        self._page.show_by_hand()

    # moves -------------------------------------------------------------------------------------------------------
    @Slot()
    def _go(self) -> None:
        session = self._program.execution
        self._try(lambda: session.approve(self._program.person))
        if session.state == "approved":
            self._try(session.execute)

    # shown -------------------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        if topic in ("arm", "poses"):
            self._read_poses()
        if topic == "message" and self._robot.message and self._robot.message != self._said:
            self._shell.say(self._robot.message, "warning")
        self._said = self._robot.message

    def _read_poses(self) -> None:
        try:
            self._poses = tuple(self._robot.poses()) if self._robot.arm else ()
        except (DreamFileError, OSError) as error:
            self._poses = ()
            self._shell.say(str(error), "error")

    def _state(self, pad: GamepadState | None) -> RobotState:
        robot, program = self._robot, self._program
        session, reason = program.execution, robot.reason()
        arm, limits = session.arms.get(robot.arm), session.limits.get(robot.arm)
        status, mood = _MODES.get(robot.mode, ("moving", "warning") if arm and arm.moving else ("stands", "ok"))
        move = robot.move if session.state in ("ready", "stopped", "done", "approved") else None
        return RobotState(
            arms=tuple((config.name, arm_title(config)) for config in program.rig.arms),
            arm=robot.arm,
            status="planning" if robot.planning else status if not reason else "",
            mood=mood if not reason else "idle",
            reason=reason,
            frame=robot.frame,
            speed=min(robot.speed, robot.speed_max),
            speed_max=robot.speed_max,
            can_guide=not reason,
            poses=self._poses,
            move=_in_words(move) if move else "",
            move_reasons=session.forbidden() if move else (),
            gamepad=self._pad_in_words(pad),
            tool=self._tool_in_words(),
            opening=robot.opening,
            gripper=gripper_in_words(robot.config) if robot.arm else "",
            table=self._table_in_words(),
            compliance=limits.source.get("compliance", "") if limits else "",
        )

    def _tool_in_words(self) -> str:
        link = self._program.execution.link
        tool = link.tools.get(self._robot.arm) if link else None
        return load_in_words(tool, self._figures()) if tool else ""

    def _table_in_words(self) -> str:
        limits = self._program.execution.limits.get(self._robot.arm)
        return table_in_words(self._robot.config, limits, self._figures()) if limits else ""

    def _pad_in_words(self, pad: GamepadState | None) -> str:
        if pad is not None:
            return f"{pad.name}: hold its left shoulder button, then the sticks move the arm"
        return self._pad_problem

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (ValueError, KeyError, OSError) as error:
            self._shell.say(str(error), "error")


def _open(gamepad: Gamepad) -> tuple[Gamepad | None, str]:
    try:
        gamepad.open()
    except GamepadError as error:
        log.info("%s", error)
        return None, ""
    return gamepad, ""


def _in_words(move: Plan) -> str:
    broken = len(move.violations)
    rules = f"breaks {broken} rules of motion" if broken else f"all {len(move.checks)} rules of motion hold"
    return f"{move.dream}: {move.duration:.1f} s, {rules}"
