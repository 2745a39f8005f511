"""Requests that ask who and where the controller is, and those that change its state, mode and errors."""

import struct

import numpy as np

from hardware.geometry import inverse, rotation_vector
from hardware.robots.emulator.config import JOINTS
from hardware.robots.emulator.frames import Frame, floats, from_floats
from hardware.robots.emulator.identity import IDENTITY_REGISTER, answer
from hardware.robots.emulator.payloads import (
    Handlers,
    Refused,
    Session,
    T_from_axis_angle,
    at_most,
    finite,
    take,
    zero,
)
from hardware.robots.xarm_units import T_from_pose, pose_from_T

VERSION = b"7,7,XI130412345678,AC130412345678,v2.5.0\0"
SERIALS = b"XI130412345678\0AC130412345678\0"
LAST_MODE = 11


def version(_: Session, __: Frame) -> bytes:
    return VERSION


def serials(_: Session, __: Frame) -> bytes:
    return SERIALS


def identity(s: Session, f: Frame) -> bytes:
    """Not the vendor's: see identity.py."""
    if s.nonce is None:
        raise Refused
    return answer(s.nonce, f.payload)


def motion_enable(s: Session, f: Frame) -> bytes:
    s.controller.enable(bool(f.payload[1]))
    return b""


def set_state(s: Session, f: Frame) -> bytes:
    s.controller.set_state(f.payload[0])
    return b""


def get_state(s: Session, _: Frame) -> bytes:
    return bytes([s.controller.state])


def get_queue(s: Session, _: Frame) -> bytes:
    return struct.pack(">H", s.controller.queue_length)


def get_errors(s: Session, _: Frame) -> bytes:
    return bytes([s.controller.error, s.controller.warning])


def clear_error(s: Session, _: Frame) -> bytes:
    s.controller.clear_error()
    return b""


def clear_warning(s: Session, _: Frame) -> bytes:
    s.controller.warning = 0
    return b""


def set_mode(s: Session, f: Frame) -> bytes:
    s.controller.set_mode(at_most(f, LAST_MODE))
    return b""


def get_pose(s: Session, _: Frame) -> bytes:
    return from_floats(s.controller.pose)


def get_pose_axis_angle(s: Session, _: Frame) -> bytes:
    pose = s.controller.pose
    return from_floats([*pose[:3], *rotation_vector(T_from_pose(pose)[:3, :3])])


def get_joints(s: Session, f: Frame) -> bytes:
    """Positions, or as many of positions, speeds and torques as the low four bits of the payload say."""
    kinds = f.payload[0] & 0x0F if f.payload else 1
    c = s.controller
    return from_floats([*c.plant.q, *c.plant.dq, *c.joint_torque][: JOINTS * kinds])


def get_torque(s: Session, _: Frame) -> bytes:
    return from_floats(s.controller.joint_torque.tolist())


def inverse_kinematics(s: Session, f: Frame) -> bytes:
    """Pose (6,), then perhaps a byte and the joints (7,) to stay near to."""
    seed = np.array(floats(f.payload, JOINTS, 25)) if len(f.payload) >= 53 else s.controller.plant.q
    q = s.controller.arm.solve(T_from_pose(finite(f, 6)), seed)
    if q is None:
        raise Refused(from_floats([0.0] * JOINTS))
    return from_floats(q.tolist())


def forward_kinematics(s: Session, f: Frame) -> bytes:
    return from_floats(pose_from_T(s.controller.arm.tool_pose(finite(f, JOINTS))))


def is_joint_limit(s: Session, f: Frame) -> bytes:
    return bytes([not s.controller.arm.in_range(finite(f, JOINTS))])


def is_tcp_limit(s: Session, f: Frame) -> bytes:
    return bytes([s.controller.arm.solve(T_from_pose(finite(f, 6)), s.controller.plant.q) is None])


def pose_offset(_: Session, f: Frame) -> bytes:
    """Two poses (6,), whether they are axis-angle, whether the result is to be."""
    first, second = np.split(finite(f, 12), 2)
    axis_angle_in, axis_angle_out = f.payload[48], f.payload[49]
    T_0, T_1 = (T_from_axis_angle(p) if axis_angle_in else T_from_pose(p) for p in (first, second))
    T = inverse(T_0) @ T_1
    turn = rotation_vector(T[:3, :3]).tolist() if axis_angle_out else pose_from_T(T)[3:]
    return from_floats([*(1000.0 * T[:3, 3]), *turn])


STATE: Handlers = {
    1: version,
    2: serials,
    3: zero,  # verification
    4: take,  # reload dynamics
    5: zero,  # report torque or current
    7: zero,  # approximate motion
    10: take,  # shutdown
    11: motion_enable,
    12: set_state,
    13: get_state,
    14: get_queue,
    15: get_errors,
    16: clear_error,
    17: clear_warning,
    18: take,  # brakes
    19: set_mode,
    41: get_pose,
    42: get_joints,
    43: inverse_kinematics,
    44: forward_kinematics,
    45: is_joint_limit,
    46: is_tcp_limit,
    55: get_torque,
    57: zero,  # safety level
    65: zero,  # trajectory file status
    69: zero,  # movement
    76: pose_offset,
    91: get_pose_axis_angle,
    IDENTITY_REGISTER: identity,
}
