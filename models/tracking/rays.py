"""How poses of one thing, seen by several cameras, become one: rays that nearly meet, rotations that nearly agree.

Pure numpy. The published recipe (Dreamitate, arXiv 2406.16862, appendix D) is the midpoint of the two rays through
the centres and the average of the two rotations; both functions are that for two views, and go on to any number.
"""

import numpy as np

from hardware.geometry import Array, rotation_angle

PARALLEL = 1e-4  # smallest share of the rays' spread that still says where they meet: about half a degree


def meeting_point(origins: Array, directions: Array) -> Array:
    """Return the point (3,) with the least sum of squared distances to rays: for two, the midpoint between them.

    origins (V, 3) [m], directions (V, 3) of any length; V of at least 2. Raises ValueError where all rays are
    parallel: then no point is nearer than another.
    """
    d = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    # I - d d^T maps a point to its shortest way from the ray
    off_ray = np.eye(3) - d[:, :, None] * d[:, None, :]
    A = off_ray.sum(axis=0)
    if len(d) < 2 or np.linalg.eigvalsh(A)[0] < PARALLEL * len(d):
        raise ValueError(
            f"meeting_point: {len(d)} rays, all parallel; at least two different directions are needed"
        )
    return np.asarray(np.linalg.solve(A, np.einsum("vij,vj->i", off_ray, origins)))


def ray_distances(point: Array, origins: Array, directions: Array) -> Array:
    """Return how far a point (3,) is from each ray (V,) [m]; for a midpoint, half the skew distance each."""
    d = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    way = point - origins
    return np.asarray(np.linalg.norm(way - np.einsum("vi,vi->v", way, d)[:, None] * d, axis=-1))


def mean_rotation(rotations: Array) -> Array:
    """Return the rotation (3, 3) nearest to all of (V, 3, 3), least squares over matrices (the chordal mean).

    For two it is the half way turn from one to the other. Raises ValueError where they oppose each other, so that
    no mean is nearer than another (two that are half a turn apart).
    """
    U, s, Vt = np.linalg.svd(rotations.sum(axis=0))
    sign = 1.0 if np.linalg.det(U @ Vt) > 0 else -1.0
    # the two smallest of the signed values decide whether there is only one nearest rotation
    if s[1] + sign * s[2] < 1e-6 * len(rotations):
        raise ValueError("mean_rotation: the rotations oppose each other and have no mean")
    return np.asarray((U * [1.0, 1.0, sign]) @ Vt)


def rotation_spread(rotations: Array) -> float:
    """Return the largest angle [rad] between any two of (V, 3, 3)."""
    return float(rotation_angle(rotations[:, None], rotations[None, :]).max())


def nearest_turn(R: Array, to: Array, symmetry: Array) -> Array:
    """Return R (3, 3), turned by what looks the same (N, 3, 3), as near to another rotation as it gets."""
    same = np.concatenate([R[None], R @ symmetry.reshape(-1, 3, 3)])
    return np.asarray(same[int(np.argmin(rotation_angle(same, to)))])
