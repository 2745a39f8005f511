"""The limits of an xArm, read back from its controller, narrowed by the rig's: the stricter one holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardware.geometry import Array, apply
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig, SafetyConfig
from hardware.types import ArmLimits

VENDOR_TABLE = "vendor's table for this model"
CONTROLLER, REDUCED, FENCE, RIG = "controller", "controller, reduced mode", "controller, safety boundary", "rig"
TOUCHED = "rig, above the touched table"
# the vendor gives no forces for its collision sensitivities, so a low one is shown and not converted to a limit
WEAK_SENSITIVITY = 3


@dataclass(frozen=True, eq=False)
class ControllerLimits:
    """What the controller said, in SI. ranges (7, 2); boundary (2, 3) in base, None where it does not hold."""

    reduced: bool
    fence: bool
    boundary: Array
    reduced_tcp_speed: float
    reduced_joint_speed: float
    reduced_ranges: Array
    tcp_speed: float
    tcp_acceleration: float
    joint_speed: float
    joint_acceleration: float
    sensitivity: int


def read_controller(arm: Any, reduced: Sequence[Any]) -> ControllerLimits:
    """Return the limits from the SDK's last report and its answer to get_reduced_states (radians, mm)."""
    on, boundary, tcp_speed, joint_speed, ranges, fence, _ = reduced
    corners = np.array(boundary, float).reshape(3, 2)[:, ::-1].T / 1000.0
    return ControllerLimits(
        reduced=bool(on),
        fence=bool(fence),
        boundary=corners,
        reduced_tcp_speed=float(tcp_speed) / 1000.0,
        reduced_joint_speed=float(joint_speed),
        reduced_ranges=np.array(ranges, float).reshape(7, 2),
        tcp_speed=float(arm.tcp_speed_limit[1]) / 1000.0,
        tcp_acceleration=float(arm.tcp_acc_limit[1]) / 1000.0,
        joint_speed=float(arm.joint_speed_limit[1]),
        joint_acceleration=float(arm.joint_acc_limit[1]),
        sensitivity=int(arm.collision_sensitivity),
    )


def merge(controller: ControllerLimits, arm: ArmConfig, safety: SafetyConfig) -> ArmLimits:
    """Return the stricter of the controller's and the rig's limits, and in `source` where each one came from."""
    kinematics, source = ArmKinematics.load(arm.model), dict.fromkeys(_FROM_RIG, RIG)
    q_lower, q_upper = kinematics.q_lower, kinematics.q_upper
    source |= {"q_lower": VENDOR_TABLE, "q_upper": VENDOR_TABLE}
    dq_max = np.minimum(kinematics.dq_max, controller.joint_speed)
    source |= {"dq_max": CONTROLLER, "ddq_max": CONTROLLER}
    tip_speed = _least({RIG: safety.tip_speed, CONTROLLER: controller.tcp_speed}, "tip_speed", source)
    if controller.reduced:
        q_lower = np.maximum(q_lower, controller.reduced_ranges[:, 0])
        q_upper = np.minimum(q_upper, controller.reduced_ranges[:, 1])
        dq_max = np.minimum(dq_max, controller.reduced_joint_speed)
        source |= {"q_lower": REDUCED, "q_upper": REDUCED, "dq_max": REDUCED}
        if controller.reduced_tcp_speed < tip_speed:
            tip_speed, source["tip_speed"] = controller.reduced_tcp_speed, REDUCED
    acceleration = {RIG: safety.tip_acceleration, CONTROLLER: controller.tcp_acceleration}
    workspace = safety.workspace
    if controller.reduced or controller.fence:
        workspace, source["workspace"] = _inside(safety.workspace, controller.boundary, arm.T_world_base)
    if arm.table_measured:
        source["min_tip_height"] = TOUCHED
    source["collision"] = _sensitivity_in_words(controller.sensitivity)
    return ArmLimits(
        q_lower=q_lower,
        q_upper=q_upper,
        dq_max=dq_max,
        ddq_max=np.minimum(kinematics.ddq_max, controller.joint_acceleration),
        tip_speed=tip_speed,
        tip_acceleration=_least(acceleration, "tip_acceleration", source),
        workspace=workspace,
        min_tip_height=arm.table_height + safety.min_tip_height,
        min_singularity=safety.min_singularity,
        max_jump_rad=safety.max_jump_rad,
        following_error_rad=safety.following_error_rad,
        max_force=safety.max_force,
        source=source,
    )


_FROM_RIG = ("workspace", "min_tip_height", "min_singularity", "max_jump_rad", "following_error_rad", "max_force")


def _least(candidates: Mapping[str, float], name: str, source: dict[str, str]) -> float:
    source[name] = min(candidates, key=lambda where: candidates[where])
    return candidates[source[name]]


def _inside(workspace: Array, boundary: Array, T_world_base: Array) -> tuple[Array, str]:
    """Narrow a workspace (2, 3) in world by a boundary (2, 3) in base.

    A base that is not turned by a multiple of 90 degrees leaves the rig's box as it is: a box around the turned
    boundary would be too large, so there the controller alone holds it.
    """
    square = bool((np.isclose(np.abs(T_world_base[:3, :3]), 0) | np.isclose(np.abs(T_world_base[:3, :3]), 1)).all())
    if not square:
        return workspace, f"{RIG}; the controller's boundary is turned against it and holds besides"
    corners = apply(T_world_base, boundary)
    lower = np.maximum(workspace[0], corners.min(axis=0))
    upper = np.minimum(workspace[1], corners.max(axis=0))
    if not (lower < upper).all():
        raise ValueError(
            f"the controller's boundary and the rig's workspace {workspace.tolist()} have no common space"
        )
    return np.stack([lower, upper]), FENCE


def _sensitivity_in_words(sensitivity: int) -> str:
    if sensitivity == 0:
        return "controller: collision detection is off"
    weak = ", weaker than the vendor recommends" if sensitivity < WEAK_SENSITIVITY else ""
    return f"controller: collision sensitivity {sensitivity} of 5{weak}"
