"""What is particular to the xArm: units, codes in words, limits read back, identity, the SDK kept quiet."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.base import ArmError
from hardware.robots.emulator.identity import verify_emulator
from hardware.robots.emulator.process import EmulatorProcess, Fault
from hardware.robots.xarm import XArmDriver
from hardware.robots.xarm_codes import ERRORS, error_in_words, return_in_words
from hardware.robots.xarm_limits import ControllerLimits, merge
from hardware.robots.xarm_sdk import load_sdk
from hardware.robots.xarm_units import T_from_pose, pose_from_T

pytestmark = [
    pytest.mark.alone,
    pytest.mark.filterwarnings("ignore:The 'warn' method:DeprecationWarning"),  # the SDK's own
]

MANUAL_CODES = (1, 2, 3, 18, 21, 22, 23, 24, 31, 35, 50, 51, 52, 53, 60)
angles = st.floats(-np.pi, np.pi)


@pytest.fixture
def driver(emulator: EmulatorProcess, arm_config: ArmConfig, safety: SafetyConfig) -> Iterator[XArmDriver]:
    made = XArmDriver(arm_config, safety, emulator_nonce=emulator.nonce)
    yield made
    made.disconnect()


@pytest.fixture
def other_program(emulator: EmulatorProcess) -> Iterator[Any]:
    """Somebody else's connection to the same controller."""
    arm = load_sdk().open(emulator.address, emulator.control_port, 0.5)
    yield arm
    load_sdk().close(arm)


def _keep_sending(driver: XArmDriver, q: Array) -> None:
    for _ in range(100):
        driver.send_joints(q)
        time.sleep(0.01)


def _clear_and_go_on(driver: XArmDriver, q: Array) -> None:
    driver.clear_error()
    time.sleep(0.05)
    driver.start_servo()
    time.sleep(0.05)
    driver.send_joints(q)


def test_a_pose_in_millimetres_and_roll_pitch_yaw_is_read_as_the_vendor_means_it() -> None:
    T = T_from_pose([100.0, -200.0, 300.0, 0.1, -0.2, 0.3])
    np.testing.assert_allclose(T[:3, 3], [0.1, -0.2, 0.3])
    np.testing.assert_allclose(T[:3, :3], Rotation.from_euler("xyz", [0.1, -0.2, 0.3]).as_matrix(), atol=1e-12)


@given(st.tuples(*[st.floats(-1000, 1000)] * 3), angles, st.floats(-np.pi / 2, np.pi / 2), angles)
def test_poses_survive_the_way_there_and_back(
    position: tuple[float, ...], roll: float, pitch: float, yaw: float
) -> None:
    T = T_from_pose([*position, roll, pitch, yaw])
    np.testing.assert_allclose(T_from_pose(pose_from_T(T)), T, atol=1e-7)


def test_the_driver_speaks_metres_where_the_wire_speaks_millimetres(
    driver: XArmDriver, other_program: Any, emulator: EmulatorProcess
) -> None:
    driver.connect()
    code, (x, y, z, *_) = other_program.get_position(is_radian=False)
    assert code == 0
    np.testing.assert_allclose(driver.read_state().T_base_tool[:3, 3], np.array([x, y, z]) / 1000.0, atol=1e-6)
    assert np.linalg.norm([x, y, z]) > 100.0


def test_the_mounted_tool_moves_the_tool_pose(
    emulator: EmulatorProcess, arm_config: ArmConfig, safety: SafetyConfig
) -> None:
    T_flange_tool = transform(rotation_from_vector([0.0, 0.3, 0.0]), [0.01, 0.0, 0.15])
    driver = XArmDriver(
        arm_config, safety, emulator_nonce=emulator.nonce, T_flange_tool=T_flange_tool, tool_mass=0.3
    )
    try:
        driver.connect()
        np.testing.assert_allclose(driver.T_flange_tcp, T_flange_tool, atol=1e-5)
        with_tool = driver.read_state().T_base_tool
        driver.start_servo()
        driver.stop()
        driver.disconnect()
        bare = XArmDriver(arm_config, safety, emulator_nonce=emulator.nonce, T_flange_tool=np.eye(4))
        bare.connect()
        np.testing.assert_allclose(with_tool, bare.read_state().T_base_tool @ T_flange_tool, atol=2e-5)
        bare.disconnect()
    finally:
        driver.disconnect()


def test_a_change_of_mode_by_another_program_ends_the_stream(driver: XArmDriver, other_program: Any) -> None:
    driver.connect()
    q = driver.read_state().q
    driver.start_servo()
    driver.send_joints(q)
    other_program.set_mode(0)
    other_program.set_state(0)
    with pytest.raises(ArmError, match=r"not servo|not ready"):
        _keep_sending(driver, q)
    with pytest.raises(ArmError, match="start_servo"):
        driver.send_joints(q)


def test_an_emergency_stop_is_said_in_words(driver: XArmDriver, emulator: EmulatorProcess) -> None:
    driver.connect()
    emulator.inject(Fault("error", 2))
    with pytest.raises(ArmError, match=r"right.*emergency stop input"):
        driver.start_servo()


def test_an_error_whose_cause_is_still_there_comes_back(driver: XArmDriver, emulator: EmulatorProcess) -> None:
    driver.connect()
    driver.start_servo()
    q = driver.read_state().q
    emulator.inject(Fault("external_force", wrench=(0.0, 90.0, 0.0, 0.0, 0.0, 0.0)))
    time.sleep(0.05)
    assert driver.read_state().error_code == 31
    with pytest.raises(ArmError, match="hit"):
        _clear_and_go_on(driver, q)


def test_warnings_are_reported_and_do_not_stop(driver: XArmDriver, emulator: EmulatorProcess) -> None:
    driver.connect()
    driver.start_servo()
    emulator.inject(Fault("warning", 11))
    q = driver.read_state().q
    assert driver.read_state().warning_code == 11
    driver.send_joints(q)


def test_limits_are_the_stricter_ones_of_controller_and_rig(
    driver: XArmDriver, other_program: Any, arm_config: ArmConfig, safety: SafetyConfig
) -> None:
    arm = other_program
    driver.connect()
    before = driver.read_limits()
    assert before.tip_speed == safety.tip_speed
    arm.set_reduced_mode(True)
    arm.set_reduced_max_tcp_speed(150)
    arm.set_reduced_max_joint_speed(0.9)
    arm.set_reduced_tcp_boundary([700, 100, 300, -200, 400, 50])
    arm.set_reduced_joint_range([-1.5, 1.5, -1, 1, -2, 2, 0, 2, -3, 3, -1, 2, -3, 3])
    try:
        after = driver.read_limits()
    finally:
        arm.set_reduced_mode(False)
    assert after.tip_speed == pytest.approx(0.15)
    np.testing.assert_allclose(after.dq_max, 0.9, atol=1e-6)
    np.testing.assert_allclose(after.q_lower, [-1.5, -1, -2, 0, -3, -1, -3], atol=1e-6)
    # the base is turned by 180 degrees at x = 0.6: its x 0.1..0.7 is world -0.1..0.5, its y -0.2..0.3 is -0.3..0.2
    np.testing.assert_allclose(after.workspace, [[-0.1, -0.3, 0.05], [0.5, 0.2, 0.4]], atol=1e-6)
    assert "reduced" in after.source["tip_speed"]
    assert "boundary" in after.source["workspace"]
    assert before.source["workspace"] == "rig"


def _controller() -> ControllerLimits:
    ranges = np.array([[-6.0, 6.0]] * 7)
    boundary = np.array([[-1.0, -1.0, -0.1], [1.0, 1.0, 1.0]])
    return ControllerLimits(False, True, boundary, 0.25, 1.0, ranges, 1.0, 50.0, 3.14, 20.0, 2)


def test_a_boundary_that_shuts_out_the_workspace_is_an_error(arm_config: ArmConfig, safety: SafetyConfig) -> None:
    shut = replace(_controller(), boundary=np.array([[-1.0, -1.0, 0.8], [1.0, 1.0, 1.0]]))
    with pytest.raises(ValueError, match="no common space"):
        merge(shut, arm_config, safety)


def test_a_boundary_turned_against_the_world_does_not_widen_the_workspace(
    arm_config: ArmConfig, safety: SafetyConfig
) -> None:
    turned: Array = transform(rotation_from_vector([0.0, 0.0, 0.5]), [0.0, 0.0, 0.0])
    limits = merge(_controller(), replace(arm_config, T_world_base=turned), safety)
    np.testing.assert_array_equal(limits.workspace, safety.workspace)
    assert "turned" in limits.source["workspace"]


def test_a_weak_collision_sensitivity_is_shown(arm_config: ArmConfig, safety: SafetyConfig) -> None:
    assert "weaker" in merge(_controller(), arm_config, safety).source["collision"]


def test_an_arm_said_to_be_emulated_off_the_loopback_is_never_contacted(
    arm_config: ArmConfig, safety: SafetyConfig
) -> None:
    far = XArmDriver(replace(arm_config, address="192.0.2.1"), safety, emulator_nonce=bytes(32))
    began = time.monotonic()
    with pytest.raises(ArmError, match="emulated"):
        far.connect()
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(12)])
def test_something_else_on_the_port_is_not_taken_for_a_controller(
    arm_config: ArmConfig, safety: SafetyConfig, address: str, answer: bytes
) -> None:
    def serve(listener: socket.socket) -> None:
        link, _ = listener.accept()
        with link:
            link.recv(100)
            link.sendall(answer)

    with socket.create_server((address, 10502)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        driver = XArmDriver(replace(arm_config, address=address), safety, emulator_nonce=bytes(32))
        with pytest.raises(ArmError, match="no xArm controller"):
            driver.connect()
        server.join()


def test_only_the_program_that_started_an_emulator_takes_it_for_one(emulator: EmulatorProcess) -> None:
    assert verify_emulator(emulator.address, emulator.nonce, emulator.control_port)
    assert not verify_emulator(emulator.address, bytes(32), emulator.control_port)
    assert not verify_emulator("192.0.2.1", emulator.nonce)
    assert not verify_emulator("localhost", emulator.nonce)
    emulator.inject(Fault("refuse"))
    assert not verify_emulator(emulator.address, emulator.nonce, emulator.control_port)


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_every_error_code_has_words_and_an_advice(code: int) -> None:
    what, todo = ERRORS[code]
    assert what
    assert todo
    assert str(code) in error_in_words(code)


def test_unknown_codes_are_said_as_unknown() -> None:
    assert "manual" in error_in_words(250)
    assert "unknown" in return_in_words(77)


def test_the_sdk_prints_nothing(
    driver: XArmDriver, emulator: EmulatorProcess, capfd: pytest.CaptureFixture[str]
) -> None:
    driver.connect()
    driver.start_servo()
    emulator.inject(Fault("error", 24))
    time.sleep(0.3)
    driver.clear_error()
    driver.disconnect()
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_missing_sdk_is_said_with_the_command_that_installs_it() -> None:
    program = (
        "import sys; sys.modules['xarm'] = None\n"
        "from hardware.robots.base import ArmError\n"
        "from hardware.robots.xarm_sdk import load_sdk\n"
        "try: load_sdk()\n"
        "except ArmError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install xarm-python-sdk" in result.stdout
