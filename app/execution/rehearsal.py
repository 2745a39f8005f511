"""A plan as something to look at before it is run, and the curves of a run to look at while it is."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.rig import Rig
from hardware.robots.arm_group import ArmRecord
from hardware.types import Plan, Tool


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A plan to play back. t (N,) [s]; clip_frame (N,), nan outside the work; by arm: q (N, J) [rad],
    T_world_tool (N, 4, 4), tip_speed (N,) [m/s]."""

    t: Array
    clip_frame: Array
    q: Mapping[str, Array]
    T_world_tool: Mapping[str, Array]
    tip_speed: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Curves:
    """Planned against measured so far, by arm. t (N,) plan time [s]; commanded, sent, measured (N, J) [rad]."""

    t: Mapping[str, Array]
    commanded: Mapping[str, Array]
    sent: Mapping[str, Array]
    measured: Mapping[str, Array]


def rehearse(plan: Plan, rig: Rig, tools: Mapping[str, Tool]) -> Rehearsal:
    """Return the playback of a plan; tools by arm (the tool's origin stands in for an unknown tip)."""
    poses = {arm.arm: rig.arm(arm.arm).T_world_base @ arm.T_base_tool for arm in plan.arms}
    speeds = {}
    for name, T in poses.items():
        tip = tools[name].tip if name in tools else np.zeros(3)
        path = T[:, :3, :3] @ tip + T[:, :3, 3]
        speeds[name] = np.linalg.norm(np.gradient(path, plan.t, axis=0), axis=1) if len(plan.t) > 1 else np.zeros(1)
    return Rehearsal(plan.t, plan.clip_frame, {arm.arm: arm.q for arm in plan.arms}, poses, speeds)


def curves_of(records: Mapping[str, ArmRecord]) -> Curves:
    """Return the curves of what was recorded so far."""
    return Curves(
        t={name: record.plan_time for name, record in records.items()},
        commanded={name: record.commanded for name, record in records.items()},
        sent={name: record.sent for name, record in records.items()},
        measured={name: record.measured for name, record in records.items()},
    )
