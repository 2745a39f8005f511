"""The window's process is killed or frozen while the arms move: they stop, and nothing is left running."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection as Pipe

import numpy as np
import psutil
import pytest

from hardware.rig import Rig
from hardware.robots.arm_group import ArmGroup
from hardware.robots.emulator.process import EmulatorProcess
from hardware.tools import BUILT_IN_TOOLS, load_tool
from tests.hardware.robots.servo_rig import ARMS, ServoRig, two_arm_rig

pytestmark = pytest.mark.alone

STOP_TIME = 2.0


def _window(rig: Rig, nonces: Mapping[str, bytes], pipe: Pipe) -> None:
    """What stands for the window: on every word from the pipe it runs a long plan, with heartbeats all the time."""
    tools = {arm: load_tool(BUILT_IN_TOOLS[f"rotation_gripper_{arm}"]) for arm in ARMS}
    with ArmGroup(rig, tools, nonces=nonces) as group:
        group.connect()
        servo = ServoRig(rig, tools, {}, group)
        pipe.send(list(group._servos.pids.values()))
        while True:
            group.heartbeat()
            if pipe.poll(0.02):
                pipe.recv()
                servo.run(servo.plan(6.0, swing=0.25))
            pipe.send(group.progress())


class Window:
    """The other process as the test sees it."""

    def __init__(self, rig: Rig, emulators: Mapping[str, EmulatorProcess]) -> None:
        context = multiprocessing.get_context("spawn")
        self.emulators = emulators
        self.pipe, theirs = context.Pipe()
        nonces = {name: emulator.nonce for name, emulator in emulators.items()}
        self.process = context.Process(target=_window, args=(rig, nonces, theirs))
        self.process.start()
        theirs.close()
        assert self.pipe.poll(60.0)
        self.servo_pids: list[int] = self.pipe.recv()

    def speeds(self) -> list[float]:
        return [float(np.abs(emulator.joints().dq).max()) for emulator in self.emulators.values()]

    def run(self) -> None:
        """Have it run a plan and wait until both arms are under way."""
        self.pipe.send("run")
        deadline = time.monotonic() + 30.0
        while min(self.speeds()) < 0.03:
            while self.pipe.poll(0):
                self.pipe.recv()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def until_standing(self) -> float:
        """Return after how many seconds both arms stand."""
        start = time.monotonic()
        while max(self.speeds()) > 1e-4:
            assert time.monotonic() < start + STOP_TIME, f"the arms still move: {self.speeds()}"
            time.sleep(0.002)
        return time.monotonic() - start


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def window() -> Iterator[Window]:
    rig = two_arm_rig()
    emulators = {arm.name: EmulatorProcess(arm.address, q_start=arm.home) for arm in rig.arms}
    started = Window(rig, emulators)
    yield started
    started.process.kill()
    started.process.join()
    for emulator in emulators.values():
        emulator.close()


def test_a_frozen_and_a_killed_window_stop_the_arms_and_leave_no_process(window: Window) -> None:
    window.run()
    os.kill(window.process.pid or 0, signal.SIGSTOP)
    window.until_standing()
    stood = [emulator.joints().q for emulator in window.emulators.values()]
    time.sleep(0.3)
    for before, emulator in zip(stood, window.emulators.values(), strict=True):
        np.testing.assert_allclose(emulator.joints().q, before, atol=1e-6)
    os.kill(window.process.pid or 0, signal.SIGCONT)
    progress = window.pipe.recv()
    deadline = time.monotonic() + 30.0
    while progress.state != "ended" and time.monotonic() < deadline:
        progress = window.pipe.recv()
    assert "the window did not answer" in progress.message

    window.run()
    window.process.kill()
    window.process.join()
    window.until_standing()
    deadline = time.monotonic() + 30.0
    while any(map(_alive, window.servo_pids)):
        assert time.monotonic() < deadline, "the servo processes end by themselves"
        time.sleep(0.02)
