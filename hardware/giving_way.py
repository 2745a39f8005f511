"""Giving way to a force at the tool while a plan is followed. Pure: no clock, no device.

Admittance: over a chosen force the tip leaves its path at a speed in proportion to what is too much, and comes back
when the force is gone. The command stays a joint position that passes the gate like any other; why the vendors' own
force modes are not used under a plan: docs/decisions/0017-giving-way.md.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from hardware.geometry import Array, rotation_vector
from hardware.kinematics import ArmKinematics
from hardware.types import ArmLimits, Tool

# of every limit of motion: a plan that gives way takes this share, so that it can back off as fast as it advances
PLAN_SHARE = 0.5
# of what the plan leaves: the rest is rounding, and the path being curved
OF_REST = 0.9
# [N s/m]: calm against a contact of 7 kN/m that is felt 0.1 s late (stiffness * delay < damping * pi / 2)
DAMPING = 500.0
REACH_M, BACK_M = 0.03, 1e-4
SMOOTH_S, RETURN_S = 0.02, 0.25
# how long after the end of its path an arm may still come back to it
LATE_S = 3.0
# under this a force says nothing, by how it is known; what is not felt cannot be given way to
LEAST_FORCE_N = {"measured": 5.0, "on demand": 5.0, "estimated": 20.0}
_ROUNDING = 1e-6
_SOLVER_DAMPING = 1e-3


def least_force(limits: ArmLimits) -> float | None:
    """Return the least force [N] that an arm with these limits, as read back, can give way to; None: to none.

    Limits that were not read from a controller say nothing of forces: the least of all then.
    """
    if "forces" not in limits.source:
        return min(LEAST_FORCE_N.values())
    return LEAST_FORCE_N.get(limits.source["forces"])


def why_not(force: float, limits: ArmLimits) -> str:
    """Return why an arm with these limits cannot be planned to give way to more than force [N], "" where it can."""
    least, most = least_force(limits), limits.max_force
    if force == np.inf:
        return ""
    if least is None:
        return "it feels no force, so it cannot give way: plan it stiff"
    if least <= force < most:
        return ""
    return f"it cannot give way to {force:g} N; valid: {least:g} to under {most:g} N, where all arms are stopped"


@dataclass(frozen=True, eq=False)
class Aside:
    """Where the tip is beside its path, in base: offset [m], velocity [m/s], force [N] felt lately, (3,) each."""

    offset: Array
    velocity: Array
    force: Array

    @classmethod
    def none(cls) -> Self:
        return cls(np.zeros(3), np.zeros(3), np.zeros(3))

    @property
    def distance(self) -> float:
        """[m]"""
        return float(np.linalg.norm(self.offset))

    @property
    def back(self) -> bool:
        """Whether the tip is on its path again."""
        return self.distance < BACK_M

    @property
    def spent(self) -> bool:
        """Whether it is as far beside as it may be."""
        return self.distance > REACH_M


@dataclass(frozen=True, eq=False)
class GivingWay:
    """How one arm with its tool gives way: to more than force [N], with what its limits leave beside the plan."""

    force: float
    limits: ArmLimits
    kinematics: ArmKinematics
    tool: Tool
    dt: float

    @classmethod
    def of(cls, limits: ArmLimits, kinematics: ArmKinematics, tool: Tool, dt: float) -> Self | None:
        """limits: of the plan; None where it asks for no giving way."""
        stiff = not np.isfinite(limits.give_way_force)
        return None if stiff else cls(limits.give_way_force, limits, kinematics, tool, dt)

    def step(self, aside: Aside, q: Array, wrench: Array) -> Aside:
        """Return where the tip is to be one cycle later; q (J,) of the plan, wrench (6,) [N, Nm] felt, in base."""
        felt = aside.force + self.dt / (SMOOTH_S + self.dt) * (wrench[:3] - aside.force)
        share = float(np.linalg.norm(felt)) / self.force
        # the nearer to the force it may press with, the slower it comes back
        wanted = felt * (1 - 1 / share) / DAMPING if share > 1 else -aside.offset / RETURN_S * (1 - share)
        speed, acceleration = self._rest
        ways = self._ways(q)
        wanted = _within(wanted, ways, *speed)
        change = _within(wanted - aside.velocity, ways, self.dt * acceleration[0], self.dt * acceleration[1])
        velocity = aside.velocity + change
        offset = aside.offset + self.dt * velocity
        if share < 1 and max(np.abs(offset).max(), np.abs(velocity).max()) < _ROUNDING:
            return replace(Aside.none(), force=felt)
        return Aside(offset, velocity, felt)

    def beside(self, q: Array, aside: Aside) -> Array:
        """Return the joints (J,) that hold the tip beside where q (J,) of the plan does, turned as there."""
        if not aside.offset.any():
            return q
        moved = np.asarray(q + self._ways(q) @ aside.offset)
        R, tip = self._pose(q)
        R_moved, tip_moved = self._pose(moved)
        error = np.concatenate([tip + aside.offset - tip_moved, rotation_vector(R @ R_moved.T)])
        return np.asarray(moved + self._inverse(moved) @ error)

    @property
    def _rest(self) -> tuple[tuple[float, Array], tuple[float, Array]]:
        """What is left for giving way: of speed and of acceleration, each of the tip and (J,) of the joints."""
        share, limits = OF_REST * (1 - PLAN_SHARE), self.limits
        return (
            (share * limits.tip_speed, share * limits.dq_max),
            (share * limits.tip_acceleration, share * limits.ddq_max),
        )

    def _ways(self, q: Array) -> Array:
        """(J, 3): joint motion for a motion of the tip along base that does not turn the tool."""
        return self._inverse(q)[:, :3]

    def _inverse(self, q: Array) -> Array:
        """(J, 6): of the tip's Jacobian, damped, so that it stays finite where the gate ends the motion."""
        J = self.kinematics.jacobian(q, self.tool.tip_flange)
        return np.asarray(J.T @ np.linalg.inv(J @ J.T + _SOLVER_DAMPING**2 * np.eye(6)))

    def _pose(self, q: Array) -> tuple[Array, Array]:
        """The tool's rotation (3, 3) and its tip (3,) in base."""
        T = self.kinematics.flange_pose(q) @ self.tool.T_flange_tool
        return T[:3, :3], T[:3, :3] @ self.tool.tip + T[:3, 3]


def _within(motion: Array, ways: Array, tip: float, joints: Array) -> Array:
    """Shorten a motion (3,) of the tip to what tip and joints (J,) allow."""
    over = max(float(np.linalg.norm(motion)) / tip, float((np.abs(ways @ motion) / joints).max()))
    return np.asarray(motion / max(1.0, over))
