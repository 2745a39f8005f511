"""Legs become timed samples: one clock for all arms, slowed only where a limit of an arm would be broken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from hardware.geometry import Array
from hardware.giving_way import PLAN_SHARE
from hardware.planner.bounds import Bounded
from hardware.planner.moves import Leg
from hardware.planner.slowing import SlowedClock, slowed
from hardware.planner.task import ArmTask
from hardware.trajectory import derivatives, on_grid

RAMP_S = 0.4
HEADROOM = 0.97
# a spline's third derivative is coarser than its others, and jerk falls with the third power of the rate
JERK_HEADROOM = 0.85
GRID = 200


@dataclass(frozen=True)
class Pace:
    """Caps beside the arms' own limits: tip_speed [m/s], joint_speed [rad/s], rate of the leg's parameter [1/s]."""

    tip_speed: float = np.inf
    joint_speed: float = np.inf
    rate_max: float = np.inf
    duration_max: float = 120.0


@dataclass(frozen=True, eq=False)
class Timing:
    """A leg's clock, and what may slow it: bounds on the clock's own grid of u."""

    clock: SlowedClock
    bounds: Sequence[Bounded]


def clock(leg: Leg, tasks: Sequence[ArmTask], pace: Pace, step: float) -> Timing:
    """Return the leg's clock, its duration a multiple of `step` [s].

    A leg that cannot be slow enough within pace.duration_max breaks its limits rather than never end.
    """
    length = float(leg.u[-1])
    grid = np.linspace(0.0, length, max(len(leg.u), GRID))
    bounds = [bound for task in tasks for bound in _bounds(leg, task, pace, grid)]
    best = slowed(grid, bounds, RAMP_S, pace.rate_max, length / pace.duration_max)
    return Timing(replace(best, clock=on_grid(best.clock, step)), bounds)


def timed(leg: Leg, leg_clock: SlowedClock, step: float) -> tuple[Array, dict[str, Array]]:
    """Return the parameter u (N,) and q (N, J) by arm at even times from 0 to the clock's duration."""
    u = leg_clock(np.arange(round(leg_clock.duration / step) + 1, dtype=float) * step)
    return u, {arm: np.asarray(CubicSpline(leg.u, q)(u)) for arm, q in leg.q.items()}


def _bounds(leg: Leg, task: ArmTask, pace: Pace, grid: Array) -> list[Bounded]:
    arm, limits = task.kinematics, task.limits
    share = HEADROOM * (PLAN_SHARE if np.isfinite(limits.give_way_force) else 1.0)
    q = CubicSpline(leg.u, leg.q[task.name])
    joints = Bounded(
        *derivatives(grid, q),
        speed=share * np.minimum(limits.dq_max, pace.joint_speed),
        acceleration=share * limits.ddq_max,
        jerk=JERK_HEADROOM * arm.dddq_max,
        name="joint",
        arm=task.name,
    )
    tip = Bounded(
        *derivatives(grid, CubicSpline(grid, task.tip(q(grid)))),
        speed=share * min(limits.tip_speed, pace.tip_speed),
        acceleration=share * limits.tip_acceleration,
        norm=True,
        name="tip",
        arm=task.name,
    )
    return [joints, tip]
