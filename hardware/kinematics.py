"""Kinematics of serial arms: flange pose, Jacobian and distance from singularity, vectorised over configurations.

Pure numpy, so that planner, safety gate, driver and tests all compute with the same numbers. A new arm is one row
of `MODELS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from hardware.geometry import Array, transform


@dataclass(frozen=True, eq=False)
class ArmKinematics:
    """A serial arm of revolute joints by modified Denavit-Hartenberg parameters (Craig 1986).

    dh (J, 4) rows of alpha_(i-1) [rad], a_(i-1) [m], d_i [m], offset_i [rad]; T_last_flange (4, 4) from the last
    joint's frame to the flange; q_lower, q_upper (J,) [rad]; dq_max (J,) [rad/s]; ddq_max (J,) [rad/s^2];
    dddq_max (J,) [rad/s^3]; reach [m], what one radian is held against in `singularity_distance`; wrist: the joint
    (from 0) of a spherical-like wrist that must not be straight, None where the arm has a joint to spare.
    """

    model: str
    dh: Array
    q_lower: Array
    q_upper: Array
    dq_max: Array
    ddq_max: Array
    dddq_max: Array
    reach: float
    T_last_flange: Array
    wrist: int | None = None

    @classmethod
    def load(cls, model: str) -> Self:
        """Return the arm of that name; ValueError lists the names there are."""
        if model not in MODELS:
            raise ValueError(f"arm model {model!r} is not known; known are {sorted(MODELS)}")
        row = MODELS[model]
        n = len(row.alpha)
        return cls(
            model=model,
            dh=np.stack([np.radians(row.alpha), row.a, row.d, np.zeros(n)], axis=1),
            q_lower=np.array(row.q_lower),
            q_upper=np.array(row.q_upper),
            dq_max=np.full(n, row.dq_max),
            ddq_max=np.full(n, row.ddq_max),
            dddq_max=np.full(n, row.dddq_max),
            reach=row.reach,
            T_last_flange=np.eye(4),
            wrist=row.wrist,
        )

    @property
    def n_joints(self) -> int:
        return len(self.dh)

    def joint_poses(self, q: Array) -> Array:
        """Return T_base_joint (..., J, 4, 4) of every joint's frame, z along its axis, for q (..., J) [rad]."""
        q = self._checked(q)
        local = self._local(q)
        poses = np.empty_like(local)
        poses[..., 0, :, :] = local[..., 0, :, :]
        for i in range(1, self.n_joints):
            poses[..., i, :, :] = poses[..., i - 1, :, :] @ local[..., i, :, :]
        return poses

    def flange_pose(self, q: Array) -> Array:
        """Return T_base_flange (..., 4, 4) for q (..., J) [rad]."""
        return np.asarray(self.joint_poses(q)[..., -1, :, :] @ self.T_last_flange)

    def jacobian(self, q: Array, p_flange: ArrayLike = (0.0, 0.0, 0.0)) -> Array:
        """Return the Jacobian (..., 6, J) in base for q (..., J): rows 0-2 linear [m/rad], 3-5 angular.

        Of the point p_flange (3,) [m] in the flange frame: its origin where none is given.
        """
        poses = self.joint_poses(q)
        axis = poses[..., :3, 2]
        flange = poses[..., -1:, :, :] @ self.T_last_flange
        lever = flange[..., :3, :3] @ np.asarray(p_flange, float) + flange[..., :3, 3] - poses[..., :3, 3]
        return np.concatenate([np.swapaxes(np.cross(axis, lever), -1, -2), np.swapaxes(axis, -1, -2)], axis=-2)

    def singularity_distance(self, q: Array) -> Array:
        """Return (...) the smallest singular value of the Jacobian with its linear rows divided by `reach`.

        Without unit: the slowest flange motion in the worst direction, over metres per reach and radians alike,
        at a joint speed of 1 rad/s. 0 is a singularity; nan where q is not finite.
        """
        J = self.jacobian(q)
        J[..., :3, :] /= self.reach
        finite = np.asarray(np.isfinite(J).all(axis=(-2, -1)))
        sound = np.asarray(np.where(finite[..., None, None], J, 0.0), float)
        return np.where(finite, np.linalg.svd(sound, compute_uv=False)[..., -1], np.nan)

    def _checked(self, q: Array) -> Array:
        q = np.asarray(q, float)
        if q.ndim == 0 or q.shape[-1] != self.n_joints:
            raise ValueError(f"arm {self.model}: q has shape {q.shape}; its last axis needs {self.n_joints} joints")
        return q

    def _local(self, q: Array) -> Array:
        """T_(i-1)_i (..., J, 4, 4): turn and shift along the previous x, then turn and shift along the own z."""
        alpha, a, d, offset = self.dh.T
        c, s = np.cos(q + offset), np.sin(q + offset)
        ca, sa = _exact(np.cos(alpha)), _exact(np.sin(alpha))
        R = np.empty((*q.shape, 3, 3))
        R[..., 0, 0], R[..., 0, 1], R[..., 0, 2] = c, -s, 0.0
        R[..., 1, 0], R[..., 1, 1], R[..., 1, 2] = s * ca, c * ca, -sa
        R[..., 2, 0], R[..., 2, 1], R[..., 2, 2] = s * sa, c * sa, ca
        return transform(R, np.stack([a, -sa * d, ca * d], axis=-1))


@dataclass(frozen=True)
class ArmModel:
    """A row of `MODELS`: alpha [deg], a, d [m] by modified DH, joint limits [rad], their derivatives, reach [m],
    wrist as in ArmKinematics."""

    alpha: tuple[float, ...]
    a: tuple[float, ...]
    d: tuple[float, ...]
    q_lower: tuple[float, ...]
    q_upper: tuple[float, ...]
    dq_max: float
    ddq_max: float
    dddq_max: float
    reach: float
    wrist: int | None = None


def _exact(x: Array) -> Array:
    """Take rounding off sines and cosines of right angles."""
    return np.where(np.abs(x) < 1e-15, 0.0, x)


_TURN = 2 * np.pi
# Published by the vendor, standard Denavit-Hartenberg; a row's a and alpha belong to the joint after it by Craig.
_UR_ALPHA = (0.0, 90.0, 0.0, 0.0, 90.0, -90.0)
_UR_LIMIT = (_TURN, _TURN, np.pi, _TURN, _TURN, _TURN)

# xarm7. Geometry: the vendor's "Kinematic and dynamic parameters of xArm series", modified DH; joint limits as in
# its published URDF; 180 deg/s, 1146 deg/s^2 (20 rad/s^2) and 28647 deg/s^3 (500 rad/s^3): UFACTORY's support
# article "Guide to run robotic arm at the maximum speed", firmware 2.0 on (xArm-Developer/ufactory_docs on GitHub);
# reach 0.7 m.
# ur5, ur5e. Geometry: Universal Robots, "DH parameters for calculations of kinematics and dynamics" (their article
# 45257); ur5 is the CB3 of serie 3 (CB3 service manual, table B.4). 360 degrees and 180 deg/s a joint, reach
# 0.85 m: user manuals, technical specifications; the elbow's range is halved, since it meets itself beyond. The
# vendor limits joint torques, not accelerations, and publishes no jerk: 5 rad/s^2 is what public MoveIt
# configurations of its ROS driver take as conservative for most work; the jerk lets that be built up in 40 ms.
MODELS: Mapping[str, ArmModel] = {
    "xarm7": ArmModel(
        alpha=(0.0, -90.0, 90.0, 90.0, 90.0, 90.0, -90.0),
        a=(0.0, 0.0, 0.0, 0.0525, 0.0775, 0.0, 0.076),
        d=(0.267, 0.0, 0.293, 0.0, 0.3425, 0.0, 0.097),
        q_lower=(-_TURN, -2.059, -_TURN, -0.19198, -_TURN, -1.69297, -_TURN),
        q_upper=(_TURN, 2.0944, _TURN, 3.927, _TURN, np.pi, _TURN),
        dq_max=3.14,
        ddq_max=20.0,
        dddq_max=500.0,
        reach=0.7,
    ),
    "ur5": ArmModel(
        alpha=_UR_ALPHA,
        a=(0.0, 0.0, -0.425, -0.39225, 0.0, 0.0),
        d=(0.089159, 0.0, 0.0, 0.10915, 0.09465, 0.0823),
        q_lower=tuple(-limit for limit in _UR_LIMIT),
        q_upper=_UR_LIMIT,
        dq_max=np.pi,
        ddq_max=5.0,
        dddq_max=125.0,
        reach=0.85,
        wrist=4,
    ),
    "ur5e": ArmModel(
        alpha=_UR_ALPHA,
        a=(0.0, 0.0, -0.425, -0.3922, 0.0, 0.0),
        d=(0.1625, 0.0, 0.0, 0.1333, 0.0997, 0.0996),
        q_lower=tuple(-limit for limit in _UR_LIMIT),
        q_upper=_UR_LIMIT,
        dq_max=np.pi,
        ddq_max=5.0,
        dddq_max=125.0,
        reach=0.85,
        wrist=4,
    ),
}
