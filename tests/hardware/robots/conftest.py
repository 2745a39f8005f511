"""One emulated arm for a module of tests, at an address that no other run of the tests on this machine uses."""

import itertools
import os
from collections.abc import Iterator

import numpy as np
import pytest

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.emulator.process import EmulatorProcess, Fault

HOME = np.radians([0.0, -46.0, 0.0, 64.0, 0.0, 110.0, 0.0])
_numbers = itertools.count(1)


def own_address() -> str:
    """A loopback address that this process alone uses."""
    return f"127.{30 + os.getpid() // 250 % 200}.{1 + os.getpid() % 250}.{next(_numbers)}"


@pytest.fixture(scope="module")
def emulator_process() -> Iterator[EmulatorProcess]:
    with EmulatorProcess(own_address(), q_start=HOME) as process:
        yield process


@pytest.fixture
def emulator(emulator_process: EmulatorProcess) -> Iterator[EmulatorProcess]:
    """The module's emulator at home, without faults and errors; as it was left otherwise."""
    emulator_process.inject(Fault("none"))
    emulator_process.place(HOME)
    yield emulator_process
    emulator_process.inject(Fault("none"))


@pytest.fixture
def address() -> str:
    return own_address()


@pytest.fixture
def safety() -> SafetyConfig:
    return SafetyConfig(
        workspace=np.array([[-0.5, -0.5, 0.0], [0.5, 0.5, 0.6]]),
        tip_speed=0.25,
        first_run_tip_speed=0.1,
        tip_acceleration=2.0,
        min_tip_height=0.005,
        min_singularity=0.02,
        max_jump_rad=0.03,
        following_error_rad=0.15,
        max_force=60.0,
    )


@pytest.fixture
def arm_config(emulator_process: EmulatorProcess) -> ArmConfig:
    turn: Array = rotation_from_vector([0.0, 0.0, np.pi])
    return ArmConfig(
        name="right",
        driver="xarm",
        model="xarm7",
        address=emulator_process.address,
        emulated=True,
        role="right",
        T_world_base=transform(turn, [0.6, 0.0, 0.0]),
        home=HOME,
        command_rate_hz=100.0,
    )
