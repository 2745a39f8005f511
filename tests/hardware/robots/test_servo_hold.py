"""A person holds a control: the arm follows within its limits, stands when it is let go, and obeys the rules."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from hardware import safety
from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.robots.arm_group import HoldState, Jog
from hardware.robots.base import ArmError
from hardware.robots.emulator.process import Fault
from hardware.safety import ApprovalError, MotionGrant, grant_motion
from tests.hardware.robots.servo_rig import ServoRig, servo_rig

pytestmark = pytest.mark.alone

SPEED = 0.05
KINEMATICS = ArmKinematics.load("xarm7")
# by the clock of a busy computer; the figure itself is a bench
STANDS_WITHIN_S = 0.5


@pytest.fixture(scope="module")
def _rig() -> Iterator[ServoRig]:
    with servo_rig() as rig:
        yield rig


@pytest.fixture
def rig(_rig: ServoRig) -> Iterator[ServoRig]:
    """Both arms at home, standing, connected, nothing held."""
    at_home(_rig)
    yield _rig
    _rig.group.release_hold()
    _until(_rig, lambda: _rig.speed() < 1e-4)


def at_home(rig: ServoRig) -> None:
    """Put both arms home, and wait until everybody has seen it."""
    rig.reset()
    home = {arm.name: arm.home for arm in rig.rig.arms}
    _until(rig, lambda: all(np.abs(s.q - home[a]).max() < 1e-3 for a, s in rig.group.states().items()))
    _until(rig, lambda: all(np.abs(e.joints().q - home[a]).max() < 1e-3 for a, e in rig.emulators.items()))


def grant(rig: ServoRig, tip_speed: float = 0.1) -> MotionGrant:
    return grant_motion(
        person=None,
        connections=rig.group.connections,
        rig_sha256=rig.rig.sha256,
        tip_speed=tip_speed,
        now=time.monotonic(),
    )


def hold(rig: ServoRig, arm: str = "left", by: str = "jog", tip_speed: float = 0.1) -> None:
    """Take hold; a computer too busy to renew a grant within 0.3 s gets another try."""
    for attempt in range(5):
        try:
            hold_with(rig, grant(rig, tip_speed), arm, by)
            return
        except ApprovalError as error:
            if attempt == 4 or "expired" not in str(error):
                raise


def hold_with(rig: ServoRig, given: MotionGrant, arm: str = "left", by: str = "jog") -> None:
    """Take hold as a window does: one thread waits for the arm while another goes on renewing."""
    begin = rig.group.hold_to_jog if by == "jog" else rig.group.hold_to_guide
    with ThreadPoolExecutor(1) as background:
        beginning = background.submit(begin, arm, given)
        while not beginning.done():
            rig.group.jog(None)
            time.sleep(0.01)
        beginning.result()


def push(rig: ServoRig, frame: str, velocity: Array, seconds: float) -> HoldState:
    """Ask for a velocity for some time; return what came of it. Where the test was too late it holds again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rig.group.heartbeat()
        if "silent" in rig.group.hold_state().message:
            hold(rig)
        rig.group.jog(Jog(frame, velocity))
        time.sleep(0.02)
    return rig.group.hold_state()


def _until(rig: ServoRig, done: Callable[[], bool], timeout: float = 30.0) -> None:
    deadline = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < deadline, rig.group.hold_state()
        rig.group.heartbeat()
        time.sleep(0.005)


def tip(rig: ServoRig, arm: str = "left") -> Array:
    """(4, 4) T_base_tool of the arm as it stands, at the tool's tip."""
    tool = rig.tools[arm]
    T = KINEMATICS.flange_pose(rig.emulators[arm].joints().q) @ tool.T_flange_tool
    T[:3, 3] += T[:3, :3] @ tool.tip
    return np.asarray(T)


def along(axis: int, speed: float = SPEED) -> Array:
    return speed * np.eye(6)[axis]


def moved_along(rig: ServoRig, frame: str, velocity: Array, seconds: float = 0.6) -> tuple[Array, Array]:
    """Hold, push, let go; return the tip's way in base (3,) and its turn in the tool (3, 3)."""
    before = tip(rig)
    hold(rig)
    state = push(rig, frame, velocity, seconds)
    assert state.state == "following", state.message
    rig.group.release_hold()
    _until(rig, lambda: rig.speed() < 1e-4)
    after = tip(rig)
    return after[:3, 3] - before[:3, 3], before[:3, :3].T @ after[:3, :3]


def test_the_tip_goes_the_way_that_is_asked_for_in_every_frame(rig: ServoRig) -> None:
    base = rig.rig.arm("left").T_world_base[:3, :3]
    camera = rig.rig.cameras[0].camera
    assert camera.T_world_cam is not None
    frames = {"base": np.eye(3), "tool": tip(rig)[:3, :3], camera.name: base.T @ camera.T_world_cam[:3, :3]}
    for frame, R in frames.items():
        at_home(rig)
        axis = 2 if frame == "tool" else 0
        way, turn = moved_along(rig, frame, along(axis, -SPEED))
        length = float(np.linalg.norm(way))
        assert 0.01 < length < 0.05, frame
        np.testing.assert_allclose(way / length, -R[:, axis], atol=0.05, err_msg=frame)
        assert np.abs(turn - np.eye(3)).max() < 0.01, "it does not turn"


def test_a_turn_leaves_the_tip_where_it_is(rig: ServoRig) -> None:
    way, turn = moved_along(rig, "tool", along(5, 0.3))
    assert np.linalg.norm(way) < 0.002
    assert 0.05 < np.arccos((np.trace(turn) - 1) / 2) < 0.3


def test_single_joints_can_be_jogged(rig: ServoRig) -> None:
    before = rig.emulators["left"].joints().q
    moved_along(rig, "joints", 0.1 * np.eye(7)[4])
    way = rig.emulators["left"].joints().q - before
    assert 0.02 < way[4] < 0.1
    assert np.abs(np.delete(way, 4)).max() < 2e-3


def test_letting_go_stands_still_at_once_and_the_grant_is_over(rig: ServoRig) -> None:
    hold(rig)
    push(rig, "base", along(2), 0.4)
    assert rig.speed() > 0.01
    rig.group.release_hold()
    released = time.monotonic()
    _until(rig, lambda: rig.speed() < 1e-3)
    assert time.monotonic() - released < STANDS_WITHIN_S
    _until(rig, lambda: rig.group.hold_state().state == "over")
    rig.group.jog(Jog("base", along(2)))
    time.sleep(0.2)
    assert rig.speed() < 1e-3, "a wish after letting go moves nothing"
    assert rig.group.hold_state().message == ""


def test_a_window_that_falls_silent_stands_the_arm_and_ends_the_hold(rig: ServoRig) -> None:
    hold(rig)
    push(rig, "base", along(2), 0.4)
    assert rig.speed() > 0.01
    silent = time.monotonic()
    _until(rig, lambda: rig.speed() < 1e-3)
    assert time.monotonic() - silent < STANDS_WITHIN_S
    _until(rig, lambda: rig.group.hold_state().state == "over")
    assert "silent" in rig.group.hold_state().message
    rig.group.jog(Jog("base", along(2)))
    time.sleep(0.2)
    assert rig.speed() < 1e-3, "only a new hold moves it again"


def test_stop_ends_a_hold_and_the_arm_does_not_go_on(rig: ServoRig) -> None:
    hold(rig)
    push(rig, "base", along(2), 0.4)
    rig.group.stop("a person pressed Stop")
    push(rig, "base", along(2), 0.5)
    assert rig.speed() < 1e-3
    state = rig.group.hold_state()
    assert (state.state, state.message) == ("over", "a person pressed Stop")


def test_an_arm_in_error_ends_a_hold_in_words(rig: ServoRig) -> None:
    hold(rig)
    push(rig, "base", along(2), 0.3)
    rig.emulators["left"].inject(Fault("error", code=31))
    push(rig, "base", along(2), 0.5)
    assert rig.speed() < 1e-3
    assert "31" in rig.group.hold_state().message
    with pytest.raises(ArmError, match="clear"):
        hold(rig)
    rig.group.clear_errors()
    hold(rig)
    state = push(rig, "base", along(2), 0.2)
    assert state.state == "following", state.message


def test_the_arm_stands_before_the_edge_and_another_way_is_free(rig: ServoRig) -> None:
    """Down to the table: it stands over the least height, is no fault, and goes up again."""
    limits = rig.group.connections["left"].limits
    hold(rig)
    T_world_base = rig.rig.arm("left").T_world_base
    for _ in range(100):
        state = push(rig, "base", along(2, -0.09), 0.2)
        if state.message:
            break
    assert "limit" in state.message or "collision" in state.message
    assert state.state == "following", state.message
    _until(rig, lambda: rig.speed() < 1e-3 or bool(push(rig, "base", along(2, -0.09), 0.02).message))
    height = float((T_world_base @ tip(rig))[2, 3])
    assert height > limits.min_tip_height
    assert push(rig, "base", along(2), 0.4).message == ""
    assert float((T_world_base @ tip(rig))[2, 3]) > height


def test_no_jog_is_faster_than_granted(rig: ServoRig) -> None:
    hold(rig, tip_speed=0.03)
    push(rig, "base", along(1, 1.0), 0.8)
    record = rig.group.held_record()
    assert record is not None
    tool = rig.tools["left"]
    T = KINEMATICS.flange_pose(record.commanded) @ tool.T_flange_tool
    at = T[:, :3, :3] @ tool.tip + T[:, :3, 3]
    steps = np.linalg.norm(np.diff(at, axis=0), axis=1) / np.diff(record.plan_time)
    assert 0.02 < steps.max() < 0.0301


REFUSED: dict[str, tuple[Callable[[ServoRig], MotionGrant], str]] = {
    "lapsed": (lambda rig: _old(rig), "expired"),
    "of an earlier connection": (lambda rig: _reconnected(rig), "connected again"),
}


def _old(rig: ServoRig) -> MotionGrant:
    given = grant(rig)
    time.sleep(0.35)
    return given


def _reconnected(rig: ServoRig) -> MotionGrant:
    given = grant(rig)
    rig.group.connect()
    return given


@pytest.mark.parametrize("what", REFUSED)
def test_a_grant_that_does_not_hold_moves_nothing(
    rig: ServoRig, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, words = REFUSED[what]
    if what != "lapsed":
        monkeypatch.setattr(safety, "GRANT_S", 30.0)
    with pytest.raises(ApprovalError, match=words):
        hold_with(rig, make(rig))
    assert rig.speed() == 0.0
    assert rig.group.hold_state().state in ("none", "over")


def test_a_grant_changed_by_hand_is_none(rig: ServoRig) -> None:
    with pytest.raises(ApprovalError, match=r"safety\.py"):
        replace(grant(rig), tip_speed=1.0)


def test_an_arm_is_led_by_hand_while_held_and_holds_after(rig: ServoRig) -> None:
    hold(rig, by="hand")
    _until(rig, lambda: _renewed(rig) and rig.group.states()["left"].mode == "manual")
    assert rig.group.hold_state().state == "following"
    rig.group.release_hold()
    _until(rig, lambda: rig.group.hold_state().state == "over" and rig.group.states()["left"].mode == "position")
    hold(rig)
    state = push(rig, "base", along(2), 0.2)
    assert state.state == "following", state.message


def _renewed(rig: ServoRig) -> bool:
    rig.group.jog(None)
    return True


def test_enabling_moves_nothing_and_a_held_arm_runs_no_plan(rig: ServoRig) -> None:
    rig.group.enable("left")
    assert rig.speed() == 0.0
    assert rig.group.states()["left"].mode == "servo"
    plan = rig.plan(0.5, swing=0.01)
    hold(rig)
    with pytest.raises(ArmError, match="let go first"):
        rig.group.prepare(plan, rig.approve(plan))
    rig.group.release_hold()
    _until(rig, lambda: rig.group.hold_state().state == "over")
    again = rig.plan(0.5, swing=0.01)
    rig.run(again)
    assert rig.until_ended().end == "done"
