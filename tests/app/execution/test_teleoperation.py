"""Arms moved by hand on emulated controllers: they go while a control is held, and not a moment longer."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.execution.saved_poses import SavedPoses
from app.execution.session import ExecutionSession
from app.execution.teleoperation import Teleoperation, Wish
from app.ledger import Ledger
from app.recording.session import RecordingSession, State
from app.workspace import open_workspace
from hardware.mounting import default_tools
from hardware.recording.capture import Capture
from hardware.recording.mcap_log import open_episode
from hardware.robots.arm_streams import ArmStreams
from hardware.robots.emulator.process import Fault
from tests.hardware.recording.sources import Source, info, picture
from tests.hardware.robots.servo_rig import two_arm_rig

pytestmark = pytest.mark.alone

STILL: Wish = (0.0,) * 6
UP: Wish = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


class Person:
    """Somebody at the panel: holds, lets go, waits. The window's thread is this one."""

    def __init__(self, robot: Teleoperation, execution: ExecutionSession) -> None:
        self.robot, self.execution = robot, execution

    def hold(self, wish: Wish, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.beat(wish)

    def until(self, what: Callable[[], bool], wish: Wish = STILL, limit: float = 30.0) -> None:
        end = time.monotonic() + limit
        while not what():
            assert time.monotonic() < end, (self.robot.mode, self.robot.message, self.execution.state)
            self.beat(wish)

    def beat(self, wish: Wish) -> None:
        self.execution.heartbeat()
        self.execution.pump()
        self.robot.tick(wish)
        time.sleep(0.01)

    def tip(self, arm: str) -> np.ndarray:
        state = self.execution.arms[arm]
        return (self.execution.rig.arm(arm).T_world_base @ state.T_base_tool)[:3, 3]


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    workspace = open_workspace(tmp_path_factory.mktemp("workspace"))
    rig, ledger = two_arm_rig(), Ledger(workspace.ledger)
    execution = ExecutionSession(rig, workspace, ledger)
    robot = Teleoperation(execution, SavedPoses(workspace.root / "poses.toml"), lambda: "Ada")
    execution.connect(default_tools(rig))
    assert execution.wait(120) == "ready", execution.message
    made = Person(robot, execution)
    robot.enable()
    made.until(lambda: "motors are on" in robot.message)
    yield made
    robot.close()
    execution.close()
    ledger.close()


@pytest.fixture(autouse=True)
def _ready_again(person: Person) -> Iterator[None]:
    yield
    person.robot.let_go()
    person.execution.stop("the test is over")
    person.execution.wait(20)
    link = person.execution.link
    assert link is not None
    assert link.world is not None
    for arm in person.execution.rig.arms:
        link.world.emulators[arm.name].inject(Fault("none"))
        link.world.emulators[arm.name].place(arm.home)
    if person.execution.state == "fault" or any(a.error_code for a in person.execution.arms.values()):
        person.execution.clear_errors()
    person.execution.set_plan(None)
    person.robot.choose("left")
    person.robot.choose_frame("base")
    homes = {arm.name: arm.home for arm in person.execution.rig.arms}
    person.until(lambda: all(np.abs(s.q - homes[n]).max() < 1e-3 for n, s in person.execution.arms.items()))


def test_the_arm_moves_while_the_control_is_held_and_stands_after(person: Person) -> None:
    before = person.tip("left")
    person.until(lambda: person.tip("left")[2] - before[2] > 0.01, UP)
    assert person.robot.mode == "jog"
    assert abs(person.tip("right") - person.tip("right")).max() == 0.0
    person.until(lambda: person.robot.mode == "none")
    person.hold(STILL, 0.3)
    stands = person.tip("left")
    person.hold(STILL, 0.3)
    np.testing.assert_allclose(person.tip("left"), stands, atol=2e-4)
    np.testing.assert_allclose(person.tip("left")[:2], before[:2], atol=2e-3)


def test_a_demonstration_by_hand_control_holds_what_the_arms_were_told_and_did(
    person: Person, tmp_path: Path
) -> None:
    link = person.execution.link
    assert link is not None
    still = picture("top", 0, 0.0)
    camera = Source(info("top"), lambda k, t: [replace(still, index=k, t_host=t, t_device=t)])
    capture = Capture([lambda: camera])
    session = RecordingSession(
        capture, tmp_path / "session", tmp_path / "remembered.json", arms=lambda: ArmStreams(link.group, link.rig)
    )

    def reached(state: State) -> bool:
        session.pump()
        return session.state == state

    def until(state: State) -> None:
        person.until(lambda: reached(state))

    try:
        session.take_scene()
        until("armed")
        session.start()
        until("recording")
        before = person.tip("left")
        person.until(lambda: person.tip("left")[2] - before[2] > 0.01, UP)
        person.until(lambda: person.robot.mode == "none")
        session.stop()
        until("review")
        assert session.take is not None
        assert set(session.take.note.streams) == {"top", "left_arm", "right_arm"}
        with open_episode(session.take.folder) as episode:
            left, right = episode.arm_samples("left_arm"), episode.arm_samples("right_arm")
        assert max(s.T_world_tool[2, 3] for s in left) - left[0].T_world_tool[2, 3] > 0.008
        told = [s for s in left if s.commanded is not None]
        assert len(told) > 5
        assert max(float(np.abs(s.commanded - s.q).max()) for s in told if s.commanded is not None) < 0.05
        assert len(right) > 5
        assert all(s.commanded is None for s in right), "nothing moved it"
    finally:
        session.close()
        capture.close()


def test_a_frozen_window_lets_go(person: Person) -> None:
    before = person.tip("left")
    person.until(lambda: person.tip("left")[2] - before[2] > 0.005, UP)
    time.sleep(0.4)  # nothing is renewed
    person.execution.pump()
    frozen = person.tip("left")
    time.sleep(0.2)
    person.execution.pump()
    np.testing.assert_allclose(person.tip("left"), frozen, atol=2e-4)
    person.hold(UP, 0.3)
    np.testing.assert_allclose(person.tip("left"), frozen, atol=2e-4)  # it takes a new press
    person.hold(STILL, 0.05)
    person.until(lambda: person.tip("left")[2] - frozen[2] > 0.005, UP)


def test_stop_ends_what_is_held(person: Person) -> None:
    before = person.tip("left")
    person.until(lambda: person.tip("left")[2] - before[2] > 0.005, UP)
    person.execution.stop()
    person.until(lambda: person.robot.mode == "none", UP, 5.0)
    stands = person.tip("left")
    person.hold(UP, 0.3)
    np.testing.assert_allclose(person.tip("left"), stands, atol=2e-3)


def test_the_cameras_frame_is_the_cameras(person: Person) -> None:
    camera = person.execution.rig.cameras[0].camera
    assert camera.T_world_cam is not None
    person.robot.choose_frame("camera")
    before = person.tip("left")
    person.until(lambda: float(np.linalg.norm(person.tip("left") - before)) > 0.01, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    way = person.tip("left") - before
    np.testing.assert_allclose(way / np.linalg.norm(way), camera.T_world_cam[:3, 0], atol=0.15)


def test_a_saved_pose_is_gone_to_under_an_approved_plan(person: Person) -> None:
    robot, execution = person.robot, person.execution
    robot.save_pose("start")
    before = execution.arms["left"].q.copy()
    at = person.tip("left")
    person.until(lambda: person.tip("left")[2] - at[2] > 0.01, UP)
    person.until(lambda: robot.mode == "none" and not any(a.moving for a in execution.arms.values()))
    robot.plan_to_pose("start")
    person.until(lambda: robot.move is not None)
    assert execution.forbidden() == ()
    assert execution.state == "ready"  # nothing goes before it is approved
    execution.approve("Ada")
    execution.execute()
    person.until(lambda: execution.state not in ("running", "approved") and not execution.busy, limit=60.0)
    assert execution.state == "done", execution.message
    person.until(lambda: bool(np.abs(execution.arms["left"].q - before).max() < 5e-3))


def test_an_arm_that_stands_at_home_is_not_sent_there(person: Person) -> None:
    person.robot.plan_home()
    person.until(lambda: bool(person.robot.message) and not person.robot.planning)
    assert "there already" in person.robot.message
    assert person.robot.move is None


def test_while_nothing_is_connected_the_panel_says_what_to_do(tmp_path: Path) -> None:
    workspace = open_workspace(tmp_path)
    ledger = Ledger(workspace.ledger)
    execution = ExecutionSession(two_arm_rig(), workspace, ledger)
    robot = Teleoperation(execution, SavedPoses(tmp_path / "poses.toml"), lambda: "Ada")
    robot.tick(UP)
    assert "Connect" in robot.reason()
    assert robot.mode == "none"
    with pytest.raises(ValueError, match="not connected"):
        robot.save_pose("here")
    robot.close()
    execution.close()
    ledger.close()
