"""Giving way, as arithmetic: how far beside its path the tip goes for which force, and within which limits."""

from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from hardware.geometry import Array
from hardware.giving_way import DAMPING, PLAN_SHARE, REACH_M, Aside, GivingWay, least_force, why_not
from hardware.kinematics import ArmKinematics
from hardware.planning import default_limits
from hardware.rig import load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool

RIG = load_rig("sim-mixed")
TOOL = load_tool(BUILT_IN_TOOLS["rotation_gripper_left"])
FORCE, DT = 20.0, 0.008


@pytest.fixture(params=["left", "right"])
def giving(request: pytest.FixtureRequest) -> tuple[GivingWay, Array]:
    """A rule for either make, and where its arm stands."""
    arm = RIG.arm(request.param)
    limits = replace(default_limits(RIG, arm), give_way_force=FORCE)
    rule = GivingWay.of(limits, ArmKinematics.load(arm.model), TOOL, DT)
    assert rule is not None
    return rule, np.asarray(arm.home)


def _pushed(rule: GivingWay, q: Array, force: Array, seconds: float, aside: Aside | None = None) -> list[Aside]:
    found = [aside or Aside.none()]
    for _ in range(round(seconds / DT)):
        found.append(rule.step(found[-1], q, np.concatenate([force, np.zeros(3)])))
    return found


def test_a_stiff_plan_has_no_rule() -> None:
    arm = RIG.arm("left")
    assert GivingWay.of(default_limits(RIG, arm), ArmKinematics.load(arm.model), TOOL, DT) is None


def test_what_is_not_over_the_force_leaves_the_command_as_planned(giving: tuple[GivingWay, Array]) -> None:
    rule, q = giving
    last = _pushed(rule, q, np.array([0.0, 0.0, FORCE * 0.99]), 2.0)[-1]
    assert rule.beside(q, last) is q


def test_the_tip_goes_where_it_is_pushed_and_the_tool_does_not_turn(giving: tuple[GivingWay, Array]) -> None:
    rule, q = giving
    push = np.array([0.0, 24.0, 18.0])
    aside = _pushed(rule, q, push, 1.2)[-1]
    # 10 N too much
    assert aside.velocity == pytest.approx(push / 30.0 * 10.0 / DAMPING, rel=1e-3)
    assert 0.015 < aside.distance < REACH_M
    moved = rule.beside(q, aside)
    before, after = (rule.kinematics.flange_pose(each) @ TOOL.T_flange_tool for each in (q, moved))
    tips = [T[:3, :3] @ TOOL.tip + T[:3, 3] for T in (before, after)]
    np.testing.assert_allclose(tips[1] - tips[0], aside.offset, atol=5e-5)
    np.testing.assert_allclose(after[:3, :3], before[:3, :3], atol=2e-4)


def test_giving_way_keeps_to_what_the_plan_leaves_of_the_limits(giving: tuple[GivingWay, Array]) -> None:
    rule, q = giving
    path = _pushed(rule, q, np.array([0.0, 300.0, 0.0]), 0.4)
    left, limits = 1.0 - PLAN_SHARE, rule.limits
    velocity = np.array([aside.velocity for aside in path])
    joints = np.array([rule.beside(q, aside) for aside in path])
    assert np.linalg.norm(velocity, axis=1).max() <= left * limits.tip_speed
    assert np.linalg.norm(np.diff(velocity, axis=0), axis=1).max() / DT <= left * limits.tip_acceleration
    assert (np.abs(np.diff(joints, axis=0)) / DT <= left * limits.dq_max).all()
    assert path[-1].spent


def test_it_comes_back_to_the_very_path_once_nobody_pushes(giving: tuple[GivingWay, Array]) -> None:
    rule, q = giving
    out = _pushed(rule, q, np.array([0.0, 0.0, 40.0]), 0.5)[-1]
    assert out.distance > 0.01
    way = _pushed(rule, q, np.zeros(3), 4.0, out)
    assert rule.beside(q, way[-1]) is q
    # without swinging over to the other side
    assert min(aside.offset[2] for aside in way) > -1e-5


def test_against_something_hard_it_keeps_the_force_and_does_not_rattle(giving: tuple[GivingWay, Array]) -> None:
    """The path goes on 20 mm into a surface of 5 kN/m; the force is felt 40 ms late."""
    rule, q = giving
    aside, late, forces = Aside.none(), deque([0.0] * 5), []
    for k in range(round(6.0 / DT)):
        depth = max(min(0.01 * k * DT, 0.02) + aside.offset[0], 0.0)
        late.append(-5000.0 * depth)
        forces.append(late.popleft())
        aside = rule.step(aside, q, np.array([forces[-1], 0, 0, 0, 0, 0]))
    assert max(np.abs(forces)) < 2 * FORCE
    rest = np.abs(forces[-round(1.0 / DT) :])
    assert rest.mean() == pytest.approx(FORCE, rel=0.1)
    assert np.ptp(rest) < 1.0


@pytest.mark.parametrize(
    ("forces", "least"), [("measured", 5), ("on demand", 5), ("estimated", 20), ("none", None)]
)
def test_what_an_arm_can_give_way_to_depends_on_how_it_knows_of_forces(forces: str, least: float | None) -> None:
    limits = replace(default_limits(RIG, RIG.arm("left")), source={"forces": forces})
    assert least_force(limits) == least
    assert why_not(np.inf, limits) == ""
    if least is None:
        assert "feels no force" in why_not(30.0, limits)
        return
    assert why_not(least, limits) == ""
    assert f"valid: {least} to under 60 N" in why_not(least - 1, limits)
    assert why_not(60.0, limits)
    assert why_not(float("nan"), limits)
