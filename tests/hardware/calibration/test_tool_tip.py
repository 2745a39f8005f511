"""The four-point tool tip: found within the touches' own scatter, and refused where it cannot be known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.calibration.tool_tip import solve_tip
from hardware.geometry import Array, rotation_from_vector, transform

seeds = st.integers(0, 2**32 - 1)
POINT = np.array([0.45, -0.1, 0.02])


def touches(tip: Array, turns: Array, noise: Array | float = 0.0) -> list[Array]:
    """Flange poses with those turns (N, 3) [rad] whose tip is on POINT, but for the noise (N, 3) [m]."""
    down = np.diag([1.0, -1.0, -1.0])
    R = rotation_from_vector(turns) @ down
    return list(transform(R, POINT - R @ tip + noise))


def leaning(count: int, rng: np.random.Generator, angle: float = 0.5) -> Array:
    around = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 0.3, count)
    return np.stack([np.cos(around), np.sin(around), rng.uniform(-1, 1, count)], axis=1) * angle


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(4, 9))
def test_the_tip_is_found_exactly_from_exact_touches(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    tip = rng.uniform(-0.2, 0.2, 3)
    result = solve_tip(touches(tip, leaning(count, rng)))
    np.testing.assert_allclose(result.tip, tip, atol=1e-9)
    np.testing.assert_allclose(result.point, POINT, atol=1e-9)
    assert result.verdict == "good"


@settings(deadline=None, max_examples=60)
@given(seeds, st.floats(1e-5, 3e-4))
def test_the_error_stays_within_a_few_times_what_the_page_says(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    tip = rng.uniform(-0.2, 0.2, 3)
    result = solve_tip(touches(tip, leaning(8, rng), rng.normal(0, noise, (8, 3))))
    assert np.linalg.norm(result.tip - tip) < 8 * max(result.sigma, noise)


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(0.0, 0.12))
def test_hardly_turned_poses_are_refused(seed: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    with pytest.raises(ValueError, match="turned by"):
        solve_tip(touches(np.array([0, 0, 0.1]), leaning(4, rng, angle / 1.5)))


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_poses_turned_about_one_axis_are_refused_and_the_axis_is_named(seed: int) -> None:
    rng = np.random.default_rng(seed)
    axis = np.eye(3)[rng.integers(3)]
    with pytest.raises(ValueError, match="one axis only"):
        solve_tip(touches(np.array([0.05, 0, 0.1]), axis * np.array([[-0.8], [-0.2], [0.3], [0.9]])))


def test_three_poses_and_a_broken_pose_are_refused() -> None:
    poses = touches(np.array([0, 0, 0.1]), leaning(4, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="3; valid: 4"):
        solve_tip(poses[:3])
    with pytest.raises(ValueError, match="pose 2"):
        solve_tip([poses[0], np.full((4, 4), np.nan), *poses[2:]])


def test_one_slipped_touch_is_named() -> None:
    rng = np.random.default_rng(3)
    noise = np.zeros((7, 3))
    noise[4] = [0.006, 0.0, 0.0]
    result = solve_tip(touches(np.array([0.0, 0.02, 0.12]), leaning(7, rng), noise))
    assert result.worst == 4
    assert result.verdict == "poor"
    assert "touch 5" in result.words.lower()


def test_a_tip_a_metre_and_a_half_away_is_not_believed() -> None:
    with pytest.raises(ValueError, match="from the flange"):
        solve_tip(touches(np.array([0, 0, 1.5]), leaning(5, np.random.default_rng(1))))
