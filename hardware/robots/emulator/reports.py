"""The frames of the controller's report ports (xarm-python-sdk 1.18.4, x3/report.py). Sizes are the vendor's."""

import struct

import numpy as np

from hardware.geometry import rotation_vector
from hardware.robots.emulator.frames import from_floats
from hardware.robots.emulator.xarm_controller import XArmController
from hardware.robots.xarm_units import T_from_pose

NORMAL_PORT, RICH_PORT, REAL_PORT = 30001, 30002, 30003
SIZES = {NORMAL_PORT: 145, RICH_PORT: 587, REAL_PORT: 135}
RATES = {NORMAL_PORT: 5.0, RICH_PORT: 5.0, REAL_PORT: 100.0}
_AXES, _ALL_MOTORS, _FIRMWARE = 7, 0x7F, b"v2.5.0"


def report(port: int, controller: XArmController) -> bytes:
    """Return the frame that a port sends now."""
    makers = {NORMAL_PORT: _normal, RICH_PORT: _rich, REAL_PORT: _real}
    return struct.pack(">I", SIZES[port]) + makers[port](controller)


def _common(c: XArmController) -> bytes:
    state_and_mode = c.state | c.mode << 4
    return (
        struct.pack(">BH", state_and_mode, c.queue_length)
        + from_floats(c.plant.q.tolist())
        + from_floats(c.pose)
        + from_floats(c.joint_torque.tolist())
    )


def _real(c: XArmController) -> bytes:
    return _common(c) + from_floats(c.force * 2)


def _normal(c: XArmController) -> bytes:
    motors = _ALL_MOTORS if c.enabled else 0
    s = c.settings
    return (
        _common(c)
        + bytes([motors, motors, c.error, c.warning])
        + from_floats(s.tcp_offset)
        + from_floats(s.load)
        + bytes([s.collision_sensitivity, s.teach_sensitivity])
        + from_floats(s.gravity)
    )


def _rich(c: XArmController) -> bytes:
    return _normal(c) + _arm(c) + _drives(c) + _inputs(c) + _limits(c)


def _arm(c: XArmController) -> bytes:
    s = c.settings
    return (
        bytes([_AXES, _AXES, 0, 0, 0, 0])
        + _FIRMWARE.ljust(30, b"\0")
        + from_floats([s.tcp_jerk, *s.tcp_acceleration, *s.tcp_speed])
        + from_floats([s.joint_jerk, *s.joint_acceleration, *s.joint_speed])
        + from_floats([2.3, 2.7])
        + bytes(16)
    )


def _drives(c: XArmController) -> bytes:
    s = c.settings
    return (
        bytes([35] * _AXES)
        + from_floats([1000.0 * c.tcp_speed, *c.plant.dq.tolist()])
        + struct.pack(">I", 0)
        + from_floats(s.world_offset)
        + bytes([0, 0, 0, int(s.self_collision_on), s.tool_model])
        + from_floats(s.tool_model_params)
        + struct.pack(">7H", *[4800] * _AXES)
        + from_floats([0.5 + 0.05 * abs(t) for t in c.joint_torque])
    )


def _inputs(c: XArmController) -> bytes:
    """Digital and analogue inputs and outputs of an idle control box, the force sensor, the pose's axis-angle."""
    turn = rotation_vector(T_from_pose(c.pose)[:3, :3])
    return (
        bytes(2)
        + struct.pack(">8H", 256, 65533, 0, 65280, 0, 0, 0, 0)
        + bytes(32)
        + from_floats(c.force * 2)
        + bytes([0])
        + from_floats(np.asarray(turn).tolist())
    )


def _limits(c: XArmController) -> bytes:
    s = c.settings
    return (
        bytes([s.reduced_on | s.fence_on << 1, s.reduced_on])
        + struct.pack(">6h", *s.boundary)
        + from_floats([s.reduced_tcp_speed, s.reduced_joint_speed, *s.reduced_ranges])
        + bytes([s.fence_on, s.rebound_on])
        + bytes(4)
        + bytes([s.force_sensor_on, 0, 0])
        + bytes(6)
    )
