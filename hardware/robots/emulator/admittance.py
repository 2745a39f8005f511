"""How an emulated arm gives way to a force: a damper, and where asked a spring, on chosen axes of a frame."""

import numpy as np

from hardware.geometry import Array
from hardware.robots.emulator.arm import EmulatedArm
from hardware.robots.emulator.motion import Motion

# chosen so that a push of 20 N moves the tool by 0.1 m/s; no vendor publishes its own
DAMPING = np.array([200.0, 200.0, 200.0, 10.0, 10.0, 10.0])
_SINGULAR = 1e-4
NO_LIMIT = np.full(6, 10.0)
ALL_AXES = np.ones(6)


class Admittance:
    """Speed of the tool = (force - stiffness * displacement) / damping, per axis, within limits.

    T_base_frame (4, 4): the axes; selection (6,): 1 on axes that give way; wrench (6,) [N, Nm] that the arm exerts
    by itself, in the frame; limits (6,) [m/s, rad/s]; stiffness (6,) [N/m, Nm/rad] back to where it was at first.
    """

    def __init__(
        self,
        arm: EmulatedArm,
        T_base_frame: Array,
        selection: Array,
        wrench: Array,
        limits: Array,
        stiffness: Array | None = None,
    ) -> None:
        self._arm, self._R = arm, T_base_frame[:3, :3]
        self._selection, self._wrench, self._limits = selection.astype(float), wrench, np.abs(limits)
        self._stiffness = np.zeros(6) if stiffness is None else stiffness
        self._moved = np.zeros(6)

    def advance(self, q: Array, external: Array, dt: float) -> Array:
        """Go on by dt [s]; return joint speeds (J,) [rad/s] that give way at q (J,) to a force (6,) in base."""
        force = np.concatenate([self._R.T @ external[:3], self._R.T @ external[3:]])
        wanted = (force + self._wrench - self._stiffness * self._moved) / DAMPING
        speed = self._selection * np.clip(wanted, -self._limits, self._limits)
        self._moved = self._moved + speed * dt
        twist = np.concatenate([self._R @ speed[:3], self._R @ speed[3:]])
        J = self._arm.tool_jacobian(q)
        return np.asarray(J.T @ np.linalg.solve(J @ J.T + _SINGULAR * np.eye(6), twist))


class Yielder:
    """Where the drives are to be: on a motion or where the arm stood, and from there as far as it gave way."""

    def __init__(self, q: Array) -> None:
        self._rest, self._offset, self._gave = q.copy(), np.zeros_like(q), False

    def begin(self) -> None:
        """Another motion begins, or none goes on: it starts where the arm is."""
        self._offset, self._gave = np.zeros_like(self._offset), False

    def reference(
        self, motion: Motion | None, way: Admittance | None, q: Array, external: Array, dt: float, rate: float
    ) -> tuple[Array, Array]:
        """Go on by dt [s], the motion at `rate` of its speed; return reference (J,) [rad] and its speed.

        q (J,): where the arm is; external (6,) [N, Nm]: what pushes at the tool, in base. Raises MotionError.
        """
        if motion is not None:
            reference, speed = motion.advance(dt * rate)
            self._rest, speed = reference, speed * rate
        else:
            if not self._gave:
                self._rest = q.copy()
            reference, speed = self._rest, np.zeros_like(q)
        self._gave = way is not None
        if way is not None:
            dq = way.advance(q, external, dt)
            self._offset = self._offset + dq * dt
            reference, speed = reference + self._offset, speed + dq
        return reference, speed
