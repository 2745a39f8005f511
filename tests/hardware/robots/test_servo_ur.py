"""Servo processes with UR arms: plans of one make and of two, and faults of one arm that stop the other."""

import os
import signal
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from hardware.robots.emulator.process import Fault
from tests.hardware.robots.servo_rig import ServoRig, servo_rig

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module", params=["sim-mixed", pytest.param("sim-ur5e", marks=pytest.mark.slow)])
def running(request: pytest.FixtureRequest) -> Iterator[ServoRig]:
    with servo_rig(request.param) as rig:
        yield rig


@pytest.fixture
def arms(running: ServoRig) -> ServoRig:
    """Both arms at home and connected, whatever the last test did to them."""
    running.reset()
    running.group.connect()
    return running


def test_two_arms_run_one_plan_and_end_where_it_ends(arms: ServoRig) -> None:
    plan = arms.plan()
    arms.run(plan)
    assert arms.until_ended().end == "done"
    for part in plan.arms:
        np.testing.assert_allclose(arms.emulators[part.arm].joints().q, part.q[-1], atol=5e-3)


@pytest.mark.parametrize("kind", ["protective_stop", "silent"])
def test_a_fault_of_the_ur_stops_both_arms(arms: ServoRig, kind: str) -> None:
    arms.run(arms.plan(seconds=4.0, swing=0.3))
    arms.until_moving()
    arms.emulators["left"].inject(Fault(kind))  # type: ignore[arg-type]
    progress = arms.until_ended()
    assert progress.end == "fault"
    assert "left" in progress.message
    arms.until_standing()


def test_a_ur_whose_connection_process_is_killed_stops_both_arms(arms: ServoRig) -> None:
    arms.run(arms.plan(seconds=4.0, swing=0.3))
    arms.until_moving()
    _kill_ur_rtde("left")
    progress = arms.until_ended()
    assert progress.end == "fault"
    assert "left" in progress.message
    arms.until_standing()


def test_a_servo_process_killed_in_motion_leaves_no_process_and_no_moving_arm(arms: ServoRig) -> None:
    arms.run(arms.plan(seconds=4.0, swing=0.3))
    arms.until_moving()
    link = _ur_rtde("left")
    os.kill(link.ppid(), signal.SIGKILL)
    assert arms.until_ended().end == "fault"
    arms.until_standing()
    link.wait(5.0)


def _ur_rtde(arm: str) -> psutil.Process:
    """The process that holds ur-rtde for an arm: found beside the servo process of that name."""
    found = [p for p in psutil.Process().children(recursive=True) if f"UR {arm} at" in " ".join(p.cmdline())]
    assert len(found) == 1, found
    return found[0]


def _kill_ur_rtde(arm: str) -> None:
    os.kill(_ur_rtde(arm).pid, signal.SIGKILL)
