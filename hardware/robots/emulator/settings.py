"""Settings of an emulated controller, in the vendor's units [mm, rad, kg] because they are read back as written."""

from dataclasses import dataclass, field

from hardware.robots.emulator.arm import Q_LOWER, Q_UPPER


def _joint_ranges() -> list[float]:
    return [float(v) for pair in zip(Q_LOWER, Q_UPPER, strict=True) for v in pair]


@dataclass(frozen=True)
class ForceTask:
    """In which axes a force counts: frame 0 base, 1 tool; axes (6,) of 0 and 1."""

    frame: int = 0
    axes: tuple[int, ...] = (0,) * 6


@dataclass
class Settings:
    """Defaults as a controller comes from the factory (user manual; speeds and accelerations of its report)."""

    tcp_offset: list[float] = field(default_factory=lambda: [0.0] * 6)
    world_offset: list[float] = field(default_factory=lambda: [0.0] * 6)
    load: list[float] = field(default_factory=lambda: [0.0] * 4)
    gravity: list[float] = field(default_factory=lambda: [0.0, 0.0, -1.0])
    collision_sensitivity: int = 3
    teach_sensitivity: int = 3
    tcp_jerk: float = 10000.0
    tcp_acceleration: tuple[float, float] = (1.0, 50000.0)
    tcp_speed: tuple[float, float] = (0.1, 1000.0)
    joint_jerk: float = 500.0
    joint_acceleration: tuple[float, float] = (0.01, 20.0)
    joint_speed: tuple[float, float] = (0.0001, 3.1415927)
    reduced_on: bool = False
    fence_on: bool = False
    rebound_on: bool = False
    self_collision_on: bool = True
    boundary: list[int] = field(default_factory=lambda: [1000, -1000, 1000, -1000, 1500, -1000])
    reduced_tcp_speed: float = 250.0
    reduced_joint_speed: float = 1.0471976
    reduced_ranges: list[float] = field(default_factory=_joint_ranges)
    force_sensor_on: bool = False
    force_sensor_mode: int = 0
    admittance: ForceTask = field(default_factory=lambda: ForceTask())
    admittance_mkb: list[float] = field(default_factory=lambda: [0.05] * 3 + [0.0005] * 3 + [0.0] * 12)
    force_control: ForceTask = field(default_factory=lambda: ForceTask())
    force_reference: list[float] = field(default_factory=lambda: [0.0] * 6)
    force_gains: list[float] = field(default_factory=lambda: [0.0] * 18)
    force_speed: list[float] = field(default_factory=lambda: [100.0] * 3 + [60.0] * 3)
    feedback: int = 0
    tool_model: int = 0
    tool_model_params: list[float] = field(default_factory=lambda: [0.0] * 6)

    @property
    def tcp_speed_limit(self) -> float:
        """[mm/s]"""
        return min(self.tcp_speed[1], self.reduced_tcp_speed) if self.reduced_on else self.tcp_speed[1]

    @property
    def joint_speed_limit(self) -> float:
        """[rad/s]"""
        return min(self.joint_speed[1], self.reduced_joint_speed) if self.reduced_on else self.joint_speed[1]

    def inside_boundary(self, x: float, y: float, z: float) -> bool:
        """Whether a point [mm] is inside the boundary, where reduced mode or the fence makes it hold."""
        if not (self.reduced_on or self.fence_on):
            return True
        high, low = self.boundary[0::2], self.boundary[1::2]
        return all(lo <= v <= hi for lo, v, hi in zip(low, (x, y, z), high, strict=True))

    def inside_ranges(self, q: list[float]) -> bool:
        """Whether joints [rad] are inside the ranges of reduced mode, where it is on."""
        low, high = self.reduced_ranges[0::2], self.reduced_ranges[1::2]
        return not self.reduced_on or all(
            lo - 2e-3 <= v <= hi + 2e-3 for lo, v, hi in zip(low, q, high, strict=True)
        )
