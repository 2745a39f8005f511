"""What the emulated controller lets its arm do: motions that give a joint reference for every cycle."""

from typing import Protocol

import numpy as np

from hardware.geometry import Array, interpolate, rotation_angle, transform
from hardware.robots.emulator.arm import EmulatedArm
from hardware.robots.emulator.plant import DQ_MAX

KINEMATICS, JOINT_SPEED = 21, 24
_ROTATION_AS_LENGTH = 0.3


class MotionError(Exception):
    """A motion cannot go on; code is the controller's error code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"controller error {code}")
        self.code = code


class Motion(Protocol):
    """One motion under way."""

    done: bool

    def advance(self, dt: float) -> tuple[Array, Array]:
        """Go on by dt [s]; return reference (J,) [rad] and its speed (J,) [rad/s]. Raises MotionError."""
        ...


class Profile:
    """Distance over time with a trapezoid of speed: 0 to length, limited by speed and acceleration."""

    def __init__(self, length: float, speed: float, acceleration: float) -> None:
        self._length, self._a = length, acceleration
        self._v = min(speed, float(np.sqrt(length * acceleration)))
        self._ramp = self._v / acceleration
        self.duration = length / self._v + self._ramp if length > 0 else 0.0

    def at(self, t: float) -> float:
        """Distance covered after t [s]."""
        if t >= self.duration:
            return self._length
        rest = self.duration - t
        if t < self._ramp:
            return 0.5 * self._a * t * t
        if rest < self._ramp:
            return self._length - 0.5 * self._a * rest * rest
        return self._v * (t - 0.5 * self._ramp)


class JointMove:
    """All joints start and arrive together; speed [rad/s], acceleration [rad/s^2] of the one that goes farthest."""

    def __init__(self, q: Array, goal: Array, speed: float, acceleration: float) -> None:
        self._q, self._way = q.copy(), goal - q
        self._farthest = float(np.abs(self._way).max())
        self._profile = Profile(self._farthest, speed, acceleration)
        self._t, self.done = 0.0, False
        self._last = q.copy()

    def advance(self, dt: float) -> tuple[Array, Array]:
        self._t += dt
        share = self._profile.at(self._t) / self._farthest if self._farthest > 0 else 1.0
        reference = self._q + share * self._way
        speed, self._last = (reference - self._last) / max(dt, 1e-9), reference
        self.done = self._t >= self._profile.duration
        return reference, speed


class LineMove:
    """The tool goes straight; speed [m/s] and acceleration [m/s^2]; turning counts as 0.3 m per radian."""

    def __init__(self, arm: EmulatedArm, q: Array, goal: Array, speed: float, acceleration: float) -> None:
        self._arm, self._start, self._goal = arm, arm.tool_pose(q), goal
        turn = float(rotation_angle(self._start[:3, :3], goal[:3, :3]))
        shift = float(np.linalg.norm(goal[:3, 3] - self._start[:3, 3]))
        self._length = max(shift, _ROTATION_AS_LENGTH * turn)
        self._profile = Profile(self._length, speed, acceleration)
        self._t, self.done = 0.0, False
        self._last = q.copy()

    def advance(self, dt: float) -> tuple[Array, Array]:
        self._t += dt
        share = self._profile.at(self._t) / self._length if self._length > 0 else 1.0
        pose = interpolate(self._start, self._goal, share)
        reference, far, turned = self._arm.towards(pose, self._last)
        if far > 1e-3 or turned > 1e-2:
            raise MotionError(KINEMATICS)
        speed, self._last = (reference - self._last) / max(dt, 1e-9), reference
        self.done = self._t >= self._profile.duration
        return reference, speed


class Wait:
    """Nothing moves for a while [s]."""

    def __init__(self, q: Array, seconds: float) -> None:
        self._q, self._left, self.done = q.copy(), seconds, False

    def advance(self, dt: float) -> tuple[Array, Array]:
        self._left -= dt
        self.done = self._left <= 0
        return self._q, np.zeros_like(self._q)


class ServoStream:
    """Positions streamed by a client: each one is reached after about one interval between commands."""

    INTERVAL = 0.02

    def __init__(self, q: Array) -> None:
        self._start, self._goal, self._reference = q.copy(), q.copy(), q.copy()
        self._elapsed, self._interval, self._since = 0.0, self.INTERVAL, np.inf
        self.done = False

    @property
    def reference(self) -> Array:
        return self._reference

    @property
    def goal(self) -> Array:
        return self._goal

    @property
    def idle(self) -> bool:
        """Whether the last command has been reached and none came for a while."""
        return self._since > 0.1

    def command(self, q: Array) -> None:
        """Take the next position (J,). Raises MotionError(24) where it asks for more than the joints can."""
        if self._since < 0.05:
            self._interval += 0.2 * (max(self._since, 0.002) - self._interval)
        if np.abs(q - self._reference).max() > DQ_MAX * max(self._interval, self.INTERVAL):
            raise MotionError(JOINT_SPEED)
        self._start, self._goal, self._elapsed, self._since = self._reference, q, 0.0, 0.0

    def advance(self, dt: float) -> tuple[Array, Array]:
        self._elapsed += dt
        self._since += dt
        share = min(self._elapsed / self._interval, 1.0)
        before, self._reference = self._reference, self._start + share * (self._goal - self._start)
        return self._reference, (self._reference - before) / max(dt, 1e-9)


class JointVelocity:
    """Joints at wanted speeds (J,) [rad/s] until told otherwise, or for `seconds` where that is positive."""

    def __init__(self, q: Array, acceleration: float) -> None:
        self._reference, self._speed = q.copy(), np.zeros_like(q)
        self._acceleration, self._wanted, self._left = acceleration, np.zeros_like(q), np.inf
        self.done = False

    def command(self, wanted: Array, seconds: float) -> None:
        self._wanted, self._left = np.clip(wanted, -DQ_MAX, DQ_MAX), seconds if seconds > 0 else np.inf

    def advance(self, dt: float) -> tuple[Array, Array]:
        self._left -= dt
        wanted = self._wanted if self._left > 0 else np.zeros_like(self._wanted)
        step = self._acceleration * dt
        self._speed = np.clip(wanted, self._speed - step, self._speed + step)
        self._reference = self._reference + self._speed * dt
        self.done = bool(self._left <= 0 and not self._speed.any())
        return self._reference, self._speed


class CartesianVelocity:
    """The tool at a wanted twist (6,) [m/s, rad/s] in base or tool axes, else as JointVelocity."""

    def __init__(self, arm: EmulatedArm, q: Array, acceleration: float) -> None:
        self._arm, self._joints = arm, JointVelocity(q, acceleration)
        self._twist, self._in_tool, self._left = np.zeros(6), False, np.inf
        self._q, self.done = q.copy(), False

    def command(self, twist: Array, in_tool: bool, seconds: float) -> None:
        self._twist, self._in_tool, self._left = twist, in_tool, seconds if seconds > 0 else np.inf

    def advance(self, dt: float) -> tuple[Array, Array]:
        self._left -= dt
        twist = self._twist if self._left > 0 else np.zeros(6)
        if self._in_tool:
            R = self._arm.tool_pose(self._q)[:3, :3]
            twist = np.concatenate([R @ twist[:3], R @ twist[3:]])
        J = self._arm.tool_jacobian(self._q)
        wanted = J.T @ np.linalg.solve(J @ J.T + 1e-4 * np.eye(6), twist)
        if np.abs(wanted).max() > DQ_MAX:
            raise MotionError(JOINT_SPEED)
        self._joints.command(wanted, 0.0 if self._left > 0 else dt / 2)
        self._q, speed = self._joints.advance(dt)
        self.done = self._joints.done
        return self._q, speed


def relative_pose(T: Array, step: Array, in_tool: bool = False) -> Array:
    """Return T moved by a step (4, 4): in tool axes, or shifted and turned in base axes."""
    if in_tool:
        return np.asarray(T @ step)
    return transform(step[:3, :3] @ T[:3, :3], T[:3, 3] + step[:3, 3])
