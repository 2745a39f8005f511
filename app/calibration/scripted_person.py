"""The scripted person of a simulated rig: does what a calibration asks for, one thing after the other."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from app.calibration.scripted_board import gripper_poses
from hardware.calibration.board import WORLD_BOARD
from hardware.calibration.force_scale import weight
from hardware.geometry import Array
from hardware.world.process import WorldProcess

MOST_S = 6.0  # that a place is held where no view is taken
MASSES = (0.0, 0.2, 0.5, 1.0, 0.0)  # [kg]
OPEN, CLOSED = 0.085, 0.0  # [m] between the fingers
GRIPPER = "gripper"
Step = Callable[[], object]


class ScriptedPerson:
    """Owned by one thread; what the world takes time for happens in another."""

    def __init__(self, steps: Sequence[Step], leave: Step, *, most_s: float = MOST_S, stays: bool = False) -> None:
        """steps: one after the other, the next once something was taken or after most_s [s]; leave: at the end."""
        self._steps, self._leave, self._most_s, self._stays = list(steps), leave, most_s, stays
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="person")
        self._next, self._taken, self._since = 0, -1, -float("inf")
        self._left = False
        self.problem = ""

    @property
    def done(self) -> bool:
        """Whether everything was done, and the last of it taken."""
        return self._left

    @property
    def at(self) -> int:
        """The number of the step that is being done, from 0; -1 before the first."""
        return self._next - 1

    def tick(self, taken: int) -> None:
        """Go on once another was taken; taken: how many there are. Never waits."""
        now = time.monotonic()
        if self._left or (taken == self._taken and now - self._since < self._most_s):
            return
        self._taken, self._since = taken, now
        if self._next < len(self._steps):
            self._background.submit(self._try, self._steps[self._next])
            self._next += 1
        elif not self._stays:
            self._go()

    def close(self) -> None:
        """Take everything away and wait for that. Safe to call twice."""
        self._go()
        self._background.shutdown(wait=True)

    def _go(self) -> None:
        if not self._left:
            self._left = True
            self._background.submit(self._try, self._leave)

    def _try(self, step: Step) -> None:
        try:
            step()
        except (OSError, RuntimeError, ValueError) as error:
            self.problem = f"the simulated person: {error}"


def holds_board(world: WorldProcess, poses: Sequence[Array]) -> ScriptedPerson:
    """Holds the board at one pose T_world_board (4, 4) after the other."""
    return ScriptedPerson([partial(world.hold_board, T) for T in poses], partial(world.hold_board, None))


def lays_board(world: WorldProcess, T_world_board: Array) -> ScriptedPerson:
    """Lays the board somewhere and leaves it there."""
    lay = partial(world.hold_board, T_world_board)
    return ScriptedPerson([lay], partial(world.hold_board, None), stays=True)


def fixes_board(world: WorldProcess, arm: str, T_flange_board: Array) -> ScriptedPerson:
    """Fixes the board to an arm's flange and leaves it there."""
    fix = partial(world.fix_board, arm, T_flange_board)
    return ScriptedPerson([fix], partial(world.hold_board, None), stays=True)


def turns_gripper(world: WorldProcess, T_world_board: Array, T_gripper_cam: Array) -> ScriptedPerson:
    """Lays the board on the table and holds the gripper so that its camera sees it from every side."""

    def begin(T: Array) -> None:
        world.hold_board(T_world_board)
        world.hold({GRIPPER: T})

    def leave() -> None:
        world.hold({GRIPPER: None})
        world.hold_board(None)

    first, *others = gripper_poses(WORLD_BOARD, T_gripper_cam)
    steps: list[Step] = [partial(begin, first), *(partial(world.hold, {GRIPPER: T}) for T in others)]
    return ScriptedPerson(steps, leave, most_s=2 * MOST_S)


def moves_fingers(world: WorldProcess) -> ScriptedPerson:
    """Closes the fingers and opens them, twice."""
    steps: list[Step] = [partial(world.hold, {}, CLOSED), partial(world.hold, {}, OPEN)]
    return ScriptedPerson([*steps, *steps], partial(world.hold, {}, OPEN))


def hangs_weights(world: WorldProcess) -> ScriptedPerson:
    """Hangs one of MASSES after the other on the force sensor."""
    steps: list[Step] = [partial(world.hang, weight(mass)) for mass in MASSES]
    return ScriptedPerson(steps, partial(world.hang, 0.0), most_s=float("inf"))
