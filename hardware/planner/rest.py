"""Moves from rest to rest in joint space: to a saved pose or home, planned and checked like any other."""

from collections.abc import Mapping

import numpy as np

from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.planner.motion import Motion, joined, slowly
from hardware.planner.moves import Leg, route
from hardware.planner.paths import LiftedPath, PosePath, ToolPath
from hardware.planner.report import check_move
from hardware.planner.task import ArmTask, Scene, kept_limits, kinematics_within, require_known
from hardware.rig import ArmConfig, Rig
from hardware.types import ArmLimits, ArmPlan, Phase, Plan, Tool, require

SAME_POSE_RAD = 1e-3


def plan_move(
    goals: Mapping[str, Array],
    rig: Rig,
    limits: Mapping[str, ArmLimits],
    *,
    tools: Mapping[str, Tool],
    q_start: Mapping[str, Array],
    name: str,
    emulated_only: bool = False,
) -> Plan:
    """Return the unsealed plan that brings arms from q_start to goals (J,) [rad] by name; the others stand still.

    The first-run tip speed holds, and every rule of motion but those that speak of a dream's track. name: what a
    person reads in place of a dream's. A move that breaks rules is returned with its violations. Raises ValueError
    where an arm is unknown, a goal has another number of joints, or all arms are there already.
    """
    tasks = [_task(rig, name_of_arm, goals[name_of_arm], limits, tools, q_start) for name_of_arm in goals]
    start = {task.name: task.q_start for task in tasks}
    goal = {arm: np.asarray(q, float) for arm, q in goals.items()}
    away = max((float(np.abs(goal[arm] - start[arm]).max()) for arm in goal), default=0.0)
    require(away > SAME_POSE_RAD, f"{name}: {', '.join(goals) or 'no arm'} stands there already")
    resting = {a.name: np.asarray(q_start.get(a.name, a.home), float) for a in rig.arms if a.name not in goals}
    scene = Scene(rig, tools, tasks, resting)
    motion = _motion(tasks, route(tasks, start, goal, scene))
    arms = tuple(_arm_plan(task, motion.q[task.name]) for task in tasks)
    return Plan(
        t=motion.t,
        arms=arms,
        phases=(Phase("move", 0.0, float(motion.t[-1])),),
        clip_frame=motion.clip_time,
        speed_scale=1.0,
        limits={task.name: task.limits for task in tasks},
        checks=tuple(check_move(tasks, arms, motion, scene)),
        clamps=(),
        dream=name,
        track_sha256="",
        rig_sha256=rig.sha256,
        emulated_only=emulated_only,
    )


def _motion(tasks: list[ArmTask], legs: list[Leg]) -> Motion:
    step = 1.0 / max(task.config.command_rate_hz for task in tasks)
    parts = [slowly(leg, tasks, step) for leg in legs]
    q = {task.name: joined([part[task.name] for part in parts]) for task in tasks}
    count = len(next(iter(q.values())))
    nowhere = np.full(count, np.nan)
    return Motion(np.arange(count, dtype=float) * step, q, np.zeros(count, bool), nowhere, 1.0)


def _task(
    rig: Rig,
    arm: str,
    goal: Array,
    limits: Mapping[str, ArmLimits],
    tools: Mapping[str, Tool],
    q_start: Mapping[str, Array],
) -> ArmTask:
    require_known("goals", arm, rig, limits, tools, q_start)
    config, q = rig.arm(arm), np.asarray(q_start[arm], float)
    fits = np.shape(goal) == q.shape == config.home.shape
    require(fits, f"goals: {arm} has {len(config.home)} joints, not {np.shape(goal)}")
    require(bool(np.isfinite(goal).all() and np.isfinite(q).all()), f"goals: {arm} holds nan or inf")
    kept = kept_limits(limits[arm], tools[arm], config.table_height, rig.safety.first_run_tip_speed)
    kinematics = kinematics_within(config.model, kept)
    return ArmTask(config, kinematics, tools[arm], kept, q, *_standing(config, kinematics, tools[arm], q))


def _standing(config: ArmConfig, kinematics: ArmKinematics, tool: Tool, q: Array) -> tuple[ToolPath, LiftedPath]:
    """The path of a tool that does no work: it stays where the move begins."""
    T = config.T_world_base @ kinematics.flange_pose(q) @ tool.T_flange_tool
    given = ToolPath(np.array([0.0, 1.0]), np.stack([T, T]))
    return given, LiftedPath(PosePath(given, True, True), tool.mesh.vertices, -np.inf, 0.0, 1.0)


def _arm_plan(task: ArmTask, q: Array) -> ArmPlan:
    nowhere = np.full((len(q), 4, 4), np.nan)
    return ArmPlan(task.name, task.config.model, task.tool.name, q, task.T_base_tool(q), nowhere)
