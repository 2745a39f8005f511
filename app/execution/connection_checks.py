"""What connecting found out about each arm, as checks that a person reads before approving."""

from collections.abc import Mapping

import numpy as np

from hardware.rig import Rig
from hardware.safety import MAX_KINEMATICS_M, MAX_KINEMATICS_RAD, Connection
from hardware.types import ArmLimits, Check

FORCES = {
    "measured": "forces are measured",
    "on demand": "forces are measured on demand",
    "estimated": "forces are estimated",
    "none": "forces are not felt",
}


def connection_checks(connections: Mapping[str, Connection], rig: Rig) -> tuple[Check, ...]:
    """Return per arm: kinematics against the controller's, where limits come from, what it is, what it feels."""
    return tuple(check for connection in connections.values() for check in _of(connection, rig))


def felt(limits: Mapping[str, ArmLimits]) -> tuple[str, ...]:
    """Return in few words what arms with these limits, as read back, know of forces at their tools."""
    found: dict[str, list[str]] = {}
    for arm, each in limits.items():
        found.setdefault(FORCES.get(each.source.get("forces", ""), FORCES["none"]), []).append(arm)
    return tuple(f"{', '.join(arms)}: {words}" for words, arms in found.items())


def _of(connection: Connection, rig: Rig) -> tuple[Check, ...]:
    mm, deg = connection.kinematics_m * 1e3, float(np.degrees(connection.kinematics_rad))
    agrees = connection.kinematics_m <= MAX_KINEMATICS_M and connection.kinematics_rad <= MAX_KINEMATICS_RAD
    kinematics = Check(
        "kinematics",
        "ok" if agrees else "violation",
        f"our tool pose and the controller's differ by {mm:.2f} mm and {deg:.2f} deg",
        connection.arm,
        mm,
        MAX_KINEMATICS_M * 1e3,
        "mm",
        hint="" if agrees else "check the arm's model, the tool's offset and the controller's calibration",
    )
    read = [name for name, source in connection.limits.source.items() if "controller" in source.lower()]
    limits = Check(
        "limits read back",
        "ok" if read else "warning",
        f"{', '.join(read)} read from the controller" if read else "none come from the controller",
        connection.arm,
    )
    says_emulated = rig.arm(connection.arm).emulated
    right = connection.emulated or not says_emulated
    kind = Check(
        "emulated" if connection.emulated else "real arm",
        "ok" if right else "violation",
        "an emulator that this program started"
        if connection.emulated
        else "a real arm: keep the emergency stop at hand",
        connection.arm,
        hint="" if right else "the rig says emulated, but it is not one of ours",
    )
    return kinematics, limits, kind, _table(connection, rig), *_forces(connection)


def _table(connection: Connection, rig: Rig) -> Check:
    """Which table the lowest height of the tip counts from: a person approves knowing that."""
    arm, lowest = rig.arm(connection.arm), 1e3 * connection.limits.min_tip_height
    measured = f"touched {arm.table_measured}, up to {1e3 * arm.table_height:.1f} mm above the rig's"
    which = measured if arm.table_measured else "as drawn in the rig, not touched with this arm"
    return Check("table", "ok", f"{which}; no tip goes under {lowest:.1f} mm", connection.arm)


def _forces(connection: Connection) -> tuple[Check, ...]:
    """What the arm can do about forces, where its driver says it: a person approves knowing that."""
    source = connection.limits.source
    if "compliance" not in source:
        return ()
    return (Check(FORCES.get(source.get("forces", ""), "forces"), "ok", source["compliance"], connection.arm),)
