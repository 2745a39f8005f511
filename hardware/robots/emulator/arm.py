"""The emulated arm's own idea of its geometry: tool pose, joint ranges, inverse kinematics, self-collision."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hardware.geometry import Array, inverse, rotation_vector
from hardware.kinematics import ArmKinematics
from hardware.robots.xarm_units import T_from_pose

# joint ranges as the vendor's SDK has them for serial numbers below 1305 (xarm/core/config/x_config.py, XARM7_X4)
TURN = 2 * np.pi
Q_LOWER = np.array([-TURN, -2.059488, -TURN, -0.191986, -TURN, -1.692969, -TURN])
Q_UPPER = np.array([TURN, 2.094395, TURN, 3.92699, TURN, np.pi, TURN])
RANGE_SLACK = np.radians(0.1)

# where the forearm's length stands in the table of DH parameters (joint, column)
_FOREARM: Mapping[str, tuple[int, int]] = {"xarm7": (4, 2), "ur5": (3, 1), "ur5e": (3, 1)}
_DAMPING = 1e-4
_COLUMN = (np.array([0.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.267]))
_SELF_COLLISION = 0.09


class EmulatedArm:
    """Kinematics of one arm with its tool and user frame. All poses are T (4, 4) [m]."""

    def __init__(self, model: str, kinematics_error_mm: float = 0.0) -> None:
        nominal = ArmKinematics.load(model)
        dh = nominal.dh.copy()
        forearm = _FOREARM[model]
        dh[forearm] += np.sign(dh[forearm]) * kinematics_error_mm / 1000.0
        self.kinematics = replace(nominal, dh=dh)
        xarm = model == "xarm7"
        self.q_lower = Q_LOWER if xarm else nominal.q_lower
        self.q_upper = Q_UPPER if xarm else nominal.q_upper
        self.T_flange_tool = np.eye(4)
        self.T_user_base = np.eye(4)

    def set_tool(self, pose: list[float]) -> None:
        """Take a tool offset (6,) [mm, rad]."""
        self.T_flange_tool = T_from_pose(pose)

    def tool_pose(self, q: Array) -> Array:
        """Return the tool's pose in the user frame for q (J,) [rad]."""
        return np.asarray(self.T_user_base @ self.kinematics.flange_pose(q) @ self.T_flange_tool)

    def tool_jacobian(self, q: Array) -> Array:
        """Return the tool's Jacobian (6, J) in the base frame: linear over angular."""
        J = self.kinematics.jacobian(q)
        lever = self.kinematics.flange_pose(q)[:3, :3] @ self.T_flange_tool[:3, 3]
        J[:3] += np.cross(J[3:].T, lever).T
        return J

    def in_range(self, q: Array) -> bool:
        """Return whether joint positions (J,) are inside their ranges."""
        return bool(((q >= self.q_lower - RANGE_SLACK) & (q <= self.q_upper + RANGE_SLACK)).all())

    def towards(self, T: Array, q: Array, steps: int = 2) -> tuple[Array, float, float]:
        """Take damped Newton steps from q (J,) to tool pose T; return q and what is left [m], [rad]."""
        target = inverse(self.T_user_base) @ T
        for _ in range(steps):
            position, turn = self._error(target, q)
            J = self.tool_jacobian(q)
            error = np.concatenate([position, turn])
            q = q + J.T @ np.linalg.solve(J @ J.T + _DAMPING * np.eye(6), error)
        position, turn = self._error(target, q)
        return q, float(np.linalg.norm(position)), float(np.linalg.norm(turn))

    def solve(self, T: Array, q_seed: Array) -> Array | None:
        """Return joint positions (J,) that reach tool pose T, in range, near the seed; None where none is found."""
        q = q_seed.astype(float)
        for _ in range(60):
            q, far, turned = self.towards(T, q, 1)
            q = np.clip(q, self.q_lower, self.q_upper)
            if far < 1e-5 and turned < 1e-5:
                return q
        return None

    def self_collides(self, q: Array) -> bool:
        """Return whether hand or wrist come too close to the base column or the upper arm: lines with radii."""
        points = self.kinematics.joint_poses(q)[:, :3, 3]
        hand = (points[5], points[6])
        upper_arm = (points[1], points[1] + 0.8 * (points[2] - points[1]))
        return any(_gap(*hand, *other) < _SELF_COLLISION for other in (_COLUMN, upper_arm))

    def _error(self, target: Array, q: Array) -> tuple[Array, Array]:
        T = self.kinematics.flange_pose(q) @ self.T_flange_tool
        return target[:3, 3] - T[:3, 3], rotation_vector(target[:3, :3] @ T[:3, :3].T)


def _gap(a0: Array, a1: Array, b0: Array, b1: Array) -> float:
    """Distance [m] between two segments, by nine points on each: a few millimetres are enough here."""
    s = np.linspace(0.0, 1.0, 9)[:, None]
    a, b = a0 + s * (a1 - a0), b0 + s * (b1 - b0)
    return float(np.linalg.norm(a[:, None] - b[None], axis=-1).min())
