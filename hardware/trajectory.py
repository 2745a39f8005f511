"""Time along a path: rest-to-rest clocks, the fastest one within limits, and samples of a timed trajectory.

Pure functions of arrays; nothing here knows arms or tools.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from hardware.geometry import Array

# largest first and second derivative of 6 x^5 - 15 x^4 + 10 x^3 on 0..1, the shape of a clock's rate while it ramps
RAMP_SLOPE, RAMP_CURVE = 1.875, 10.0 / np.sqrt(3.0)


@dataclass(frozen=True)
class Clock:
    """Path parameter over time: from rest to rest over `length`, at `rate` in between, ramps of `ramp` seconds.

    The rate rises and falls by a quintic, so speed and acceleration along the path are zero at both ends.
    """

    length: float
    rate: float
    ramp: float

    def __post_init__(self) -> None:
        if not (self.length > 0 and self.rate > 0 and self.ramp > 0):
            raise ValueError(f"clock: length {self.length}, rate {self.rate} and ramp {self.ramp} must be positive")
        if self.rate * self.ramp > self.length * (1 + 1e-9):
            raise ValueError(f"clock: a rate of {self.rate} cannot be ramped up and down within {self.length}")

    @property
    def duration(self) -> float:
        """[s]"""
        return self.length / self.rate + self.ramp

    def __call__(self, t: ArrayLike) -> Array:
        """Return the path parameter (...) at times t (...) [s]; 0 before and `length` after."""
        at = np.clip(np.asarray(t, float), 0.0, self.duration)
        up = self._ramp_area(at)
        down = self._ramp_area(self.duration - at)
        cruise = self.rate * (at - self.ramp / 2)
        return np.asarray(
            np.where(at < self.ramp, up, np.where(at > self.duration - self.ramp, self.length - down, cruise))
        )

    def _ramp_area(self, t: Array) -> Array:
        x = np.clip(t / self.ramp, 0.0, 1.0)
        return self.rate * self.ramp * (x**6 - 3 * x**5 + 2.5 * x**4)


@dataclass(frozen=True, eq=False)
class Bounded:
    """Derivatives of something along a path and their limits in time.

    d1, d2, d3 (N, C) by the path parameter; limits (C,) on speed, acceleration and jerk (inf: none). Columns are
    bounded one by one, or all together by their norm.
    """

    d1: Array
    d2: Array
    d3: Array
    speed: ArrayLike
    acceleration: ArrayLike
    jerk: ArrayLike = np.inf
    norm: bool = False

    def exceeded(self, rate: float, ramp: float) -> bool:
        """Whether a Clock of that rate and ramp may break a limit anywhere on the path."""
        curve = rate * RAMP_SLOPE / ramp
        d1, d2, d3 = (
            np.linalg.norm(d, axis=1, keepdims=True) if self.norm else np.abs(d)
            for d in (self.d1, self.d2, self.d3)
        )
        speed = d1 * rate
        acceleration = d2 * rate**2 + d1 * curve
        jerk = d3 * rate**3 + 3 * d2 * rate * curve + d1 * rate * RAMP_CURVE / ramp**2
        pairs = ((speed, self.speed), (acceleration, self.acceleration), (jerk, self.jerk))
        return any(bool((value > np.asarray(limit)).any()) for value, limit in pairs)


def derivatives(u: Array, values: Array) -> tuple[Array, Array, Array]:
    """Return the first three derivatives (N, C) at u (N,) of the cubic spline through values (N, C); N >= 2."""
    curve = CubicSpline(u, values)
    return curve(u, 1), curve(u, 2), curve(u, 3)


def fastest(length: float, ramp: float, bounds: Sequence[Bounded], rate_max: float, rate_min: float) -> Clock:
    """Return the fastest Clock within all bounds, by bisection; but never slower than rate_min."""
    high = min(rate_max, length / ramp)
    low = min(rate_min, high)
    if not any(b.exceeded(high, ramp) for b in bounds):
        return Clock(length, high, ramp)
    for _ in range(30):
        middle = (low + high) / 2
        if any(b.exceeded(middle, ramp) for b in bounds):
            high = middle
        else:
            low = middle
    return Clock(length, low, ramp)


def on_grid(clock: Clock, step: float) -> Clock:
    """Return the clock slowed down the least that makes its duration a multiple of `step` [s]."""
    duration = np.ceil(clock.duration / step - 1e-9) * step
    return Clock(clock.length, clock.length / (duration - clock.ramp), clock.ramp)


def sample(t: Array, q: Array, at: ArrayLike) -> Array:
    """Return q (..., J) at times `at` (...) of samples q (N, J) at even times t (N,), held at both ends.

    Cubic Hermite between samples with central differences (Catmull & Rom 1974): passes through every sample with
    continuous speed.
    """
    x = np.clip((np.asarray(at, float) - t[0]) / (t[1] - t[0]), 0.0, len(t) - 1.0)
    i = np.minimum(x.astype(int), len(t) - 2)
    s = (x - i)[..., None]
    slope = np.gradient(q, axis=0)
    slope[0] = slope[-1] = 0.0
    h00, h10 = (1 + 2 * s) * (1 - s) ** 2, s * (1 - s) ** 2
    h01, h11 = s**2 * (3 - 2 * s), s**2 * (s - 1)
    return np.asarray(h00 * q[i] + h10 * slope[i] + h01 * q[i + 1] + h11 * slope[i + 1])
