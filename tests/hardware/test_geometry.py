"""Rigid motions, projection and rays: what must hold for every input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hardware.geometry import (
    Array,
    apply,
    closest_points,
    exp_se3,
    interpolate,
    inverse,
    is_transform,
    project,
    quaternion,
    ray_directions,
    rotation_angle,
    rotation_from_quaternion,
    rotation_from_vector,
    rotation_vector,
    skew,
    transform,
)

small = st.floats(-3.0, 3.0, allow_nan=False, width=32)
vectors = arrays(np.float64, 3, elements=small)
turns = vectors.map(lambda v: v * (0.99 * np.pi / max(np.pi, float(np.linalg.norm(v)))))
poses = st.builds(lambda turn, p: transform(rotation_from_vector(turn), p), turns, vectors)
K = np.array([[566.4, 0.0, 384.0], [0.0, 560.0, 224.0], [0.0, 0.0, 1.0]])


@settings(deadline=None)
@given(poses, poses, vectors)
def test_inverse_and_product_act_like_the_motions_they_stand_for(T_a_b: Array, T_b_c: Array, point: Array) -> None:
    p = point[None]
    np.testing.assert_allclose(apply(inverse(T_a_b), apply(T_a_b, p)), p, atol=1e-9)
    np.testing.assert_allclose(apply(T_a_b @ T_b_c, p), apply(T_a_b, apply(T_b_c, p)), atol=1e-9)
    assert is_transform(inverse(T_a_b) @ T_b_c)


@settings(deadline=None)
@given(turns)
def test_rotation_vector_and_quaternion_come_back(turn: Array) -> None:
    R = rotation_from_vector(turn)
    np.testing.assert_allclose(rotation_vector(R), turn, atol=1e-7)
    np.testing.assert_allclose(rotation_from_quaternion(quaternion(R)), R, atol=1e-9)
    assert abs(float(np.linalg.norm(quaternion(R))) - 1) < 1e-12


@settings(deadline=None)
@given(vectors, st.floats(1e-12, 1e-3))
def test_small_turns_keep_their_precision(axis: Array, angle: float) -> None:
    if np.linalg.norm(axis) < 1e-3:
        return
    turn = axis / np.linalg.norm(axis) * angle
    np.testing.assert_allclose(rotation_vector(rotation_from_vector(turn)), turn, atol=1e-3 * angle + 1e-15)


@pytest.mark.parametrize("axis", [*np.eye(3), np.array([0.6, -0.8, 0.0]), np.ones(3) / np.sqrt(3)])
def test_a_half_turn_is_read_as_a_half_turn(axis: Array) -> None:
    turn = rotation_vector(rotation_from_vector(np.pi * axis))
    assert abs(np.linalg.norm(turn) - np.pi) < 1e-7
    np.testing.assert_allclose(np.abs(turn @ axis), np.pi, atol=1e-7)


@settings(deadline=None)
@given(turns, turns)
def test_the_angle_between_rotations_is_symmetric_and_bounded(a: Array, b: Array) -> None:
    R_a, R_b = rotation_from_vector(a), rotation_from_vector(b)
    angle = float(rotation_angle(R_a, R_b))
    assert abs(angle - float(rotation_angle(R_b, R_a))) < 1e-7
    assert 0 <= angle <= np.pi + 1e-9
    assert float(rotation_angle(R_a, R_a)) < 1e-7


@settings(deadline=None)
@given(vectors, vectors)
def test_skew_is_the_cross_product(v: Array, w: Array) -> None:
    np.testing.assert_allclose(skew(v) @ w, np.cross(v, w), atol=1e-12)


@settings(deadline=None)
@given(poses, poses, st.floats(0, 1))
def test_interpolation_starts_ends_and_turns_evenly(T_0: Array, T_1: Array, s: float) -> None:
    np.testing.assert_allclose(interpolate(T_0, T_1, 0.0), T_0, atol=1e-7)
    np.testing.assert_allclose(interpolate(T_0, T_1, 1.0), T_1, atol=1e-7)
    T = interpolate(T_0, T_1, s)
    assert is_transform(T)
    whole = float(rotation_angle(T_0[:3, :3], T_1[:3, :3]))
    assert abs(float(rotation_angle(T_0[:3, :3], T[:3, :3])) - s * whole) < 1e-6


@settings(deadline=None)
@given(arrays(np.float64, 6, elements=st.floats(-1e-4, 1e-4)))
def test_a_small_twist_is_its_own_derivative(twist: Array) -> None:
    T = exp_se3(twist)
    np.testing.assert_allclose(T[:3, 3], twist[3:], atol=1e-12)
    np.testing.assert_allclose(T[:3, :3] - np.eye(3), skew(twist[:3]), atol=1e-7)


@settings(deadline=None)
@given(arrays(np.float64, (5, 3), elements=small), st.floats(0.2, 3.0))
def test_a_pixels_ray_goes_through_its_point(points: Array, depth: float) -> None:
    points = points.copy()
    points[:, 2] = np.abs(points[:, 2]) + depth
    rays = ray_directions(K, project(K, points))
    np.testing.assert_allclose(rays, points / np.linalg.norm(points, axis=1, keepdims=True), atol=1e-9)


def test_a_point_behind_the_camera_has_no_pixel() -> None:
    assert np.isnan(project(K, np.array([[0.1, 0.1, -1.0], [0.0, 0.0, 0.0]]))).all()


@settings(deadline=None)
@given(vectors, vectors, vectors)
def test_the_closest_points_of_two_rays_leave_a_common_perpendicular(point: Array, a: Array, b: Array) -> None:
    if min(np.linalg.norm(a), np.linalg.norm(b), np.linalg.norm(np.cross(a, b))) < 0.1:
        return
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    if np.linalg.norm(np.cross(a, b)) < 0.05:
        return
    p, q = closest_points(point, a, np.zeros(3), b)
    np.testing.assert_allclose([(p - q) @ a, (p - q) @ b], 0.0, atol=1e-6)
    np.testing.assert_allclose(np.cross(p - point, a), 0.0, atol=1e-6)


def test_parallel_rays_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="parallel"):
        closest_points(np.zeros(3), np.eye(3)[0], np.ones(3), np.eye(3)[0])


@pytest.mark.parametrize(
    "bad",
    [
        np.full((4, 4), np.nan),
        np.diag([1.0, 1.0, -1.0, 1.0]),
        2 * np.eye(4),
        np.eye(3),
        np.vstack([np.eye(4)[:3], [0, 0, 0.1, 1]]),
    ],
)
def test_what_is_no_rigid_motion_is_not_taken_for_one(bad: Array) -> None:
    assert not is_transform(bad)


def test_leading_dimensions_go_through() -> None:
    turns = np.random.default_rng(0).normal(size=(2, 3, 3))
    R = rotation_from_vector(turns)
    assert quaternion(R).shape == (2, 3, 4)
    assert transform(R, np.zeros(3)).shape == (2, 3, 4, 4)
    np.testing.assert_allclose(rotation_vector(R)[1, 2], rotation_vector(R[1, 2]))
