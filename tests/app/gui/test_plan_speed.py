"""The speed that the page shows is that of the point whose speed is limited."""

from dataclasses import replace

import numpy as np
import pytest

from app.dreams.plan_making import planned_tool
from app.gui.binders.dream_timeline import speeds
from app.gui.binders.scene import tip_points
from hardware.geometry import apply, exp_se3
from hardware.planning import ToolPath, default_limits, plan
from hardware.rig import load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Plan
from models.data.dream_folder import load_dream
from models.tracking.compile import EXAMPLE

RIG = load_rig()
LEFT, RIGHT = (load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{side}"]) for side in ("left", "right"))


@pytest.fixture(scope="module")
def turning() -> Plan:
    """The left tool turns on the spot and creeps along: its tip is much faster than its flange."""
    start = exp_se3(np.array([0, 0, 0, -0.15, 0, 0.08]))
    poses = np.stack([start @ exp_se3(np.array([0, 0, 0.12 * k, 0.01 * k, 0, 0])) for k in range(5)])
    arm = RIG.arm("left")
    return plan(
        {"left": ToolPath(np.arange(5) / 6, poses)},
        RIG,
        {"left": default_limits(RIG, arm)},
        tools={"left": LEFT},
        q_start={"left": arm.home},
        fps=6.0,
    )


def test_the_shown_tip_speed_is_the_one_that_the_planner_limits(turning: Plan) -> None:
    dream = replace(load_dream(EXAMPLE), tools={"left": LEFT, "right": RIGHT})
    tip = tip_points(RIG, dream, turning.arms[0])
    T_world_tool = RIG.arm("left").T_world_base @ turning.arms[0].T_base_tool
    np.testing.assert_allclose(tip, apply(T_world_tool, LEFT.tip[None])[:, 0], atol=1e-9)
    shown = speeds(turning.t, tip)
    (check,) = (c for c in turning.checks if c.rule == "tip speed")
    assert shown.max() == pytest.approx(check.value, rel=0.03)


def test_a_plan_for_a_tool_that_is_not_there_is_named(turning: Plan) -> None:
    assert planned_tool({"right": RIGHT, "left": LEFT}, turning.arms[0]) is LEFT
    with pytest.raises(KeyError, match="rotation_gripper_left"):
        planned_tool({"right": RIGHT}, turning.arms[0])
