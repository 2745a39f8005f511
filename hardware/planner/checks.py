"""The rules of motion held against samples: what was found, how much, where, and what a person can do.

Each rule gives a Check also when it is kept, so that a person sees that it was asked. Derivatives are differences
of the samples: what the servo process will see.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.collision import Clearance, Kind
from hardware.geometry import Array, rotation_angle
from hardware.planner.motion import Motion
from hardware.planner.task import MARGIN, ArmTask
from hardware.types import ArmPlan, Check

PATH_ERROR_M, PATH_ERROR_RAD = 1e-4, np.radians(0.05)
DEG = float(np.degrees(1.0))
# the lift over the table aims exactly at the limit: a hundredth of a millimetre is rounding between its samples
HEIGHT_ROUNDING_M = 1e-5

# a UR's wrist under this sine of its joint is called straight: about 20 degrees
STRAIGHT_WRIST = 0.35

SLOW_DOWN = "Lower the speed scale, or smooth the track there."
CORRECT = "correct the track there (draw a box and track again), or trim the clip."
JOG_INSIDE = "The arm stands outside its box: jog it inside, then plan again."
MOVE_AWAY = "Trim the clip, correct the track, or place the scene further from what is near."
CLEARANCE_RULES: Sequence[tuple[Kind, str, str]] = (
    ("self", "self-collision", "An arm comes near itself: correct the track there or turn the tool less."),
    ("arms", "arm collision", "The arms come near each other: correct the track or plan one arm alone."),
    ("keep-out", "keep-out", MOVE_AWAY),
    ("table", "link near table", "A link comes near the table: raise the path or tilt the tool less."),
)


def check_arm(task: ArmTask, plan: ArmPlan, motion: Motion) -> list[Check]:
    """Return the checks of one arm's own motion."""
    t, q, limits = motion.t, plan.q, task.limits
    inside, jump = task.inside(q), np.abs(q[:1] - task.q_start).max(axis=1)
    outside = JOG_INSIDE if inside[0] < 0 else "The tool tip leaves its box. " + MOVE_AWAY
    return [
        *(_path(task, plan, motion) if motion.work.any() else ()),
        *_tip(task, task.tip(q), t),
        *_joints(task, q, t),
        at_least("workspace", task.name, inside, 0.0, "mm", t, outside, 1e3),
        at_least(
            "tip height",
            task.name,
            task.lowest(q) + HEIGHT_ROUNDING_M,
            limits.min_tip_height,
            "mm",
            t,
            "The tool comes too near the table: raise the first pose, or correct where the dream is placed.",
            1e3,
        ),
        at_least(
            "singularity",
            task.name,
            task.kinematics.singularity_distance(q),
            limits.min_singularity,
            "",
            t,
            _singular_hint(task, q),
        ),
        at_most("first command", task.name, jump, limits.max_jump_rad, "rad", t[:1], "The arm moved: plan again."),
    ]


def _singular_hint(task: ArmTask, q: Array) -> str:
    worst = q[int(np.argmin(task.kinematics.singularity_distance(q)))]
    folded = "The arm is nearly stretched or folded: move the scene nearer to its base, or " + CORRECT
    return _straight_wrist(task, worst) or folded


def _straight_wrist(task: ArmTask, q: Array) -> str:
    """What to do where joints (J,) hold a straight wrist, "" where they do not."""
    wrist = task.kinematics.wrist
    if wrist is None or not abs(np.sin(q[wrist])) < STRAIGHT_WRIST:
        return ""
    straight = f"The wrist is nearly straight (joint {wrist + 1} at {np.degrees(q[wrist]):.0f} degrees), where it "
    return straight + "would have to turn at once: mount the tool at another angle, or " + CORRECT


def check_clearance(clearance: Clearance, t: Array) -> list[Check]:
    """Return the checks of what all arms keep clear of, with the nearest pair."""
    found = []
    for kind, rule, hint in CLEARANCE_RULES:
        distance = clearance.distance[kind]
        check = at_least(rule, "", distance, MARGIN[kind], "mm", t, hint, 1e3)
        nearest = clearance.pair[kind][int(np.argmin(distance))]
        text = f"{check.text} ({nearest})" if nearest else "there is nothing to keep clear of"
        found.append(Check(rule, check.status, text, "", check.value, check.limit, "mm", check.spans, check.hint))
    return found


def spans_of(bad: NDArray[np.bool_], t: Array) -> tuple[tuple[float, float], ...]:
    """Return the stretches of times t (N,) where bad (N,) holds."""
    edges = np.diff(np.concatenate([[0], bad.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return tuple((float(t[a]), float(t[b])) for a, b in zip(starts, ends, strict=True))


def at_most(
    rule: str, arm: str, values: Array, limit: float, unit: str, t: Array, hint: str, scale: float = 1.0
) -> Check:
    """Return the check that values (N,) at t (N,) nowhere exceed limit; both are told times `scale` in `unit`."""
    return _bound(rule, arm, np.where(np.isnan(values), np.inf, values), limit, unit, t, hint, scale, "most")


def at_least(
    rule: str, arm: str, values: Array, limit: float, unit: str, t: Array, hint: str, scale: float = 1.0
) -> Check:
    """Return the check that values (N,) at t (N,) are nowhere below limit."""
    return _bound(rule, arm, np.where(np.isnan(values), -np.inf, values), limit, unit, t, hint, scale, "least")


def _bound(
    rule: str, arm: str, values: Array, limit: float, unit: str, t: Array, hint: str, scale: float, side: str
) -> Check:
    worst = int(np.argmax(values) if side == "most" else np.argmin(values))
    bad = values > limit if side == "most" else values < limit
    value, bound = float(values[worst]) * scale, float(limit) * scale
    text = f"{rule} is at {side} {value:.3g} {unit}".rstrip() + f" (limit {bound:.3g})"
    if not bad.any():
        return Check(rule, "ok", text, arm, value, bound, unit)
    return Check(rule, "violation", f"{text}, at {t[worst]:.2f} s", arm, value, bound, unit, spans_of(bad, t), hint)


def _path(task: ArmTask, plan: ArmPlan, motion: Motion) -> list[Check]:
    target, found = plan.target_T_base_tool[motion.work], plan.T_base_tool[motion.work]
    position = np.linalg.norm(found[:, :3, 3] - target[:, :3, 3], axis=1)
    rotation = rotation_angle(found[:, :3, :3], target[:, :3, :3])
    t, q = motion.t[motion.work], plan.q[motion.work]
    worst = int(np.argmax(np.nan_to_num(position, nan=np.inf)))
    hint = _straight_wrist(task, q[worst]) or "The arm cannot reach this: " + CORRECT
    return [
        at_most("path error", task.name, position, PATH_ERROR_M, "mm", t, hint, 1e3),
        at_most("path rotation error", task.name, rotation, PATH_ERROR_RAD, "deg", t, hint, DEG),
    ]


def _tip(task: ArmTask, tip: Array, t: Array) -> list[Check]:
    step, limits = t[1] - t[0], task.limits
    velocity = np.diff(tip, axis=0) / step
    speed = np.linalg.norm(velocity, axis=1)
    acceleration = np.linalg.norm(np.diff(velocity, axis=0), axis=1) / step
    return [
        at_most("tip speed", task.name, speed, limits.tip_speed, "m/s", t[1:], SLOW_DOWN),
        at_most("tip acceleration", task.name, acceleration, limits.tip_acceleration, "m/s²", t[1:-1], SLOW_DOWN),
    ]


def _joints(task: ArmTask, q: Array, t: Array) -> list[Check]:
    step, limits, name = t[1] - t[0], task.limits, task.name
    margin = np.minimum(q - limits.q_lower, limits.q_upper - q).min(axis=1)
    bounds = (limits.dq_max, limits.ddq_max, task.kinematics.dddq_max)
    found = [at_least("joint limits", name, margin, 0.0, "deg", t, "A joint is at its end: " + CORRECT, DEG)]
    values = q
    for order, (word, bound) in enumerate(zip(("speed", "acceleration", "jerk"), bounds, strict=True), 1):
        values = np.diff(values, axis=0) / step
        share = np.max(np.abs(values) / bound, axis=1)
        found.append(at_most(f"joint {word}", name, share, 1.0, "of the limit", t[: len(q) - order], SLOW_DOWN))
    return found
