"""How long planning takes and how exact it is: two arms, a clip of 2 s at 6 frames a second, first run."""

import json
import statistics
import time

import numpy as np

from hardware.collision import CollisionModel
from hardware.geometry import Array, rotation_from_vector, transform
from hardware.planning import ToolPath, default_limits, plan
from hardware.rig import Rig, built_in_rigs, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Check, Plan, Tool

FPS, FRAMES, ROUNDS = 6.0, 13, 7
SAMPLES_6_S = 601


def rotation_task() -> dict[str, ToolPath]:
    """Both grippers come down to an object and turn it by about half a radian, as in the rotation dreams."""
    s = np.linspace(0.0, 1.0, FRAMES)
    down, turn = np.clip(s / 0.3, 0, 1), np.clip((s - 0.4) / 0.6, 0, 1)
    return {side: _side(sign, down, turn) for side, sign in (("left", -1.0), ("right", 1.0))}


def _side(sign: float, down: Array, turn: Array) -> ToolPath:
    angle = 0.5 * turn
    radius = 0.14 + 0.06 * (1 - down)
    position = np.stack(
        [sign * radius * np.cos(angle), sign * radius * np.sin(angle), 0.09 + 0.04 * (1 - down)], axis=1
    )
    yaw = angle + (np.pi if sign > 0 else 0.0)
    R = rotation_from_vector(yaw[:, None] * np.array([0.0, 0.0, 1.0])) @ rotation_from_vector([0.0, 0.2, 0.0])
    return ToolPath(np.arange(FRAMES) / FPS, transform(R, position))


def _planned(rig: Rig, tools: dict[str, Tool]) -> tuple[Plan, float]:
    limits = {arm.name: default_limits(rig, arm) for arm in rig.arms}
    home = {arm.name: arm.home for arm in rig.arms}
    start = time.perf_counter()
    made = plan(rotation_task(), rig, limits, tools=tools, q_start=home, fps=FPS)
    return made, time.perf_counter() - start


def _worst(checks: tuple[Check, ...], rule: str) -> float:
    return max(check.value or 0.0 for check in checks if check.rule == rule)


def _collision_s(rig: Rig, tools: dict[str, Tool], made: Plan) -> float:
    """Seconds to check 6 s of both arms at 100 Hz, around the work."""
    model = CollisionModel(rig, tools)
    middle = int(made.phases[1].start / (made.t[1] - made.t[0]))
    first = max(0, min(middle - 150, len(made.t) - SAMPLES_6_S))
    q = {arm.arm: arm.q[first : first + SAMPLES_6_S] for arm in made.arms}
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        model.check(q)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run() -> dict[str, object]:
    """Return the figures: seconds, millimetres, degrees."""
    rig = load_rig("sim")
    tools = {arm.name: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{arm.role}"]) for arm in rig.arms}
    made, first = _planned(rig, tools)
    times = sorted(_planned(rig, tools)[1] for _ in range(ROUNDS))
    return {
        "plan_s": {"first": first, "median": statistics.median(times), "worst": times[-1]},
        "collision_check_6_s_two_arms_s": _collision_s(rig, tools, made),
        "path_error_mm": _worst(made.checks, "path error"),
        "path_rotation_error_deg": _worst(made.checks, "path rotation error"),
        "violations": len(made.violations),
        "speed_scale": made.speed_scale,
        "duration_s": made.duration,
        **{name: _other(name) for name in built_in_rigs() if name.startswith("sim-") and load_rig(name).arms},
    }


def _other(name: str) -> dict[str, float]:
    """Seconds of planning, of the plan, and how many violations, on another simulated rig."""
    rig = load_rig(name)
    tools = {arm.name: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{arm.role}"]) for arm in rig.arms}
    made, _ = _planned(rig, tools)
    times = [_planned(rig, tools)[1] for _ in range(ROUNDS)]
    return {
        "plan_s": statistics.median(times),
        "duration_s": made.duration,
        "violations": len(made.violations),
    }


def main() -> None:
    print(json.dumps(run(), indent=1))


if __name__ == "__main__":
    main()
