"""The contract of `ArmDriver`, held by every driver against an emulated controller: one row per make."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.base import ArmDriver, ArmError
from hardware.robots.compliance import CompliantArm, Yielding
from hardware.robots.emulator.process import EmulatorProcess, Fault
from tests.hardware.robots.conftest import own_address
from tests.hardware.robots.makes import MAKES, Make

pytestmark = pytest.mark.alone

SILENCE = 0.5
CONNECT = 10.0


@pytest.fixture(scope="module", params=MAKES)
def make(request: pytest.FixtureRequest) -> Make:
    return MAKES[request.param]


@pytest.fixture(scope="module")
def process(make: Make) -> Iterator[EmulatorProcess]:
    with make.emulator(own_address()) as process:
        yield process


@pytest.fixture
def emulator(process: EmulatorProcess, make: Make) -> Iterator[EmulatorProcess]:
    """The make's emulator at home, without faults and errors."""
    process.inject(Fault("none"))
    process.place(make.home)
    yield process
    process.inject(Fault("none"))


@pytest.fixture
def arm_config(make: Make, process: EmulatorProcess) -> ArmConfig:
    return make.config(process.address)


@pytest.fixture(scope="module")
def kept() -> Iterator[list[ArmDriver]]:
    """The driver that the last test left connected, if any: connecting takes its time."""
    drivers: list[ArmDriver] = []
    yield drivers
    for driver in drivers:
        driver.disconnect()


@pytest.fixture
def driver(
    make: Make,
    kept: list[ArmDriver],
    emulator: EmulatorProcess,
    arm_config: ArmConfig,
    safety: SafetyConfig,
) -> Iterator[ArmDriver]:
    """A connected driver without errors; one that a test has hurt is connected anew."""
    if kept and not (_is_of(kept[0], arm_config) and _is_sound(kept[0])):
        kept.pop().disconnect()
    if not kept:
        kept.append(make.make(arm_config, safety, emulator_nonce=emulator.nonce))
        kept[0].connect()
    yield kept[0]
    if not make.own_process:
        kept.pop().disconnect()


def _is_of(driver: ArmDriver, arm: ArmConfig) -> bool:
    return getattr(driver, "config", None) is not None and driver.config.address == arm.address  # type: ignore[attr-defined]


def _is_sound(driver: ArmDriver) -> bool:
    try:
        driver.stop()
        driver.clear_error()
        return driver.read_state().error_code == 0
    except ArmError:
        return False


def _wave(q: Array, t: float) -> Array:
    """A smooth swing of 0.2 rad that starts at rest."""
    swing = np.array([1, 0.5, 1, -0.5, 1, 0.5, 1])[: len(q)]
    return np.asarray(q + 0.1 * (1 - np.cos(2 * np.pi * 0.5 * t)) * swing)


def _stream(
    driver: ArmDriver,
    path: Callable[[float], Array],
    seconds: float,
    rate: float,
    done: Callable[[], bool] = lambda: False,
) -> None:
    """Send a path by its own time: a busy computer makes it slower, never jumpy. done: end before its end."""
    start = time.monotonic()
    for k in range(round(seconds * rate) + 1):
        driver.send_joints(path(k / rate))
        if done():
            return
        time.sleep(max(0.0, start + (k + 1) / rate - time.monotonic()))


def _settled(emulator: EmulatorProcess, seconds: float = 20.0) -> Array:
    """Where the arm is once it has stood for 50 ms."""
    deadline, since = time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < 0.05:
        if np.abs(emulator.joints().dq).max() > 1e-4:
            since = time.monotonic()
        time.sleep(0.005)
    return emulator.joints().q


def _until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def _noticed(call: Callable[[], object]) -> float:
    """Repeat a call, as the streaming loop does, until it raises ArmError; return how long that took [s]."""
    began = time.monotonic()
    while time.monotonic() - began < 5.0:
        try:
            call()
        except ArmError:
            break
        time.sleep(0.005)
    return time.monotonic() - began


def test_the_state_is_what_the_arm_is_doing(driver: ArmDriver, emulator: EmulatorProcess) -> None:
    _until(lambda: bool(np.abs(driver.read_state().q - emulator.joints().q).max() < 1e-5))
    state = driver.read_state()
    np.testing.assert_allclose(state.dq, 0.0, atol=1e-6)
    assert abs(state.t_host - time.monotonic()) < 1.0
    assert not state.moving
    assert state.error_code == 0


def test_the_tool_pose_agrees_with_our_kinematics_in_metres(driver: ArmDriver, arm_config: ArmConfig) -> None:
    state = driver.read_state()
    ours = ArmKinematics.load(arm_config.model).flange_pose(state.q)
    np.testing.assert_allclose(state.T_base_tool, ours, atol=2e-5)


def test_every_limit_says_where_it_came_from(driver: ArmDriver) -> None:
    limits = driver.read_limits()
    assert {"q_lower", "q_upper", "dq_max", "ddq_max", "tip_speed", "workspace"} <= set(limits.source)
    assert "controller" in limits.source["dq_max"]
    assert (limits.dq_max > 0.5).all()
    assert (limits.dq_max < 10).all()
    assert (limits.q_lower < limits.q_upper).all()


def test_a_smooth_stream_is_followed_and_ends_where_it_was_sent(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make
) -> None:
    start = driver.read_state().q
    driver.start_servo()
    _stream(driver, lambda t: _wave(start, t), 1.0, make.rate)
    np.testing.assert_allclose(_settled(emulator), _wave(start, 1.0), atol=2e-3)
    np.testing.assert_allclose(driver.read_state().q, _wave(start, 1.0), atol=2e-3)


def test_starting_to_stream_does_not_move_the_arm(driver: ArmDriver, emulator: EmulatorProcess) -> None:
    before = emulator.joints().q
    driver.start_servo()
    time.sleep(0.1)
    np.testing.assert_array_equal(emulator.joints().q, before)


def test_what_was_really_sent_comes_back(driver: ArmDriver) -> None:
    q = driver.read_state().q
    driver.start_servo()
    np.testing.assert_allclose(driver.send_joints(q), q, atol=1e-6)


def test_a_stop_half_way_stops_the_arm_soon_and_for_good(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make
) -> None:
    start = driver.read_state().q
    driver.start_servo()
    _stream(
        driver, lambda t: _wave(start, t), 0.7, make.rate, lambda: bool(np.abs(emulator.joints().dq).max() > 0.2)
    )
    assert np.abs(emulator.joints().dq).max() > 0.0
    at_stop = emulator.joints().q
    driver.stop()
    rest = _settled(emulator)
    assert np.abs(rest - at_stop).max() < 0.05
    assert np.abs(rest - _wave(start, 1.0)).max() > 0.05
    with pytest.raises(ArmError, match="start_servo"):
        driver.send_joints(start)
    time.sleep(0.1)
    np.testing.assert_array_equal(emulator.joints().q, rest)


def test_stopping_again_does_no_harm(driver: ArmDriver) -> None:
    driver.stop()
    driver.stop()
    driver.start_servo()
    driver.stop()
    driver.stop()


def test_commands_before_the_stream_is_started_are_refused(driver: ArmDriver) -> None:
    driver.stop()
    with pytest.raises(ArmError, match="start_servo"):
        driver.send_joints(driver.read_state().q)


@pytest.mark.parametrize("bad", [np.nan, np.inf, None])
def test_a_command_that_is_no_joint_position_is_never_sent(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make, bad: float | None
) -> None:
    before = emulator.joints().q
    driver.start_servo()
    with pytest.raises(ArmError):
        driver.send_joints(np.zeros(len(make.home) + 1) if bad is None else np.full(len(make.home), bad))
    time.sleep(0.05)
    np.testing.assert_array_equal(emulator.joints().q, before)


def test_a_hit_stops_motion_until_it_is_cleared(driver: ArmDriver, emulator: EmulatorProcess, make: Make) -> None:
    start = driver.read_state().q
    driver.start_servo()
    _stream(driver, lambda t: _wave(start, t), 0.3, make.rate)
    emulator.inject(Fault("protective_stop"))
    _until(lambda: driver.read_state().error_code == make.hit_code)
    assert re.search(make.hit_words, driver.read_state().error)
    with pytest.raises(ArmError, match=make.hit_words):
        driver.send_joints(start)
    with pytest.raises(ArmError, match=make.hit_words):
        driver.start_servo()
    rest = _settled(emulator)
    driver.clear_error()
    assert driver.read_state().error_code == 0
    np.testing.assert_array_equal(emulator.joints().q, rest)
    driver.start_servo()
    driver.send_joints(rest)


def test_a_pressed_emergency_stop_is_said_in_words_and_holds_until_it_is_released(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make
) -> None:
    emulator.inject(Fault("emergency_stop"))
    _until(lambda: driver.read_state().error_code != 0)
    with pytest.raises(ArmError, match=make.pressed_words):
        driver.start_servo()
    with pytest.raises(ArmError, match=make.pressed_words):
        driver.clear_error()
    emulator.inject(Fault("none"))
    driver.clear_error()
    driver.start_servo()
    driver.send_joints(driver.read_state().q)


def test_a_hard_push_stops_the_arm(driver: ArmDriver, emulator: EmulatorProcess, make: Make) -> None:
    driver.start_servo()
    emulator.inject(Fault("external_force", wrench=(0.0, 200.0, 0.0, 0.0, 0.0, 0.0)))
    _until(lambda: driver.read_state().error_code == make.hit_code)


@pytest.mark.parametrize("kind", ["silent", "freeze"])
def test_a_controller_that_hangs_is_noticed_in_half_a_second(
    driver: ArmDriver, emulator: EmulatorProcess, kind: str
) -> None:
    q = driver.read_state().q
    driver.start_servo()
    driver.send_joints(q)
    emulator.inject(Fault(kind))  # type: ignore[arg-type]
    for call in (lambda: driver.send_joints(q), driver.read_state, driver.stop):
        assert _noticed(call) < SILENCE


@pytest.mark.parametrize("kind", ["drop_link", "refuse"])
def test_a_lost_link_is_noticed_in_half_a_second(driver: ArmDriver, emulator: EmulatorProcess, kind: str) -> None:
    start = driver.read_state().q
    driver.start_servo()
    driver.send_joints(start)
    emulator.inject(Fault(kind))  # type: ignore[arg-type]
    for call in (lambda: driver.send_joints(start), driver.read_state):
        assert _noticed(call) < SILENCE


def test_a_controller_that_dies_takes_nobody_with_it(make: Make, safety: SafetyConfig) -> None:
    with make.emulator(own_address()) as emulator:
        driver = make.make(make.config(emulator.address), safety, emulator_nonce=emulator.nonce)
        driver.connect()
        try:
            q = driver.read_state().q
            driver.start_servo()
            driver.send_joints(q)
            os.kill(emulator.pid, signal.SIGKILL)
            assert _noticed(lambda: driver.send_joints(q)) < SILENCE
            assert _noticed(driver.stop) < SILENCE
        finally:
            driver.disconnect()
    with pytest.raises(ArmError, match="not connected"):
        driver.read_state()


def test_connecting_to_nothing_says_so(driver: ArmDriver, emulator: EmulatorProcess, arm_config: ArmConfig) -> None:
    driver.disconnect()
    emulator.inject(Fault("refuse"))
    with pytest.raises(ArmError, match=arm_config.address):
        driver.connect()


def test_a_silent_controller_does_not_hold_up_connecting(driver: ArmDriver, emulator: EmulatorProcess) -> None:
    driver.disconnect()
    emulator.inject(Fault("silent"))
    began = time.monotonic()
    with pytest.raises(ArmError, match="does not answer"):
        driver.connect()
    assert time.monotonic() - began < 3.0


def test_connecting_again_and_again_leaves_no_thread_and_no_process(driver: ArmDriver) -> None:
    driver.disconnect()
    threads, children = threading.active_count(), _children()
    for _ in range(2):
        driver.connect()
        driver.read_state()
        driver.disconnect()
        driver.disconnect()
        assert threading.active_count() == threads
        assert _children() == children


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def test_an_arm_that_cannot_prove_that_it_is_emulated_is_refused(
    make: Make, driver: ArmDriver, arm_config: ArmConfig, safety: SafetyConfig
) -> None:
    stranger = make.make(arm_config, safety, emulator_nonce=bytes(32))
    with pytest.raises(ArmError, match="prove"):
        stranger.connect()
    with pytest.raises(ArmError, match="not connected"):
        stranger.read_state()


def test_the_mounted_tool_moves_the_tool_pose(
    make: Make, driver: ArmDriver, arm_config: ArmConfig, safety: SafetyConfig, emulator: EmulatorProcess
) -> None:
    driver.disconnect()
    T_flange_tool = transform(rotation_from_vector([0.0, 0.3, 0.0]), [0.01, 0.0, 0.15])
    with_tool = make.make(
        arm_config, safety, emulator_nonce=emulator.nonce, T_flange_tool=T_flange_tool, tool_mass=0.3
    )
    with_tool.connect()
    try:
        ours = ArmKinematics.load(arm_config.model).flange_pose(make.home) @ T_flange_tool
        _until(lambda: bool(np.abs(with_tool.read_state().T_base_tool - ours).max() < 2e-5))
    finally:
        with_tool.disconnect()
        bare = make.make(arm_config, safety, emulator_nonce=emulator.nonce, T_flange_tool=np.eye(4))
        bare.connect()
        bare.disconnect()


def test_the_controller_knows_the_load_that_it_carries_and_where_its_middle_is(
    make: Make, driver: ArmDriver, arm_config: ArmConfig, safety: SafetyConfig, emulator: EmulatorProcess
) -> None:
    driver.disconnect()
    centre = np.array([0.01, -0.02, 0.06])
    loaded = make.make(
        *(arm_config, safety),
        emulator_nonce=emulator.nonce,
        T_flange_tool=transform(np.eye(3), [0.0, 0.0, 0.15]),
        tool_mass=0.4,
        tool_centre=centre,
    )
    loaded.connect()
    try:
        mass, found = _load(loaded, arm_config)
        assert mass == pytest.approx(0.4)
        np.testing.assert_allclose(found, centre, atol=1e-6)
    finally:
        loaded.disconnect()
        bare = make.make(arm_config, safety, emulator_nonce=emulator.nonce, T_flange_tool=np.eye(4))
        bare.connect()
        bare.disconnect()


def _load(driver: Any, arm: ArmConfig) -> tuple[float, Array]:
    """The controller's own word: mass [kg] and centre (3,) [m]."""
    if arm.driver == "xarm":
        mass, centre = driver._arm.tcp_load
        return mass, np.array(centre) / 1e3
    # in a process of its own: the client holds the interpreter's lock
    ask = (
        "import sys; from rtde_receive import RTDEReceiveInterface as R; r = R(sys.argv[1], -1.0, ['payload', "
        "'payload_cog']); print(r.getPayload(), *r.getPayloadCog())"
    )
    told = subprocess.run([sys.executable, "-c", ask, arm.address], capture_output=True, text=True, check=True)
    numbers = [float(word) for word in told.stdout.split()]
    return numbers[0], np.array(numbers[1:])


PUSH = Fault("external_force", wrench=(0.0, 20.0, 0.0, 0.0, 0.0, 0.0))
AWAY = 0.01


def _tip(emulator: EmulatorProcess, make: Make) -> Array:
    return np.asarray(ArmKinematics.load(make.model).flange_pose(emulator.joints().q)[:3, 3])


def test_an_arm_says_in_words_what_it_can_do_about_forces(driver: ArmDriver, make: Make) -> None:
    assert isinstance(driver, CompliantArm)
    compliance = driver.compliance()
    assert compliance.yields
    assert len(compliance.words) > 30
    assert driver.read_limits().source["compliance"] == compliance.words
    assert compliance.sensing == {"ur5": "estimated", "ur5e": "measured", "xarm7": "on demand"}[make.model]


def test_an_arm_gives_way_on_the_axis_that_was_asked_for_and_on_no_other(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make
) -> None:
    assert isinstance(driver, CompliantArm)
    start = _tip(emulator, make)
    driver.start_yielding(Yielding(axes=(0, 1, 0, 0, 0, 0)))
    time.sleep(0.1)
    np.testing.assert_allclose(_tip(emulator, make), start, atol=1e-4)
    emulator.inject(PUSH)
    _until(lambda: bool(_tip(emulator, make)[1] - start[1] > AWAY))
    driver.end_yielding()
    rest = _settled(emulator)
    moved = _tip(emulator, make) - start
    assert abs(moved[1]) > 20 * max(abs(moved[0]), abs(moved[2]))
    time.sleep(0.1)
    np.testing.assert_allclose(emulator.joints().q, rest, atol=1e-4)


def test_an_arm_that_gave_way_is_stiff_while_it_follows_a_plan(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make
) -> None:
    assert isinstance(driver, CompliantArm)
    driver.start_yielding(Yielding(axes=(0, 1, 0, 0, 0, 0)))
    emulator.inject(PUSH)
    _until(lambda: emulator.joints().dq.any())
    driver.start_servo()
    rest = _settled(emulator)
    off: list[float] = []
    for _ in range(20):
        driver.send_joints(rest)
        time.sleep(1.0 / make.rate)
        off.append(float(np.abs(emulator.joints().q - rest).max()))
    assert max(off) < 1e-3
    driver.stop()
    rest = _settled(emulator)
    time.sleep(0.1)
    np.testing.assert_allclose(emulator.joints().q, rest, atol=1e-4)


def test_an_arm_presses_no_faster_than_it_was_allowed(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make
) -> None:
    assert isinstance(driver, CompliantArm)
    start, push = _tip(emulator, make), np.array([0.0, 0.0, 20.0, 0.0, 0.0, 0.0])
    driver.start_yielding(Yielding(axes=(0, 0, 1, 0, 0, 0), push=push, speed=np.full(6, 0.03)))
    _until(lambda: bool(_tip(emulator, make)[2] - start[2] > AWAY))
    now = emulator.joints()
    assert 0.02 < (ArmKinematics.load(make.model).jacobian(now.q) @ now.dq)[2] < 0.035
    driver.stop()
    rest = _settled(emulator)
    driver.start_servo()
    driver.send_joints(rest)
    time.sleep(0.1)
    np.testing.assert_allclose(emulator.joints().q, rest, atol=1e-3)


def test_an_arm_can_be_led_by_hand_and_holds_when_that_ends(
    driver: ArmDriver, emulator: EmulatorProcess, make: Make
) -> None:
    guided: Any = driver
    if not hasattr(guided, "start_guiding"):
        pytest.skip("this driver's arm cannot be led by hand")
    start = _tip(emulator, make)
    guided.start_guiding()
    time.sleep(0.1)
    np.testing.assert_allclose(_tip(emulator, make), start, atol=1e-4)
    emulator.inject(PUSH)
    _until(lambda: bool(np.linalg.norm(_tip(emulator, make) - start) > AWAY))
    emulator.inject(Fault("none"))
    guided.end_guiding()
    rest = _settled(emulator)
    emulator.inject(PUSH)
    time.sleep(0.1)
    np.testing.assert_allclose(emulator.joints().q, rest, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"axes": (0, 0, 0, 0, 0, 0)}, "axes"),
        ({"axes": (1, 0, 0, 0, 0, 2)}, "axes"),
        ({"axes": (1,) * 6, "push": np.full(6, 100.0)}, "push"),
        ({"axes": (1,) * 6, "speed": np.zeros(6)}, "speed"),
        ({"axes": (1,) * 6, "stiffness": np.full(6, -1.0)}, "stiffness"),
        ({"axes": (1,) * 6, "frame": "world"}, "frame"),
    ],
)
def test_a_senseless_wish_to_give_way_is_named(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Yielding(**wrong)  # type: ignore[arg-type]
