"""The emulated controller in virtual time: states, errors, queue and dynamics, without sockets or waiting."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.robots.emulator.arm import Q_LOWER, Q_UPPER, EmulatedArm
from hardware.robots.emulator.config import EmulatorConfig
from hardware.robots.emulator.motion import JointMove, Profile
from hardware.robots.emulator.plant import DDQ_MAX, DQ_MAX, Plant
from hardware.robots.emulator.xarm_controller import PAUSED, STOPPED, Queued, XArmController

DT = 0.004
HOME = np.radians([0.0, -46.0, 0.0, 64.0, 0.0, 110.0, 0.0])


def _controller(mode: int = 0, q: Array = HOME) -> XArmController:
    c = XArmController(EmulatorConfig(q_start=tuple(q)))
    c.enable(True)
    c.set_mode(mode)
    c.set_state(0)
    return c


def _run(c: XArmController, seconds: float, each: Callable[[float], None] = lambda t: None) -> None:
    for k in range(round(seconds / DT)):
        each(k * DT)
        c.step(DT)


def _stream(c: XArmController, path: Callable[[float], Array], seconds: float, every: int = 2) -> None:
    for k in range(round(seconds / DT)):
        if k % every == 0:
            c.servo_joints(path(k * DT))
        c.step(DT)


def _push(c: XArmController, goal: Array, ends: list[int], speed: float = 1.0) -> None:
    c.push(Queued(lambda q: JointMove(q, goal, speed, 10.0), ends.append))


def test_it_wakes_up_stopped_and_without_power() -> None:
    c = XArmController(EmulatorConfig())
    assert (c.state, c.error, c.enabled) == (STOPPED, 0, False)
    c.set_state(0)
    assert c.state == STOPPED
    c.enable(True)
    c.set_state(0)
    assert c.state == 2


def test_a_new_mode_holds_only_after_set_state() -> None:
    c = _controller()
    c.set_mode(1)
    assert c.state == 5
    c.servo_joints(HOME + 0.01)
    _run(c, 0.2)
    np.testing.assert_array_equal(c.plant.q, HOME)
    c.set_state(0)
    c.servo_joints(HOME + 0.01)
    _run(c, 0.5)
    np.testing.assert_allclose(c.plant.q, HOME + 0.01, atol=1e-4)


@pytest.mark.parametrize("change", [lambda c: c.set_tool([0, 0, 50, 0, 0, 0]), lambda c: c.changed()])
def test_a_changed_setting_stops_until_set_state(change: Callable[[XArmController], None]) -> None:
    c, ends = _controller(), []
    _push(c, HOME + 0.5, ends)
    _run(c, 0.1)
    change(c)
    assert c.state == 5
    assert ends == [2]
    _run(c, 0.5)
    rest = c.plant.q
    c.set_state(0)
    _run(c, 0.2)
    np.testing.assert_array_equal(c.plant.q, rest)


def test_motion_takes_time_within_the_drives_limits() -> None:
    c, ends, speeds = _controller(), [], []
    _push(c, HOME + 1.0, ends, speed=2.0)
    _run(c, 1.5, lambda _: speeds.append(c.plant.dq.copy()))
    seen = np.array(speeds)
    assert ends == [0]
    assert 1.9 < np.abs(seen).max() < 2.1
    assert np.abs(np.diff(seen, axis=0)).max() / DT <= DDQ_MAX + 1e-9
    np.testing.assert_allclose(c.plant.q, HOME + 1.0, atol=1e-3)


@pytest.mark.parametrize("tip_speed", [0.1, 0.25])
def test_a_stop_half_way_takes_a_little_time_and_distance_and_keeps_the_direction(tip_speed: float) -> None:
    c = _controller(1)
    arm = EmulatedArm("xarm7")
    rate = tip_speed / np.linalg.norm(arm.tool_jacobian(HOME)[:3, 0])
    _stream(c, lambda t: HOME + rate * t * np.eye(7)[0], 0.5)
    assert c.tcp_speed == pytest.approx(tip_speed, rel=0.02)
    at_stop, tip = c.plant.q.copy(), arm.tool_pose(c.plant.q)[:3, 3]
    c.set_state(4)
    steps = 0
    while not c.plant.at_rest:
        c.step(DT)
        steps += 1
    assert 3 * DT < steps * DT < 0.2
    assert 0.0 < np.linalg.norm(arm.tool_pose(c.plant.q)[:3, 3] - tip) < 0.1 * tip_speed
    np.testing.assert_allclose((c.plant.q - at_stop)[1:], 0.0, atol=1e-9)


def test_stopping_again_and_again_does_not_stop_later() -> None:
    def braking(again: bool) -> int:
        c = _controller(1)
        _stream(c, lambda t: HOME + 0.8 * t * np.eye(7)[0], 0.4)
        c.set_state(4)
        steps = 0
        while np.abs(c.plant.dq).max() > 0:
            if again:
                c.set_state(4)
            c.step(DT)
            steps += 1
        return steps

    assert braking(True) == braking(False)


def test_a_pause_keeps_the_queue() -> None:
    c, ends = _controller(), []
    _push(c, HOME + 0.4, ends)
    _push(c, HOME, ends)
    _run(c, 0.2)
    c.set_state(3)
    _run(c, 0.5)
    assert (c.state, ends) == (PAUSED, [])
    assert c.plant.at_rest
    c.set_state(0)
    _run(c, 2.5)
    assert ends == [0, 0]
    np.testing.assert_allclose(c.plant.q, HOME, atol=1e-3)


def test_at_an_error_the_queue_is_thrown_away_and_nothing_is_taken_until_it_is_cleared() -> None:
    c, ends = _controller(), []
    _push(c, HOME + 0.4, ends)
    _push(c, HOME, ends)
    _run(c, 0.2)
    c.fail(31)
    assert ends == [2, 2]
    assert c.status & 0x40
    c.set_state(0)
    assert c.state == STOPPED
    _push(c, HOME, ends)
    assert ends == [2, 2, 2]
    c.clear_error()
    c.set_state(0)
    _push(c, c.plant.q + 0.1, ends)
    _run(c, 1.0)
    assert ends[-1] == 0


def test_an_emergency_stop_takes_the_power() -> None:
    c = _controller(1)
    c.fail(1)
    c.clear_error()
    c.set_state(0)
    assert c.state == STOPPED
    c.enable(True)
    c.set_state(0)
    assert c.state == 2


def test_a_full_queue_is_a_warning() -> None:
    c, ends = _controller(), []
    c.set_state(3)
    for _ in range(1030):
        _push(c, HOME, ends)
    assert c.warning == 11
    assert len(ends) == 6


def test_streaming_past_a_joint_limit_is_error_23() -> None:
    c = _controller(1)
    c.servo_joints(np.where(np.arange(7) == 1, Q_UPPER + 0.1, HOME))
    assert c.error == 23


@pytest.mark.parametrize("sensitivity", [0, 1, 3, 5])
def test_a_push_from_outside_is_a_collision_by_the_sensitivity(sensitivity: int) -> None:
    c = _controller(1)
    c.settings.collision_sensitivity = sensitivity
    c.wrench = np.array([0.0, 60.0, 0.0, 0.0, 0.0, 0.0])
    _run(c, 0.02)
    assert c.error == (31 if sensitivity == 5 else 0)
    c.wrench *= 3
    _run(c, 0.02)
    assert c.error == (31 if sensitivity else 0)


def test_too_fast_a_tool_in_servo_mode_is_error_60() -> None:
    c = _controller(1, np.radians([0.0, 45.0, 0.0, 90.0, 0.0, 45.0, 0.0]))
    start = c.plant.q.copy()
    _stream(c, lambda t: start + 2.0 * t * t * np.eye(7)[0], 1.2, every=1)
    assert c.error == 60


def test_a_fence_holds_the_tool_inside() -> None:
    c = _controller(1)
    x, y, z = c.pose[:3]
    c.settings.boundary = [int(x) + 300, int(x) - 300, int(y) + 30, int(y) - 300, int(z) + 300, int(z) - 300]
    c.settings.fence_on = True
    _stream(c, lambda t: HOME + 0.3 * t * np.eye(7)[0], 2.0)
    assert c.error == 35
    assert c.pose[1] < y + 30 + 20


def test_the_emulators_arm_can_be_made_a_little_wrong() -> None:
    nominal, wrong = EmulatedArm("xarm7"), EmulatedArm("xarm7", kinematics_error_mm=3.0)
    off = wrong.tool_pose(HOME)[:3, 3] - nominal.tool_pose(HOME)[:3, 3]
    assert np.linalg.norm(off) == pytest.approx(0.003)
    np.testing.assert_allclose(nominal.tool_pose(HOME), ArmKinematics.load("xarm7").flange_pose(HOME), atol=1e-12)


def test_placing_the_arm_ends_errors_and_motion() -> None:
    c = _controller(1)
    c.fail(31)
    c.place(HOME + 0.1)
    assert c.error == 0
    _run(c, 0.1)
    np.testing.assert_array_equal(c.plant.q, HOME + 0.1)


joint_vectors = st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7).map(np.array)


@settings(max_examples=60, deadline=None)
@given(st.lists(joint_vectors, min_size=1, max_size=30))
def test_no_stream_however_wild_takes_the_drives_past_their_limits(targets: list[Array]) -> None:
    plant, last = Plant(np.zeros(7)), np.zeros(7)
    for target in targets:
        for _ in range(10):
            plant.track(target, np.zeros(7), DT)
            assert np.abs(plant.dq).max() <= DQ_MAX + 1e-12
            assert np.abs(plant.dq - last).max() <= DDQ_MAX * DT + 1e-12
            last = plant.dq.copy()


@settings(max_examples=60, deadline=None)
@given(st.lists(joint_vectors, min_size=1, max_size=40), st.integers(0, 39))
def test_whatever_is_streamed_a_stop_ends_at_rest_and_nothing_moves_afterwards(
    steps: list[Array], stop_after: int
) -> None:
    c = _controller(1)
    q = HOME.copy()
    for k, step in enumerate(steps):
        q = np.clip(q + 0.02 * step, Q_LOWER, Q_UPPER)
        c.servo_joints(q)
        _run(c, 2 * DT)
        if k == stop_after:
            break
    c.set_state(4)
    _run(c, 0.5)
    rest = c.plant.q.copy()
    assert np.abs(c.plant.dq).max() == 0
    c.servo_joints(HOME)
    _run(c, 0.1)
    np.testing.assert_array_equal(c.plant.q, rest)


@given(st.floats(1e-6, 10), st.floats(1e-3, 5), st.floats(0.1, 50))
def test_a_profile_covers_its_length_without_going_back(length: float, speed: float, acceleration: float) -> None:
    profile = Profile(length, speed, acceleration)
    covered = np.array([profile.at(t) for t in np.linspace(0, profile.duration, 40)])
    assert covered[0] == pytest.approx(0, abs=1e-9)
    assert covered[-1] == pytest.approx(length)
    assert (np.diff(covered) >= -1e-9 * length).all()
