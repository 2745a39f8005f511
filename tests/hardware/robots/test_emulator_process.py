"""The life of an emulator's process: it starts, proves itself, is disturbed, and never outlives its parent."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from hardware.robots.emulator.frames import Frame, decode, encode
from hardware.robots.emulator.process import EmulatorConfig, EmulatorProcess, Fault
from hardware.robots.ur_side import dashboard

ROOT = Path(__file__).parent.parent.parent.parent

pytestmark = pytest.mark.alone


def _exchange(link: socket.socket, frame: Frame) -> Frame:
    link.sendall(encode(frame))
    buffer, found = b"", []
    while not found:
        data = link.recv(1024)
        assert data, "the connection was closed"
        found, buffer = decode(buffer + data)
    return found[0]


def _flood(link: socket.socket, seconds: float = 30.0) -> None:
    requests, deadline = encode(Frame(1, 2, 53)) * 500, time.monotonic() + seconds
    link.settimeout(0.1)
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            link.send(requests)


def test_two_emulators_run_side_by_side_on_their_own_addresses(address: str) -> None:
    other = address.rsplit(".", 1)[0] + ".250"
    with EmulatorProcess(address) as first, EmulatorProcess(other) as second:
        second.place(np.full(7, 0.1))
        assert first.nonce != second.nonce
        assert first.pid != second.pid
        time.sleep(0.05)
        np.testing.assert_allclose(second.joints().q, 0.1)
        assert not np.allclose(first.joints().q, 0.1)


def test_a_taken_address_is_said_and_leaves_nothing(emulator: EmulatorProcess) -> None:
    before = set(os.listdir("/dev/shm"))
    with pytest.raises(OSError, match=emulator.address):
        EmulatorProcess(emulator.address)
    assert set(os.listdir("/dev/shm")) <= before


def test_closing_ends_the_process_and_its_memory(address: str) -> None:
    emulator = EmulatorProcess(address)
    pid, name = emulator.pid, emulator.joints_shm
    emulator.close()
    emulator.close()
    assert not psutil.pid_exists(pid)
    assert not Path("/dev/shm", name.lstrip("/")).exists()


@pytest.mark.parametrize("killed", [True, False])
def test_an_emulator_does_not_outlive_its_parent(tmp_path: Path, address: str, killed: bool) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import sys, time\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from hardware.robots.emulator.process import EmulatorProcess\n"
        "if __name__ == '__main__':\n"
        f"    emulator = EmulatorProcess({address!r})\n"
        "    print(emulator.pid, flush=True)\n"
        f"    time.sleep({60 if killed else 0})\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    if killed:
        parent.kill()
    parent.communicate(timeout=60.0)
    deadline = time.monotonic() + 30.0
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the emulator lives on"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_standalone_emulator_says_ready_and_ends_well_when_told(number: signal.Signals, address: str) -> None:
    program = (
        "from hardware.robots.emulator.process import run_standalone; import sys;"
        f"sys.exit(run_standalone({address!r}, 10502, 'xarm7'))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    with socket.create_connection((address, 10502), 2.0) as link:
        assert b"XI1304" in _exchange(link, Frame(1, 2, 1)).payload
    process.send_signal(number)
    assert process.wait(30.0) == 0
    process.stdout.close()


def test_a_standalone_ur_says_ready_and_answers_its_dashboard(address: str) -> None:
    command = [sys.executable, "main.py", "emulate", "ur", "--model", "ur5", "--host", address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert dashboard(address, "PolyscopeVersion").startswith("URSoftware 3.")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30.0) == 0
    process.stdout.close()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"address": "192.168.1.2"}, "address"),
        ({"model": "xarm6"}, "model"),
        ({"q_start": (0.0,)}, "q_start"),
        ({"control_port": 70000}, "port"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        EmulatorConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [{"kind": "bang"}, {"kind": "error"}, {"kind": "error", "code": 300}])
def test_a_fault_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="fault"):
        Fault(**values)  # type: ignore[arg-type]


def test_noise_on_every_port_does_not_disturb_the_others(emulator: EmulatorProcess) -> None:
    noise = random.Random(1)
    with socket.create_connection((emulator.address, emulator.control_port), 2.0) as good:
        for _ in range(60):
            port = noise.choice([emulator.control_port, 30001, 30002, 30003])
            with socket.create_connection((emulator.address, port), 2.0) as bad:
                bad.sendall(noise.randbytes(noise.randrange(1, 2000)))
            assert _exchange(good, Frame(7, 2, 13)).transaction == 7
    assert emulator.alive


def test_a_client_that_never_reads_is_dropped_and_the_rest_go_on(emulator: EmulatorProcess) -> None:
    with (
        socket.create_connection((emulator.address, emulator.control_port), 2.0) as deaf,
        socket.create_connection((emulator.address, emulator.control_port), 2.0) as good,
    ):
        with pytest.raises(ConnectionError):
            _flood(deaf)
        assert _exchange(good, Frame(2, 2, 13)).transaction == 2


def test_a_half_sent_frame_waits_for_its_rest(emulator: EmulatorProcess) -> None:
    whole = encode(Frame(5, 2, 1))
    with socket.create_connection((emulator.address, emulator.control_port), 2.0) as link:
        link.sendall(whole[:4])
        time.sleep(0.05)
        link.sendall(whole[4:])
        assert link.recv(1024)[8:].startswith(b"7,7,")
