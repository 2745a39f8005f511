"""From tool paths to one timed trajectory of all arms: approach, work, retreat, and every rule of motion checked.

See docs/planning.md for the steps. The result depends on its arguments alone: same input, same plan.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hardware.geometry import Array
from hardware.giving_way import why_not
from hardware.kinematics import ArmKinematics
from hardware.planner.motion import Motion, move
from hardware.planner.paths import LiftedPath, PosePath, ToolPath
from hardware.planner.report import check_motion, clamps_of
from hardware.planner.task import ArmTask, Scene, kept_limits, kinematics_within, require_known
from hardware.rig import ArmConfig, Rig
from hardware.types import ArmLimits, ArmPlan, Check, Phase, Plan, Tool, require

__all__ = ["ToolPath", "default_limits", "plan"]


def default_limits(rig: Rig, arm: ArmConfig) -> ArmLimits:
    """Return the limits of an arm from its data sheet and the rig's safety numbers."""
    kinematics, safety = ArmKinematics.load(arm.model), rig.safety
    own = ("q_lower", "q_upper", "dq_max", "ddq_max")
    of_rig = (
        *("tip_speed", "tip_acceleration", "workspace", "min_tip_height", "min_singularity"),
        *("max_jump_rad", "following_error_rad", "max_force"),
    )
    return ArmLimits(
        **{name: getattr(kinematics, name) for name in own},
        **{name: getattr(safety, name) for name in of_rig if name != "min_tip_height"},
        min_tip_height=arm.table_height + safety.min_tip_height,
        source={**dict.fromkeys(own, f"data sheet of {arm.model}"), **dict.fromkeys(of_rig, f"rig {rig.name}")},
    )


def plan(
    paths: Mapping[str, ToolPath],
    rig: Rig,
    limits: Mapping[str, ArmLimits],
    *,
    tools: Mapping[str, Tool],
    q_start: Mapping[str, Array],
    fps: float,
    first_run: bool = True,
    speed_scale: float = 1.0,
    give_way: Mapping[str, float] | None = None,
    emulated_only: bool = False,
    dream: str = "",
    track_sha256: str = "",
) -> Plan:
    """Return the unsealed plan of all arms in `paths` (by arm name, on one clip clock), with the limits it kept.

    limits, tools and q_start (J,) [rad], the measured pose, by arm; an arm of the rig without a path stands still
    at its q_start (else home) and is kept clear of. fps of the clip gives Plan.clip_frame. first_run: the rig's
    slower tip speed holds. speed_scale: at most this fraction of the clip's speed. give_way: over which force [N]
    an arm gives way, of those that do. A plan that breaks rules is returned with its violations; ValueError where
    the input itself is unusable names argument, arm and value.
    """
    _refuse(paths, rig, limits, tools, q_start)
    require(bool(np.isfinite(fps)) and fps > 0, f"fps: {fps} is not positive")
    require(0 < speed_scale <= 1, f"speed_scale: {speed_scale} is not in 0..1")
    forces = dict(give_way or {})
    for arm, force in forces.items():
        require(arm in paths, f"give_way: arm {arm!r} has no path; valid: {sorted(paths)}")
        require(not why_not(force, limits[arm]), f"give_way: arm {arm!r}: {why_not(force, limits[arm])}")
    start, end = (float(f(t)) for f, t in ((min, [p.t[0] for p in paths.values()]), (max, _ends(paths))))
    tasks = []
    for arm, path in paths.items():
        speed = rig.safety.first_run_tip_speed if first_run else np.inf
        kept = kept_limits(limits[arm], tools[arm], rig.arm(arm).table_height, speed, forces.get(arm, np.inf))
        tasks.append(_task(rig.arm(arm), path, kept, tools[arm], np.array(q_start[arm], float), start, end))
    resting = {a.name: np.asarray(q_start.get(a.name, a.home), float) for a in rig.arms if a.name not in paths}
    scene = Scene(rig, tools, tasks, resting)
    motion = move(tasks, scene, start, end, speed_scale)
    return _plan(tasks, motion, scene, rig, fps, emulated_only, dream, track_sha256)


def _ends(paths: Mapping[str, ToolPath]) -> list[float]:
    return [float(path.t[-1]) for path in paths.values()]


def _task(
    arm: ArmConfig, path: ToolPath, limits: ArmLimits, tool: Tool, q_start: Array, start: float, end: float
) -> ArmTask:
    smooth = PosePath(path, hold_first=bool(path.t[0] > start), hold_last=bool(path.t[-1] < end))
    lifted = LiftedPath(smooth, tool.mesh.vertices, limits.min_tip_height, start, end)
    return ArmTask(arm, kinematics_within(arm.model, limits), tool, limits, q_start, path, lifted)


def _plan(
    tasks: list[ArmTask],
    motion: Motion,
    scene: Scene,
    rig: Rig,
    fps: float,
    emulated_only: bool,
    dream: str,
    track_sha256: str,
) -> Plan:
    arms = tuple(_arm_plan(task, motion) for task in tasks)
    clamps = tuple(clamp for task in tasks for clamp in clamps_of(task, motion))
    start, end = (float(t) for t in motion.t[motion.work][[0, -1]])
    return Plan(
        t=motion.t,
        arms=arms,
        phases=(
            Phase("approach", 0.0, start),
            Phase("work", start, end),
            Phase("retreat", end, float(motion.t[-1])),
        ),
        clip_frame=motion.clip_time * fps,
        speed_scale=motion.speed_scale,
        limits={task.name: task.limits for task in tasks},
        checks=tuple(
            _with_frames(check, motion, fps) for check in check_motion(tasks, arms, motion, scene, rig, clamps)
        ),
        clamps=clamps,
        dream=dream,
        track_sha256=track_sha256,
        rig_sha256=rig.sha256,
        emulated_only=emulated_only,
    )


def _with_frames(check: Check, motion: Motion, fps: float) -> Check:
    """Say of a violation in the work in which frames of the clip it is: there a person corrects the track."""
    inside = np.zeros(len(motion.t), bool)
    for start, end in check.spans if check.status == "violation" else ():
        inside |= (motion.t >= start) & (motion.t <= end)
    frames = motion.clip_time[inside & motion.work] * fps
    if not len(frames):
        return check
    first, last = (round(float(f)) for f in (frames.min(), frames.max()))
    words = f"frame {first}" if first == last else f"frames {first} to {last}"
    return replace(check, text=f"{check.text} ({words})")


def _arm_plan(task: ArmTask, motion: Motion) -> ArmPlan:
    q = motion.q[task.name]
    target = np.full((len(q), 4, 4), np.nan)
    poses = task.path.poses(motion.clip_time[motion.work])
    target[motion.work] = task.T_base_flange(poses) @ task.tool.T_flange_tool
    return ArmPlan(task.name, task.config.model, task.tool.name, q, task.T_base_tool(q), target)


def _refuse(
    paths: Mapping[str, ToolPath],
    rig: Rig,
    limits: Mapping[str, ArmLimits],
    tools: Mapping[str, Tool],
    q_start: Mapping[str, Array],
) -> None:
    require(len(paths) > 0, "paths: it is empty; give at least one arm a tool path")
    for arm in paths:
        require_known("paths", arm, rig, limits, tools, q_start)
        n, q = len(limits[arm].q_lower), np.asarray(q_start[arm], float)
        require(q.shape == (n,), f"q_start: arm {arm!r} has shape {q.shape}, not ({n},)")
        require(bool(np.isfinite(q).all()), f"q_start: arm {arm!r} holds nan or inf: {q}")
