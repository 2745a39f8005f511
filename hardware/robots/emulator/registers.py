"""Requests of the xArm control port, turned into calls of the emulated controller: one row per register.

Numbers and payloads: xarm-python-sdk 1.18.4, core/config/x_config.py and core/wrapper/uxbus_cmd.py.
"""

import struct
from collections.abc import Callable, Mapping

import numpy as np

from hardware.geometry import Array, inverse, rotation_from_vector, rotation_vector, transform
from hardware.robots.emulator.config import JOINTS
from hardware.robots.emulator.frames import (
    STATUS_INVALID,
    Frame,
    encode_feedback,
    encode_reply,
    floats,
    from_floats,
)
from hardware.robots.emulator.identity import IDENTITY_REGISTER, answer
from hardware.robots.emulator.motion import JointMove, LineMove, Wait, relative_pose
from hardware.robots.emulator.xarm_controller import Queued, XArmController
from hardware.robots.xarm_units import T_from_pose, pose_from_T

VERSION = b"7,7,XI130412345678,AC130412345678,v2.5.0\0"
SERIALS = b"XI130412345678\0AC130412345678\0"
FEEDBACK_FINISH = 2
Send = Callable[[bytes], None]
Reply = bytes | None


class Refused(Exception):
    """The request has no valid result; the reply's status says so."""


class Registers:
    """Answers the requests of one connection. `send` takes frames that nobody asked for."""

    def __init__(self, controller: XArmController, send: Send, nonce: bytes | None = None) -> None:
        self._c, self._send, self._nonce = controller, send, nonce

    def handle(self, frame: Frame) -> bytes:
        """Return the reply to a request; what cannot be read or is not known is answered as invalid."""
        if frame.protocol == 0:
            return _illegal_function(frame)
        handler = _HANDLERS.get(frame.register)
        try:
            if handler is None:
                raise Refused
            payload = handler(self, frame)
        except (Refused, struct.error, ValueError, IndexError, OverflowError):
            return encode_reply(frame, self._c.status | STATUS_INVALID)
        return encode_reply(frame, self._c.status, payload)

    # --- what it is, states, errors ---

    def version(self, _: Frame) -> bytes:
        return VERSION

    def serials(self, _: Frame) -> bytes:
        return SERIALS

    def identity(self, f: Frame) -> bytes:
        if self._nonce is None:
            raise Refused
        return answer(self._nonce, f.payload)

    def motion_enable(self, f: Frame) -> bytes:
        self._c.enable(bool(f.payload[1]))
        return b""

    def set_state(self, f: Frame) -> bytes:
        self._c.set_state(f.payload[0])
        return b""

    def get_state(self, _: Frame) -> bytes:
        return bytes([self._c.state])

    def get_queue(self, _: Frame) -> bytes:
        return struct.pack(">H", self._c.queue_length)

    def get_errors(self, _: Frame) -> bytes:
        return bytes([self._c.error, self._c.warning])

    def clear_error(self, _: Frame) -> bytes:
        self._c.clear_error()
        return b""

    def clear_warning(self, _: Frame) -> bytes:
        self._c.warning = 0
        return b""

    def set_mode(self, f: Frame) -> bytes:
        if f.payload[0] > 11:
            raise Refused
        self._c.set_mode(f.payload[0])
        return b""

    # --- where it is ---

    def get_pose(self, _: Frame) -> bytes:
        return from_floats(self._c.pose)

    def get_pose_aa(self, _: Frame) -> bytes:
        pose = self._c.pose
        return from_floats([*pose[:3], *rotation_vector(T_from_pose(pose)[:3, :3])])

    def get_joints(self, f: Frame) -> bytes:
        kinds = f.payload[0] & 0x0F if f.payload else 1
        values = [*self._c.plant.q, *self._c.plant.dq, *self._c.joint_torque]
        return from_floats(values[: JOINTS * kinds])

    def get_torque(self, _: Frame) -> bytes:
        return from_floats(self._c.joint_torque.tolist())

    def inverse_kinematics(self, f: Frame) -> bytes:
        seed = np.array(floats(f.payload, JOINTS, 25)) if len(f.payload) >= 53 else self._c.plant.q
        q = self._c.arm.solve(T_from_pose(_finite(f, 6)), seed)
        if q is None:
            raise Refused
        return from_floats(q.tolist())

    def forward_kinematics(self, f: Frame) -> bytes:
        return from_floats(pose_from_T(self._c.arm.tool_pose(_finite(f, JOINTS))))

    def is_joint_limit(self, f: Frame) -> bytes:
        return bytes([not self._c.arm.in_range(_finite(f, JOINTS))])

    def is_tcp_limit(self, f: Frame) -> bytes:
        return bytes([self._c.arm.solve(T_from_pose(_finite(f, 6)), self._c.plant.q) is None])

    def pose_offset(self, f: Frame) -> bytes:
        first, second = np.split(_finite(f, 12), 2)
        aa_in, aa_out = f.payload[48], f.payload[49]
        poses = [_T_from_aa(p) if aa_in else T_from_pose(p) for p in (first, second)]
        T = inverse(poses[0]) @ poses[1]
        turn = rotation_vector(T[:3, :3]).tolist() if aa_out else pose_from_T(T)[3:]
        return from_floats([*(1000.0 * T[:3, 3]), *turn])

    # --- motion ---

    def move_line(self, f: Frame) -> bytes:
        """pose (6,), speed, acceleration, time[, radius], then [coordinates, axis-angle, check only, type]."""
        with_radius = len(f.payload) >= 43
        coordinates, axis_angle, check = (*f.payload[40:43],) if with_radius else (0, 0, _tail(f, 36))
        pose, speed, acceleration = floats(f.payload, 6), *floats(f.payload, 2, 24)
        return self._line(f, pose, speed, acceleration, coordinates == 1, bool(axis_angle), coordinates == 1, check)

    def move_line_blended(self, f: Frame) -> bytes:
        pose, speed, acceleration = floats(f.payload, 6), *floats(f.payload, 2, 24)
        return self._line(f, pose, speed, acceleration, False, False, False, _tail(f, 40))

    def move_line_tool(self, f: Frame) -> bytes:
        pose, speed, acceleration = floats(f.payload, 6), *floats(f.payload, 2, 24)
        return self._line(f, pose, speed, acceleration, True, False, True, _tail(f, 36))

    def move_line_aa(self, f: Frame) -> bytes:
        pose, speed, acceleration = floats(f.payload, 6), *floats(f.payload, 2, 24)
        in_tool, relative = f.payload[36:38]
        return self._line(
            f, pose, speed, acceleration, bool(in_tool), True, bool(in_tool or relative), _tail(f, 38)
        )

    def move_joint(self, f: Frame) -> bytes:
        goal, (speed, acceleration) = floats(f.payload, JOINTS), floats(f.payload, 2, 28)
        return self._joints(f, goal, speed, acceleration, _tail(f, 40))

    def move_home(self, f: Frame) -> bytes:
        speed, acceleration = floats(f.payload, 2)
        return self._joints(f, [0.0] * JOINTS, speed, acceleration, _tail(f, 12))

    def move_relative(self, f: Frame) -> bytes:
        step, (speed, acceleration) = floats(f.payload, JOINTS), floats(f.payload, 2, 28)
        of_joints, axis_angle = f.payload[44:46]
        if of_joints:
            return self._joints(f, step, speed, acceleration, _tail(f, 46), relative=True)
        return self._line(f, step[:6], speed, acceleration, False, bool(axis_angle), True, _tail(f, 46))

    def sleep(self, f: Frame) -> bytes:
        seconds = float(_finite(f, 1)[0])
        return self._push(f, lambda q: Wait(q, seconds))

    def servo_joints(self, f: Frame) -> bytes:
        self._c.servo_joints(_finite(f, JOINTS))
        return b""

    def servo_tool(self, f: Frame) -> bytes:
        """pose (6,), speed, acceleration, time; the SDK says "in tool axes" in the time's place."""
        T, in_tool = T_from_pose(_finite(f, 6)), bool(floats(f.payload, 1, 32)[0])
        self._servo(T, in_tool, in_tool)
        return b""

    def servo_tool_aa(self, f: Frame) -> bytes:
        in_tool, relative = struct.unpack_from("<iB", f.payload, 32)
        self._servo(_T_from_aa(_finite(f, 6)), bool(in_tool), bool(in_tool or relative))
        return b""

    def joint_velocity(self, f: Frame) -> bytes:
        seconds = floats(f.payload, 1, 29)[0] if len(f.payload) >= 33 else -1.0
        self._c.joint_velocity(_finite(f, JOINTS), seconds)
        return b""

    def tool_velocity(self, f: Frame) -> bytes:
        seconds = floats(f.payload, 1, 25)[0] if len(f.payload) >= 29 else -1.0
        twist = _finite(f, 6) * [1e-3, 1e-3, 1e-3, 1, 1, 1]
        self._c.tool_velocity(twist, bool(f.payload[24]), seconds)
        return b""

    # --- settings ---

    def set_tool(self, f: Frame) -> bytes:
        self._c.set_tool(_finite(f, 6).tolist())
        return b""

    def set_world(self, f: Frame) -> bytes:
        self._c.set_world(_finite(f, 6).tolist())
        return b""

    def set_load(self, f: Frame) -> bytes:
        self._c.settings.load = _finite(f, 4).tolist()
        self._c.changed()
        return b""

    def set_gravity(self, f: Frame) -> bytes:
        self._c.settings.gravity = _finite(f, 3).tolist()
        self._c.changed()
        return b""

    def set_sensitivity(self, f: Frame) -> bytes:
        self._c.settings.collision_sensitivity = _at_most(f, 5)
        self._c.changed()
        return b""

    def set_teach(self, f: Frame) -> bytes:
        self._c.settings.teach_sensitivity = _at_most(f, 5)
        self._c.changed()
        return b""

    def set_tcp_jerk(self, f: Frame) -> bytes:
        self._c.settings.tcp_jerk = float(_finite(f, 1)[0])
        return b""

    def set_tcp_acceleration(self, f: Frame) -> bytes:
        s = self._c.settings
        s.tcp_acceleration = (s.tcp_acceleration[0], float(_finite(f, 1)[0]))
        return b""

    def set_joint_jerk(self, f: Frame) -> bytes:
        self._c.settings.joint_jerk = float(_finite(f, 1)[0])
        return b""

    def set_joint_acceleration(self, f: Frame) -> bytes:
        s = self._c.settings
        s.joint_acceleration = (s.joint_acceleration[0], float(_finite(f, 1)[0]))
        return b""

    def set_boundary(self, f: Frame) -> bytes:
        self._c.settings.boundary = [max(-32768, min(32767, v)) for v in struct.unpack_from("<6i", f.payload)]
        return b""

    def set_reduced_speed(self, f: Frame) -> bytes:
        self._c.settings.reduced_tcp_speed = float(_finite(f, 1)[0])
        return b""

    def set_reduced_joint_speed(self, f: Frame) -> bytes:
        self._c.settings.reduced_joint_speed = float(_finite(f, 1)[0])
        return b""

    def set_reduced_ranges(self, f: Frame) -> bytes:
        self._c.settings.reduced_ranges = _finite(f, 14).tolist()
        return b""

    def set_reduced(self, f: Frame) -> bytes:
        self._c.settings.reduced_on = bool(f.payload[0])
        return b""

    def get_reduced(self, _: Frame) -> bytes:
        return bytes([self._c.settings.reduced_on])

    def get_reduced_states(self, _: Frame) -> bytes:
        s = self._c.settings
        numbers = [s.reduced_tcp_speed, s.reduced_joint_speed, *s.reduced_ranges]
        head = bytes([s.reduced_on]) + struct.pack(">6h", *s.boundary)
        return head + from_floats(numbers) + bytes([s.fence_on, s.rebound_on])

    def set_fence(self, f: Frame) -> bytes:
        self._c.settings.fence_on = bool(f.payload[0])
        return b""

    def set_rebound(self, f: Frame) -> bytes:
        self._c.settings.rebound_on = bool(f.payload[0])
        return b""

    def set_self_collision(self, f: Frame) -> bytes:
        self._c.settings.self_collision_on = bool(f.payload[0])
        return b""

    def set_tool_model(self, f: Frame) -> bytes:
        count = (len(f.payload) - 1) // 4
        values = floats(f.payload, count)
        self._c.settings.tool_model = f.payload[-1] if count else f.payload[0]
        self._c.settings.tool_model_params = [*values, *[0.0] * 6][:6]
        return b""

    def set_feedback(self, f: Frame) -> bytes:
        self._c.settings.feedback = f.payload[0]
        return b""

    def force_data(self, _: Frame) -> bytes:
        return from_floats(self._c.wrench.tolist() if self._c.settings.force_sensor_on else [0.0] * 6)

    def force_enable(self, f: Frame) -> bytes:
        self._c.settings.force_sensor_on = bool(f.payload[0])
        return b""

    def force_set_mode(self, f: Frame) -> bytes:
        self._c.settings.force_sensor_mode = _at_most(f, 2)
        return b""

    def force_get_mode(self, _: Frame) -> bytes:
        return bytes([self._c.settings.force_sensor_mode])

    def take(self, _: Frame) -> bytes:
        """A setting that has no effect here."""
        return b""

    def one_zero(self, _: Frame) -> bytes:
        return bytes(1)

    # --- inside ---

    def _line(
        self,
        f: Frame,
        pose: list[float],
        speed: float,
        acceleration: float,
        in_tool: bool,
        axis_angle: bool,
        relative: bool,
        check: int,
    ) -> bytes:
        c, values = self._c, np.array(pose)
        limit = c.settings.tcp_speed_limit
        v, a = (
            _positive(min(speed, limit)) / 1000.0,
            _positive(min(acceleration, c.settings.tcp_acceleration[1])) / 1000.0,
        )
        if relative and not np.isfinite(values).all():
            raise Refused

        def goal(q: Array) -> Array:
            now = c.arm.tool_pose(q)
            here = np.array(pose_from_T(now))
            wanted = np.where(np.isfinite(values), values, here)
            T = _T_from_aa(wanted) if axis_angle else T_from_pose(wanted)
            return relative_pose(now, T, in_tool) if relative else T

        if check:
            return self._checked(c.arm.solve(goal(c.plant.q), c.plant.q) is None)
        return self._push(f, lambda q: LineMove(c.arm, q, goal(q), v, a))

    def _joints(
        self, f: Frame, goal: list[float], speed: float, acceleration: float, check: int, relative: bool = False
    ) -> bytes:
        c, values = self._c, np.array(goal)
        v = _positive(min(speed, c.settings.joint_speed_limit))
        a = _positive(min(acceleration, c.settings.joint_acceleration[1]))

        def absolute(q: Array) -> Array:
            wanted = q + values if relative else values
            return np.where(np.isfinite(values), wanted, q)

        if check:
            return self._checked(not c.arm.in_range(absolute(c.plant.q)))
        return self._push(f, lambda q: JointMove(q, absolute(q), v, a))

    def _checked(self, bad: bool) -> bytes:
        return struct.pack(">HB", self._c.queue_length, bad)

    def _push(self, f: Frame, start: Callable[[Array], JointMove | LineMove | Wait]) -> bytes:
        def on_end(code: int) -> None:
            if self._c.settings.feedback & FEEDBACK_FINISH:
                self._send(encode_feedback(f, FEEDBACK_FINISH, code))

        self._c.push(Queued(start, on_end))
        return struct.pack(">HB", self._c.queue_length, 0)

    def _servo(self, T: Array, in_tool: bool, relative: bool) -> None:
        self._c.servo_tool(relative_pose(self._c.servo_pose, T, in_tool) if relative else T)


def _finite(f: Frame, count: int) -> Array:
    values = np.array(floats(f.payload, count))
    if not np.isfinite(values).all():
        raise Refused
    return values


def _positive(value: float) -> float:
    if not value > 0:
        raise Refused
    return value


def _at_most(f: Frame, largest: int) -> int:
    if f.payload[0] > largest:
        raise Refused
    return f.payload[0]


def _tail(f: Frame, offset: int) -> int:
    return f.payload[offset] if len(f.payload) > offset else 0


def _T_from_aa(pose: Array) -> Array:
    return transform(rotation_from_vector(pose[3:6]), pose[:3] / 1000.0)


def _illegal_function(f: Frame) -> bytes:
    """Standard Modbus is not emulated: exception 1, in the vendor's frame layout."""
    function = (f.payload[0] if f.payload else 0) | 0x80
    return struct.pack(">HHHBBB", f.transaction, 0, 3, f.register, function & 0xFF, 1)


_R = Registers
_HANDLERS: Mapping[int, Callable[[Registers, Frame], bytes]] = {
    1: _R.version, 2: _R.serials, 3: _R.one_zero, 4: _R.take, 5: _R.one_zero, 7: _R.one_zero, 10: _R.take,
    11: _R.motion_enable, 12: _R.set_state, 13: _R.get_state, 14: _R.get_queue, 15: _R.get_errors,
    16: _R.clear_error, 17: _R.clear_warning, 18: _R.take, 19: _R.set_mode,
    21: _R.move_line, 22: _R.move_line_blended, 23: _R.move_joint, 24: _R.move_joint, 25: _R.move_home,
    26: _R.sleep, 28: _R.move_line_tool, 29: _R.servo_joints, 30: _R.servo_tool,
    31: _R.set_tcp_jerk, 32: _R.set_tcp_acceleration, 33: _R.set_joint_jerk, 34: _R.set_joint_acceleration,
    35: _R.set_tool, 36: _R.set_load, 37: _R.set_sensitivity, 38: _R.set_teach, 39: _R.take, 40: _R.take,
    41: _R.get_pose, 42: _R.get_joints, 43: _R.inverse_kinematics, 44: _R.forward_kinematics,
    45: _R.is_joint_limit, 46: _R.is_tcp_limit,
    47: _R.set_reduced_speed, 48: _R.set_reduced_joint_speed, 49: _R.get_reduced, 50: _R.set_reduced,
    51: _R.set_gravity, 52: _R.set_boundary, 53: _R.get_reduced_states, 55: _R.get_torque, 56: _R.take,
    57: _R.one_zero, 58: _R.set_reduced_ranges, 59: _R.set_fence, 60: _R.set_rebound, 66: _R.take,
    69: _R.one_zero, 70: _R.take, 73: _R.set_world, 74: _R.take, 75: _R.take, 76: _R.pose_offset,
    77: _R.set_self_collision, 78: _R.set_tool_model, 80: _R.take,
    81: _R.joint_velocity, 82: _R.tool_velocity, 83: _R.move_relative,
    91: _R.get_pose_aa, 92: _R.move_line_aa, 93: _R.servo_tool_aa,
    200: _R.force_data, 201: _R.force_enable, 202: _R.force_set_mode, 203: _R.force_get_mode, 206: _R.take,
    207: _R.take, 208: _R.take, 209: _R.take, 210: _R.take, 211: _R.take,
    IDENTITY_REGISTER: _R.identity, 253: _R.take, 254: _R.set_feedback,
}  # fmt: skip
