"""The UR's units: poses as x y z [m] and a rotation vector [rad] (script manual, "Position and orientation")."""

from collections.abc import Sequence

import numpy as np

from hardware.geometry import Array, rotation_from_vector, rotation_vector, transform


def T_from_pose(pose: Sequence[float] | Array) -> Array:
    """Return T (4, 4) [m] of a pose (6,)."""
    values = np.asarray(pose, float)
    return transform(rotation_from_vector(values[3:6]), values[:3])


def pose_from_T(T: Array) -> list[float]:
    """Return the pose (6,) of T (4, 4)."""
    return [*T[:3, 3].tolist(), *rotation_vector(T[:3, :3]).tolist()]
