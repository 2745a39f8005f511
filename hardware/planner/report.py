"""What a person is told of a motion: every check, and every place where the tool was moved off its track."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, inverse, project, rotation_angle
from hardware.giving_way import PLAN_SHARE, REACH_M
from hardware.planner import checks
from hardware.planner.motion import Motion
from hardware.planner.slowing import SlowPlaces
from hardware.planner.task import ArmTask, Scene
from hardware.rig import Rig
from hardware.types import ArmPlan, Camera, Check, CheckStatus, Clamp

MAX_DURATION_S = 180.0
# a quick hand reaches 1.1 m/s between two frames of a demonstration
TRACK_SPEED, TRACK_TURN, TRACK_GAP_S = 1.5, np.radians(720.0), 0.5
SLOW_SCALE = 0.1
SEEN_LIFT_M = 1e-6


def check_motion(
    tasks: Sequence[ArmTask],
    arms: Sequence[ArmPlan],
    motion: Motion,
    scene: Scene,
    rig: Rig,
    clamps: Sequence[Clamp],
) -> list[Check]:
    """Return a Check for every rule of motion, kept or not."""
    found = []
    for task, arm in zip(tasks, arms, strict=True):
        found += [*_track(task, motion), *checks.check_arm(task, arm, motion), *_gives_way(task)]
    found += checks.check_clearance(scene.check(motion.q), motion.t)
    found += [_out_of_view(task, motion.q[task.name][-1], rig) for task in tasks]
    found += [_duration(motion), *_speed_scale(motion), *map(_clamp, clamps)]
    return found


def check_move(tasks: Sequence[ArmTask], arms: Sequence[ArmPlan], motion: Motion, scene: Scene) -> list[Check]:
    """Return a Check for every rule of motion that a move without a dream has to keep."""
    own = [check for task, arm in zip(tasks, arms, strict=True) for check in checks.check_arm(task, arm, motion)]
    return [*own, *checks.check_clearance(scene.check(motion.q), motion.t), _duration(motion)]


def clamps_of(task: ArmTask, motion: Motion) -> list[Clamp]:
    """Return where and by how much the path was raised over the table."""
    t, lift = motion.t[motion.work], task.path.lift(motion.clip_time[motion.work])
    height = task.limits.min_tip_height * 1e3
    found = []
    for span in checks.spans_of(lift > SEEN_LIFT_M, t):
        amount = float(lift[(t >= span[0]) & (t <= span[1])].max())
        text = f"raised by up to {amount * 1e3:.1f} mm to stay {height:.1f} mm over the table"
        found.append(Clamp(task.name, span, amount, text))
    return found


def _clamp(clamp: Clamp) -> Check:
    hint = "Look whether the tool still does its work there; correct the track if not."
    return Check("clamp", "warning", clamp.text, clamp.arm, clamp.amount * 1e3, 0.0, "mm", (clamp.span,), hint)


def _track(task: ArmTask, motion: Motion) -> list[Check]:
    """Jumps and gaps of the given poses, their spans in plan time."""
    u, T = task.given.t, task.given.T_world_tool
    at = np.interp(u, motion.clip_time[motion.work], motion.t[motion.work])
    dt = np.diff(u)
    speed = np.linalg.norm(np.diff(T[:, :3, 3], axis=0), axis=1) / dt
    turn = rotation_angle(T[:-1, :3, :3], T[1:, :3, :3]) / dt
    jumps, gaps = np.maximum(speed / TRACK_SPEED, turn / TRACK_TURN) > 1, dt > TRACK_GAP_S
    fastest = f"the tool moves at up to {speed.max():.2f} m/s and {np.degrees(turn.max()):.0f} deg/s"
    longest = f"up to {dt.max():.2f} s of the clip lie between two tracked poses"

    def spans(bad: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
        return tuple((float(at[i]), float(at[i + 1])) for i in np.flatnonzero(bad))

    return [
        Check(
            "track jump",
            "violation" if jumps.any() else "ok",
            f"between two poses of the track {fastest}",
            task.name,
            float(speed.max()),
            TRACK_SPEED,
            "m/s",
            spans(jumps),
            "Correct the track there: draw a box and track again." if jumps.any() else "",
        ),
        Check(
            "track gap",
            "warning" if gaps.any() else "ok",
            longest,
            task.name,
            float(dt.max()),
            TRACK_GAP_S,
            "s",
            spans(gaps),
            "The path between is guessed: draw a box where the tool was lost." if gaps.any() else "",
        ),
    ]


def _out_of_view(task: ArmTask, q_end: Array, rig: Rig) -> Check:
    T = task.config.T_world_base @ task.T_base_tool(q_end)
    points = apply(T, task.tool.mesh.vertices)
    seen = [c.camera.name for c in rig.cameras if _visible(points, c.camera)]
    text = f"at the end the tool is {'in the picture of ' + ', '.join(seen) if seen else 'out of all pictures'}"
    hint = "Choose another home for this arm in the rig file." if seen else ""
    return Check("retreat", "warning" if seen else "ok", text, task.name, hint=hint)


def _visible(points: Array, camera: Camera) -> bool:
    if camera.T_world_cam is None:
        return False
    uv = project(camera.K, apply(inverse(camera.T_world_cam), points))
    inside = (uv >= -0.5) & (uv <= np.array(camera.size) - 0.5)
    return bool(inside.all(axis=1).any())


def _gives_way(task: ArmTask) -> list[Check]:
    force = task.limits.give_way_force
    if not np.isfinite(force):
        return []
    text = f"gives way to more than {force:g} N at the tool, by up to {REACH_M * 1e3:.0f} mm, then stops; "
    words = f"{text}planned at {PLAN_SHARE:.0%} of its limits of speed, to be able to"
    return [Check("gives way", "ok", words, task.name, force, None, "N")]


def _duration(motion: Motion) -> Check:
    total = float(motion.t[-1])
    long = total > MAX_DURATION_S
    hint = "Trim the clip; a jump in the track also makes a plan long." if long else ""
    status: CheckStatus = "violation" if long else "ok"
    return Check("duration", status, f"the plan takes {total:.1f} s", "", total, MAX_DURATION_S, "s", hint=hint)


def _speed_scale(motion: Motion) -> list[Check]:
    """The average, and for every limit that slowed the clock where and how much: that is no fault, but seen."""
    slow = motion.speed_scale < SLOW_SCALE
    hint = "Fast places take most of the time: look where it is slowed and correct the track." if slow else ""
    text = f"the work runs at {motion.speed_scale:.2f} of the clip's speed on average"
    average = Check(
        "speed scale", "warning" if slow else "ok", text, "", motion.speed_scale, SLOW_SCALE, "", hint=hint
    )
    return [average, *(_slowed(place, motion) for place in motion.slow)]


def _slowed(place: SlowPlaces, motion: Motion) -> Check:
    spans = checks.spans_of(place.here, motion.t)
    seconds = sum(end - start for start, end in spans)
    text = f"slowed for {seconds:.1f} s to {place.rate:.2f} of the clip's speed to keep the limit of {place.limit}"
    return Check("slowed", "ok", text, place.arm, place.rate, None, "", spans)
