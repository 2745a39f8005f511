"""Moves to a pose: sound, slow, from where the arm stands, and honest where it cannot be reached."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from hardware.geometry import Array
from hardware.plan_file import sealed
from hardware.planner.rest import plan_move, plan_tour, plan_visit
from hardware.planning import default_limits
from hardware.rig import Rig, load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import ArmLimits, Plan, Tool

AWAY = np.radians([25.0, -30.0, 5.0, 60.0, 0.0, 95.0, 10.0])


@dataclass(frozen=True, eq=False)
class Desk:
    rig: Rig
    tools: Mapping[str, Tool]
    limits: Mapping[str, ArmLimits]
    home: Mapping[str, Array]

    def move(self, goals: Mapping[str, Array], **start: Array) -> Plan:
        return plan_move(
            goals, self.rig, self.limits, tools=self.tools, q_start={**self.home, **start}, name="to a pose"
        )


@pytest.fixture(scope="module")
def desk() -> Desk:
    rig = load_rig("sim")
    tools = {side: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{side}"]) for side in ("left", "right")}
    return Desk(rig, tools, {a.name: default_limits(rig, a) for a in rig.arms}, {a.name: a.home for a in rig.arms})


def test_a_move_begins_where_the_arm_stands_and_ends_at_the_pose_at_rest(desk: Desk) -> None:
    plan = desk.move({"left": AWAY})
    assert not plan.violations, [check.text for check in plan.violations]
    (arm,) = plan.arms
    np.testing.assert_allclose(arm.q[0], desk.home["left"], atol=1e-9)
    np.testing.assert_allclose(arm.q[-1], AWAY, atol=1e-6)
    assert np.abs(np.diff(arm.q[:2], axis=0)).max() < 1e-4
    assert np.abs(np.diff(arm.q[-2:], axis=0)).max() < 1e-4
    assert [phase.name for phase in plan.phases] == ["move"]
    assert sealed(plan).sha256


def test_a_move_is_as_slow_as_a_first_run(desk: Desk) -> None:
    plan = desk.move({"left": AWAY})
    fastest = next(check for check in plan.checks if check.rule == "tip speed")
    assert fastest.value is not None
    assert fastest.value <= desk.rig.safety.first_run_tip_speed


def test_both_arms_go_home_on_one_clock(desk: Desk) -> None:
    mirrored = AWAY * [-1, 1, -1, 1, -1, 1, -1]
    plan = desk.move(desk.home, left=AWAY, right=mirrored)
    assert not plan.violations, [check.text for check in plan.violations]
    assert {arm.arm for arm in plan.arms} == {"left", "right"}
    for arm in plan.arms:
        np.testing.assert_allclose(arm.q[-1], desk.home[arm.arm], atol=1e-6)


def test_a_pose_in_the_table_is_refused_with_the_rule(desk: Desk) -> None:
    plan = desk.move({"left": np.radians([0.0, 60.0, 0.0, 60.0, 0.0, 60.0, 0.0])})
    assert {"tip height", "link near table", "workspace"} & {check.rule for check in plan.violations}


def test_a_move_holds_the_height_that_the_tools_own_task_asks_for(desk: Desk) -> None:
    high = Desk(
        desk.rig, {**desk.tools, "left": replace(desk.tools["left"], min_tip_height=0.3)}, desk.limits, desk.home
    )
    assert high.move({"left": AWAY}).limits["left"].min_tip_height == 0.3
    assert desk.move({"left": AWAY}).limits["left"].min_tip_height == desk.limits["left"].min_tip_height


def test_an_arm_that_is_there_already_is_told(desk: Desk) -> None:
    with pytest.raises(ValueError, match="stands there already"):
        desk.move({"left": desk.home["left"]})


@pytest.mark.parametrize(
    ("goals", "words"),
    [({"third": AWAY}, "no arm 'third'"), ({"left": AWAY[:6]}, "7 joints"), ({"left": AWAY * np.nan}, "nan")],
)
def test_a_goal_that_cannot_be_is_named(desk: Desk, goals: Mapping[str, Array], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        desk.move(goals)


def test_a_tour_leaves_out_the_stop_that_would_break_a_rule(desk: Desk) -> None:
    into_table = np.radians([0.0, 60.0, 0.0, 60.0, 0.0, 60.0, 0.0])
    stops = [{"left": AWAY}, {"left": into_table}, {"left": desk.home["left"] + 0.1}]
    given = {"tools": desk.tools, "q_start": desk.home, "name": "tour", "pause_s": 0.2}
    assert plan_visit(stops, desk.rig, desk.limits, **given).violations  # type: ignore[arg-type]
    plan = plan_tour(stops, desk.rig, desk.limits, least=2, **given)  # type: ignore[arg-type]
    assert not plan.violations
    assert [phase.name for phase in plan.phases] == ["stop 1", "stop 2"]
    np.testing.assert_allclose(plan.arms[0].q[-1], desk.home["left"] + 0.1, atol=1e-6)
    # where too few would be left, the plan says what it breaks
    assert plan_tour(stops, desk.rig, desk.limits, least=3, **given).violations  # type: ignore[arg-type]
