"""Rays that nearly meet and rotations that nearly agree become what a person would expect, whatever they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import Array, closest_points, is_transform, rotation_angle, rotation_from_vector, transform
from models.tracking.rays import mean_rotation, meeting_point, nearest_turn, ray_distances, rotation_spread

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=60, deadline=None)


def _rays(rng: np.random.Generator, views: int, through: Array) -> tuple[Array, Array]:
    origins = rng.normal(0, 1, (views, 3))
    return origins, through - origins


@quick
@given(seeds, st.integers(2, 5))
def test_rays_through_one_point_meet_there(seed: int, views: int) -> None:
    rng = np.random.default_rng(seed)
    point = rng.normal(0, 1, 3)
    origins, ways = _rays(rng, views, point)
    assert meeting_point(origins, ways) == pytest.approx(point, abs=1e-6)
    assert ray_distances(point, origins, ways) == pytest.approx(np.zeros(views), abs=1e-9)


@quick
@given(seeds)
def test_two_rays_that_pass_each_other_give_the_midpoint_between_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    origins, ways = rng.normal(0, 1, (2, 3)), rng.normal(0, 1, (2, 3))
    unit = ways / np.linalg.norm(ways, axis=1, keepdims=True)
    if abs(unit[0] @ unit[1]) > 0.999:
        return
    a, b = closest_points(origins[0], unit[0], origins[1], unit[1])
    middle = meeting_point(origins, ways)
    assert middle == pytest.approx((a + b) / 2, abs=1e-6)
    gaps = ray_distances(middle, origins, ways)
    assert gaps == pytest.approx(np.full(2, np.linalg.norm(a - b) / 2), abs=1e-6)


@quick
@given(seeds)
def test_no_other_point_is_nearer_to_the_rays(seed: int) -> None:
    rng = np.random.default_rng(seed)
    origins, ways = rng.normal(0, 1, (3, 3)), rng.normal(0, 1, (3, 3))
    best = meeting_point(origins, ways)
    cost = (ray_distances(best, origins, ways) ** 2).sum()
    for other in best + rng.normal(0, 0.1, (20, 3)):
        assert (ray_distances(other, origins, ways) ** 2).sum() >= cost - 1e-12


def test_parallel_rays_are_refused() -> None:
    with pytest.raises(ValueError, match="parallel"):
        meeting_point(np.array([[0.0, 0, 0], [1, 0, 0]]), np.array([[0.0, 0, 1], [0, 0, 2]]))


@quick
@given(seeds, st.floats(0.0, 3.0))
def test_the_mean_of_two_rotations_is_half_way_between_them(seed: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    axis = rng.normal(0, 1, 3)
    axis /= np.linalg.norm(axis)
    first = rotation_from_vector(rng.normal(0, 1, 3))
    second = first @ rotation_from_vector(axis * angle)
    mean = mean_rotation(np.array([first, second]))
    assert is_transform(transform(mean, np.zeros(3)))
    assert rotation_angle(mean, first @ rotation_from_vector(axis * angle / 2)) == pytest.approx(0, abs=1e-6)
    assert rotation_spread(np.array([first, second])) == pytest.approx(angle, abs=1e-6)


@quick
@given(seeds, st.integers(1, 5))
def test_a_mean_rotation_does_not_depend_on_order_or_on_the_frame(seed: int, views: int) -> None:
    rng = np.random.default_rng(seed)
    base, frame = rotation_from_vector(rng.normal(0, 1, (2, 3)))
    around = base @ rotation_from_vector(rng.normal(0, 0.3, (views, 3)))
    mean = mean_rotation(around)
    assert rotation_angle(mean_rotation(around[::-1]), mean) == pytest.approx(0, abs=1e-6)
    assert rotation_angle(mean_rotation(frame @ around), frame @ mean) == pytest.approx(0, abs=1e-6)


def test_rotations_half_a_turn_apart_have_no_mean() -> None:
    with pytest.raises(ValueError, match="no mean"):
        mean_rotation(np.array([np.eye(3), np.diag([-1.0, -1.0, 1.0])]))


@quick
@given(seeds)
def test_a_tool_that_looks_the_same_turned_half_round_is_read_the_near_way(seed: int) -> None:
    rng = np.random.default_rng(seed)
    half = np.diag([-1.0, -1.0, 1.0])
    R = rotation_from_vector(rng.normal(0, 1, 3))
    seen = R @ rotation_from_vector(rng.normal(0, 0.2, 3)) @ half
    near = nearest_turn(seen, R, half[None])
    assert rotation_angle(near, R) < 1.2
    assert min(rotation_angle(near, seen), rotation_angle(near, seen @ half)) < 1e-6
