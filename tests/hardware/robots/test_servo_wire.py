"""What the gate refuses never reaches the wire between the vendor's SDK and the controller."""

import time
from dataclasses import replace

import numpy as np
import pytest

from hardware.gate import Gate, Refusal
from hardware.kinematics import ArmKinematics
from hardware.robots.emulator.process import EmulatorProcess
from hardware.robots.servo_loop import Outlet
from hardware.robots.xarm import XArmDriver
from hardware.tools import BUILT_IN_TOOLS, load_tool
from tests.hardware.robots.servo_rig import own_address, swing_path, two_arm_rig
from tests.hardware.robots.wire_tap import SERVO_J, WireTap

pytestmark = pytest.mark.alone

COMMANDS, DT = 2_000, 0.01


def _spoiled(rng: np.random.Generator, gate: Gate, q: np.ndarray) -> np.ndarray:
    """A command that may not follow near q: a number that is none, a jump, or a joint over its limit."""
    bad, j = q.copy(), int(rng.integers(7))
    kind = int(rng.integers(3))
    if kind == 0:
        bad[j] = rng.choice([np.nan, np.inf, -np.inf])
    elif kind == 1:
        bad[j] += rng.choice([-1, 1]) * gate.limits.dq_max[j] * DT * 1.2
    else:
        bad[j] = gate.limits.q_upper[j] + 0.01
    return bad


def test_of_two_thousand_commands_half_of_them_bad_only_the_good_ones_reach_the_wire() -> None:
    rig = two_arm_rig()
    arm, tool = rig.arm("left"), load_tool(BUILT_IN_TOOLS["rotation_gripper_left"])
    rng = np.random.default_rng(3)
    with (
        EmulatorProcess(own_address(), q_start=arm.home) as emulator,
        WireTap(arm.address, emulator.address) as tap,
    ):
        driver = XArmDriver(arm, rig.safety, emulator_nonce=emulator.nonce, T_flange_tool=tool.T_flange_tool)
        driver.connect()
        try:
            limits = replace(driver.read_limits(), following_error_rad=1.0)
            gate = Gate.of(rig, arm, tool, ArmKinematics.load(arm.model), limits, DT)
            measured = driver.read_state()
            path = swing_path(measured.q, (COMMANDS / 2 - 1) * DT, 0.1)
            outlet, refused = Outlet(gate, driver), 0
            driver.start_servo()
            tap.take()
            for k, q in enumerate(path):
                assert isinstance(outlet.offer(q, k * DT, measured), np.ndarray)
                bad = outlet.offer(_spoiled(rng, gate, q), (k + 1) * DT, measured)
                refused += isinstance(bad, Refusal)
            time.sleep(0.1)
            sent = [seen.joints for seen in tap.take() if seen.register == SERVO_J]
        finally:
            driver.disconnect()
    assert refused == COMMANDS / 2
    np.testing.assert_array_equal(np.array(sent, np.float32), path.astype(np.float32))
