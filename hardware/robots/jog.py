"""Motion while a control is held: from a wanted velocity to the next joint command. Pure: no clock, no device."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hardware.gate import Gate
from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.types import Tool, require

Frame = Literal["base", "tool", "joints"]
FRAMES: tuple[Frame, ...] = ("base", "tool", "joints")
# what is left to the gate: rounding, and the tip's path being curved
OF_LIMIT = 0.9
# from full speed to a stand: with the wire and the drives this keeps a release under 0.1 s
RAMP_S = 0.05
JOINT_SHARE = 0.25
DAMPING = 1e-3


@dataclass(frozen=True, eq=False)
class Jog:
    """What a person asks for while holding a control.

    frame: "base" or "tool": velocity (6,) of the tool's tip along and about that frame's axes [m/s, rad/s]; the
    name of a camera of the rig: the same along and about the camera's axes; "joints": velocity (J,) [rad/s].
    """

    frame: str
    velocity: Array

    def __post_init__(self) -> None:
        require(bool(self.frame), "jog: frame is empty; base, tool, joints or a camera's name would be valid")
        require(
            self.velocity.ndim == 1 and len(self.velocity) >= 6 and bool(np.isfinite(self.velocity).all()),
            f"jog: velocity {self.velocity} is not (6,) or (J,) finite numbers",
        )
        require(
            self.frame == "joints" or len(self.velocity) == 6,
            f"jog: velocity in frame {self.frame} has {len(self.velocity)} numbers, not 6",
        )


@dataclass(frozen=True, eq=False)
class JogState:
    """Where the commands are: q (J,) [rad], dq (J,) [rad/s]."""

    q: Array
    dq: Array

    @property
    def standing(self) -> bool:
        return not bool(np.abs(self.dq).max() > 1e-9)


@dataclass(frozen=True, eq=False)
class JogRule:
    """How one arm with its tool jogs within the limits of its gate, no faster at the tip than tip_speed [m/s]."""

    gate: Gate
    kinematics: ArmKinematics
    tool: Tool
    tip_speed: float

    @classmethod
    def of(cls, gate: Gate, kinematics: ArmKinematics, tool: Tool, granted: float) -> "JogRule":
        """granted [m/s]: by the person. The gate's own limit counts too, and what RAMP_S can stop."""
        limits = gate.limits
        speed = min(granted, limits.tip_speed, OF_LIMIT * RAMP_S * limits.tip_acceleration)
        held = replace(gate, limits=replace(limits, tip_speed=min(granted, limits.tip_speed)))
        return cls(held, kinematics, tool, speed)

    def joint_speeds(self, q: Array, frame: Frame, velocity: Array) -> Array:
        """Return dq (J,) [rad/s] that a wish asks for at q (J,), slowed as a whole to what is allowed.

        Damped least squares (Wampler 1986), so that it stays finite near a singularity; the gate ends it there.
        """
        if frame == "joints":
            dq = velocity[: len(q)].copy()
        else:
            T = self.kinematics.flange_pose(q) @ self.tool.T_flange_tool
            twist = velocity[:6].copy()
            if frame == "tool":
                twist = np.concatenate([T[:3, :3] @ twist[:3], T[:3, :3] @ twist[3:]])
            J = self._tip_jacobian(q)
            dq = J.T @ np.linalg.solve(J @ J.T + DAMPING**2 * np.eye(6), twist)
        over = [float(np.max(np.abs(dq) / (JOINT_SHARE * self.gate.limits.dq_max)))]
        over.append(float(np.linalg.norm(self._tip_jacobian(q)[:3] @ dq)) / (self.tip_speed * 0.98))
        return np.asarray(dq / max(1.0, *over))

    def step(self, state: JogState, wanted: Array) -> JogState:
        """Return the next command: dq goes towards `wanted` (J,) as fast as the limits of acceleration let it."""
        dt, limits, change = self.gate.dt, self.gate.limits, wanted - state.dq
        share = [float(np.max(np.abs(change) / (OF_LIMIT * limits.ddq_max * dt)))]
        pull = float(np.linalg.norm(self._tip_jacobian(state.q)[:3] @ change))
        share.append(pull / (OF_LIMIT * limits.tip_acceleration * dt))
        dq = state.dq + change / max(1.0, *share)
        if not np.abs(dq).max() > 1e-9:
            dq = np.zeros_like(dq)
        return JogState(state.q + dt * dq, dq)

    def ahead(self, state: JogState, wanted: Array, cycles: int) -> Array:
        """Return q (J,) where the arm would stand at the latest, were it told to stop `cycles` from now."""
        reach = RAMP_S / OF_LIMIT + (cycles + 1) * self.gate.dt
        fastest = np.where(np.abs(wanted) > np.abs(state.dq), wanted, state.dq)
        return np.asarray(state.q + reach * fastest)

    def _tip_jacobian(self, q: Array) -> Array:
        """(6, J) of the tip in base."""
        return self.kinematics.jacobian(q, self.tool.tip_flange)
