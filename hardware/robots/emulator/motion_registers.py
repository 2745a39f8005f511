"""Requests that move the arm: queued lines and joint moves, streamed positions, velocities."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.config import JOINTS
from hardware.robots.emulator.frames import Frame, encode_feedback, floats
from hardware.robots.emulator.motion import JointMove, LineMove, Motion, Wait, relative_pose
from hardware.robots.emulator.payloads import (
    Handlers,
    Refused,
    Session,
    T_from_axis_angle,
    byte_at,
    finite,
    number,
    positive,
)
from hardware.robots.emulator.xarm_controller import Queued
from hardware.robots.xarm_units import T_from_pose, pose_from_T

FEEDBACK_FINISH = 2


@dataclass(frozen=True)
class Line:
    """A request for a straight line: pose (6,) [mm, rad], speed [mm/s], acceleration [mm/s^2].

    An infinite coordinate stays as it is. check: do not move, say only whether it could be done.
    """

    pose: list[float]
    speed: float
    acceleration: float
    in_tool: bool = False
    axis_angle: bool = False
    relative: bool = False
    check: bool = False

    def goal(self, T_now: Array) -> Array:
        """Return the tool pose (4, 4) that it leads to from T_now."""
        values = np.array(self.pose)
        if self.relative and not np.isfinite(values).all():
            raise Refused
        wanted = np.where(np.isfinite(values), values, pose_from_T(T_now))
        T = T_from_axis_angle(wanted) if self.axis_angle else T_from_pose(wanted)
        return relative_pose(T_now, T, self.in_tool) if self.relative else T


def move_line(s: Session, f: Frame) -> bytes:
    """Pose, speed, acceleration, time; newer firmware adds a radius, then coordinates, axis-angle, check."""
    if len(f.payload) < 43:
        return _line(s, f, Line(*_three(f), check=bool(byte_at(f, 36))))
    in_tool, axis_angle, check = (bool(v) for v in f.payload[40:43])
    return _line(s, f, Line(*_three(f), in_tool, axis_angle, relative=in_tool, check=check))


def move_line_blended(s: Session, f: Frame) -> bytes:
    return _line(s, f, Line(*_three(f), check=bool(byte_at(f, 40))))


def move_line_tool(s: Session, f: Frame) -> bytes:
    return _line(s, f, Line(*_three(f), in_tool=True, relative=True, check=bool(byte_at(f, 36))))


def move_line_axis_angle(s: Session, f: Frame) -> bytes:
    in_tool, relative = bool(f.payload[36]), bool(f.payload[37])
    line = Line(*_three(f), in_tool, axis_angle=True, relative=in_tool or relative, check=bool(byte_at(f, 38)))
    return _line(s, f, line)


def move_joints(s: Session, f: Frame) -> bytes:
    """Joints (7,), speed, acceleration, time or radius."""
    speed, acceleration = floats(f.payload, 2, 28)
    return _joints(s, f, floats(f.payload, JOINTS), speed, acceleration, byte_at(f, 40))


def move_home(s: Session, f: Frame) -> bytes:
    speed, acceleration = floats(f.payload, 2)
    return _joints(s, f, [0.0] * JOINTS, speed, acceleration, byte_at(f, 12))


def move_relative(s: Session, f: Frame) -> bytes:
    """Joints (7,) or pose (6,) and nothing, speed, acceleration, time, radius, of joints, axis-angle, check."""
    step, (speed, acceleration) = floats(f.payload, JOINTS), floats(f.payload, 2, 28)
    of_joints, axis_angle, check = bool(f.payload[44]), bool(f.payload[45]), byte_at(f, 46)
    if of_joints:
        return _joints(s, f, step, speed, acceleration, check, relative=True)
    line = Line(step[:6], speed, acceleration, axis_angle=axis_angle, relative=True, check=bool(check))
    return _line(s, f, line)


def sleep(s: Session, f: Frame) -> bytes:
    seconds = number(f)
    return _push(s, f, lambda q: Wait(q, seconds))


def when_idle(s: Session, f: Frame) -> bytes:
    """Nothing to do: the client only wants to be told when the queue has come this far."""
    return _push(s, f, lambda q: Wait(q, 0.0))


def servo_joints(s: Session, f: Frame) -> bytes:
    s.controller.servo_joints(finite(f, JOINTS))
    return b""


def servo_tool(s: Session, f: Frame) -> bytes:
    """Pose, speed, acceleration, time; the SDK says "in tool axes" in the time's place."""
    in_tool = bool(floats(f.payload, 1, 32)[0])
    return _servo(s, T_from_pose(finite(f, 6)), in_tool, in_tool)


def servo_tool_axis_angle(s: Session, f: Frame) -> bytes:
    in_tool, relative = struct.unpack_from("<iB", f.payload, 32)
    return _servo(s, T_from_axis_angle(finite(f, 6)), bool(in_tool), bool(in_tool or relative))


def joint_velocity(s: Session, f: Frame) -> bytes:
    """Speeds (7,), a byte for "all joints together", then perhaps a duration."""
    seconds = floats(f.payload, 1, 29)[0] if len(f.payload) >= 33 else -1.0
    s.controller.joint_velocity(finite(f, JOINTS), seconds)
    return b""


def tool_velocity(s: Session, f: Frame) -> bytes:
    """Twist (6,) [mm/s, rad/s], a byte for "in tool axes", then perhaps a duration."""
    seconds = floats(f.payload, 1, 25)[0] if len(f.payload) >= 29 else -1.0
    twist = finite(f, 6) / [1000.0, 1000.0, 1000.0, 1.0, 1.0, 1.0]
    s.controller.tool_velocity(twist, bool(f.payload[24]), seconds)
    return b""


def _three(f: Frame) -> tuple[list[float], float, float]:
    """Pose (6,), speed, acceleration, as every request for a line begins."""
    speed, acceleration = floats(f.payload, 2, 24)
    return floats(f.payload, 6), speed, acceleration


def _line(s: Session, f: Frame, line: Line) -> bytes:
    c = s.controller
    speed = positive(min(line.speed, c.settings.tcp_speed_limit)) / 1000.0
    acceleration = positive(min(line.acceleration, c.settings.tcp_acceleration[1])) / 1000.0
    goal = line.goal(c.arm.tool_pose(c.plant.q))
    if line.check:
        return _queue_and(s, c.arm.solve(goal, c.plant.q) is None)
    return _push(s, f, lambda q: LineMove(c.arm, q, line.goal(c.arm.tool_pose(q)), speed, acceleration))


def _joints(
    s: Session, f: Frame, goal: list[float], speed: float, acceleration: float, check: int, relative: bool = False
) -> bytes:
    c, values = s.controller, np.array(goal)
    speed = positive(min(speed, c.settings.joint_speed_limit))
    acceleration = positive(min(acceleration, c.settings.joint_acceleration[1]))

    def wanted(q: Array) -> Array:
        return np.where(np.isfinite(values), q + values if relative else values, q)

    if check:
        return _queue_and(s, not c.arm.in_range(wanted(c.plant.q)))
    return _push(s, f, lambda q: JointMove(q, wanted(q), speed, acceleration))


def _push(s: Session, f: Frame, start: Callable[[Array], Motion]) -> bytes:
    def on_end(code: int) -> None:
        if s.controller.settings.feedback & FEEDBACK_FINISH:
            s.send(encode_feedback(f, FEEDBACK_FINISH, code))

    s.controller.push(Queued(start, on_end))
    return _queue_and(s, False)


def _queue_and(s: Session, bad: bool) -> bytes:
    return struct.pack(">HB", s.controller.queue_length, bad)


def _servo(s: Session, T: Array, in_tool: bool, relative: bool) -> bytes:
    s.controller.servo_tool(relative_pose(s.controller.servo_pose, T, in_tool) if relative else T)
    return b""


MOTION: Handlers = {
    21: move_line,
    22: move_line_blended,
    23: move_joints,
    24: move_joints,
    25: move_home,
    26: sleep,
    28: move_line_tool,
    29: servo_joints,
    30: servo_tool,
    81: joint_velocity,
    82: tool_velocity,
    83: move_relative,
    92: move_line_axis_angle,
    93: servo_tool_axis_angle,
    253: when_idle,
}
