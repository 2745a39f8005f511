"""One clock for all arms that is slowed only where a limit would be broken, and smoothly.

The path parameter u is replaced by a slowed one v, which has more seconds for the places that need them. A Clock
then runs along v at one rate between two ramps; so what holds for the uniform clock holds for the slowed one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BPoly, BSpline
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from hardware.geometry import Array
from hardware.planner.bounds import KINDS, Bounded, Demand, demand, fastest
from hardware.trajectory import Clock

# how long a change of the rate may take [s], at the mean rate: short ones lose less time, long ones cost less
WIDTHS_S = (0.12, 0.25, 0.5, 1.0)
ROUNDS = 3
GOOD = 0.97
# a rate nearer than this to what was asked for is not called slow
SEEN = 0.95
# fewer samples than this are not worth a line of their own
FEW = 5


@dataclass(frozen=True, eq=False)
class Slowing:
    """Seconds for every place: u, v (N,) from 0, both increasing; rate (N,) = du/dv with its derivatives by u."""

    u: Array
    v: Array
    rate: Array
    rate_1: Array
    rate_2: Array

    @classmethod
    def of(cls, u: Array, rate: Array) -> "Slowing":
        """Return the slowing with about these rates (N,) > 0 at even u (N,); the curve through them is smooth."""
        step = float(u[1] - u[0])
        knots = u[0] + step * np.arange(-3, len(u) + 3)
        curve = BSpline(knots, np.pad(rate, 1, mode="edge"), 3)
        # Simpson's rule over every interval of the grid
        ends, middles = 1 / curve(u), 1 / curve(u[:-1] + step / 2)
        v = np.concatenate([[0.0], np.cumsum(step / 6 * (ends[:-1] + 4 * middles + ends[1:]))])
        return cls(u, v, curve(u), curve(u, 1), curve(u, 2))

    @property
    def by_v(self) -> tuple[Array, Array, Array]:
        """The first three derivatives (N,) of u by v."""
        second = self.rate * self.rate_1
        return self.rate, second, self.rate * (self.rate_1**2 + self.rate * self.rate_2)

    def __call__(self, v: Array) -> Array:
        """Return u (...) at v (...), clipped to the ends."""
        first, second, _ = self.by_v
        curve = BPoly.from_derivatives(self.v, np.stack([self.u, first, second], axis=1))
        return np.asarray(np.clip(curve(np.clip(v, 0.0, self.v[-1])), self.u[0], self.u[-1]))


@dataclass(frozen=True, eq=False)
class SlowedClock:
    """The path parameter over time, from rest to rest: a Clock along the slowed parameter."""

    slowing: Slowing
    clock: Clock

    @property
    def duration(self) -> float:
        """[s]"""
        return self.clock.duration

    def __call__(self, t: Array) -> Array:
        """Return u (...) at times t (...) [s]; 0 before and the path's length after."""
        return self.slowing(self.clock(t))


def slowed(
    u: Array, bounds: Sequence[Bounded], ramp: float, rate_max: float, rate_min: float, evenly: bool = False
) -> SlowedClock:
    """Return the shortest clock found along even u (N,) from 0 that keeps all bounds; du/dt is at most rate_max.

    evenly: no place may be slower than another but in the ramps. A path that cannot be slow enough at rate_min
    breaks its bounds rather than never end.
    """
    one, none = np.ones(len(u)), np.zeros(len(u))
    plain = demand(bounds, one, none, none)
    top = min(rate_max, float(u[-1]) / ramp)
    wanted = np.clip(plain.allowed(), min(rate_min, top), top)
    best = _along(Slowing.of(u, np.full(len(u), float(wanted.min()) if evenly else top)), bounds, ramp, rate_min)[0]
    if evenly or best.clock.rate >= GOOD:
        return best
    mean = 1 / float(np.mean(1 / wanted))
    for width in WIDTHS_S:
        found = _search(u, wanted, max(round(width * mean / float(u[1])), 2), bounds, ramp, rate_min)
        best = min(best, found, key=lambda one: one.duration)
    return best


def _search(
    u: Array, wanted: Array, width: int, bounds: Sequence[Bounded], ramp: float, rate_min: float
) -> SlowedClock:
    """The best clock whose rate stays below `wanted` (N,): lowered again where changing it costs too much."""
    best, target = None, wanted
    for _ in range(ROUNDS):
        found, left = _along(Slowing.of(u, smooth_below(target, width)), bounds, ramp, rate_min)
        if best is None or found.duration < best.duration:
            best = found
        if found.clock.rate >= GOOD:
            break
        target = np.maximum(target * np.minimum(left.allowed(), 1.0), rate_min)
    if best is None:
        raise RuntimeError("no clock was tried")
    return best


def _along(slowing: Slowing, bounds: Sequence[Bounded], ramp: float, rate_min: float) -> tuple[SlowedClock, Demand]:
    taken = demand(bounds, *slowing.by_v)
    # rate 1 along v is what was wanted
    slowest = rate_min * float(slowing.v[-1]) / float(slowing.u[-1])
    return SlowedClock(slowing, fastest(slowing.v, taken, ramp, 1.0, slowest)), taken


def smooth_below(values: Array, width: int) -> Array:
    """Return a smooth sequence (N,) that is nowhere above values (N,): the minimum over +-width, averaged."""
    lowest = minimum_filter1d(values, 2 * width + 1, mode="nearest")
    third = 2 * (width // 3) + 1
    for _ in range(3):
        lowest = uniform_filter1d(lowest, third, mode="nearest")
    return np.asarray(lowest)


@dataclass(frozen=True, eq=False)
class SlowPlaces:
    """Where an arm's limit slows the clock: here (N,) bool, and the slowest rate there."""

    arm: str
    limit: str
    here: NDArray[np.bool_]
    rate: float


def slow_places(found: SlowedClock, bounds: Sequence[Bounded], top: float, u: Array) -> list[SlowPlaces]:
    """Return which limits of which arms hold the clock under the rate `top` at u (N,), its ramps left out.

    A place on the way to a slower one has the reason of the nearest place that is itself bound.
    """
    grid, one, none = found.slowing.u, np.ones(len(found.slowing.u)), np.zeros(len(found.slowing.u))
    reasons = [(bound.arm, f"{bound.name} {kind}") for bound in bounds for kind in KINDS]
    allowed = np.concatenate([demand([bound], one, none, none).rates() for bound in bounds])
    tight = np.flatnonzero(allowed.min(axis=0) < top)
    rate = found.clock.rate * np.interp(u, grid, found.slowing.rate)
    slow = rate < SEEN * top
    if not slow.any():
        return []
    bound_at = tight if len(tight) else np.array([int(allowed.min(axis=0).argmin())])
    nearest = bound_at[np.abs(grid[bound_at][None] - u[:, None]).argmin(axis=1)]
    reason = allowed.argmin(axis=0)[nearest]
    places = []
    for i in np.unique(reason[slow]):
        here = slow & (reason == i)
        if here.sum() < FEW < slow.sum():
            continue
        arm, limit = reasons[i]
        places.append(SlowPlaces(arm, limit, here, float(rate[here].min())))
    return places
