"""The xArm's units: poses as x y z [mm], roll pitch yaw [rad] with R = Rz(yaw) Ry(pitch) Rx(roll) (user manual)."""

from collections.abc import Sequence

import numpy as np

from hardware.geometry import Array, transform


def T_from_pose(pose: Sequence[float] | Array) -> Array:
    """Return T (4, 4) [m] of a pose (6,) [mm, rad]."""
    values = np.asarray(pose, float)
    (cr, cp, cy), (sr, sp, sy) = np.cos(values[3:6]), np.sin(values[3:6])
    R = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    return transform(R, values[:3] / 1000.0)


def pose_from_T(T: Array) -> list[float]:
    """Return the pose (6,) [mm, rad] of T (4, 4) [m]; roll is 0 where pitch is +-90 degrees."""
    R = T[:3, :3]
    pitch = np.arctan2(-R[2, 0], np.hypot(R[0, 0], R[1, 0]))
    if np.hypot(R[0, 0], R[1, 0]) < 1e-9:
        roll, yaw = 0.0, np.arctan2(-R[0, 1], R[1, 1])
    else:
        roll, yaw = np.arctan2(R[2, 1], R[2, 2]), np.arctan2(R[1, 0], R[0, 0])
    return [*(T[:3, 3] * 1000.0).tolist(), float(roll), float(pitch), float(yaw)]
