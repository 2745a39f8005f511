"""The vendor's gripper at the wrist of an emulated xArm: a device of its own behind the tool's serial line."""

OPEN, CLOSED = 850.0, 0.0
SPEED_RANGE = (1, 5000)
# half a second for the whole way at full speed: a guess, the vendor gives no figure
PULSES_PER_SPEED = 0.34


class Gripper:
    """Position [pulses], 0 closed to 850 open. fitted: whether there is one; in_hand: what stands between its jaws
    at this position and stops them, None for nothing."""

    def __init__(self, fitted: bool) -> None:
        self.fitted, self.enabled, self.error = fitted, False, 0
        self.position, self.target, self.speed = OPEN, OPEN, 1500
        self.in_hand: float | None = None

    @property
    def moving(self) -> bool:
        return self.enabled and self.position != self._reachable

    def step(self, dt: float) -> None:
        """Let dt [s] go by."""
        if self.enabled:
            way, most = self._reachable - self.position, PULSES_PER_SPEED * self.speed * dt
            self.position += min(max(way, -most), most)

    @property
    def _reachable(self) -> float:
        return self.target if self.in_hand is None else max(self.target, min(self.in_hand, self.position))
