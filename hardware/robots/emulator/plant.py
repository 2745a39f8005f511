"""The drives of an emulated arm: each joint follows its reference as a real one does, late and within limits."""

import numpy as np

from hardware.geometry import Array

DQ_MAX = np.pi
DDQ_MAX = 20.0
JERK_MAX = 4000.0
BANDWIDTH = 60.0
BRAKE_DDQ = 15.0
BRAKE_JERK = 500.0


class Plant:
    """Positions q (J,) [rad] and speeds dq (J,) [rad/s] of the joints.

    A critically damped position servo of BANDWIDTH [rad/s], held to DQ_MAX [rad/s], DDQ_MAX [rad/s^2] and
    JERK_MAX [rad/s^3]. Braking keeps the direction of motion: all joints slow down by the same factor.
    """

    def __init__(self, q: Array) -> None:
        self.q = np.array(q, float)
        self.dq = np.zeros_like(self.q)
        self._ddq = np.zeros_like(self.q)
        self._brake_from = self.dq
        self._brake_time = 0.0
        self._brake_length = 0.0

    @property
    def at_rest(self) -> bool:
        return bool(np.abs(self.dq).max() < 1e-3)

    def settled(self, reference: Array) -> bool:
        """Whether the joints have reached a reference (J,) and stand there."""
        return bool(np.abs(self.q - reference).max() < 1e-4 and np.abs(self.dq).max() < 5e-3)

    def track(self, reference: Array, speed: Array, dt: float) -> None:
        """Follow a reference (J,) [rad] that moves at speed (J,) [rad/s] for dt [s]."""
        wanted = BANDWIDTH**2 * (reference - self.q) + 2 * BANDWIDTH * (speed - self.dq)
        slope = JERK_MAX * dt
        self._ddq = np.clip(np.clip(wanted, -DDQ_MAX, DDQ_MAX), self._ddq - slope, self._ddq + slope)
        self.dq = np.clip(self.dq + self._ddq * dt, -DQ_MAX, DQ_MAX)
        self.q = self.q + self.dq * dt
        self._brake_length = 0.0

    def start_brake(self, deceleration: float = BRAKE_DDQ) -> None:
        """Begin to stop, in the time that the fastest joint needs within BRAKE_DDQ and BRAKE_JERK.

        deceleration [rad/s^2]: a gentler one where the controller asks for it.

        Once braking, a second order to brake changes nothing: it would only begin gently again.
        """
        if self._brake_length > 0.0:
            return
        fastest = float(np.abs(self.dq).max())
        self._brake_from, self._brake_time = self.dq.copy(), 0.0
        slope = min(max(deceleration, 0.1), BRAKE_DDQ)
        self._brake_length = max(1.5 * fastest / slope, np.sqrt(6.0 * fastest / BRAKE_JERK), 1e-6)

    def brake(self, dt: float) -> None:
        """Slow down for dt [s] along a smooth step (3 u^2 - 2 u^3), then hold."""
        self.start_brake()
        self._brake_time += dt
        u = min(self._brake_time / self._brake_length, 1.0)
        before, self.dq = self.dq, self._brake_from * (1.0 - u * u * (3.0 - 2.0 * u))
        self._ddq = (self.dq - before) / dt
        self.q = self.q + 0.5 * (before + self.dq) * dt
