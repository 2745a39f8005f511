"""Means and differences of poses, as calibrations need them."""

from collections.abc import Sequence

import numpy as np

from hardware.geometry import Array, quaternion, rotation_from_quaternion, rotation_vector, transform


def mean_pose(poses: Sequence[Array]) -> Array:
    """Return the pose (4, 4) in the middle of several: mean turn (Markley, JGCD 2007) and median place."""
    stack = np.stack([np.asarray(T, float) for T in poses])
    q = quaternion(stack[:, :3, :3])
    _, axes = np.linalg.eigh(q.T @ q)
    return transform(rotation_from_quaternion(axes[:, -1]), np.median(stack[:, :3, 3], axis=0))


def pose_difference(T_a: Array, T_b: Array) -> tuple[float, float]:
    """Return how far apart two poses (4, 4) are: [m] and [rad]."""
    turn = rotation_vector(T_a[:3, :3].T @ T_b[:3, :3])
    return float(np.linalg.norm(T_a[:3, 3] - T_b[:3, 3])), float(np.linalg.norm(turn))
