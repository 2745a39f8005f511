"""The timeline of a dream: how sure the tracker is, how fast tools and joints are, where a rule is broken."""

import numpy as np

from app.dreams.edits import Review
from app.gui.binders.dream_clock import DreamClock
from app.gui.binders.dream_pictures import LOW_CONFIDENCE, colors, first_found
from app.gui.binders.scene import tip_points, tracked_tip
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import ArmPlan, Plan
from models.corrections import spans
from models.types import Dream, Hint, ToolTrack, Track
from widgets.theme import tool_color
from widgets.views.types import Band, Curve, Lane, Level, Marker, Span, TimelineData


def timeline(
    rig: Rig,
    dream: Dream,
    track: Track | None,
    clock: DreamClock,
    trim: tuple[int, int],
    hints: tuple[Hint, ...],
    review: Review | None = None,
) -> TimelineData:
    """Return everything on the timeline, on the page's clock; review: a person's poses, marks and cuts."""
    start, end = clock.span
    lanes = _track_lanes(dream, track, clock) if track else ()
    in_plan = clock.mode == "plan" and clock.plan is not None
    return TimelineData(
        start=start,
        end=end,
        frame_times=clock.frame_times(),
        trim=None if in_plan else trim,
        first_frame=clock.shown.start,
        view=dream.views[0].name,
        lanes=(*lanes, *(_plan_lanes(rig, dream, clock) if clock.plan else ())),
        spans=(*(_spans(clock) if clock.plan else ()), *(_marked(clock, review) if review else ())),
        markers=(*_markers(dream, clock, hints), *(_given(dream, clock, review) if review else ())),
        bands=tuple(Band(p.name, p.start, p.end) for p in clock.plan.phases) if in_plan and clock.plan else (),
    )


def _track_lanes(dream: Dream, track: Track, clock: DreamClock) -> tuple[Lane, ...]:
    times, ink, shown = clock.frame_times(), colors(dream), list(clock.shown)
    sure, apart, speed = [], [], []
    for role, tool in track.tools.items():
        color = ink.get(role, tool_color(role))
        sure += _confidence(role, color, dream, tool, clock)
        apart.append(Curve(role, color, times, np.abs(tool.stereo_disagreement_px[shown])))
        points = tracked_tip(dream, role, tool)
        speed.append(Curve(role, color, times, speeds(np.arange(len(points)) / dream.fps, points)[shown]))
    lanes = (
        Lane("confidence", "", tuple(sure), alarm=LOW_CONFIDENCE, alarm_above=False, high=1.0),
        Lane("views apart", "px", tuple(apart)),
    )
    return lanes if clock.plan else (*lanes, Lane("tool speed", "m/s", tuple(speed)))


def _confidence(role: str, color: str, dream: Dream, tool: ToolTrack, clock: DreamClock) -> list[Curve]:
    """A curve a view, the first one solid and the others dashed; unknown before the tool has come into view."""
    shown = np.array(list(clock.shown))
    known = np.where(tool.found[:, None], np.nan_to_num(tool.confidence), 0.0)
    known[: first_found(tool)] = np.nan
    known[[source == "corrected" for source in tool.source]] = np.nan  # a person's word is no measure
    return [
        Curve(f"{role} {view.name}", color, clock.frame_times(), known[shown, i], dashed=i > 0)
        for i, view in enumerate(dream.views)
    ]


def _plan_lanes(rig: Rig, dream: Dream, clock: DreamClock) -> tuple[Lane, ...]:
    plan = clock.plan
    if plan is None:
        return ()
    times = (
        plan.t
        if clock.mode == "plan"
        else np.where(np.isfinite(plan.clip_frame), plan.clip_frame, np.nan) / dream.fps
    )
    shown = np.isfinite(times)
    tips, joints = [], []
    for arm in plan.arms:
        color = tool_color(rig.arm(arm.arm).role)
        tips.append(Curve(arm.arm, color, times[shown], speeds(plan.t, tip_points(rig, dream, arm))[shown]))
        joints.append(Curve(arm.arm, color, times[shown], _joint_use(plan, arm)[shown]))
    limit = min((limits.tip_speed for limits in plan.limits.values()), default=None)
    return (
        Lane("tool speed", "m/s", tuple(tips), alarm=limit),
        Lane("joint speed", "% of limit", tuple(joints), alarm=100.0),
    )


def speeds(t: Array, points: Array) -> Array:
    """Return (N,) [m/s] of a point (N, 3) [m] at times (N,) [s]; nan where its neighbours are unknown."""
    if len(t) < 2:
        return np.zeros(len(t))
    return np.asarray(np.linalg.norm(np.gradient(points, t, axis=0), axis=1))


def _joint_use(plan: Plan, arm: ArmPlan) -> Array:
    """(N,) the fastest joint's speed in percent of its limit."""
    dq = np.abs(np.gradient(arm.q, plan.t, axis=0))
    limits = plan.limits.get(arm.arm)
    return np.asarray(100 * (dq / (limits.dq_max if limits else np.pi)).max(axis=1))


def _spans(clock: DreamClock) -> tuple[Span, ...]:
    if clock.plan is None:
        return ()
    found = [
        (span, "alarm" if check.status == "violation" else "warning", check.text)
        for check in clock.plan.checks
        if check.status != "ok"
        for span in check.spans
    ]
    said = {check.text for check in clock.plan.checks}
    found += [(clamp.span, "warning", clamp.text) for clamp in clock.plan.clamps if clamp.text not in said]
    return tuple(_span(clock, span, level, text) for span, level, text in found)  # type: ignore[arg-type]


def _span(clock: DreamClock, span: tuple[float, float], level: Level, text: str) -> Span:
    start, end = (clock.time_of_plan(t) for t in span)
    return Span(start, max(end, start + 1e-3), level, text)


def _markers(dream: Dream, clock: DreamClock, hints: tuple[Hint, ...]) -> tuple[Marker, ...]:
    ink = colors(dream)
    return tuple(
        Marker(clock.time_of_frame(h.t), ink.get(h.tool, tool_color(h.tool)), f"box for {h.tool} in {h.view}")
        for h in hints
    )


def _given(dream: Dream, clock: DreamClock, review: Review) -> tuple[Marker, ...]:
    """Poses that a person gave, and cuts."""
    ink = colors(dream)
    said = [(fix.tool, fix.t, f"pose of {fix.tool} corrected") for fix in review.fixes]
    said += [(cut.tool, cut.t, f"{cut.kind} of {cut.tool}") for cut in review.cuts]
    return tuple(Marker(clock.time_of_frame(t), ink.get(tool, tool_color(tool)), text) for tool, t, text in said)


def _marked(clock: DreamClock, review: Review) -> tuple[Span, ...]:
    """Frames that a person marked untracked, each shown for its whole time."""
    made = []
    for tool in sorted({tool for tool, _ in review.untracked}):
        for first, last in spans({t for name, t in review.untracked if name == tool}):
            start, end = clock.time_of_frame(first), clock.time_of_frame(min(last + 1, clock.frames - 1))
            made.append(Span(start, max(end, start + 1e-3), "warning", f"{tool}: marked untracked"))
    return tuple(made)
