"""Time along a path: rest-to-rest clocks, derivatives along it, and samples of a timed trajectory.

Pure functions of arrays; nothing here knows arms or tools.
"""

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


def derivatives(u: Array, curve: CubicSpline) -> tuple[Array, Array, Array]:
    """Return the first three derivatives (N, C) of a curve at u (N,)."""
    return curve(u, 1), curve(u, 2), curve(u, 3)


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
