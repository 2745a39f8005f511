"""Rigid motions, projection and rays: pure numpy, float64, SI units.

`T_a_b` maps coordinates in frame b to frame a. Cameras look along +z, x right, y down; pixel centres are
at integers. Every function broadcasts over leading dimensions unless its docstring says otherwise.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def transform(rotation: ArrayLike, translation: ArrayLike) -> Array:
    """Return T (..., 4, 4) from a rotation (..., 3, 3) and a translation (..., 3) [m]."""
    R, p = np.asarray(rotation, float), np.asarray(translation, float)
    T = np.zeros((*np.broadcast_shapes(R.shape[:-2], p.shape[:-1]), 4, 4))
    T[..., :3, :3], T[..., :3, 3], T[..., 3, 3] = R, p, 1.0
    return T


def inverse(T: Array) -> Array:
    """Return T_b_a (..., 4, 4) of T_a_b (..., 4, 4)."""
    R_t = np.swapaxes(T[..., :3, :3], -1, -2)
    return transform(R_t, -(R_t @ T[..., :3, 3:])[..., 0])


def apply(T: Array, points: ArrayLike) -> Array:
    """Map points (..., N, 3) [m] from frame b to frame a with T_a_b (..., 4, 4)."""
    return np.asarray(points, float) @ np.swapaxes(T[..., :3, :3], -1, -2) + T[..., None, :3, 3]


def skew(v: ArrayLike) -> Array:
    """Return the matrix (..., 3, 3) with skew(v) @ w = v x w, for v (..., 3)."""
    x = np.asarray(v, float)
    S = np.zeros((*x.shape, 3))
    S[..., 0, 1], S[..., 0, 2], S[..., 1, 2] = -x[..., 2], x[..., 1], -x[..., 0]
    return S - np.swapaxes(S, -1, -2)


def rotation_from_vector(rotvec: ArrayLike) -> Array:
    """Return the rotation (..., 3, 3) of an axis-angle vector (..., 3) [rad] (Rodrigues)."""
    w = np.asarray(rotvec, float)
    angle2 = np.sum(w * w, axis=-1)[..., None, None]
    angle = np.sqrt(angle2)
    small = angle < 1e-4
    safe = np.where(small, 1.0, angle)
    a = np.where(small, 1.0 - angle2 / 6.0, np.sin(safe) / safe)
    b = np.where(small, 0.5 - angle2 / 24.0, (1.0 - np.cos(safe)) / (safe * safe))
    W = skew(w)
    return np.asarray(np.eye(3) + a * W + b * (W @ W))


def rotation_vector(R: ArrayLike) -> Array:
    """Return the axis-angle vector (..., 3) [rad], angle in [0, pi], of a rotation (..., 3, 3)."""
    q = quaternion(R)
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., :1])
    scale = np.where(sine < 1e-9, 2.0, angle / np.where(sine < 1e-9, 1.0, sine))
    return np.asarray(scale * q[..., 1:])


def quaternion(rotation: ArrayLike) -> Array:
    """Return the unit quaternion (..., 4), order w x y z, w >= 0, of a rotation (..., 3, 3) (Shepperd 1978)."""
    R = np.asarray(rotation, float)
    d = np.stack([R[..., 0, 0], R[..., 1, 1], R[..., 2, 2]], axis=-1)
    trace = d.sum(axis=-1)
    # squares of the four components times four; the largest one is divided by, so nothing vanishes
    squares = np.concatenate([(1 + trace)[..., None], 1 + 2 * d - trace[..., None]], axis=-1)
    wx, wy, wz = R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]
    xy, xz, yz = R[..., 0, 1] + R[..., 1, 0], R[..., 0, 2] + R[..., 2, 0], R[..., 1, 2] + R[..., 2, 1]
    rows = np.stack(
        [
            np.stack([squares[..., 0], wx, wy, wz], axis=-1),
            np.stack([wx, squares[..., 1], xy, xz], axis=-1),
            np.stack([wy, xy, squares[..., 2], yz], axis=-1),
            np.stack([wz, xz, yz, squares[..., 3]], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(squares, axis=-1)[..., None, None]
    q = np.take_along_axis(rows, np.broadcast_to(best, (*best.shape[:-1], 4)), axis=-2)[..., 0, :]
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return np.asarray(np.where(q[..., :1] < 0, -q, q))


def rotation_from_quaternion(wxyz: ArrayLike) -> Array:
    """Return the rotation (..., 3, 3) of a quaternion (..., 4), order w x y z; it is normalised first."""
    q = np.asarray(wxyz, float)
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    v, w = q[..., 1:], q[..., :1, None]
    S = skew(v)
    return np.asarray(np.eye(3) + 2 * w * S + 2 * (S @ S))


def rotation_angle(R_a: ArrayLike, R_b: ArrayLike) -> Array:
    """Return the angle (...) [rad], 0..pi, between two rotations (..., 3, 3)."""
    difference = np.swapaxes(np.asarray(R_a, float), -1, -2) @ np.asarray(R_b, float)
    return np.asarray(np.linalg.norm(rotation_vector(difference), axis=-1))


def exp_se3(twist: ArrayLike) -> Array:
    """Return T (..., 4, 4) of a small motion (..., 6) = (rotation vector [rad], translation [m]).

    Rotation and translation are applied side by side, not coupled: a retraction, not the screw motion.
    """
    x = np.asarray(twist, float)
    return transform(rotation_from_vector(x[..., :3]), x[..., 3:])


def interpolate(T_0: Array, T_1: Array, s: ArrayLike) -> Array:
    """Return the pose at fraction s (...) between T_0 and T_1 (..., 4, 4): straight line and shortest rotation."""
    u = np.asarray(s, float)[..., None]
    R_0, R_1 = T_0[..., :3, :3], T_1[..., :3, :3]
    turn = rotation_vector(np.swapaxes(R_0, -1, -2) @ R_1)
    R = R_0 @ rotation_from_vector(u * turn)
    return transform(R, (1 - u) * T_0[..., :3, 3] + u * T_1[..., :3, 3])


def is_transform(matrix: ArrayLike, tolerance: float = 1e-5) -> bool:
    """Return whether a matrix (4, 4) is finite, has the row 0 0 0 1 and a proper rotation."""
    T = np.asarray(matrix, float)
    if T.shape != (4, 4) or not np.isfinite(T).all():
        return False
    R = T[:3, :3]
    straight = np.abs(R @ R.T - np.eye(3)).max() < tolerance and np.linalg.det(R) > 0
    return bool(straight and np.abs(T[3] - [0, 0, 0, 1]).max() < tolerance)


def project(K: ArrayLike, points_cam: ArrayLike) -> Array:
    """Return pixels (..., N, 2) of points (..., N, 3) [m] in an undistorted pinhole camera with K (3, 3).

    Points at or behind the camera give nan.
    """
    p = np.asarray(points_cam, float) @ np.asarray(K, float).T
    depth = np.where(p[..., 2:] > 1e-9, p[..., 2:], np.nan)
    return np.asarray(p[..., :2] / depth)


def ray_directions(K: ArrayLike, pixels: ArrayLike) -> Array:
    """Return unit viewing directions (..., N, 3) in the camera frame of undistorted pixels (..., N, 2)."""
    uv = np.asarray(pixels, float)
    homogeneous = np.concatenate([uv, np.ones((*uv.shape[:-1], 1))], axis=-1)
    d = homogeneous @ np.linalg.inv(np.asarray(K, float)).T
    return np.asarray(d / np.linalg.norm(d, axis=-1, keepdims=True))


def closest_points(origin_a: Array, dir_a: Array, origin_b: Array, dir_b: Array) -> tuple[Array, Array]:
    """Return the point on ray a and the point on ray b (each (3,)) that lie closest to each other.

    Directions are unit vectors (3,). Parallel rays raise ValueError.
    """
    c = float(dir_a @ dir_b)
    denominator = 1.0 - c * c
    if denominator < 1e-12:
        raise ValueError("closest_points: the rays are parallel; two different directions are needed")
    w = origin_b - origin_a
    s = (w @ dir_a - c * (w @ dir_b)) / denominator
    t = (c * (w @ dir_a) - w @ dir_b) / denominator
    return origin_a + s * dir_a, origin_b + t * dir_b
