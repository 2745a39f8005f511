"""What the approve panel and the checks list say, from the sessions' state."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.dreams.session import DreamSession
from app.execution.connection_checks import FORCES, felt
from app.execution.run_progress import RunProgress
from app.execution.session import ExecutionSession
from hardware.giving_way import least_force
from hardware.rig import SafetyConfig
from hardware.types import ArmLimits, Check, Clamp, Plan
from widgets.values import ApproveState, CheckRow, Mood, Stage

_MOODS: dict[str, Mood] = {"ok": "ok", "warning": "warning", "violation": "alarm"}
FORCES_N = (10.0, 20.0, 30.0, 40.0)
_FELT = set(FORCES.values())
CONNECTED = ("ready", "approved", "running", "paused", "stopped", "done")


@dataclass(frozen=True)
class Wishes:
    """What the page itself knows: the chosen speed [m/s] and force to give way over [N] (None: stiff), whether a
    rehearsal plays, whether a run waits for its outcome, and whether this track has run before."""

    speed: float
    give_way: float | None = None
    rehearsing: bool = False
    judging: bool = False
    ran_before: bool = False


def approve_state(
    dreaming: DreamSession, execution: ExecutionSession, safety: SafetyConfig, wishes: Wishes, emulated: bool
) -> ApproveState:
    """Return everything that the approve panel says."""
    plan, progress, stage = dreaming.plan, execution.progress, _stage(dreaming, execution, wishes)
    running = stage in ("running", "paused")
    first, usual = safety.first_run_tip_speed, safety.tip_speed
    return ApproveState(
        stage=stage,
        plan=plan.sha256 if plan else "",
        duration_s=progress.duration if running and progress else plan.duration if plan else 0.0,
        reasons=() if stage == "running" or plan is None else execution.forbidden(),
        expires_s=execution.approval_left_s,
        speeds=(first, usual) if wishes.ran_before else (first,),
        speed=wishes.speed,
        rehearsing=wishes.rehearsing,
        phase=progress.phase if progress else "",
        elapsed_s=progress.plan_time if progress else 0.0,
        message=execution.message,
        mood="alarm"
        if execution.state == "fault"
        else "warning"
        if execution.state in ("stopped", "paused")
        else "idle",
        can_plan=dreaming.track is not None and dreaming.progress is None,
        emulated=emulated,
        connected=execution.state in CONNECTED,
        connecting=execution.state == "connecting",
        forces=forces_to_choose(execution.limits),
        give_way=wishes.give_way,
        gives_way=gives_way(plan) if plan else "",
        compliance=felt(execution.limits),
        compliance_words=tuple(f"{check.arm}: {check.text}" for check in execution.checks if check.rule in _FELT),
    )


def forces_to_choose(limits: Mapping[str, ArmLimits]) -> tuple[float, ...]:
    """Return over which forces [N] arms with these limits, as read back, can be asked to give way."""
    least = [force for force in map(least_force, limits.values()) if force is not None]
    most = min((each.max_force for each in limits.values()), default=0.0)
    return tuple(force for force in FORCES_N if least and max(least) <= force < most)


def gives_way(plan: Plan) -> str:
    """Say what the arms of a plan do about forces: "gives way over 20 N", "left gives way over 20 N"."""
    forces = {arm: limits.give_way_force for arm, limits in plan.limits.items()}
    giving = [arm for arm, force in forces.items() if force < math.inf]
    if not giving:
        return "stiff"
    who = "" if len(giving) == len(forces) else f"{', '.join(giving)} "
    return f"{who}gives way over {forces[giving[0]]:g} N"


def _stage(dreaming: DreamSession, execution: ExecutionSession, wishes: Wishes) -> Stage:
    if execution.state == "running":
        return "running"
    if wishes.judging and execution.state != "paused":
        return "ended"
    if dreaming.progress is not None and dreaming.progress.what == "planning":
        return "planning"
    if execution.state == "paused":
        return "paused"
    if dreaming.plan is None:
        return "empty"
    return "approved" if execution.state == "approved" else "planned"


def rest_from(progress: RunProgress | None, before: float | None, last: int) -> float | None:
    """Return the clip's frame from which a run that was paused there goes on, None for its start.

    before: where an earlier pause left off, which holds while the arms approach; last: the last frame to do. From
    the retreat on, the last step is done again, since a plan needs two frames.
    """
    if progress is None or (progress.clip_frame is None and progress.phase != "retreat"):
        return before
    return min(last if progress.clip_frame is None else progress.clip_frame, max(last - 1.0, 0.0))


def check_rows(
    plan: Plan | None, live: tuple[Check, ...], to_page_time: Callable[[float], float]
) -> tuple[list[CheckRow], str]:
    """Return a row a rule (what holds for all arms is one row, the tightest), every clamp, and a summary."""
    checks = (*(plan.checks if plan else ()), *live)
    broken = [check for check in checks if check.status != "ok"]
    holding: dict[str, list[Check]] = {}
    for check in checks:
        if check.status == "ok":
            holding.setdefault(check.rule, []).append(check)
    rows = [_broken(check, to_page_time) for check in broken] + [_holding(same) for same in holding.values()]
    return silent_clamps(plan, to_page_time) + rows, _summary(broken, len({check.rule for check in checks}))


def silent_clamps(plan: Plan | None, to_page_time: Callable[[float], float]) -> list[CheckRow]:
    """Return a row for every clamp that none of the checks speaks of: no clamp stays unsaid, none is said twice."""
    if plan is None:
        return []
    said = {check.text for check in plan.checks}
    return [_clamp(clamp, to_page_time) for clamp in plan.clamps if clamp.text not in said]


def _summary(broken: list[Check], rules: int) -> str:
    bad = len({check.rule for check in broken if check.status == "violation"})
    if not rules:
        return ""
    if bad:
        return f"{bad} of {rules} rules of motion are broken"
    warned = len({check.rule for check in broken})
    return f"All {rules} rules of motion hold" + (f", {warned} with a warning" if warned else "")


def _broken(check: Check, to_page_time: Callable[[float], float]) -> CheckRow:
    at = to_page_time(check.spans[0][0]) if check.spans else None
    text = f"{check.arm}: {check.text}" if check.arm and not check.text.startswith(check.arm) else check.text
    return CheckRow(_MOODS[check.status], text, hint=check.hint, at=at, detail=amount(check))


def _holding(same: list[Check]) -> CheckRow:
    tightest = max(same, key=_use)
    details = "\n".join(f"{c.arm}: {c.text}" if c.arm else c.text for c in same)
    return CheckRow("ok", tightest.rule.capitalize(), amount(tightest), detail=details)


def _use(check: Check) -> float:
    """How much of the limit is used up; comparable within a rule only."""
    if check.value is None:
        return 0.0
    return -check.value if _is_lower(check) else check.value


def _is_lower(check: Check) -> bool:
    return "at least" in check.text


def amount(check: Check) -> str:
    """Return "0.21 ≤ 0.25 m/s", or "38 ≥ 20 mm" where the limit is the least that is allowed."""
    if check.value is None:
        return ""
    if check.limit is None:
        return f"{check.value:.3g} {check.unit}".strip()
    tiny = abs(check.value) < 1e-3 * abs(check.limit)
    value = "0" if tiny else f"{check.value:.3g}"
    return f"{value} {'≥' if _is_lower(check) else '≤'} {check.limit:.3g} {check.unit}".strip()


def _clamp(clamp: Clamp, to_page_time: Callable[[float], float]) -> CheckRow:
    return CheckRow("warning", clamp.text, f"{1000 * clamp.amount:.1f} mm", at=to_page_time(clamp.span[0]))
