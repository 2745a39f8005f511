"""What the approve panel and the checks list say, from the sessions' state."""

from collections.abc import Callable
from dataclasses import dataclass

from app.dreaming import DreamSession
from app.execution import ExecutionSession
from app.run_progress import RunProgress
from hardware.rig import SafetyConfig
from hardware.types import Check, Clamp, Plan
from widgets.values import ApproveState, CheckRow, Mood, Stage

_MOODS: dict[str, Mood] = {"ok": "ok", "warning": "warning", "violation": "alarm"}
CONNECTED = ("ready", "approved", "running", "paused", "stopped", "done")


@dataclass(frozen=True)
class Wishes:
    """What the page itself knows: the chosen speed [m/s], whether a rehearsal plays, whether a run waits for its
    outcome, and whether this track has run before."""

    speed: float
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
    )


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
