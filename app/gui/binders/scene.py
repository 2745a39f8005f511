"""The 3-D scene of rig, dream and plan: what stands still, and what moves at one moment."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.dreams.plan_making import planned_tool
from app.gui.binders.dream_clock import DreamClock
from app.gui.binders.dream_pictures import colors, sure_only
from hardware.arm_model import link_meshes, link_poses
from hardware.geometry import Array, apply, interpolate
from hardware.rig import Rig
from hardware.types import ArmPlan, ArmState, Camera, Image, Plan
from models.types import Dream, ToolTrack, Track
from widgets.views.types import SceneArm, SceneMoment, ScenePath, SceneStatic, SceneViolation

_GREY = "muted"


def rig_scene(rig: Rig) -> SceneStatic:
    """Return the rig without any dream."""
    return SceneStatic(
        table_size=rig.table_size,
        cameras=tuple(config.camera for config in rig.cameras),
        arms=scene_arms(rig),
        keep_out=rig.keep_out,
        workspace=rig.safety.workspace,
    )


def scene_arms(rig: Rig) -> tuple[SceneArm, ...]:
    """Return the arms of the rig as light meshes."""
    return tuple(SceneArm(arm.name, tuple(mesh for _, mesh in link_meshes(arm.model))) for arm in rig.arms)


def dream_scene(
    rig: Rig, dream: Dream, track: Track | None, plan: Plan | None, before: Track | None = None
) -> SceneStatic:
    """Return the rig with a dream's cameras, tools and paths, and the places where the plan breaks a rule.

    before: a track to compare with, whose paths are drawn thin and grey.
    """
    old = [replace(_path(dream, r, t), color=_GREY) for r, t in before.tools.items()] if before else []
    return replace(
        rig_scene(rig),
        cameras=dream_cameras(dream),
        tools={role: tool.mesh for role, tool in dream.tools.items()},
        tool_colors=colors(dream),
        paths=(*old, *(_path(dream, role, t) for role, t in track.tools.items())) if track else (),
        violations=_violations(rig, dream, plan) if plan else (),
        arms=scene_arms(rig),
    )


def dream_cameras(dream: Dream) -> tuple[Camera, ...]:
    """Return the dream's cameras with their place in the world."""
    return tuple(replace(v.camera, T_world_cam=dream.T_world_view1 @ v.T_view1_view) for v in dream.views)


def tool_poses(dream: Dream, track: Track | None, frame: float) -> dict[str, Array | None]:
    """Return T_world_tool by role at a (fractional) frame; None while lost."""
    if track is None:
        return {}
    return {role: _pose(dream, tool_track, frame) for role, tool_track in track.tools.items()}


def planned_links(rig: Rig, plan: Plan, plan_time: float) -> dict[str, Array]:
    """Return T_world_link (L, 4, 4) by arm at a time of the plan [s]."""
    made = {}
    for arm in plan.arms:
        q = np.array([np.interp(plan_time, plan.t, column) for column in arm.q.T])
        made[arm.arm] = rig.arm(arm.arm).T_world_base @ link_poses(arm.model, q)
    return made


def measured_links(rig: Rig, states: Mapping[str, ArmState]) -> dict[str, Array]:
    """Return T_world_link (L, 4, 4) by arm as the arms say."""
    return {
        name: rig.arm(name).T_world_base @ link_poses(rig.arm(name).model, state.q)
        for name, state in states.items()
    }


def moment(
    rig: Rig, dream: Dream, track: Track | None, clock: DreamClock, t: float, states: Mapping[str, ArmState]
) -> SceneMoment:
    """Return what moves at time t [s] of the page's clock."""
    frame, plan_time = clock.frame(t), clock.plan_time(t)
    pictures: dict[str, Image] = {view.name: view.frames[clock.index(t)] for view in dream.views}
    planned = planned_links(rig, clock.plan, plan_time) if clock.plan is not None and plan_time is not None else {}
    return SceneMoment(tool_poses(dream, track, frame), planned, measured_links(rig, states), pictures)


def tip_points(rig: Rig, dream: Dream, arm: ArmPlan) -> Array:
    """Return (N, 3) [m] in world: where the plan leads an arm's tool tip."""
    config = rig.arm(arm.arm)
    tip = planned_tool(dream.tools, arm).tip
    return apply(config.T_world_base @ arm.T_base_tool, tip[None])[:, 0]


def _pose(dream: Dream, track: ToolTrack, frame: float) -> Array | None:
    low = min(int(frame), len(track) - 1)
    high = min(low + 1, len(track) - 1)
    if not track.found[low]:
        return None
    share = frame - low if track.found[high] else 0.0
    return np.asarray(dream.T_world_view1 @ interpolate(track.T_view1_tool[low], track.T_view1_tool[high], share))


def tracked_tip(dream: Dream, role: str, track: ToolTrack) -> Array:
    """Return (T, 3) [m] in world: where a track leads a tool's tip, nan where it is lost."""
    tip = dream.tools[role].tip if role in dream.tools else np.zeros(3)
    return apply(dream.T_world_view1 @ track.T_view1_tool, tip[None])[:, 0]


def _path(dream: Dream, role: str, track: ToolTrack) -> ScenePath:
    return ScenePath(role, sure_only(track, tracked_tip(dream, role, track)), track.frame_confidence)


def _violations(rig: Rig, dream: Dream, plan: Plan) -> tuple[SceneViolation, ...]:
    made = []
    for check in plan.violations:
        arm = next((a for a in plan.arms if a.arm == check.arm), plan.arms[0])
        points = tip_points(rig, dream, arm)
        for start, end in check.spans:
            index = int(np.searchsorted(plan.t, (start + end) / 2))
            made.append(SceneViolation(points[min(index, len(points) - 1)], check.text))
    return tuple(made)
