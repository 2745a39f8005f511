"""A plan small enough to reason about: 2 s approach, 6 s work over frames 2 to 11, 2 s retreat, one arm."""

import numpy as np

from hardware.types import ArmPlan, Check, Clamp, Phase, Plan


def small_plan(checks: tuple[Check, ...] = (), clamps: tuple[Clamp, ...] = ()) -> Plan:
    t = np.linspace(0.0, 10.0, 1001)
    work = (t >= 2.0) & (t <= 8.0)
    clip_frame = np.where(work, 2.0 + (t - 2.0) * 1.5, np.nan)
    poses = np.tile(np.eye(4), (len(t), 1, 1))
    arm = ArmPlan("left", "xarm7", "rotation_gripper_left", np.zeros((len(t), 7)), poses, poses)
    return Plan(
        t=t,
        arms=(arm,),
        phases=(Phase("approach", 0.0, 2.0), Phase("work", 2.0, 8.0), Phase("retreat", 8.0, 10.0)),
        clip_frame=clip_frame,
        speed_scale=0.25,
        limits={},
        checks=checks,
        clamps=clamps,
        dream="example",
        track_sha256="",
        rig_sha256="",
        emulated_only=False,
        sha256="a" * 64,
    )
