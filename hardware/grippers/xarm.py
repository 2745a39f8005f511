"""The xArm gripper over the SDK connection of the arm that carries it: Modbus through the tool's serial line."""

from collections.abc import Callable
from typing import Any

from hardware.robots.base import ArmError
from hardware.robots.xarm_codes import return_in_words
from hardware.robots.xarm_sdk import quiet

# pulses; the vendor's manual, "xArm Gripper": 0 closed to 850 open
OPEN = 850
# of 5000: gentle, the vendor's examples use full speed
SPEED = 1500

Guarded = Callable[..., Any]


class XArmGripper:
    """Positions are shares: 0 closed to 1 open. arm: of the SDK; guarded(task, call, ...): makes a call of it or
    raises ArmError; title: the arm's, for messages. Every failure raises ArmError."""

    def __init__(self, arm: Any, guarded: Guarded, title: str) -> None:
        self._arm, self._guarded, self._title = arm, guarded, title

    def begin(self) -> None:
        """Switch it on. It does not move."""
        self._do("answer", self._arm.set_gripper_mode, 0)
        self._do("be enabled", self._arm.set_gripper_enable, True)
        self._do("take its speed", self._arm.set_gripper_speed, SPEED)

    @property
    def opening(self) -> float:
        with quiet():
            found = self._guarded("tell where its gripper is", self._arm.get_gripper_position)
        # at an error of its own the SDK returns a bare code
        code, pulses = found if isinstance(found, tuple) else (found, None)
        if code != 0 or pulses is None:
            raise self._error("tell where it is", code)
        return float(min(max(pulses / OPEN, 0.0), 1.0))

    def move(self, opening: float) -> None:
        """Begin to go to an opening; does not wait."""
        self._do("move", self._arm.set_gripper_position, round(OPEN * opening), wait=False, wait_motion=False)

    def hold(self) -> None:
        """Stay where it is now."""
        self.move(self.opening)

    def _do(self, task: str, call: Callable[..., int], *arguments: Any, **named: Any) -> None:
        with quiet():
            code = self._guarded(f"have its gripper {task}", call, *arguments, **named)
        if code != 0:
            raise self._error(task, code)

    def _error(self, task: str, code: int) -> ArmError:
        return ArmError(f"{self._title}: its gripper could not {task}: {return_in_words(code)}")
