"""What the approve panel and the checks list say, from the sessions' state."""

from collections.abc import Callable
from dataclasses import dataclass

from app.dreaming import DreamSession
from app.execution import ExecutionSession
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
        reasons=() if running or plan is None else execution.forbidden(),
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
    if execution.state == "paused":
        return "paused"
    if wishes.judging:
        return "ended"
    if dreaming.progress is not None and dreaming.progress.what == "planning":
        return "planning"
    if dreaming.plan is None:
        return "empty"
    return "approved" if execution.state == "approved" else "planned"


def check_rows(
    plan: Plan | None, live: tuple[Check, ...], to_page_time: Callable[[float], float]
) -> list[CheckRow]:
    """Return a row a check of the plan, its clamps, and what was checked at the arms themselves."""
    if plan is None:
        return [_row(check, to_page_time) for check in live]
    rows = [_row(check, to_page_time) for check in (*plan.checks, *live)]
    return rows + [_clamp(clamp, to_page_time) for clamp in plan.clamps]


def _row(check: Check, to_page_time: Callable[[float], float]) -> CheckRow:
    at = to_page_time(check.spans[0][0]) if check.spans else None
    text = f"{check.arm}: {check.text}" if check.arm and not check.text.startswith(check.arm) else check.text
    return CheckRow(_MOODS[check.status], text, amount(check), check.hint, at)


def amount(check: Check) -> str:
    """Return "0.21 of 0.25 m/s"."""
    if check.value is None:
        return ""
    value, limit, unit = check.value, check.limit, check.unit
    if unit == "m" and max(abs(value), abs(limit or 0.0)) < 0.1:
        value, limit, unit = 1000 * value, None if limit is None else 1000 * limit, "mm"
    return f"{value:.3g} {unit}".strip() if limit is None else f"{value:.3g} of {limit:.3g} {unit}".strip()


def _clamp(clamp: Clamp, to_page_time: Callable[[float], float]) -> CheckRow:
    return CheckRow("warning", clamp.text, f"{1000 * clamp.amount:.1f} mm", at=to_page_time(clamp.span[0]))
