"""The motion of all arms: along their paths in the best configurations, with approach and retreat, on one clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from hardware.geometry import Array
from hardware.planner.inverse import polish, track
from hardware.planner.moves import Leg, lift, route
from hardware.planner.slowing import SlowPlaces, slow_places
from hardware.planner.start import candidates, together
from hardware.planner.task import ArmTask, Scene
from hardware.planner.timing import Pace, clock, timed

SLOW = Pace(tip_speed=0.15, joint_speed=0.6)
FINE_GRID_S, COARSE_GRID_S, DENSER = 0.02, 0.15, 4


@dataclass(frozen=True, eq=False)
class Motion:
    """Even times t (N,) [s] from 0; q (N, J) by arm; work (N,) bool; clip_time (N,) [s], nan outside the work.

    speed_scale: clip seconds per plan second of the work, on average; slow: which limits slowed its clock and
    where, `here` (N,) over all samples.
    """

    t: Array
    q: Mapping[str, Array]
    work: NDArray[np.bool_]
    clip_time: Array
    speed_scale: float
    slow: tuple[SlowPlaces, ...] = ()


def move(tasks: Sequence[ArmTask], scene: Scene, start: float, end: float, speed_scale: float) -> Motion:
    """Return the motion for clip times start..end, no faster than speed_scale of the clip's speed."""
    step = 1.0 / max(task.config.command_rate_hz for task in tasks)
    leg = _work(tasks, scene, start, end)
    timing = clock(leg, tasks, Pace(rate_max=speed_scale), step)
    u, q_work = timed(leg, timing.clock, step)
    for task in tasks:
        T = task.T_base_flange(task.path.poses(u + start))
        q_work[task.name] = polish(task.kinematics, T, q_work[task.name])
    before, after = ([slowly(leg, tasks, step) for leg in legs] for legs in _around(tasks, scene, leg))
    q = {task.name: joined([part[task.name] for part in (*before, q_work, *after)]) for task in tasks}
    count = len(next(iter(q.values())))
    first = sum(len(next(iter(part.values()))) - 1 for part in before)
    work = slice(first, first + len(u))
    clip_time = np.full(count, np.nan)
    clip_time[work] = u + start
    slow = tuple(
        replace(place, here=_within(place.here, work, count))
        for place in slow_places(timing.clock, timing.bounds, speed_scale, u)
    )
    average = float(u[-1]) / timing.clock.duration
    return Motion(np.arange(count, dtype=float) * step, q, np.isfinite(clip_time), clip_time, average, slow)


def _within(part: NDArray[np.bool_], place: slice, count: int) -> NDArray[np.bool_]:
    whole = np.zeros(count, bool)
    whole[place] = part
    return whole


def _work(tasks: Sequence[ArmTask], scene: Scene, start: float, end: float) -> Leg:
    """All arms along their paths on a fine grid of the clip's clock; u counts from the start of the work."""
    coarse = np.linspace(start, end, int(np.clip((end - start) / COARSE_GRID_S, 4, 40)))
    others = {task.name: task.q_start for task in tasks}
    found = {
        task.name: candidates(task, task.T_base_flange(task.path.poses(coarse)), scene, others) for task in tasks
    }
    chosen = together(found, scene)
    fine = np.linspace(start, end, int(np.clip((end - start) / FINE_GRID_S, 8, 1500)) + 1)
    q = {}
    for task in tasks:
        T, first = task.T_base_flange(task.path.poses(fine)), chosen[task.name].q[0]
        q[task.name] = polish(task.kinematics, T, track(task.kinematics, T, first, first))
    # a lift over the table bends within milliseconds: what the limits are held against must show it
    dense = np.linspace(start, end, DENSER * (len(fine) - 1) + 1)
    for task in tasks:
        between = np.asarray(CubicSpline(fine, q[task.name])(dense))
        q[task.name] = polish(task.kinematics, task.T_base_flange(task.path.poses(dense)), between)
    return Leg(dense - start, q)


def _around(tasks: Sequence[ArmTask], scene: Scene, work: Leg) -> tuple[list[Leg], list[Leg]]:
    """The legs of the approach (measured pose, above the first pose, down) and of the retreat (up, home)."""
    first = {arm: q[0] for arm, q in work.q.items()}
    last = {arm: q[-1] for arm, q in work.q.items()}
    up, away = lift(tasks, first, scene), lift(tasks, last, scene)
    above_first = {arm: q[-1] for arm, q in up.q.items()}
    above_last = {arm: q[-1] for arm, q in away.q.items()}
    start, home = {t.name: t.q_start for t in tasks}, {t.name: t.config.home for t in tasks}
    return (
        [*route(tasks, start, above_first, scene), up.reversed()],
        [away, *route(tasks, above_last, home, scene)],
    )


def slowly(leg: Leg, tasks: Sequence[ArmTask], step: float) -> dict[str, Array]:
    """Return q (N, J) by arm along a leg at the pace of approach and retreat, from rest to rest."""
    return timed(leg, clock(leg, tasks, SLOW, step).clock, step)[1]


def joined(parts: Sequence[Array]) -> Array:
    """Return samples of consecutive legs (n, J) in a row; each starts where the one before ended."""
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
