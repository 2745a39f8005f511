"""Plans that give way on two emulated arms of different makes: an estimating UR5 and an xArm with its sensor."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from hardware.geometry import apply
from hardware.plan_file import sealed
from hardware.robots.base import ArmError
from hardware.robots.emulator.process import Fault
from hardware.safety import ApprovalError
from hardware.types import Plan
from tests.hardware.robots.servo_rig import ARMS, ServoRig, servo_rig, switch_force_sensor

pytestmark = pytest.mark.alone

PUSH = Fault("external_force", wrench=(0.0, 0.0, 40.0, 0.0, 0.0, 0.0))
FORCE = 20.0


@pytest.fixture(scope="module")
def running() -> Iterator[ServoRig]:
    with servo_rig("sim-mixed") as rig:
        yield rig


@pytest.fixture
def arms(running: ServoRig) -> ServoRig:
    """Both arms at home and connected, whatever the last test did to them."""
    running.reset()
    running.group.connect()
    return running


def _yielding(rig: ServoRig, seconds: float, force: float = FORCE) -> Plan:
    plan = rig.plan(seconds, swing=0.05)
    return sealed(
        replace(plan, limits={arm: replace(had, give_way_force=force) for arm, had in plan.limits.items()})
    )


def _beside(rig: ServoRig, plan: Plan, arm: str) -> float:
    """[rad] by how much the commands of the last run left the plan at most."""
    record = rig.group.records()[arm]
    part = next(part for part in plan.arms if part.arm == arm)
    k = np.minimum(np.arange(len(record.plan_time)), len(plan.t) - 1)
    return float(np.abs(record.commanded - part.q[k]).max())


def _pushed_meanwhile(rig: ServoRig, plan: Plan, arm: str, seconds: float) -> None:
    rig.run(plan)
    rig.until(lambda progress: progress.plan_time > 0.5)
    rig.emulators[arm].inject(PUSH)
    rig.until(lambda progress: progress.plan_time > 0.5 + seconds or progress.end is not None)
    rig.emulators[arm].inject(Fault("none"))


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_gives_way_to_a_push_comes_back_and_ends_where_the_plan_does(arms: ServoRig, arm: str) -> None:
    plan = _yielding(arms, 3.0)
    _pushed_meanwhile(arms, plan, arm, 0.4)
    assert arms.until_ended().end == "done", arms.group.progress().message
    other = next(each for each in ARMS if each != arm)
    assert _beside(arms, plan, arm) > 0.01
    assert _beside(arms, plan, other) == 0.0
    for part in plan.arms:
        np.testing.assert_allclose(arms.emulators[part.arm].joints().q, part.q[-1], atol=5e-3)


def test_a_stiff_plan_does_not_give_way(arms: ServoRig) -> None:
    plan = arms.plan(2.0, swing=0.05)
    _pushed_meanwhile(arms, plan, "left", 0.4)
    assert arms.until_ended().end == "done"
    assert _beside(arms, plan, "left") == 0.0


def test_a_push_that_does_not_end_stops_both_arms_after_30_mm(arms: ServoRig) -> None:
    arms.run(_yielding(arms, 6.0))
    arms.until(lambda progress: progress.plan_time > 0.5)
    arms.emulators["right"].inject(PUSH)
    progress = arms.until_ended()
    assert progress.end == "fault"
    assert "right: it gave way by 30 mm and still feels 40 N" in progress.message
    arms.until_standing()


def test_giving_way_ends_at_the_edge_of_the_workspace_with_both_arms_stopped(arms: ServoRig) -> None:
    plan = _yielding(arms, 6.0)
    part = next(part for part in plan.arms if part.arm == "right")
    T_world_tool = arms.rig.arm("right").T_world_base @ part.T_base_tool
    highest = apply(T_world_tool, arms.tools["right"].tip[None])[:, 0, 2].max()
    low, high = plan.limits["right"].workspace
    tight = replace(plan.limits["right"], workspace=np.array([low, [*high[:2], highest + 0.01]]))
    arms.run(sealed(replace(plan, limits={**plan.limits, "right": tight})))
    arms.until(lambda progress: progress.plan_time > 0.5)
    arms.emulators["right"].inject(PUSH)
    progress = arms.until_ended()
    assert progress.end == "fault"
    assert "right: workspace of z" in progress.message
    arms.until_standing()


def test_an_arm_that_does_not_tell_its_force_any_more_stops_both(arms: ServoRig) -> None:
    arms.run(_yielding(arms, 6.0))
    arms.until(lambda progress: progress.plan_time > 0.5)
    switch_force_sensor(arms.emulators["right"].address, on=False)
    progress = arms.until_ended()
    assert progress.end == "fault"
    assert "right: it does not tell the force at its tool any more" in progress.message
    arms.until_standing()


@pytest.mark.parametrize("arm", ARMS)
def test_a_force_that_is_felt_before_the_start_is_said_and_nothing_moves(arms: ServoRig, arm: str) -> None:
    # one that is switched on takes the force of then for none
    switch_force_sensor(arms.emulators["right"].address, on=True)
    arms.group.connect()
    plan = _yielding(arms, 1.0)
    arms.emulators[arm].inject(PUSH)
    with pytest.raises(ArmError, match=rf"{arm}: it feels 40\.0 N while it stands"):
        arms.group.prepare(plan, arms.approve(plan))
    assert arms.speed() < 1e-4


def test_an_estimating_arm_refuses_a_force_that_it_cannot_be_sure_of(arms: ServoRig) -> None:
    with pytest.raises(ApprovalError, match="left: it cannot give way to 10 N; valid: 20 to under 60 N"):
        arms.approve(_yielding(arms, 1.0, force=10.0))
