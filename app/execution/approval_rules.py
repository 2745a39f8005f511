"""Why a plan may not be approved, or is not any more: what a person reads beside a disabled button."""

from collections.abc import Mapping

import numpy as np

from app.execution.rig_link import RigLink
from hardware.safety import PlanApproval, reasons_against
from hardware.types import ArmState, Plan


class PlanRules:
    """The rules of hardware/safety.py. Hashing a plan takes time and pages ask often: the last answer is kept."""

    def __init__(self) -> None:
        self._key: object = None
        self._reasons: tuple[str, ...] = ()

    def reasons(self, plan: Plan, link: RigLink) -> tuple[str, ...]:
        """Return every reason against this plan on these connections."""
        connections = link.group.connections
        key = (plan.sha256, id(plan), tuple(sorted((name, c.id) for name, c in connections.items())))
        if key != self._key:
            self._key, self._reasons = key, reasons_against(plan, person="somebody", connections=connections)
        return self._reasons


def away_from_start(plan: Plan, arms: Mapping[str, ArmState]) -> tuple[str, ...]:
    """Return which arms stand too far from where the plan begins."""
    found = []
    for arm in plan.arms:
        state = arms.get(arm.arm)
        away = float(np.abs(state.q - arm.q[0]).max()) if state is not None else 0.0
        allowed = plan.limits[arm.arm].max_jump_rad if arm.arm in plan.limits else 0.0
        if away > allowed:
            words = f"it stands {away:.2f} rad from where the plan starts ({allowed:g} allowed)"
            found.append(f"{arm.arm}: {words}: plan again")
    return tuple(found)


def other_tools(plan: Plan, link: RigLink) -> tuple[str, ...]:
    """Return which arms carry another tool than the plan was made for."""
    found = []
    for arm in plan.arms:
        carried = link.tools[arm.arm].name if arm.arm in link.tools else "no tool"
        if carried != arm.tool:
            found.append(f"{arm.arm}: it carries {carried}, the plan is for {arm.tool}: connect again")
    return tuple(found)


def outdated(approval: PlanApproval, plan: Plan, link: RigLink, arms: Mapping[str, ArmState], now: float) -> str:
    """Return why an approval does not hold any more at `now` [s, host monotonic], "" while it does."""
    known = {name: connection.id for name, connection in link.group.connections.items()}
    if now >= approval.expires_at:
        return "the approval expired: approve again"
    if any(known.get(arm) != id for arm, id in approval.connections.items()):
        return "an arm was connected anew after the approval: approve again"
    if approval.scene != link.scene:
        return "the scene changed after the approval: approve again"
    if away_from_start(plan, arms):
        return "an arm moved after the approval: plan and approve again"
    return ""
