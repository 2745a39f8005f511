"""A gripper moved by a person: it goes while the window lives and nobody stops it, and only where there is one."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from hardware.robots.arm_group import HoldState
from hardware.robots.base import ArmError
from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.frames import Frame
from hardware.robots.emulator.gripper_registers import NO_ANSWER
from hardware.robots.emulator.payloads import Session
from hardware.robots.emulator.process import Fault
from hardware.robots.emulator.registers import reply_to
from hardware.robots.emulator.xarm_controller import XArmController
from hardware.safety import ApprovalError, grant_motion
from tests.hardware.robots.servo_rig import ServoRig, servo_rig

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def running() -> Iterator[ServoRig]:
    with servo_rig(gripper="xarm") as rig:
        yield rig


@pytest.fixture
def rig(running: ServoRig) -> Iterator[ServoRig]:
    yield running
    running.group.release_hold()
    running.group.stop("the test is over")
    running.reset()
    assert gripped(running, 1.0) == ""


def grip(rig: ServoRig, opening: float, arm: str = "left") -> None:
    """Begin as a window does: one thread waits for the arm while another renews."""
    connections = rig.group.connections
    given = grant_motion(
        person="Ada", connections=connections, rig_sha256=rig.rig.sha256, tip_speed=0.05, now=time.monotonic()
    )
    with ThreadPoolExecutor(1) as background:
        beginning = background.submit(rig.group.hold_to_grip, arm, given, opening)
        while not beginning.done():
            rig.group.jog(None)
            time.sleep(0.01)
        beginning.result()


def until(rig: ServoRig, done: Callable[[], bool], beat: bool = True) -> None:
    deadline = time.monotonic() + 30.0
    while not done():
        assert time.monotonic() < deadline, (rig.group.hold_state(), rig.group.openings())
        rig.group.heartbeat()
        if beat:
            rig.group.jog(None)
        time.sleep(0.01)


def ended(rig: ServoRig) -> HoldState:
    until(rig, lambda: rig.group.hold_state().state == "over")
    return rig.group.hold_state()


def gripped(rig: ServoRig, opening: float) -> str:
    """Grip to the end and return what was said; a computer too busy to renew the grant gets another try."""
    for _ in range(5):
        try:
            grip(rig, opening)
        except ApprovalError as error:
            said = str(error)
        else:
            said = ended(rig).message
        if "silent" not in said and "expired" not in said:
            break
    return said


def opening(rig: ServoRig) -> float:
    return rig.group.openings()["left"]


def closing(rig: ServoRig) -> None:
    grip(rig, 0.0)
    until(rig, lambda: opening(rig) < 0.8)


def stands(rig: ServoRig) -> None:
    """By the controller's own word, asked for anew."""
    rig.group.connect()
    at = opening(rig)
    assert 0.1 < at < 0.85
    time.sleep(0.2)
    rig.group.connect()
    assert opening(rig) == pytest.approx(at, abs=0.002)


def test_it_goes_where_it_is_told_and_the_arm_stays(rig: ServoRig) -> None:
    assert set(rig.group.openings()) == {"left"}
    before = rig.emulators["left"].joints().q
    assert gripped(rig, 0.4) == ""
    assert opening(rig) == pytest.approx(0.4, abs=0.011)
    np.testing.assert_allclose(rig.emulators["left"].joints().q, before, atol=1e-6)


def test_letting_go_holds_it_where_it_is(rig: ServoRig) -> None:
    closing(rig)
    rig.group.release_hold()
    until(rig, lambda: rig.group.hold_state().state == "over")
    stands(rig)


def test_stop_holds_it_where_it_is(rig: ServoRig) -> None:
    closing(rig)
    rig.group.stop("a person pressed Stop")
    assert "pressed Stop" in ended(rig).message
    stands(rig)


def test_a_frozen_window_holds_it_where_it_is(rig: ServoRig) -> None:
    closing(rig)
    time.sleep(0.7)
    assert ended(rig).message
    stands(rig)


def test_it_keeps_hold_of_what_is_between_its_jaws_and_says_so(rig: ServoRig) -> None:
    rig.emulators["left"].inject(Fault("object_in_gripper", code=30))
    assert "holds something, 30 % open" in gripped(rig, 0.0)
    # a stop of the arms does not let it fall: it goes on closing once the thing is gone
    rig.group.stop("a person pressed Stop")
    time.sleep(0.1)
    rig.emulators["left"].inject(Fault("none"))
    time.sleep(0.8)
    rig.group.connect()
    assert opening(rig) < 0.1


def test_while_a_plan_runs_it_does_not_move(rig: ServoRig) -> None:
    plan = rig.plan(1.0, swing=0.01)
    rig.run(plan)
    with pytest.raises(ArmError, match="running"):
        grip(rig, 0.0)
    assert rig.until_ended().end == "done"
    assert opening(rig) > 0.98


def test_an_arm_without_one_or_a_senseless_opening_is_refused(rig: ServoRig) -> None:
    with pytest.raises(ArmError, match=r"right: .*no gripper"):
        grip(rig, 0.0, arm="right")
    with pytest.raises(ArmError, match=r"1\.5"):
        grip(rig, 1.5)


def test_a_grant_that_is_over_moves_nothing(rig: ServoRig) -> None:
    given = grant_motion(
        person="Ada",
        connections=rig.group.connections,
        rig_sha256=rig.rig.sha256,
        tip_speed=0.05,
        now=time.monotonic() - 5.0,
    )
    with pytest.raises(ApprovalError, match="expired"):
        rig.group.hold_to_grip("left", given, 0.0)
    with pytest.raises(ApprovalError, match=r"seal|safety"):
        rig.group.hold_to_grip("left", replace(given, expires_at=time.monotonic() + 9.0), 0.0)


def test_a_controller_without_one_fails_when_it_is_asked() -> None:
    controller = XArmController(EmulatorConfig(gripper=False))
    request = Frame(1, 2, 124, bytes([9, 8, 3, 7, 2, 0, 2]))
    reply_to(Session(controller, lambda _: None), request)
    assert controller.error == NO_ANSWER
