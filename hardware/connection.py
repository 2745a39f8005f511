"""What an arm said of itself at connect, and what speaks against moving it: limits, kinematics, calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.giving_way import why_not
from hardware.types import ArmLimits, ArmState, Plan

MAX_KINEMATICS_M = 1e-3
MAX_KINEMATICS_RAD = float(np.radians(0.2))

_AT_MOST = (
    *("q_upper", "dq_max", "ddq_max", "tip_speed", "tip_acceleration", "max_jump_rad"),
    *("following_error_rad", "max_force"),
)
_AT_LEAST = ("q_lower", "min_tip_height", "min_singularity")


@dataclass(frozen=True, eq=False)
class Connection:
    """One arm as it answered at connect. id is new at every connect.

    rig_sha256 of the rig that it was connected for; emulated: verified to be an emulator that this program
    started; limits as read back; kinematics_m, kinematics_rad: our forward kinematics against the controller's
    own tool pose; opening: of its gripper, 0 closed to 1 open, None where the rig names none.
    """

    arm: str
    id: str
    rig_sha256: str
    emulated: bool
    limits: ArmLimits
    kinematics_m: float
    kinematics_rad: float
    state: ArmState
    opening: float | None = None


def looser_than(limits: ArmLimits, bound: ArmLimits) -> tuple[str, ...]:
    """Return in words every limit that allows more than `bound` does; empty where none does."""
    found = []
    for names, more in ((_AT_MOST, 1.0), (_AT_LEAST, -1.0)):
        for name in names:
            ours, theirs = np.asarray(getattr(limits, name)), np.asarray(getattr(bound, name))
            if ours.shape != theirs.shape or not bool((more * ours <= more * theirs).all()):
                found.append(f"{name} {_number(ours)} is looser than {_number(theirs)}")
    inside = (limits.workspace[0] >= bound.workspace[0]) & (limits.workspace[1] <= bound.workspace[1])
    if not bool(inside.all()):
        found.append(f"workspace {limits.workspace.tolist()} reaches out of {bound.workspace.tolist()}")
    return tuple(found)


def reasons_of_arms(
    arms: Sequence[str], rig_sha256: str, person: str | None, connections: Mapping[str, Connection]
) -> list[str]:
    """Return in sentences what speaks against moving these arms at all; person None: nobody was asked."""
    found = [f"{arm}: it is not connected; connect first" for arm in arms if arm not in connections]
    for connection in (connections[arm] for arm in arms if arm in connections):
        name = connection.arm
        if connection.rig_sha256 != rig_sha256:
            found.append(f"{name}: plan and connection have different rig files (calibration); plan again")
        # a comparison that gave nan is no agreement
        if not (connection.kinematics_m <= MAX_KINEMATICS_M and connection.kinematics_rad <= MAX_KINEMATICS_RAD):
            found.append(
                f"{name}: our kinematics and the controller's differ by {connection.kinematics_m * 1e3:.2f} mm and "
                f"{np.degrees(connection.kinematics_rad):.2f} deg (1 mm and 0.2 deg are allowed); "
                "check the arm's model, the tool's offset and the controller's calibration"
            )
        if person is None and not connection.emulated:
            found.append(f"{name}: it is not an emulator that this program started; a person must approve")
    if person is not None and not person.strip():
        found.append("the approval needs the name of a person")
    return found


def reasons_of_limits(
    plan: Plan, connections: Mapping[str, Connection], emulated_only: bool, arms: Sequence[str] | None = None
) -> list[str]:
    """Return in sentences where a plan allows itself more than its arms (None: all of them) have."""
    found = []
    for arm in [part.arm for part in plan.arms] if arms is None else arms:
        if arm not in plan.limits:
            found.append(f"{arm}: the plan has no limits of it; plan again")
        elif arm in connections:
            loose = looser_than(plan.limits[arm], connections[arm].limits)
            found += [f"{arm}: planned with other limits than it has: {words}; plan again" for words in loose]
            reason = why_not(plan.limits[arm].give_way_force, connections[arm].limits)
            found += [f"{arm}: {reason}"] if reason else []
        if emulated_only and arm in connections and not connections[arm].emulated:
            found.append(f"{arm}: the dream's place is assumed, so its plans run on emulated arms only")
    return found


def _number(value: Array) -> str:
    return f"{float(value):.4g}" if value.ndim == 0 else str(np.round(value, 4).tolist())
