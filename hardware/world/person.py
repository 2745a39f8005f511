"""The person at the live table: shows a task by script, or moves a held tool where a pointing device asks for
it."""

from collections import deque
from collections.abc import Mapping

import numpy as np

from hardware.geometry import Array, apply, is_transform, transform
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Camera, require
from hardware.world.held import GRIPPER, T_WORLD_REST
from hardware.world.motion import DT, Motion, free_states, towards
from hardware.world.shows import SHOWS
from hardware.world.tabletop import SAMPLE_HZ, Workbench
from hardware.world.tasks import push_shape
from hardware.world.tasks.layout import Moment
from hardware.world.tasks.table import judge

HAND_SPEED, HAND_TURN = 0.4, 2.0  # [m/s], [rad/s] of a tool driven by hand
SQUEEZE_SPEED = 0.15  # [m/s]
DOOR = np.array([0.0, -0.62, 0.16])  # where a hand comes in and goes out
CLEAR = 0.001  # [m] that a tool driven by hand keeps above the table


class Person:
    """Drives the held tools of one workbench, step by step; keeps what they did for whoever reads it."""

    def __init__(self, bench: Workbench, camera: Camera) -> None:
        """camera: view 1, which the rule of push-shape is judged in."""
        self._bench, self._camera = bench, camera
        self._motion: Motion | None = None
        self._step = 0
        self._rng = np.random.default_rng(0)
        self._ends: list[Moment] = []
        self._targets: dict[str, Array | None] = {}
        self._opening: float | None = None
        self._corners = {
            role: load_tool(BUILT_IN_TOOLS[tool]).mesh.vertices if tool != GRIPPER else np.zeros((1, 3))
            for role, tool in bench.layout.tools.items()
        }
        self._next_sample = 0.0
        self.samples: deque[Moment] = deque(maxlen=256)

    @property
    def showing(self) -> bool:
        """Whether a demonstration is under way."""
        return self._motion is not None

    def show(self, seed: int) -> None:
        """Begin to show the task on the table as it is. Raises ValueError where the task has no demonstrator."""
        layout = self._bench.layout
        require(layout.task in SHOWS and bool(layout.tools),
                f"task: nobody knows how to show {layout.task!r}; valid: {list(SHOWS)}")  # fmt: skip
        self.leave()
        self._rng = np.random.default_rng([seed, 9])
        self._ends = []
        self._begin()

    def hold(self, targets: Mapping[str, Array | None], opening: float | None) -> None:
        """Move held tools towards T_world_tool by role, None: let go and leave; opening [m] that fingers go to
        (None:
        as before). Ends a demonstration. Raises ValueError naming an unknown role or a pose that is none."""
        roles = list(self._bench.layout.tools)
        for role, T in targets.items():
            require(role in roles, f"hold: {role!r} is not a tool of this task; valid: {roles}")
            require(T is None or is_transform(T), f"hold: the pose of {role} is not a rigid transform (4, 4)")
        require(opening is None or bool(np.isfinite(opening)), f"hold: opening {opening} is not a length in metres")
        if self.showing:
            self.leave()
        for role, T in targets.items():
            self._targets[role] = None if T is None else self._above_table(role, T)
            if T is not None and not self._bench.held.present.get(role):
                enter = self._bench.held.pose(role) if role == self._bench.held.gripper else self._door(T)
                self._bench.held.put(role, enter)
        if opening is not None:
            self._opening = opening

    def leave(self) -> None:
        """Put everything down and go."""
        self._motion, self._opening = None, None
        self._targets.clear()
        self._bench.held.put_away()

    def before_step(self) -> None:
        """Set the held tools for the coming physics step."""
        held = self._bench.held
        held.hold_still()
        if self._motion is not None:
            k = min(self._step, self._motion.samples - 1)
            for role, (position, velocity) in self._motion.states.items():
                held.drive(role, position[k], velocity[k])
            if self._motion.opening is not None:
                held.squeeze(float(self._motion.opening[k]))
            self._step += 1
            return
        for role, target in list(self._targets.items()):
            self._move(role, target)
        if self._opening is not None and held.gripper is not None:
            change = np.clip(self._opening - held.asked_opening, -SQUEEZE_SPEED * DT, SQUEEZE_SPEED * DT)
            held.squeeze(held.asked_opening + float(change))

    def after_step(self, t: float) -> None:
        """Keep a sample where one is due at t [s]; end a demonstration that is through, or go on with the next
        push."""
        if t >= self._next_sample:
            self.samples.append(self._bench.held.moment(t))
            self._next_sample = max(self._next_sample + 1 / SAMPLE_HZ, t)
        if self._motion is not None and self._step >= self._motion.samples:
            self._ends.append(self._bench.held.moment(t))
            self._motion = None
            self._bench.held.put_away()
            again = self._bench.layout.task == "push-shape" and len(self._ends) < push_shape.MOST_PUSHES
            if again and not judge(self._bench.layout, self._ends, self._camera).success:
                self._begin()

    def _begin(self) -> None:
        self._motion, self._step = SHOWS[self._bench.layout.task](self._bench, self._rng), 0

    def _move(self, role: str, target: Array | None) -> None:
        held = self._bench.held
        now = held.pose(role)
        goal = target
        if goal is None:
            goal = T_WORLD_REST if role == held.gripper else self._door(now)
        after = towards(now, goal, DT, HAND_SPEED, HAND_TURN)
        position, velocity = free_states(np.stack([now, after]))
        held.drive(role, position[0], velocity[0])
        if target is None and np.linalg.norm((after - goal)[:3, 3]) < 1e-3:
            del self._targets[role]
            held.put(role, T_WORLD_REST if role == held.gripper else None)
            held.present[role] = False

    def _door(self, T: Array) -> Array:
        """A pose of the same heading outside the cameras' view, on the person's side."""
        return transform(T[:3, :3], [T[0, 3], DOOR[1], max(DOOR[2], T[2, 3])])

    def _above_table(self, role: str, T: Array) -> Array:
        lowest = float(apply(T, self._corners[role])[:, 2].min())
        lifted = T.copy()
        lifted[2, 3] += max(0.0, CLEAR - lowest)
        return lifted
