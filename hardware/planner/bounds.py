"""What the limits of an arm allow along a path: bounds on the rate of its clock, place by place.

Pure functions of arrays on one grid of the path parameter; nothing here knows arms or tools.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware.geometry import Array
from hardware.trajectory import RAMP_CURVE, RAMP_SLOPE, Clock

KINDS = ("speed", "acceleration", "jerk")
BISECTIONS = 24


@dataclass(frozen=True, eq=False)
class Bounded:
    """Derivatives of something along a path and their limits in time.

    d1, d2, d3 (N, C) by the path parameter; limits (C,) on speed, acceleration and jerk (inf: none). Columns are
    bounded one by one, or all together by their norm. name: what it is, in words; arm: whose.
    """

    d1: Array
    d2: Array
    d3: Array
    speed: ArrayLike
    acceleration: ArrayLike
    jerk: ArrayLike = np.inf
    norm: bool = False
    name: str = ""
    arm: str = ""

    def along(self, u1: Array, u2: Array, u3: Array) -> tuple[Array, Array, Array]:
        """Return the derivatives (N, C) by another parameter, of which u has the derivatives u1, u2, u3 (N,)."""
        u1, u2, u3 = u1[:, None], u2[:, None], u3[:, None]
        return (
            self.d1 * u1,
            self.d2 * u1**2 + self.d1 * u2,
            self.d3 * u1**3 + 3 * self.d2 * u1 * u2 + self.d1 * u3,
        )

    def share(self, values: Array, limit: ArrayLike) -> Array:
        """Return (N,) the largest share of a limit (C,) that values (N, C) take."""
        if self.norm:
            return np.asarray(np.linalg.norm(values, axis=1) / np.asarray(limit))
        return np.asarray((np.abs(values) / np.asarray(limit)).max(axis=1))


@dataclass(frozen=True, eq=False)
class Demand:
    """How much of all limits together a path takes at rate 1, (N,) each: steady, and while the rate ramps.

    by_rate (3, N): speed, acceleration and jerk of a steady rate; by_slope (2, N): acceleration and jerk per
    change of the rate; by_curve (N,): jerk per second change of it.
    """

    by_rate: Array
    by_slope: Array
    by_curve: Array

    def rates(self) -> Array:
        """Return (3, N) the largest steady rate that speed, acceleration and jerk allow at every place."""
        with np.errstate(divide="ignore"):
            return np.stack([self.by_rate[k] ** (-1.0 / (k + 1)) for k in range(3)])

    def allowed(self) -> Array:
        """Return (N,) the largest steady rate at every place."""
        return np.asarray(self.rates().min(axis=0))

    def ramped(self, rate: float, ramp: float) -> bool:
        """Whether a ramp of that length [s] to that rate keeps the limits at all of these places."""
        slope, curve = rate * RAMP_SLOPE / ramp, rate * RAMP_CURVE / ramp**2
        acceleration = self.by_rate[1] * rate**2 + self.by_slope[0] * slope
        jerk = self.by_rate[2] * rate**3 + 3 * self.by_slope[1] * rate * slope + self.by_curve * curve
        return bool((acceleration <= 1).all() and (jerk <= 1).all())

    def at(self, where: NDArray[np.bool_]) -> "Demand":
        """Return the demand at some places (N,)."""
        return Demand(self.by_rate[:, where], self.by_slope[:, where], self.by_curve[where])


def demand(bounds: Sequence[Bounded], u1: Array, u2: Array, u3: Array) -> Demand:
    """Return what all bounds take of their limits along a parameter by which u has derivatives u1, u2, u3 (N,)."""
    rate, slope, curve = [], [], []
    for bound in bounds:
        d1, d2, d3 = bound.along(u1, u2, u3)
        rate.append(
            [bound.share(d1, bound.speed), bound.share(d2, bound.acceleration), bound.share(d3, bound.jerk)]
        )
        slope.append([bound.share(d1, bound.acceleration), bound.share(d2, bound.jerk)])
        curve.append(bound.share(d1, bound.jerk))
    return Demand(np.max(rate, axis=0), np.max(slope, axis=0), np.max(curve, axis=0))


def fastest(v: Array, wanted: Demand, ramp: float, rate_max: float, rate_min: float) -> Clock:
    """Return the fastest Clock along v (N,), from 0, within all limits; but never slower than rate_min.

    What a ramp of the rate adds is counted only where the clock ramps: in its first and its last `ramp` seconds.
    """
    length = float(v[-1])
    high = min(rate_max, length / ramp, max(float(wanted.allowed().min()), rate_min))
    low = min(rate_min, high)

    def fits(rate: float) -> bool:
        reach = rate * ramp / 2 + 2 * float(np.diff(v).max())
        return wanted.at((v <= reach) | (v >= length - reach)).ramped(rate, ramp)

    if fits(high):
        return Clock(length, high, ramp)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return Clock(length, low, ramp)
