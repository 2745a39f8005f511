"""The contract of `ArmDriver`, held by every driver against an emulated controller: one row per driver."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import pytest

from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.base import ArmDriver, ArmError
from hardware.robots.emulator.process import EmulatorProcess, Fault
from hardware.robots.xarm import XArmDriver


class MakeDriver(Protocol):
    def __call__(self, arm: ArmConfig, safety: SafetyConfig, *, emulator_nonce: bytes) -> ArmDriver: ...


DRIVERS: dict[str, MakeDriver] = {"xarm7": XArmDriver}
SILENCE = 0.5


@pytest.fixture(params=DRIVERS)
def driver(
    request: pytest.FixtureRequest, emulator: EmulatorProcess, arm_config: ArmConfig, safety: SafetyConfig
) -> Iterator[ArmDriver]:
    made = DRIVERS[request.param](arm_config, safety, emulator_nonce=emulator.nonce)
    made.connect()
    yield made
    made.disconnect()


def _wave(q: Array, t: float) -> Array:
    """A smooth swing of 0.2 rad that starts at rest."""
    return q + 0.1 * (1 - np.cos(2 * np.pi * 0.5 * t)) * np.array([1, 0.5, 1, -0.5, 1, 0.5, 1])


def _stream(driver: ArmDriver, path: Callable[[float], Array], seconds: float, rate: float = 100.0) -> None:
    start = time.monotonic()
    for k in range(int(seconds * rate)):
        driver.send_joints(path(k / rate))
        time.sleep(max(0.0, start + (k + 1) / rate - time.monotonic()))


def _settled(emulator: EmulatorProcess, seconds: float = 1.0) -> Array:
    deadline = time.monotonic() + seconds
    while np.abs(emulator.joints().dq).max() > 1e-4 and time.monotonic() < deadline:
        time.sleep(0.005)
    return emulator.joints().q


def test_the_state_is_what_the_arm_is_doing(driver: ArmDriver, emulator: EmulatorProcess) -> None:
    state = driver.read_state()
    np.testing.assert_allclose(state.q, emulator.joints().q, atol=1e-5)
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
    assert (limits.dq_max > 0.5).all()
    assert (limits.dq_max < 10).all()
    assert (limits.q_lower < limits.q_upper).all()


def test_a_smooth_stream_is_followed_and_ends_where_it_was_sent(
    driver: ArmDriver, emulator: EmulatorProcess
) -> None:
    start = driver.read_state().q
    driver.start_servo()
    _stream(driver, lambda t: _wave(start, t), 1.0)
    np.testing.assert_allclose(_settled(emulator), _wave(start, 0.99), atol=2e-3)
    np.testing.assert_allclose(driver.read_state().q, _wave(start, 0.99), atol=2e-3)


def test_starting_to_stream_does_not_move_the_arm(driver: ArmDriver, emulator: EmulatorProcess) -> None:
    before = emulator.joints().q
    driver.start_servo()
    time.sleep(0.1)
    np.testing.assert_array_equal(emulator.joints().q, before)


def test_what_was_really_sent_comes_back(driver: ArmDriver) -> None:
    q = driver.read_state().q
    driver.start_servo()
    np.testing.assert_allclose(driver.send_joints(q), q, atol=1e-6)


def test_a_stop_half_way_stops_the_arm_soon_and_for_good(driver: ArmDriver, emulator: EmulatorProcess) -> None:
    start = driver.read_state().q
    driver.start_servo()
    _stream(driver, lambda t: _wave(start, t), 0.5)
    assert np.abs(emulator.joints().dq).max() > 0.1
    at_stop = emulator.joints().q
    driver.stop()
    rest = _settled(emulator)
    assert np.abs(rest - at_stop).max() < 0.03
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
    with pytest.raises(ArmError, match="start_servo"):
        driver.send_joints(driver.read_state().q)


@pytest.mark.parametrize("bad", [np.full(7, np.nan), np.zeros(6), np.full(7, np.inf)])
def test_a_command_that_is_no_joint_position_is_never_sent(
    driver: ArmDriver, emulator: EmulatorProcess, bad: Array
) -> None:
    before = emulator.joints().q
    driver.start_servo()
    with pytest.raises(ArmError):
        driver.send_joints(bad)
    time.sleep(0.05)
    np.testing.assert_array_equal(emulator.joints().q, before)


def test_an_error_stops_motion_until_it_is_cleared(driver: ArmDriver, emulator: EmulatorProcess) -> None:
    start = driver.read_state().q
    driver.start_servo()
    _stream(driver, lambda t: _wave(start, t), 0.3)
    emulator.inject(Fault("error", 31))
    assert driver.read_state().error_code == 31
    with pytest.raises(ArmError, match=r"31.*hit"):
        driver.send_joints(start)
    with pytest.raises(ArmError, match=r"31.*hit"):
        driver.start_servo()
    rest = _settled(emulator)
    driver.clear_error()
    assert driver.read_state().error_code == 0
    np.testing.assert_array_equal(emulator.joints().q, rest)
    driver.start_servo()
    driver.send_joints(rest)


@pytest.mark.parametrize("kind", ["silent", "freeze"])
def test_a_controller_that_hangs_is_noticed_in_half_a_second(
    driver: ArmDriver, emulator: EmulatorProcess, kind: str
) -> None:
    q = driver.read_state().q
    driver.start_servo()
    driver.send_joints(q)
    emulator.inject(Fault(kind))  # type: ignore[arg-type]
    for call in (lambda: driver.send_joints(q), driver.read_state, driver.stop):
        began = time.monotonic()
        with pytest.raises(ArmError):
            call()
        assert time.monotonic() - began < SILENCE


@pytest.mark.parametrize("kind", ["drop_link", "refuse"])
def test_a_lost_link_is_noticed_in_half_a_second(driver: ArmDriver, emulator: EmulatorProcess, kind: str) -> None:
    q = driver.read_state().q
    driver.start_servo()
    emulator.inject(Fault(kind))  # type: ignore[arg-type]
    for call in (lambda: driver.send_joints(q), driver.read_state, driver.stop):
        began = time.monotonic()
        with pytest.raises(ArmError):
            call()
        assert time.monotonic() - began < SILENCE


def test_connecting_to_nothing_says_so(
    driver: ArmDriver, emulator: EmulatorProcess, arm_config: ArmConfig, safety: SafetyConfig
) -> None:
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


def test_connecting_again_and_again_leaves_no_thread(driver: ArmDriver) -> None:
    driver.disconnect()
    threads = threading.active_count()
    for _ in range(3):
        driver.connect()
        driver.read_state()
        driver.disconnect()
        driver.disconnect()
        assert threading.active_count() == threads


def test_an_arm_that_cannot_prove_that_it_is_emulated_is_refused(
    request: pytest.FixtureRequest, driver: ArmDriver, arm_config: ArmConfig, safety: SafetyConfig
) -> None:
    make = DRIVERS[request.node.callspec.params["driver"]]
    stranger = make(arm_config, safety, emulator_nonce=bytes(32))
    with pytest.raises(ArmError, match="prove"):
        stranger.connect()
    with pytest.raises(ArmError, match="not connected"):
        stranger.read_state()
