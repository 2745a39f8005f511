"""The table under the arm: found from touches, checked from the fourth on, refused from points on one line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.calibration.table_plane import plane_transform, solve_plane, touched_points
from hardware.geometry import Array, apply, exp_se3, rotation_from_vector, transform

seeds = st.integers(0, 2**32 - 1)


def table(rng: np.random.Generator, count: int, tilt: float = 0.1) -> tuple[Array, Array, float]:
    """Points (N, 3) of a slightly leaning table, its normal and offset."""
    normal = rotation_from_vector(np.array([*rng.uniform(-tilt, tilt, 2), 0.0])) @ np.array([0, 0, 1.0])
    offset = float(rng.uniform(-0.3, 0.3))
    xy = np.array([[0.2, -0.3], [0.7, -0.25], [0.65, 0.3], [0.25, 0.28], [0.45, 0.0], [0.3, 0.1]])[:count]
    xy = xy + rng.uniform(-0.03, 0.03, (count, 2))
    return np.column_stack([xy, (offset - xy @ normal[:2]) / normal[2]]), normal, offset


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(3, 6))
def test_the_plane_is_found_from_exact_touches(seed: int, count: int) -> None:
    points, normal, offset = table(np.random.default_rng(seed), count)
    plane = solve_plane(points)
    np.testing.assert_allclose(plane.normal, normal, atol=1e-9)
    assert plane.offset == pytest.approx(offset, abs=1e-9)
    assert plane.verdict == ("unchecked" if count == 3 else "good")


@settings(deadline=None, max_examples=40)
@given(seeds)
def test_the_table_is_the_same_table_in_base_and_in_world(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, _, _ = table(rng, 5)
    T = transform(rotation_from_vector(np.array([0, 0, rng.uniform(-3, 3)])), rng.uniform(-1, 1, 3))
    moved = solve_plane(points).in_world(T)
    direct = solve_plane(apply(T, points))
    np.testing.assert_allclose(moved.normal, direct.normal, atol=1e-9)
    assert moved.offset == pytest.approx(direct.offset, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(seeds, st.floats(0.0, 0.01))
def test_points_on_one_line_are_refused(seed: int, off: float) -> None:
    rng = np.random.default_rng(seed)
    along = rng.uniform(0.1, 0.6, (5, 1)) * np.array([np.cos(1.0), np.sin(1.0), 0.0])
    points = along + rng.uniform(-off, off, (5, 3)) * [1, 1, 0]
    with pytest.raises(ValueError, match="one line"):
        solve_plane(points)


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_touches_through_the_tip_give_the_same_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    poses, tip = exp_se3(rng.normal(0, 1, (4, 6))), rng.uniform(-0.2, 0.2, 3)
    found = touched_points(list(poses), tip)
    np.testing.assert_allclose(found, poses[:, :3, :3] @ tip + poses[:, :3, 3], atol=1e-12)


def test_a_point_off_the_table_is_named_and_makes_it_poor() -> None:
    points, _, _ = table(np.random.default_rng(2), 6)
    points[4, 2] += 0.008
    plane = solve_plane(points)
    assert plane.verdict == "poor"
    assert "point 5" in plane.words


def test_a_wall_and_two_points_are_no_table() -> None:
    with pytest.raises(ValueError, match="leans"):
        solve_plane(np.array([[0, 0, 0], [0, 0.3, 0], [0, 0, 0.3], [0, 0.3, 0.3]], float))
    with pytest.raises(ValueError, match="2; valid: 3"):
        solve_plane(np.zeros((2, 3)))


def test_the_tables_frame_stands_on_the_table() -> None:
    points, normal, _ = table(np.random.default_rng(5), 5)
    plane = solve_plane(points)
    T = plane_transform(plane, np.eye(4))
    np.testing.assert_allclose(T[:3, 2], normal, atol=1e-9)
    assert plane.normal @ T[:3, 3] == pytest.approx(plane.offset, abs=1e-9)
