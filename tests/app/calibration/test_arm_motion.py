"""The stops of a hand-eye calibration: within reach, leant about two axes, one plan from where the arm stands."""

from dataclasses import replace

import numpy as np
import pytest

from app.calibration.arm_motion import stops_around
from hardware.calibration.hand_eye import LEAST_TURN_RAD
from hardware.calibration.report import refuse_little_turning
from hardware.kinematics import ArmKinematics
from hardware.planner.rest import plan_visit
from hardware.planning import default_limits
from hardware.rig import load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool

BENT = np.radians([10.0, -30.0, 5.0, 60.0, 0.0, 80.0, 10.0])


@pytest.mark.parametrize("wrist", [True, False])
def test_the_stops_lean_enough_for_a_hand_eye_calibration(wrist: bool) -> None:
    arm = ArmKinematics.load("xarm7")
    stops = stops_around(arm, BENT, wrist)
    T = arm.flange_pose(stops.q)
    refuse_little_turning(T[:, :3, :3], LEAST_TURN_RAD, "poses: the wrist", "")
    np.testing.assert_allclose(stops.q[-1], BENT)
    assert np.linalg.norm(T[:, :3, 3] - T[-1, :3, 3], axis=1).max() < 0.3


def test_an_arm_with_too_little_room_is_refused_in_words() -> None:
    free = ArmKinematics.load("xarm7")
    narrow = replace(free, q_lower=BENT - 0.1, q_upper=BENT + 0.1)
    with pytest.raises(ValueError, match="middle of its reach"):
        stops_around(narrow, BENT, True)


def test_one_plan_rests_at_every_stop_at_the_speed_of_a_first_run() -> None:
    rig = load_rig("sim")
    tools = {side: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{side}"]) for side in ("left", "right")}
    limits = {arm.name: default_limits(rig, arm) for arm in rig.arms}
    home = {arm.name: arm.home for arm in rig.arms}
    stops = stops_around(ArmKinematics.load("xarm7"), home["left"] + [0, 0.2, 0, 0.1, 0, 0, 0], False).q[:3]
    goals = [{"left": q} for q in stops]
    plan = plan_visit(goals, rig, limits, tools=tools, q_start=home, name="hand-eye", pause_s=0.5)
    assert [phase.name for phase in plan.phases] == ["stop 1", "stop 2", "stop 3"]
    (arm,) = plan.arms
    for phase, q in zip(plan.phases, stops, strict=True):
        resting = (plan.t > phase.end - 0.49) & (plan.t < phase.end + 1e-6)
        np.testing.assert_allclose(arm.q[resting], np.broadcast_to(q, arm.q[resting].shape), atol=1e-9)
    assert plan.phases[-1].end == pytest.approx(float(plan.t[-1]))
    fastest = next(check for check in plan.checks if check.rule == "tip speed")
    assert fastest.value is not None
    assert fastest.value <= rig.safety.first_run_tip_speed
