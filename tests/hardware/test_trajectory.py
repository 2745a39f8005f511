"""Clocks start and end at rest and keep every limit, by construction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.trajectory import Clock, on_grid, sample

clocks = st.builds(
    lambda length, share, ramp: Clock(length, share * length / ramp, ramp),
    st.floats(0.05, 20.0),
    st.floats(0.02, 1.0),
    st.floats(0.1, 1.0),
)


@settings(deadline=None)
@given(clocks)
def test_a_clock_goes_from_rest_to_rest_and_never_back(clock: Clock) -> None:
    t = np.linspace(-0.1, clock.duration + 0.1, 2001)
    u = clock(t)
    assert u[0] == 0
    assert u[-1] == pytest.approx(clock.length, rel=1e-9)
    assert (np.diff(u) >= -1e-9 * clock.length).all()
    speed = np.diff(u) / np.diff(t)
    assert speed.max() <= clock.rate * (1 + 1e-6)
    assert abs(speed[0]) + abs(speed[-1]) < 1e-9


@settings(deadline=None)
@given(clocks, st.sampled_from([0.002, 0.008, 0.01]))
def test_a_clock_on_the_grid_ends_on_a_sample_and_is_no_faster(clock: Clock, step: float) -> None:
    slower = on_grid(clock, step)
    assert slower.duration / step == pytest.approx(round(slower.duration / step), abs=1e-6)
    assert slower.rate <= clock.rate * (1 + 1e-9)
    assert slower.duration <= clock.duration + step * 1.001


def test_a_clock_too_fast_for_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="ramped"):
        Clock(0.1, 1.0, 0.4)
    with pytest.raises(ValueError, match="positive"):
        Clock(1.0, 0.0, 0.4)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_a_sampled_trajectory_passes_through_its_samples_and_is_held_at_its_ends(seed: int, n: int) -> None:
    q = np.cumsum(np.random.default_rng(seed).normal(0, 0.01, (n, 7)), axis=0)
    t = np.arange(n) * 0.01
    np.testing.assert_allclose(sample(t, q, t), q, atol=1e-9)
    np.testing.assert_array_equal(sample(t, q, -1.0), q[0])
    np.testing.assert_allclose(sample(t, q, t[-1] + 1.0), q[-1], atol=1e-12)
    fine = np.linspace(0, t[-1], 50 * n)
    assert np.abs(np.diff(sample(t, q, fine), axis=0)).max() < 0.1


def test_a_smooth_motion_sampled_at_100_hz_is_met_in_between_to_a_microradian() -> None:
    t = np.arange(301) * 0.01
    q = (1 - np.cos(np.pi * t[:, None] / 3)) * np.array([0.4, -0.2])
    at = np.linspace(0, 3, 2999)
    exact = (1 - np.cos(np.pi * at[:, None] / 3)) * np.array([0.4, -0.2])
    assert np.abs(sample(t, q, at) - exact).max() < 3e-6
