"""What a servo process looks at in a plan before its motors are on: is it for this arm, is every sample allowed."""

from collections.abc import Mapping

import numpy as np

from hardware.collision import CollisionModel
from hardware.gate import MIN_CLEARANCE_M, Gate
from hardware.geometry import Array
from hardware.rig import ArmConfig
from hardware.robots.base import ArmError
from hardware.robots.run_memory import MAX_COMMANDS
from hardware.types import ArmPlan, Plan, Tool

SHORTEST_STEP_S, LONGEST_STEP_S = 0.002, 0.05


def own_part(plan: Plan, config: ArmConfig, tool: Tool, joints: int) -> ArmPlan:
    """This arm's part of the plan. Raises ArmError where it is not for this arm, its tool or its clock."""
    name, n = config.name, len(plan.t)
    mine = next(arm for arm in plan.arms if arm.arm == name)
    for what, planned, actual in (
        ("model", mine.model, config.model),
        ("tool", mine.tool, tool.name),
    ):
        if planned != actual:
            raise ArmError(f"{name}: planned for {what} {planned!r}, but it is {actual!r}; plan again")
    if not 2 <= n <= MAX_COMMANDS:
        raise ArmError(f"{name}: the plan has {n} samples; 2 to {MAX_COMMANDS} can be run")
    if mine.q.shape != (n, joints):
        raise ArmError(f"{name}: the plan's joints have shape {mine.q.shape}, not ({n}, joints)")
    steps = np.diff(plan.t)
    if not np.isfinite(plan.t).all() or not (steps > 0).all():
        raise ArmError(f"{name}: the plan's time goes back or is not a number; plan again")
    if not SHORTEST_STEP_S <= steps.mean() <= LONGEST_STEP_S or np.ptp(steps) > 1e-6:
        raise ArmError(f"{name}: the plan's samples are not evenly {SHORTEST_STEP_S} to {LONGEST_STEP_S} s apart")
    return mine


def look_through(
    plan: Plan, gate: Gate, mine: ArmPlan, collision: CollisionModel, standing: Mapping[str, Array]
) -> None:
    """Hold every sample of this arm's part, and the space between, against every limit. Raises ArmError.

    standing: where the arms are that the plan does not move, q (J,) by arm.
    """
    found = gate.check_path(plan.t, mine.q)
    if found is not None:
        raise ArmError(f"{found[0].text} (at {found[1]:.2f} s of the plan); plan again")
    q: dict[str, Array] = {arm.arm: arm.q for arm in plan.arms}
    q |= {name: np.broadcast_to(at, (len(plan.t), len(at))) for name, at in standing.items()}
    clearance = collision.check(q)
    worst = int(np.argmin(clearance.nearest))
    if not clearance.nearest[worst] >= MIN_CLEARANCE_M:
        raise ArmError(
            f"{mine.arm}: collision: the plan comes within {clearance.nearest[worst] * 1e3:.1f} mm of "
            f"something at {plan.t[worst]:.2f} s ({MIN_CLEARANCE_M * 1e3:.0f} mm are needed); plan again"
        )
