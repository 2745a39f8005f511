"""The vendor's unmodified SDK drives the emulator: what a user of a real xArm can do works here too."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hardware.geometry import rotation_angle
from hardware.robots.emulator.process import EmulatorProcess, Fault
from hardware.robots.xarm_sdk import load_sdk
from hardware.robots.xarm_units import T_from_pose

pytestmark = [
    pytest.mark.alone,
    pytest.mark.filterwarnings("ignore:The 'warn' method:DeprecationWarning"),  # the SDK's own
]

HOME = np.radians([0.0, -46.0, 0.0, 64.0, 0.0, 110.0, 0.0])


def _plus(values: Any, *steps: float) -> np.ndarray:
    """Add steps to the first values."""
    moved = np.array(values, float)
    moved[: len(steps)] += steps
    return moved


@pytest.fixture(scope="module")
def connection(emulator_process: EmulatorProcess) -> Iterator[Any]:
    arm = load_sdk().open(emulator_process.address, emulator_process.control_port, 1.0)
    yield arm
    load_sdk().close(arm)


@pytest.fixture
def arm(connection: Any, emulator: EmulatorProcess) -> Any:
    """Connected, at home, ready in position mode, settings as from the factory."""
    connection.clean_error()
    connection.motion_enable(True)
    for setting in (connection.set_fence_mode, connection.set_reduced_mode):
        setting(False)
    connection.set_tcp_offset([0] * 6, wait=False)
    connection.set_mode(0)
    connection.set_state(0)
    _until(lambda: connection.mode == 0 and connection.state == 2 and connection.error_code == 0)
    return connection


def _until(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def _position(arm: Any) -> np.ndarray:
    code, pose = arm.get_position(is_radian=True)
    assert code == 0
    return np.array(pose)


def _assert_same_pose(pose: Any, expected: Any) -> None:
    """Within 0.2 mm and 0.2 mrad; roll may jump between -pi and pi."""
    T, wanted = T_from_pose(pose), T_from_pose(expected)
    np.testing.assert_allclose(T[:3, 3], wanted[:3, 3], atol=2e-4)
    assert rotation_angle(T[:3, :3], wanted[:3, :3]) < 2e-4


def test_it_says_what_it_is(arm: Any) -> None:
    assert arm.axis == 7
    assert arm.version.endswith("v2.5.0")
    assert arm.sn == "XI130412345678"


def test_a_joint_move_arrives_and_takes_its_time(arm: Any) -> None:
    goal = _plus(HOME, 0.3, 0.1, 0, 0.1, 0, -0.1, 0.2)
    began = time.monotonic()
    assert arm.set_servo_angle(angle=goal.tolist(), speed=0.6, mvacc=5.0, is_radian=True, wait=True) == 0
    assert time.monotonic() - began > 0.3 / 0.6
    np.testing.assert_allclose(arm.get_servo_angle(is_radian=True)[1], goal, atol=1e-3)


def test_a_relative_joint_move_adds_up(arm: Any) -> None:
    step = [0.1, 0, 0, 0, 0, 0, -0.1]
    assert arm.set_servo_angle(angle=step, speed=1.0, relative=True, is_radian=True, wait=True) == 0
    np.testing.assert_allclose(arm.get_servo_angle(is_radian=True)[1], _plus(HOME, *step), atol=1e-3)


def test_a_line_is_straight_and_keeps_what_is_not_given(arm: Any) -> None:
    before = _position(arm)
    assert arm.set_position(y=before[1] + 60, speed=100, mvacc=1000, wait=False) == 0
    seen = []
    _until(lambda: arm.get_state()[1] == 1)
    while arm.get_state()[1] == 1:
        seen.append(_position(arm))
    _assert_same_pose(seen[-1], _plus(before, 0, 60, 0, 0, 0, 0))
    away = np.array(seen)[:, [0, 2]] - before[[0, 2]]
    assert np.abs(away).max() < 1.0
    assert len(seen) > 20


def test_a_relative_line_in_tool_axes_goes_along_the_tool(arm: Any) -> None:
    before = _position(arm)
    assert arm.set_tool_position(z=30, speed=100, wait=True) == 0
    code, offset = arm.get_pose_offset(before.tolist(), _position(arm).tolist(), is_radian=True)
    assert code == 0
    np.testing.assert_allclose(offset[:3], [0, 0, 30], atol=0.2)


def test_a_relative_line_in_base_axes_goes_along_the_base(arm: Any) -> None:
    before = _position(arm)
    assert arm.set_position(x=20, z=-10, relative=True, speed=100, wait=True) == 0
    np.testing.assert_allclose(_position(arm)[:3], _plus(before[:3], 20, 0, -10), atol=0.2)


def test_queued_moves_run_one_after_another(arm: Any) -> None:
    for step in (0.1, 0.1, -0.1):
        move = [step, 0, 0, 0, 0, 0, 0]
        assert arm.set_servo_angle(angle=move, speed=1.0, relative=True, is_radian=True, wait=False) == 0
    assert arm.get_cmdnum()[1] >= 2
    _until(lambda: arm.get_cmdnum()[1] == 0)
    _until(lambda: arm.get_state()[1] == 2)
    np.testing.assert_allclose(
        arm.get_servo_angle(is_radian=True)[1], _plus(HOME, 0.1, 0, 0, 0, 0, 0, 0), atol=2e-3
    )


def test_a_pause_holds_and_the_move_goes_on_afterwards(arm: Any, emulator: EmulatorProcess) -> None:
    goal = _plus(HOME, 0.5, 0, 0, 0, 0, 0, 0)
    arm.set_servo_angle(angle=goal.tolist(), speed=0.8, is_radian=True, wait=False)
    _until(lambda: emulator.joints().dq[0] > 0.3)
    arm.set_state(3)
    _until(lambda: np.abs(emulator.joints().dq).max() < 1e-3)
    held = emulator.joints().q
    assert 0.01 < held[0] < 0.49
    time.sleep(0.1)
    np.testing.assert_allclose(emulator.joints().q, held, atol=1e-3)
    arm.set_state(0)
    _until(lambda: abs(emulator.joints().q[0] - 0.5) < 1e-3)


def test_a_stop_throws_the_queue_away(arm: Any, emulator: EmulatorProcess) -> None:
    for _ in range(3):
        arm.set_servo_angle(angle=[0.3, 0, 0, 0, 0, 0, 0], speed=0.8, relative=True, is_radian=True, wait=False)
    _until(lambda: emulator.joints().dq[0] > 0.3)
    arm.emergency_stop()
    assert arm.get_state()[1] == 4
    assert arm.get_cmdnum()[1] == 0
    _until(lambda: np.abs(emulator.joints().dq).max() < 1e-6)
    rest = emulator.joints().q
    arm.set_state(0)
    time.sleep(0.1)
    np.testing.assert_array_equal(emulator.joints().q, rest)


def test_servo_mode_follows_joint_and_tool_positions(arm: Any) -> None:
    arm.set_mode(1)
    arm.set_state(0)
    for k in range(50):
        assert arm.set_servo_angle_j((HOME + 0.001 * k).tolist(), is_radian=True) == 0
        time.sleep(0.01)
    time.sleep(0.2)
    np.testing.assert_allclose(arm.get_servo_angle(is_radian=True)[1], HOME + 0.049, atol=1e-3)
    start = _position(arm)
    for k in range(50):
        pose = _plus(start, 0.4 * k, 0, 0, 0, 0, 0)
        assert arm.set_servo_cartesian(pose.tolist(), is_radian=True) == 0
        time.sleep(0.01)
    time.sleep(0.2)
    np.testing.assert_allclose(_position(arm)[:3], _plus(start[:3], 0.4 * 49, 0, 0), atol=0.3)


def test_a_motion_command_in_the_wrong_mode_is_answered_and_does_nothing(arm: Any) -> None:
    assert arm.set_servo_angle_j((HOME + 0.01).tolist(), is_radian=True) == 0
    time.sleep(0.1)
    np.testing.assert_allclose(arm.get_servo_angle(is_radian=True)[1], HOME, atol=1e-5)


def test_joint_velocity_runs_until_its_time_is_over(arm: Any, emulator: EmulatorProcess) -> None:
    arm.set_mode(4)
    arm.set_state(0)
    assert arm.vc_set_joint_velocity([0.4, 0, 0, 0, 0, 0, 0], is_radian=True, duration=0.3) == 0
    _until(lambda: abs(emulator.joints().dq[0] - 0.4) < 0.02)
    _until(lambda: abs(emulator.joints().dq[0]) < 1e-3)
    assert 0.05 < emulator.joints().q[0] < 0.2


def test_tool_velocity_goes_along_one_axis(arm: Any) -> None:
    before = _position(arm)
    arm.set_mode(5)
    arm.set_state(0)
    assert arm.vc_set_cartesian_velocity([0, 80, 0, 0, 0, 0], duration=0.4) == 0
    _until(lambda: arm.get_state()[1] == 1)
    _until(lambda: arm.get_state()[1] == 2)
    moved = _position(arm) - before
    assert 15 < moved[1] < 40
    assert abs(moved[0]) < 1.0
    assert abs(moved[2]) < 1.0


def test_kinematics_both_ways_agree(arm: Any) -> None:
    code, pose = arm.get_forward_kinematics(HOME.tolist(), input_is_radian=True, return_is_radian=True)
    assert code == 0
    _assert_same_pose(pose, _position(arm))
    pose[0] += 30
    code, q = arm.get_inverse_kinematics(pose, input_is_radian=True, return_is_radian=True)
    assert code == 0
    back = arm.get_forward_kinematics(q, input_is_radian=True, return_is_radian=True)[1]
    _assert_same_pose(back, pose)
    assert arm.get_inverse_kinematics([2000, 0, 0, 0, 0, 0])[0] != 0
    assert arm.is_joint_limit([0, 3.0, 0, 0, 0, 0, 0], is_radian=True) == (0, True)
    assert arm.is_tcp_limit(pose, is_radian=True) == (0, False)


def test_settings_are_read_back_as_they_were_written(arm: Any) -> None:
    assert arm.set_tcp_offset([1, 2, 100, 0, 0.1, 0], is_radian=True, wait=False) == 0
    assert arm.set_state(0) == 0
    assert arm.set_tcp_load(0.5, [0, 0, 40]) in (0, 9)
    assert arm.set_collision_sensitivity(4) == 0
    _until(lambda: arm.collision_sensitivity == 4)
    np.testing.assert_allclose(arm.tcp_offset, [1, 2, 100, 0, 0.1, 0], atol=1e-5)
    np.testing.assert_allclose(arm.tcp_load[0], 0.5, atol=1e-3)
    np.testing.assert_allclose(arm.tcp_load[1], [0, 0, 40], atol=1e-3)
    np.testing.assert_allclose(arm.joint_speed_limit[1], np.pi, atol=1e-5)
    np.testing.assert_allclose(arm.tcp_speed_limit, [0.1, 1000], atol=1e-5)
    arm.set_collision_sensitivity(3)


def test_the_force_sensor_tells_the_force_from_outside(arm: Any, emulator: EmulatorProcess) -> None:
    assert arm.set_ft_sensor_enable(1) == 0
    emulator.inject(Fault("external_force", wrench=(1.0, 2.0, 3.0, 0.0, 0.0, 0.1)))
    np.testing.assert_allclose(arm.get_ft_sensor_data()[1], [1, 2, 3, 0, 0, 0.1], atol=1e-6)
    assert arm.set_ft_sensor_enable(0) == 0


@pytest.mark.parametrize(
    ("code", "provoke"),
    [
        (35, lambda arm: arm.set_position(x=60, relative=True, speed=200, wait=False)),
        (22, lambda arm: arm.set_servo_angle(angle=[0, 0, 0, 0, 3.1, 0, 0], speed=3, is_radian=True)),
        (21, lambda arm: arm.set_position(x=1500, speed=900, wait=False)),
        (
            23,
            lambda arm: arm.set_servo_angle(angle=[0, 0, 0, 0, 0, 1.4, 0], speed=3, relative=True, is_radian=True),
        ),
    ],
)
def test_a_bad_move_ends_in_the_vendors_error(arm: Any, emulator: EmulatorProcess, code: int, provoke: Any) -> None:
    position = _position(arm)
    if code == 35:
        edge = int(position[0]) + 30
        arm.set_reduced_tcp_boundary([edge, -900, 900, -900, 1200, -900])
        arm.set_fence_mode(True)
    assert provoke(arm) == 0
    _until(lambda: arm.get_err_warn_code()[1][0] != 0)
    assert arm.get_err_warn_code()[1][0] == code
    assert arm.get_state()[1] == 4
    assert arm.set_servo_angle(angle=HOME.tolist(), is_radian=True, wait=False) != 0
    _until(lambda: np.abs(emulator.joints().dq).max() == 0)


def test_a_jump_in_servo_mode_is_error_24(arm: Any, emulator: EmulatorProcess) -> None:
    arm.set_mode(1)
    arm.set_state(0)
    arm.set_servo_angle_j(_plus(HOME, 0.5).tolist(), is_radian=True)
    assert arm.get_err_warn_code()[1][0] == 24
    np.testing.assert_allclose(emulator.joints().q, HOME, atol=1e-6)


SESSION: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("get_version", ()),
    ("get_robot_sn", ()),
    ("get_state", ()),
    ("get_cmdnum", ()),
    ("get_err_warn_code", ()),
    ("clean_error", ()),
    ("clean_warn", ()),
    ("motion_enable", (True,)),
    ("get_position", ()),
    ("get_position_aa", ()),
    ("get_servo_angle", ()),
    ("get_joint_states", ()),
    ("get_joints_torque", ()),
    ("get_reduced_mode", ()),
    ("get_reduced_states", ()),
    ("get_report_tau_or_i", ()),
    ("get_allow_approx_motion", ()),
    ("set_tcp_jerk", (2000,)),
    ("set_tcp_maxacc", (40000,)),
    ("set_joint_jerk", (20.0,)),
    ("set_joint_maxacc", (15.0,)),
    ("set_world_offset", ([0, 0, 0, 0, 0, 0], None, False)),
    ("set_state", (0,)),
    ("set_gravity_direction", ([0, 0, -1],)),
    ("set_state", (0,)),
    ("set_teach_sensitivity", (3,)),
    ("set_state", (0,)),
    ("set_collision_sensitivity", (3,)),
    ("set_self_collision_detection", (True,)),
    ("set_collision_tool_model", (21, 60, 100)),
    ("set_collision_rebound", (False,)),
    ("set_reduced_max_tcp_speed", (250,)),
    ("set_cartesian_velo_continuous", (True,)),
    ("set_pause_time", (0.01,)),
    ("move_gohome", (1.0,)),
    ("set_position_aa", ([250, 0, 500, 3.14159, 0, 0],)),
    ("set_state", (4,)),
    ("set_ft_sensor_enable", (1,)),
    ("get_ft_sensor_data", ()),
    ("set_ft_sensor_zero", ()),
    ("set_ft_sensor_mode", (0,)),
    ("get_ft_sensor_mode", ()),
    ("set_ft_sensor_enable", (0,)),
    ("save_conf", ()),
)


def test_every_call_of_a_normal_session_is_answered(arm: Any) -> None:
    refused = {}
    for name, arguments in SESSION:
        result = getattr(arm, name)(*arguments)
        code = result[0] if isinstance(result, (tuple, list)) else result
        if code != 0:
            refused[name] = result
    assert not refused


def test_a_move_that_ends_in_an_error_ends_the_waiting(arm: Any, emulator: EmulatorProcess) -> None:
    threading.Timer(0.3, emulator.inject, [Fault("error", 31)]).start()
    assert arm.set_servo_angle(angle=_plus(HOME, 1.5).tolist(), speed=0.5, is_radian=True, wait=True) != 0
    assert abs(emulator.joints().q[0]) < 1.0


@pytest.mark.parametrize(("port", "size", "least"), [(30001, 145, 3), (30002, 587, 3), (30003, 135, 40)])
def test_reports_have_the_vendors_size_rate_and_content(
    arm: Any, emulator: EmulatorProcess, port: int, size: int, least: int
) -> None:
    received = b""
    with socket.create_connection((emulator.address, port), 2.0) as link:
        deadline = time.monotonic() + 0.9
        while time.monotonic() < deadline:
            received += link.recv(4096)
    frames = [received[i : i + size] for i in range(0, len(received) - size + 1, size)]
    assert least <= len(frames) <= 110
    for frame in frames:
        assert struct.unpack(">I", frame[:4])[0] == size
    np.testing.assert_allclose(struct.unpack("<7f", frames[-1][7:35]), emulator.joints().q, atol=1e-5)
    assert frames[-1][4] == 2
