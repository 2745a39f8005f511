"""The commands of a run are the plan's samples; a pause slows down along them without a jerk, from anywhere."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.robots.servo_path import PAUSE_RAMP_S, ServoPath
from hardware.trajectory import Clock

pytestmark = pytest.mark.alone

STEP = 0.01


def a_path(seconds: float = 2.0) -> ServoPath:
    """A sine of joints along a clock that starts and ends at rest."""
    t = np.arange(round(seconds / STEP) + 1) * STEP
    u = Clock(1.0, 1.25 / seconds, seconds / 5)(t)
    return ServoPath(t, np.sin(2 * u[:, None] + np.arange(7)))


def test_unpaused_the_commands_are_the_plan_bit_for_bit() -> None:
    path = a_path()
    assert len(path) == len(path.t)
    for k in range(len(path)):
        assert path.command(k).tobytes() == path.q[k].tobytes()
        assert path.plan_time(k) == path.t[k]


@given(pause_at=st.integers(0, 210))
def test_a_pause_comes_to_rest_on_the_path_with_no_more_acceleration_than_the_plan_and_the_ramp(
    pause_at: int,
) -> None:
    plan = a_path()
    path = replace(plan, pause_at=pause_at)
    q = np.array([path.command(k) for k in range(len(path))])
    times = np.array([path.plan_time(k) for k in range(len(path))])
    assert (np.diff(times) >= -1e-12).all(), "it never goes back"
    assert times[-1] <= plan.t[-1]
    assert times[-1] - min(pause_at * STEP, 2.0) <= PAUSE_RAMP_S / 2 + 1e-9
    speed = np.diff(q, axis=0) / STEP
    planned = np.diff(plan.q, axis=0) / STEP
    assert np.abs(speed[-1]).max() < 2e-3
    assert np.abs(speed).max() <= np.abs(planned).max() + 1e-9
    allowed = np.abs(np.diff(planned, axis=0)).max() / STEP + np.abs(planned).max() * 1.875 / PAUSE_RAMP_S
    assert np.abs(np.diff(speed, axis=0)).max() / STEP <= allowed


def test_the_ramp_begins_with_the_plans_own_speed() -> None:
    path = replace(a_path(), pause_at=100)
    before, after = path.command(100) - path.command(99), path.command(101) - path.command(100)
    np.testing.assert_allclose(after, before, rtol=0.05, atol=1e-5)


def test_a_pause_after_the_end_changes_nothing_of_the_plan() -> None:
    path = replace(a_path(), pause_at=500)
    assert path.command(len(path.t) - 1) == pytest.approx(path.q[-1])
    assert path.plan_time(len(path) - 1) == path.t[-1]
