"""Legs become timed samples: one clock for all arms, as fast as every limit of every arm allows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from hardware.geometry import Array
from hardware.planner.moves import Leg
from hardware.planner.task import ArmTask
from hardware.trajectory import Bounded, Clock, derivatives, fastest, on_grid

RAMP_S = 0.4
HEADROOM = 0.97
GRID = 60


@dataclass(frozen=True)
class Pace:
    """Caps beside the arms' own limits: tip_speed [m/s], joint_speed [rad/s], rate of the leg's parameter [1/s]."""

    tip_speed: float = np.inf
    joint_speed: float = np.inf
    rate_max: float = np.inf
    duration_max: float = 120.0


def clock(leg: Leg, tasks: Sequence[ArmTask], pace: Pace, step: float, slower: float = 1.0) -> Clock:
    """Return the leg's clock: uniform rate between two ramps, its duration a multiple of `step` [s].

    `slower` < 1 asks for that fraction of the fastest rate. A leg that cannot be slow enough within
    pace.duration_max breaks its limits rather than never end.
    """
    length = float(leg.u[-1])
    bounds = [bound for task in tasks for bound in _bounds(leg, task, pace)]
    best = fastest(length, RAMP_S, bounds, pace.rate_max, length / pace.duration_max)
    return on_grid(Clock(length, best.rate * slower, RAMP_S), step)


def timed(leg: Leg, leg_clock: Clock, step: float) -> tuple[Array, dict[str, Array]]:
    """Return the parameter u (N,) and q (N, J) by arm at even times from 0 to the clock's duration."""
    u = leg_clock(np.arange(round(leg_clock.duration / step) + 1) * step)
    return u, {arm: np.asarray(CubicSpline(leg.u, q)(u)) for arm, q in leg.q.items()}


def _bounds(leg: Leg, task: ArmTask, pace: Pace) -> list[Bounded]:
    arm, limits = task.kinematics, task.limits
    u = leg.u if len(leg.u) >= GRID else np.linspace(0.0, leg.u[-1], GRID)
    q = CubicSpline(leg.u, leg.q[task.name])(u)
    joints = Bounded(
        *derivatives(u, q),
        speed=HEADROOM * np.minimum(limits.dq_max, pace.joint_speed),
        acceleration=HEADROOM * limits.ddq_max,
        jerk=HEADROOM * arm.dddq_max,
    )
    tip = Bounded(
        *derivatives(u, task.tip(q)),
        speed=HEADROOM * min(limits.tip_speed, pace.tip_speed),
        acceleration=HEADROOM * limits.tip_acceleration,
        norm=True,
    )
    return [joints, tip]
