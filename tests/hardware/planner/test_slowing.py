"""The clock is slowed only where a limit would be broken, and never faster than what was asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import Array
from hardware.planner.bounds import Bounded
from hardware.planner.slowing import SlowedClock, slow_places, slowed, smooth_below
from hardware.trajectory import on_grid

GRID = np.linspace(0.0, 2.0, 401)
RAMP, STEP = 0.4, 2e-3


class Wave:
    """A few sines (C columns), some places much faster than others, with exact derivatives."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self._terms = random.uniform([0.05, 0.5, 0], [0.5, 9.0, 6.3], (3, 4, 3))

    def __call__(self, u: Array, order: int = 0) -> Array:
        return np.asarray(
            sum(
                a * w**order * np.sin(w * u[:, None] + p + order * np.pi / 2)
                for a, w, p in (term.T for term in self._terms)
            )
        )

    def bounded(self, speed: float, acceleration: float, jerk: float, norm: bool = False) -> Bounded:
        d1, d2, d3 = (self(GRID, order) for order in (1, 2, 3))
        return Bounded(d1, d2, d3, speed, acceleration, jerk, norm, name="joint", arm="left")


limits = st.tuples(st.floats(0.05, 2.0), st.floats(0.2, 20.0), st.floats(5.0, 500.0))


def found(wave: Wave, top: float, limit: tuple[float, float, float], evenly: bool = False) -> SlowedClock:
    bounds = [wave.bounded(*limit), wave.bounded(limit[0], limit[1], np.inf, norm=True)]
    return slowed(GRID, bounds, RAMP, top, 2.0 / 400, evenly)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(0.1, 1.0), limits)
def test_speed_acceleration_and_jerk_are_kept_and_the_clip_is_never_overtaken(
    seed: int, top: float, limit: tuple[float, float, float]
) -> None:
    wave = Wave(seed)
    clock = found(wave, top, limit)
    t = np.arange(0.0, clock.duration + STEP, STEP)
    u = clock(t)
    rate = np.diff(u) / STEP
    assert u[0] == 0
    assert u[-1] == pytest.approx(2.0, abs=1e-9)
    assert rate.min() >= -1e-9
    assert rate.max() <= top * (1 + 1e-6)
    assert rate[0] + rate[-1] < 1e-3
    values = wave(u)
    for order, most in enumerate(limit, 1):
        values = np.diff(values, axis=0) / STEP
        # a limit holds at the places of the grid, and the differences add a little of their own
        assert np.abs(values).max() <= most * 1.03
        if order < 3:
            assert np.linalg.norm(values, axis=1).max() <= most * 1.03


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.1, 1.0), limits)
def test_it_takes_no_longer_than_slowing_everything_alike(
    seed: int, top: float, limit: tuple[float, float, float]
) -> None:
    wave = Wave(seed)
    assert found(wave, top, limit).duration <= found(wave, top, limit, evenly=True).duration * (1 + 1e-9) + 1e-9


def test_one_fast_place_costs_little_and_is_named_with_its_limit() -> None:
    bump = 0.05 * np.exp(-(((GRID - 1.0) / 0.05) ** 2))
    d1, d2, d3 = (np.gradient(bump, GRID), *(np.zeros_like(GRID) for _ in range(2)))
    bound = Bounded(*(d[:, None] for d in (d1, d2, d3)), 0.1, 50.0, name="tip", arm="right")
    clock = slowed(GRID, [bound], RAMP, 1.0, 0.005)
    assert clock.duration < 5
    assert slowed(GRID, [bound], RAMP, 1.0, 0.005, evenly=True).duration > 15
    (place,) = slow_places(clock, [bound], 1.0, GRID)
    assert (place.arm, place.limit) == ("right", "tip speed")
    assert place.here[200]
    assert not place.here[[5, 100, 300, 395]].any()
    assert place.rate == pytest.approx(0.1 / np.abs(d1).max(), rel=0.1)


def test_a_slowed_clock_ends_on_a_sample() -> None:
    clock = found(Wave(1), 1.0, (0.1, 5.0, 100.0))
    duration = on_grid(clock.clock, 0.01).duration
    assert duration / 0.01 == pytest.approx(round(duration / 0.01))


def test_a_clock_that_cannot_keep_the_limits_still_ends() -> None:
    huge = np.full((len(GRID), 1), 1e9)
    assert slowed(GRID, [Bounded(huge, huge, huge, 1.0, 1.0)], RAMP, 1.0, 0.1).duration < 30


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=80), st.integers(1, 30))
def test_what_is_smoothed_is_nowhere_raised(values: list[float], width: int) -> None:
    assert (smooth_below(np.array(values), width) <= np.array(values) + 1e-9).all()
