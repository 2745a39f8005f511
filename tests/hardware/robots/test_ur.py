"""What is particular to the UR: its series, second process, watchdog, stops, and what it tells of itself."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.geometry import rotation_from_vector, transform
from hardware.kinematics import ArmKinematics
from hardware.rig import SafetyConfig
from hardware.robots.base import ArmError
from hardware.robots.compliance import Yielding
from hardware.robots.emulator.process import EmulatorProcess, Fault
from hardware.robots.emulator.ur_frames import IN_USE, NOT_FOUND, FrameError, decode, encode
from hardware.robots.emulator.ur_script import programs
from hardware.robots.ur import UrDriver
from hardware.robots.ur_codes import MODES, SAFETY, code_of, error_in_words
from hardware.robots.ur_limits import merge
from hardware.robots.ur_process import UrProcess
from hardware.robots.ur_side import Witness, dashboard, read_configuration
from hardware.robots.ur_units import T_from_pose, pose_from_T
from tests.hardware.robots.conftest import own_address
from tests.hardware.robots.makes import MAKES

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parent.parent.parent.parent
MAKE = MAKES["ur5e"]
numbers = st.floats(-2.0, 2.0)


@pytest.fixture(scope="module")
def process() -> Iterator[EmulatorProcess]:
    with MAKE.emulator(own_address()) as process:
        yield process


@pytest.fixture
def emulator(process: EmulatorProcess) -> Iterator[EmulatorProcess]:
    process.inject(Fault("none"))
    process.place(MAKE.home)
    yield process
    process.inject(Fault("none"))


@pytest.fixture
def driver(emulator: EmulatorProcess, safety: SafetyConfig) -> Iterator[UrDriver]:
    made = UrDriver(MAKE.config(emulator.address), safety, emulator_nonce=emulator.nonce)
    made.connect()
    yield made
    made.disconnect()


def _until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@given(st.tuples(*[numbers] * 6))
def test_poses_survive_the_way_there_and_back(values: tuple[float, ...]) -> None:
    T = transform(rotation_from_vector(values[3:]), values[:3])
    np.testing.assert_allclose(T_from_pose(pose_from_T(T)), T, atol=1e-6)


def test_a_model_of_the_other_series_is_refused_before_anything_is_sent(
    emulator: EmulatorProcess, safety: SafetyConfig
) -> None:
    wrong = replace(MAKE.config(emulator.address), model="ur5")
    with pytest.raises(ArmError, match=r"version 5.*ur5 \(CB3\) has 3"):
        UrDriver(wrong, safety, emulator_nonce=emulator.nonce).connect()


def test_another_control_port_is_said_to_be_impossible(safety: SafetyConfig) -> None:
    with pytest.raises(ArmError, match="30004"):
        UrDriver(MAKE.config("127.0.0.1"), safety, control_port=1)


def test_a_second_controller_is_refused_and_the_first_goes_on(
    driver: UrDriver, emulator: EmulatorProcess, safety: SafetyConfig
) -> None:
    driver.start_servo()
    second = UrDriver(MAKE.config(emulator.address), safety, emulator_nonce=emulator.nonce)
    with pytest.raises(ArmError, match="in use"):
        second.connect()
    driver.send_joints(driver.read_state().q)


def test_a_program_that_was_started_again_does_not_obey_what_was_said_before(
    driver: UrDriver, emulator: EmulatorProcess
) -> None:
    start = driver.read_state().q
    driver.start_servo()
    for k in range(40):
        driver.send_joints(start + 0.002 * k)
        time.sleep(0.005)
    # somebody ends the program at its pendant: the last command stays in its register
    assert dashboard(emulator.address, "stop") == "Stopped"
    _until(lambda: bool(np.abs(emulator.joints().dq).max() < 1e-5))
    rest = emulator.joints().q
    assert np.abs(rest - (start + 0.078)).max() > 1e-4
    driver.start_servo()
    time.sleep(0.2)
    np.testing.assert_array_equal(emulator.joints().q, rest)


def test_an_arm_that_nobody_streams_to_any_more_is_stopped_by_its_watchdog(
    driver: UrDriver, emulator: EmulatorProcess
) -> None:
    driver.start_servo()
    driver.send_joints(driver.read_state().q)
    # no request, no kick: as where the servo process hangs
    _until(lambda: dashboard(emulator.address, "running") == "Program running: false", 2.0)
    with pytest.raises(ArmError, match="stopped"):
        driver.send_joints(MAKE.home)
    driver.start_servo()
    driver.send_joints(driver.read_state().q)


def test_an_arm_that_waits_for_its_start_keeps_its_program(driver: UrDriver, emulator: EmulatorProcess) -> None:
    driver.start_servo()
    time.sleep(0.8)
    assert dashboard(emulator.address, "running") == "Program running: true"


def test_killing_the_process_of_ur_rtde_is_an_error_and_not_the_end(
    driver: UrDriver, emulator: EmulatorProcess
) -> None:
    driver.start_servo()
    (child,) = (p for p in psutil.Process().children() if "UR right" in " ".join(p.cmdline()))
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(ArmError, match="link was lost"):
        driver.send_joints(MAKE.home)
    # the second way to stop is left
    driver.stop()
    assert dashboard(emulator.address, "running") == "Program running: false"
    driver.disconnect()
    driver.connect()
    assert driver.read_state().error_code == 0


def test_a_driver_that_dies_leaves_no_process_and_no_running_program(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        "from hardware.robots.ur_process import UrProcess\n"
        "link = UrProcess('UR test')\n"
        f"link.ask(10.0, 'connect', {emulator.address!r})\n"
        "link.ask(5.0, 'begin', 3.0, None, 0.0, [0.0] * 3)\n"
        "print(link.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert dashboard(emulator.address, "running") == "Program running: true"
    parent.kill()
    parent.communicate()
    _until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    _until(lambda: dashboard(emulator.address, "running") == "Program running: false")


def test_motors_that_are_off_are_switched_on_by_clearing_the_error(
    driver: UrDriver, emulator: EmulatorProcess
) -> None:
    dashboard(emulator.address, "power off")
    _until(lambda: driver.read_state().error_code == 103)
    with pytest.raises(ArmError, match="motors are off"):
        driver.start_servo()
    driver.clear_error()
    driver.start_servo()
    driver.send_joints(driver.read_state().q)


def test_an_arm_can_be_connected_while_it_is_stopped(driver: UrDriver, emulator: EmulatorProcess) -> None:
    driver.disconnect()
    emulator.inject(Fault("protective_stop"))
    driver.connect()
    assert driver.read_state().error_code == 3
    driver.clear_error()
    driver.start_servo()


def test_a_spring_is_refused_because_a_ur_has_none(driver: UrDriver) -> None:
    with pytest.raises(ArmError, match="spring"):
        driver.start_yielding(Yielding(axes=(1, 0, 0, 0, 0, 0), stiffness=np.full(6, 10.0)))


def test_the_controllers_own_table_of_the_arm_is_ours(emulator: EmulatorProcess) -> None:
    told = read_configuration(emulator.address)
    assert told is not None
    ours = ArmKinematics.load("ur5e")
    np.testing.assert_allclose(told.ranges, np.stack([ours.q_lower, ours.q_upper], axis=1))
    np.testing.assert_allclose(told.dh[0], [0.0, -0.425, -0.3922, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(told.dh[1], [0.1625, 0.0, 0.0, 0.1333, 0.0997, 0.0996])
    assert told.robot_type == 1


def test_limits_are_the_stricter_ones_and_say_where_they_are_from(
    emulator: EmulatorProcess, safety: SafetyConfig
) -> None:
    told, arm = read_configuration(emulator.address), MAKE.config(emulator.address)
    assert told is not None
    narrow = replace(told, ranges=told.ranges / 2, dq_max=np.full(6, 1.0))
    limits = merge(narrow, arm, safety)
    np.testing.assert_allclose(limits.q_upper, told.ranges[:, 1] / 2)
    np.testing.assert_allclose(limits.dq_max, 1.0)
    assert limits.source["q_upper"] == "controller"
    assert merge(None, arm, safety).source["q_upper"] == "vendor's table for this model"
    assert limits.tip_speed == safety.tip_speed


def test_only_the_program_that_started_an_emulator_takes_it_for_one(emulator: EmulatorProcess) -> None:
    witness = Witness(emulator.address, emulator.control_port)
    try:
        assert witness.proves(emulator.nonce)
        assert not witness.proves(bytes(32))
        assert witness.alive
        emulator.inject(Fault("drop_link"))
        _until(lambda: not witness.alive)
    finally:
        witness.close()


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(12), b""])
def test_something_else_on_the_port_is_not_taken_for_a_controller(safety: SafetyConfig, words: bytes) -> None:
    address = own_address()

    def serve(listener: socket.socket) -> None:
        link, _ = listener.accept()
        with link:
            link.recv(100)
            link.sendall(words)

    with socket.create_server((address, 30004)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        with pytest.raises(ArmError, match="no UR controller"):
            UrDriver(MAKE.config(address), safety, emulator_nonce=bytes(32)).connect()
        server.join()


def test_a_request_that_is_not_answered_in_time_is_an_error_and_a_late_answer_is_left_out() -> None:
    link = UrProcess("UR test")
    try:
        # it is still starting
        with pytest.raises(ArmError, match="does not answer"):
            link.ask(0.0, "nothing of that name")
        with pytest.raises(ArmError, match="not connected"):
            link.ask(5.0, "stop")
    finally:
        link.close()


@pytest.mark.parametrize("code", [*SAFETY, *(100 + mode for mode in MODES)])
def test_every_mode_has_words_and_an_advice(code: int) -> None:
    words = error_in_words(code)
    assert str(code) in words
    assert ";" in words
    assert "teach pendant" in words or "not in this program's table" not in words


def test_modes_in_which_the_arm_may_move_are_no_error() -> None:
    assert code_of(7, 1) == 0
    assert code_of(7, 2) == 0
    assert code_of(7, 3) == 3
    assert code_of(3, 1) == 103
    assert "table" in error_in_words(77)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50)), max_size=5), st.integers(0, 60))
def test_frames_survive_being_torn_apart(frames: list[tuple[int, bytes]], cut: int) -> None:
    data = b"".join(encode(command, payload) for command, payload in frames)
    first, rest = decode(data[:cut])
    second, rest = decode(rest + data[cut:])
    assert first + second == frames
    assert rest == b""


def test_a_frame_of_nonsense_is_refused() -> None:
    with pytest.raises(FrameError):
        decode(struct.pack(">HB", 2, 86))


def test_a_script_is_run_when_its_end_has_come_and_not_before() -> None:
    whole = "def a():\n  movej([0,0,0,0,0,0])\n  end\nend\n"
    assert programs(whole[:-2]) == ([], whole[:-2])
    assert programs(whole + "stopj(2)\nde") == ([whole, "stopj(2)"], "de")


def test_noise_on_every_port_does_not_disturb_the_others(driver: UrDriver, emulator: EmulatorProcess) -> None:
    noise = np.random.default_rng(1)
    driver.start_servo()
    for k in range(30):
        port = (30004, 30003, 29999, 30001, 30002)[k % 5]
        with socket.create_connection((emulator.address, port), 2.0) as bad:
            bad.sendall(noise.bytes(int(noise.integers(1, 3000))))
        driver.send_joints(driver.read_state().q)
    assert emulator.alive


def test_unknown_variables_are_said_to_be_unknown_and_foreign_ones_to_be_in_use(
    driver: UrDriver, emulator: EmulatorProcess
) -> None:
    with socket.create_connection((emulator.address, 30004), 2.0) as link:
        link.settimeout(2.0)
        for command, payload, word in (
            (ord("I"), b"input_int_register_0,", IN_USE),
            (ord("I"), b"no_such_input,", NOT_FOUND),
            (ord("O"), struct.pack(">d", 125.0) + b"no_such_output,", NOT_FOUND),
        ):
            link.sendall(encode(command, payload))
            received = b""
            while not decode(received)[0]:
                received += link.recv(1024)
            assert word.encode() in received
