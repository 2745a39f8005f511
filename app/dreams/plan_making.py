"""From a dream's track to the tool paths that planning takes: trimmed, in the world, by role."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.dreams.track_shelf import track_sha256
from hardware.geometry import Array
from hardware.giving_way import least_force
from hardware.mounting import carriers, mounted
from hardware.plan_file import sealed
from hardware.planner.paths import ToolPath
from hardware.rig import Rig
from hardware.types import ArmLimits, ArmPlan, Check, Plan, Tool
from models.types import Dream, ToolTrack, Track

LONGEST_GAP = 3  # frames; over a longer one the spline between two poses would be a guess


def planned_tool(tools: Mapping[str, Tool], arm: ArmPlan) -> Tool:
    """Return the tool that an arm's part of a plan moves, out of a dream's tools by role. Raises KeyError."""
    for tool in tools.values():
        if tool.name == arm.tool:
            return tool
    raise KeyError(f"arm {arm.arm}: the plan moves tool {arm.tool!r}; there are {[t.name for t in tools.values()]}")


def tool_paths(
    dream: Dream, track: Track, trim: tuple[int, int], alarm: float, fastest: float = np.inf
) -> Mapping[str, ToolPath]:
    """Return T_world_tool by role at the clip times of the frames that were found inside the trim.

    A tool that comes into view, or leaves it, is tracked there with a confidence under `alarm`, or goes faster than
    `fastest` [m/s], as a hand does that is not at work yet: such poses at either end are left out, unless a person
    drew them. Before its first and after its last pose a tool is held still. Raises ValueError where a tool has
    fewer than two poses or is lost for over 3 frames in between.
    """
    return {role: _path(dream, tool, trim, alarm, fastest) for role, tool in track.tools.items()}


def plan_dream(
    dream: Dream,
    track: Track,
    trim: tuple[int, int],
    rig: Rig,
    *,
    speed_scale: float = 1.0,
    first_run: bool = True,
    limits: Mapping[str, ArmLimits] | None = None,
    q_start: Mapping[str, Array] | None = None,
    wanted: Mapping[str, str] | None = None,
    give_way: float | None = None,
) -> Plan:
    """Plan a dream's track for the rig's arms, sealed. wanted: arm by tool role, where a person chose.

    limits, q_start (J,) [rad] by arm: as read back and measured; where they are missing the data sheet's and the
    rig's own limits, and the arm's home, stand in. A tool of no arm's role goes to a free arm
    (hardware/mounting.py); the checks "tool" say which arm carries what. give_way [N]: arms that feel forces give
    way to more than this, the checks "gives way" say which do; None: none does. Raises ValueError where it cannot
    be planned at all.
    """
    # the physics behind it takes a second to import: in the planning thread, not at the window's start
    from hardware.planner.report import TRACK_SPEED
    from hardware.planning import default_limits, plan
    from models.tracking.stereo_tracker import ALARM_LEVEL

    by_role = tool_paths(dream, track, trim, ALARM_LEVEL, TRACK_SPEED)
    tools = {role: dream.tools[role] for role in by_role}
    places = {role: path.T_world_tool[:, :3, 3].mean(axis=0) for role, path in by_role.items()}
    carried = carriers(rig, tools, wanted, places)
    on_arms = mounted(rig, tools, carried)
    known, measured = dict(limits or {}), dict(q_start or {})
    kept = {name: known.get(name) or default_limits(rig, rig.arm(name)) for name in carried.values()}
    stiff = [] if give_way is None else [name for name in kept if least_force(kept[name]) is None]
    made = plan(
        {arm.name: by_role[role] for arm in rig.arms for role, name in carried.items() if name == arm.name},
        rig,
        kept,
        tools={arm.name: on_arms[arm.role] for arm in rig.arms if arm.role in on_arms},
        q_start={**{arm.name: arm.home for arm in rig.arms}, **measured},
        fps=dream.fps,
        first_run=first_run,
        speed_scale=speed_scale,
        give_way={} if give_way is None else {name: give_way for name in kept if name not in stiff},
        emulated_only=dream.placement == "assumed",
        dream=dream.name,
        track_sha256=track_sha256(track),
    )
    return sealed(replace(made, checks=(*_carried(rig, tools, carried), *map(_stiff, stiff), *made.checks)))


def _carried(rig: Rig, tools: Mapping[str, Tool], carried: Mapping[str, str]) -> list[Check]:
    """Which arm carries which of the dream's tools; a choice that nobody made is worth a look."""
    return [
        Check("tool", "ok", f"carries the dream's tool {role} ({tools[role].name})", arm.name)
        for arm in rig.arms
        for role, name in carried.items()
        if name == arm.name
    ]


def _stiff(arm: str) -> Check:
    return Check("gives way", "warning", "feels no force at its tool: it follows the plan stiffly", arm)


def _path(dream: Dream, tool: ToolTrack, trim: tuple[int, int], alarm: float, fastest: float) -> ToolPath:
    first, last = trim
    found = np.flatnonzero(tool.found)
    found = _sure_ends(tool, found[(found >= first) & (found <= last)], alarm)
    found = _calm_ends(tool, found, fastest / dream.fps)
    if len(found) < 2:
        raise ValueError(
            f"tool {tool.tool}: {len(found)} sure poses in frames {first} to {last}, at least 2 are needed; "
            "draw a box around it, or widen the trim"
        )
    gaps = np.flatnonzero(np.diff(found) > LONGEST_GAP + 1)
    if len(gaps):
        start, end = int(found[gaps[0]]) + 1, int(found[gaps[0] + 1]) - 1
        raise ValueError(f"tool {tool.tool}: lost in frames {start} to {end}; draw a box there, or trim them away")
    return ToolPath(found / dream.fps, dream.T_world_view1 @ tool.T_view1_tool[found])


def _sure_ends(tool: ToolTrack, found: NDArray[np.intp], alarm: float) -> NDArray[np.intp]:
    drawn = np.array([tool.source[t] in ("hinted", "corrected") for t in found], bool)
    sure = np.flatnonzero(drawn | (tool.frame_confidence[found] >= alarm))
    return found[sure[0] : sure[-1] + 1] if len(sure) else found[:0]


def _calm_ends(tool: ToolTrack, found: NDArray[np.intp], farthest: float) -> NDArray[np.intp]:
    """Leave out ends from which the next pose is over `farthest` [m] a frame away; two poses always stay."""
    place = tool.T_view1_tool[:, :3, 3]

    def rushed(end: int, beside: int) -> bool:
        drawn = tool.source[end] in ("hinted", "corrected")
        return not drawn and float(np.linalg.norm(place[end] - place[beside])) > farthest * abs(end - beside)

    while len(found) > 2 and rushed(found[0], found[1]):
        found = found[1:]
    while len(found) > 2 and rushed(found[-1], found[-2]):
        found = found[:-1]
    return found
