"""What is said of an arm: on its card and in the bottom line."""

import numpy as np

from app.execution.session import ExecutionSession
from app.gui.figures import Figures
from hardware.mounting import centre_in_flange
from hardware.rig import DRIVER_GRIPPERS, ArmConfig
from hardware.robots.codes import error_in_words
from hardware.types import ArmLimits, ArmState, Tool
from widgets.values import ArmCard, LimitRow, LineItem, Mood

_MODELS = {"xarm7": "xArm 7", "xarm6": "xArm 6", "ur5": "UR5", "ur5e": "UR5e"}
USUAL = Figures()


def arm_title(arm: ArmConfig) -> str:
    """Return "xArm 7 left"."""
    return f"{_MODELS.get(arm.model, arm.model)} {arm.name}"


def arm_card(arm: ArmConfig, session: ExecutionSession, figures: Figures = USUAL) -> ArmCard:
    """Return everything that an arm's card shows."""
    state, (word, mood) = session.arms.get(arm.name), _state(arm, session)
    limits = session.limits.get(arm.name)
    agree = next((c.text for c in session.checks if c.arm == arm.name), "")
    return ArmCard(
        name=arm.name,
        title=arm_title(arm),
        state=word,
        mood=mood,
        detail=" · ".join(text for text in (arm.address, f"{arm.command_rate_hz:.0f} Hz", agree) if text),
        error=_error(arm, session, state),
        emulated=arm.emulated,
        connected=state is not None,
        limits=limit_rows(limits, figures) if limits else (),
        joints_deg=tuple(float(q) for q in np.degrees(state.q)) if state else (),
    )


def line_item(arm: ArmConfig, session: ExecutionSession) -> LineItem:
    """Return "xArm 7 left: ready · emulated"."""
    word, mood = _state(arm, session)
    return LineItem(f"{arm_title(arm)}: {word}" + (" · emulated" if arm.emulated else ""), mood)


def limit_rows(limits: ArmLimits, figures: Figures = USUAL) -> tuple[LimitRow, ...]:
    """Return an arm's limits for a person, each with where it was read."""
    source = limits.source
    low, high = limits.workspace
    box = [
        LimitRow(f"workspace {a}", figures.span(lower, upper), source.get("workspace", ""))
        for a, lower, upper in zip("xyz", low, high, strict=True)
    ]
    return (
        LimitRow("tool speed", figures.length(limits.tip_speed, 2, "/s"), source.get("tip_speed", "")),
        LimitRow(
            "tool acceleration",
            figures.length(limits.tip_acceleration, 1, "/s²"),
            source.get("tip_acceleration", ""),
        ),
        LimitRow("joint speed", figures.angle(limits.dq_max.min(), 0, "/s"), source.get("dq_max", "")),
        *box,
        LimitRow("lowest tip", figures.length(limits.min_tip_height, small=True), source.get("min_tip_height", "")),
        LimitRow(
            "following error",
            figures.angle(limits.following_error_rad),
            source.get("following_error_rad", ""),
        ),
        LimitRow("largest force", f"{limits.max_force:.0f} N", source.get("max_force", "")),
    )


def load_in_words(tool: Tool, figures: Figures = USUAL) -> str:
    """Say what an arm's controller was told of its load: mass, and where its middle is from the flange."""
    where = ", ".join(figures.length(v, 3, small=True) for v in centre_in_flange(tool))
    known = "" if tool.centre_of_mass is not None else " (taken half way: nobody measured it)"
    carried = f"{tool.name.replace('_', ' ')}, {figures.number(tool.mass, 2)} kg"
    return f"The controller was told: {carried}, centre of mass at {where} from the flange{known}."


def gripper_in_words(arm: ArmConfig) -> str:
    """Say which gripper an arm has, or why none can be moved here."""
    if arm.gripper:
        return ""
    known = DRIVER_GRIPPERS[arm.driver]
    if not known:
        return "No gripper: this program drives none on an arm of this make"
    return f'No gripper: where the arm has one, write gripper = "{known[0]}" into the rig'


def table_in_words(arm: ArmConfig, limits: ArmLimits, figures: Figures = USUAL) -> str:
    """Say which table counts for an arm."""
    lowest = figures.length(limits.min_tip_height, 3, small=True)
    if arm.table_measured:
        high = figures.length(arm.table_height, 4, small=True)
        return f"Table measured {arm.table_measured}: up to {high} above the rig's. No tip goes under {lowest}."
    return f"Table not measured: the rig's counts. No tip goes under {lowest}."


def _state(arm: ArmConfig, session: ExecutionSession) -> tuple[str, Mood]:
    state = session.arms.get(arm.name)
    if session.state == "connecting":
        return "connecting", "warning"
    if state is None or session.state in ("offline", "closed"):
        return "not connected", "idle"
    if state.error_code:
        return "error", "alarm"
    if session.state == "fault":
        return "fault", "alarm"
    if session.state == "running" or state.moving:
        return "moving", "warning"
    if session.state in ("paused", "stopped"):
        return session.state, "warning"
    return "ready", "ok"


def _error(arm: ArmConfig, session: ExecutionSession, state: ArmState | None) -> str:
    if state is not None and state.error_code:
        return error_in_words(arm.driver, state.error_code)
    return session.message if session.state == "fault" and session.message.startswith(f"{arm.name}:") else ""
