"""Moves from rest to rest in joint space: to a saved pose or home, planned and checked like any other."""

from collections.abc import Mapping, Sequence

import numpy as np

from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.planner.motion import Motion, joined, slowly
from hardware.planner.moves import route
from hardware.planner.paths import LiftedPath, PosePath, ToolPath
from hardware.planner.report import check_move
from hardware.planner.task import ArmTask, Joints, Scene, kept_limits, kinematics_within, require_known
from hardware.rig import ArmConfig, Rig
from hardware.types import ArmLimits, ArmPlan, Phase, Plan, Tool, require

SAME_POSE_RAD = 1e-3
TOUR_TRIES = 6


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
    return plan_visit([goals], rig, limits, tools=tools, q_start=q_start, name=name, emulated_only=emulated_only)


def plan_visit(
    stops: Sequence[Mapping[str, Array]],
    rig: Rig,
    limits: Mapping[str, ArmLimits],
    *,
    tools: Mapping[str, Tool],
    q_start: Mapping[str, Array],
    name: str,
    pause_s: float = 0.0,
    emulated_only: bool = False,
) -> Plan:
    """Return the unsealed plan from stop to stop, goals (J,) [rad] of the same arms each, resting pause_s [s] at
    every one. As `plan_move` otherwise."""
    require(len(stops) > 0, f"{name}: no stop; valid: one or more")
    for stop in stops:
        same, words = stop.keys() == stops[0].keys(), f"{sorted(stop)} and of {sorted(stops[0])}"
        require(same, f"{name}: stops of {words}; valid: the same arms at each")
    tasks = [_task(rig, arm, goal, limits, tools, q_start) for stop in stops for arm, goal in stop.items()]
    tasks = tasks[: len(stops[0])]
    start = {task.name: task.q_start for task in tasks}
    goals = [{arm: np.asarray(q, float) for arm, q in stop.items()} for stop in stops]
    away = max((float(np.abs(goal[arm] - start[arm]).max()) for goal in goals for arm in goal), default=0.0)
    require(away > SAME_POSE_RAD, f"{name}: every arm stands there already")
    resting = {a.name: np.asarray(q_start.get(a.name, a.home), float) for a in rig.arms if a.name not in start}
    scene = Scene(rig, tools, tasks, resting)
    motion, ends = _motion(tasks, start, goals, scene, pause_s)
    arms = tuple(_arm_plan(task, motion.q[task.name]) for task in tasks)
    return Plan(
        t=motion.t,
        arms=arms,
        phases=_phases(ends),
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


def plan_tour(
    stops: Sequence[Mapping[str, Array]],
    rig: Rig,
    limits: Mapping[str, ArmLimits],
    *,
    tools: Mapping[str, Tool],
    q_start: Mapping[str, Array],
    name: str,
    pause_s: float,
    least: int,
) -> Plan:
    """As `plan_visit`, without the stops on whose way a rule of motion would be broken; where fewer than `least`
    would be left, or that does not help, the plan with its violations."""
    left = list(stops)
    for _ in range(TOUR_TRIES):
        plan = plan_visit(left, rig, limits, tools=tools, q_start=q_start, name=name, pause_s=pause_s)
        broken = _broken(plan, pause_s)
        if not broken or len(left) - len(broken) < least:
            break
        left = [stop for k, stop in enumerate(left) if k not in broken]
    return plan


def _broken(plan: Plan, pause_s: float) -> set[int]:
    """The stops at which a rule is broken while the arm rests; where there are none, the first on whose way one
    is."""
    spans = [span for check in plan.violations for span in check.spans]
    at: set[int] = set()
    on_way: set[int] = set()
    for k, phase in enumerate(plan.phases):
        for start, end in spans:
            if start < phase.end and end > phase.start:
                (at if end > phase.end - pause_s else on_way).add(k)
    return at or set(sorted(on_way)[:1])


def _phases(ends: Sequence[float]) -> tuple[Phase, ...]:
    """One for each stop, which ends with its pause; ends [s]."""
    if len(ends) == 1:
        return (Phase("move", 0.0, ends[0]),)
    starts = [0.0, *ends[:-1]]
    return tuple(Phase(f"stop {k}", a, b) for k, (a, b) in enumerate(zip(starts, ends, strict=True), 1))


def _motion(
    tasks: list[ArmTask], start: Joints, goals: Sequence[Joints], scene: Scene, pause_s: float
) -> tuple[Motion, list[float]]:
    """The motion through all goals, and when each is left [s]."""
    step = 1.0 / max(task.config.command_rate_hz for task in tasks)
    parts: list[dict[str, Array]] = []
    counts: list[int] = []
    at = start
    for goal in goals:
        parts += [slowly(leg, tasks, step) for leg in route(tasks, at, goal, scene)]
        if pause_s > 0:
            parts.append({arm: np.repeat(q[None], round(pause_s / step) + 1, axis=0) for arm, q in goal.items()})
        counts.append(1 + sum(len(next(iter(part.values()))) - 1 for part in parts))
        at = goal
    q = {task.name: joined([part[task.name] for part in parts]) for task in tasks}
    nowhere = np.full(counts[-1], np.nan)
    t = np.arange(counts[-1], dtype=float) * step
    return Motion(t, q, np.zeros(counts[-1], bool), nowhere, 1.0), [float(t[n - 1]) for n in counts]


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
