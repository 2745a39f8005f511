"""Approach and retreat: straight lifts off the work, and slow joint moves that keep clear of everything.

A leg is a path that all arms follow on one parameter from rest to rest; joint moves are straight lines in joint
space, around obstacles by a list of detours that is always tried in the same order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.planner.inverse import polish, track
from hardware.planner.task import ArmTask, Joints, Scene

LIFTS_M = (0.08, 0.05, 0.03)
LIFT_STEP_M = 0.005
RAISE_M = 0.12
CHECKED_PER_MOVE = 40
RANDOM_DETOURS = 24


@dataclass(frozen=True, eq=False)
class Leg:
    """u (K,) increasing from 0; q (K, J) by arm."""

    u: Array
    q: Mapping[str, Array]

    def reversed(self) -> "Leg":
        return Leg(self.u[-1] - self.u[::-1], {arm: q[::-1] for arm, q in self.q.items()})


def lift(tasks: Sequence[ArmTask], q: Joints, scene: Scene) -> Leg:
    """Return the leg that raises every tool straight up from q (J,): the highest of LIFTS_M that keeps clear."""
    tried: list[tuple[float, Leg]] = []
    for height in LIFTS_M:
        leg = _raised(tasks, q, height)
        room = scene.room(leg.q)
        if room > 0:
            return leg
        tried.append((room, leg))
    return max(tried, key=lambda one: one[0])[1]


def route(tasks: Sequence[ArmTask], start: Joints, goal: Joints, scene: Scene) -> list[Leg]:
    """Return the legs of joint moves from start to goal (J,): the first detour that keeps clear, else the clearest.

    Where start or goal themselves stand nearer than the margin, a route may come as near as they are.
    """
    ends = {arm: np.stack([start[arm], goal[arm]]) for arm in start}
    needed = min(0.0, scene.room(ends, between=False) - 1e-3)
    best: list[Leg] = []
    best_room = -np.inf
    for stops in _detours(tasks, start, goal):
        legs = [leg for leg in map(_straight, [start, *stops], [*stops, goal]) if leg is not None]
        room = min((scene.room(_dense(leg)) for leg in legs), default=np.inf)
        if room > needed:
            return legs
        if room > best_room:
            best, best_room = legs, room
    return best


def _raised(tasks: Sequence[ArmTask], q: Joints, height: float) -> Leg:
    steps = round(height / LIFT_STEP_M)
    rise = np.linspace(0.0, height, steps + 1)
    return Leg(rise / height, {task.name: _raise_one(task, q[task.name], rise) for task in tasks})


def _raise_one(task: ArmTask, q: Array, rise: Array) -> Array:
    """q (K, J) along a straight vertical line from q (J,); where the arm cannot go on it stays."""
    arm = task.kinematics
    T = np.repeat(arm.flange_pose(q)[None], len(rise), axis=0)
    T[:, :3, 3] += rise[:, None] * (task.config.T_world_base[:3, :3].T @ [0.0, 0.0, 1.0])
    found = polish(arm, T, track(arm, T, q, q))
    found[0] = q
    return found


def _detours(tasks: Sequence[ArmTask], start: Joints, goal: Joints) -> Iterator[list[dict[str, Array]]]:
    """Stops (J,) by arm between start and goal, simple ones first."""
    home = {task.name: task.config.home for task in tasks}
    yield []
    for first in start:
        if len(start) > 1:
            yield [{**start, first: goal[first]}]
    yield [home]
    # folded as at home, but turned on the base: the middle of a move between two far stretched places
    for turn in (goal, start):
        yield [{arm: np.concatenate([turn[arm][:1], q[1:]]) for arm, q in home.items()}]
    raised = {arm: q[-1] for arm, q in _raised(tasks, start, RAISE_M).q.items()}
    yield [raised]
    yield [raised, home]
    random = np.random.default_rng(0)
    for i in range(RANDOM_DETOURS):
        # one arm at a time leaves its straight line: mostly only one of them is in trouble
        wild = tasks[i % len(tasks)].name
        yield [{task.name: _between(task, start, goal, random if task.name == wild else None) for task in tasks}]


def _between(task: ArmTask, start: Joints, goal: Joints, random: np.random.Generator | None) -> Array:
    middle = (start[task.name] + goal[task.name]) / 2
    if random is not None:
        middle += random.normal(0.0, 0.5, len(middle))
    return np.clip(middle, task.limits.q_lower, task.limits.q_upper)


def _straight(start: Joints, goal: Joints) -> Leg | None:
    """The leg from start to goal; None where they are the same."""
    if max(float(np.abs(goal[arm] - start[arm]).max()) for arm in start) < 1e-9:
        return None
    return Leg(np.array([0.0, 1.0]), {arm: np.stack([start[arm], goal[arm]]) for arm in start})


def _dense(leg: Leg) -> dict[str, Array]:
    s = np.linspace(0.0, 1.0, CHECKED_PER_MOVE)[:, None]
    return {arm: (1 - s) * q[0] + s * q[-1] for arm, q in leg.q.items()}
