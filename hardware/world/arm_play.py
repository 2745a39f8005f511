"""A plan played at a simulated table without controllers or a wait: the live table's arms, on a virtual clock.

What the controllers would add is left out: their lag (under 1 mrad, docs/benchmarks.md), and their refusals.
"""

from collections.abc import Mapping

import numpy as np

from hardware.geometry import Array
from hardware.rig import Rig
from hardware.trajectory import sample
from hardware.types import Plan, Tool
from hardware.world.live import LiveWorld
from hardware.world.motion import DT
from hardware.world.tasks.layout import Layout, Moment

STEP = 2 * DT  # [s] between two joint targets, about a controller's
LOOK_EVERY = 4  # such steps: the truth at 31 Hz
REST = 0.4  # [s] at the end, until nothing slides any more


def play(
    plan: Plan,
    rig: Rig,
    tools: Mapping[str, Tool],
    roles: Mapping[str, str],
    layout: Layout,
    T_world_thing: Mapping[str, Array],
) -> tuple[Moment, ...]:
    """Play a plan at its own times; return what was so every 32 ms, the last with everything at rest, stamped with
    `task_time`.

    tools by the arms' roles; roles: arm -> the tool's role in the task; T_world_thing: where things lie, at rest.
    Whether the plan may be run at all is for the caller to ask.
    """
    world = LiveWorld(rig, tuple(c.camera for c in rig.cameras), tools, layout.task, layout.seed, layout.held_out)
    for name, T in T_world_thing.items():
        world.place(name, T)
    world.jump({arm.arm: arm.q[0] for arm in plan.arms})
    times = np.arange(plan.t[0], plan.t[-1] + REST, STEP)
    joints = {arm.arm: sample(plan.t, arm.q, times) for arm in plan.arms}
    stamps = task_time(plan, times, layout.fps)
    moments = []
    for k, t in enumerate(stamps):
        world.advance(STEP, {arm: q[k] for arm, q in joints.items()})
        if k % LOOK_EVERY == 0 or k == len(times) - 1:
            moments.append(_moment(world, float(t), roles))
    return tuple(moments)


def task_time(plan: Plan, t: Array, fps: float) -> Array:
    """Return plan times t (N,) [s] on the clock of the clip, of fps, that the plan follows; before and after the
    work seconds are the plan's.

    Arms work slower than the person whom they follow; what a rule says of times, it says of the task as shown.
    """
    work = np.isfinite(plan.clip_frame)
    begin, end = plan.t[work][[0, -1]]
    shown = np.interp(t, plan.t[work], plan.clip_frame[work] / fps)
    return np.asarray(shown + np.minimum(t - begin, 0.0) + np.maximum(t - end, 0.0))


def _moment(world: LiveWorld, t: float, roles: Mapping[str, str]) -> Moment:
    truth = world.truth(t)
    tools = {role: truth.T_world_tool[arm] for arm, role in roles.items()}
    touching = frozenset((roles[arm], body) for arm, body in truth.touching if arm in roles)
    return Moment(t, truth.T_world_object, tools, touching)
