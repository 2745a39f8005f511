"""The limits of a UR: the vendor's table and the rig's, narrowed by what its controller tells."""

import numpy as np

from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.ur_side import Configuration
from hardware.types import ArmLimits

CONTROLLER, TABLE, RIG = "controller", "vendor's table for this model", "rig"
TOUCHED = "rig, above the touched table"
_FROM_RIG = (
    *("workspace", "tip_speed", "tip_acceleration", "min_tip_height", "min_singularity", "max_jump_rad"),
    *("following_error_rad", "max_force"),
)


def merge(told: Configuration | None, arm: ArmConfig, safety: SafetyConfig) -> ArmLimits:
    """Return the stricter of all, and in `source` where each one came from.

    A UR tells joint ranges, speeds and accelerations. Its safety limits (planes, forces, tool speed) it keeps to
    itself and holds besides.
    """
    kinematics, source = ArmKinematics.load(arm.model), dict.fromkeys(_FROM_RIG, RIG)
    q_lower, q_upper = kinematics.q_lower, kinematics.q_upper
    dq_max, ddq_max = kinematics.dq_max, kinematics.ddq_max
    where = TABLE
    if told is not None:
        q_lower, q_upper = np.maximum(q_lower, told.ranges[:, 0]), np.minimum(q_upper, told.ranges[:, 1])
        dq_max, ddq_max = np.minimum(dq_max, told.dq_max), np.minimum(ddq_max, told.ddq_max)
        where = CONTROLLER
    source |= dict.fromkeys(("q_lower", "q_upper", "dq_max", "ddq_max"), where)
    if arm.table_measured:
        source["min_tip_height"] = TOUCHED
    source["collision"] = "controller: its own safety limits hold besides; it does not tell them"
    return ArmLimits(
        q_lower=q_lower,
        q_upper=q_upper,
        dq_max=dq_max,
        ddq_max=ddq_max,
        tip_speed=safety.tip_speed,
        tip_acceleration=safety.tip_acceleration,
        workspace=safety.workspace,
        min_tip_height=arm.table_height + safety.min_tip_height,
        min_singularity=safety.min_singularity,
        max_jump_rad=safety.max_jump_rad,
        following_error_rad=safety.following_error_rad,
        max_force=safety.max_force,
        source=source,
    )
