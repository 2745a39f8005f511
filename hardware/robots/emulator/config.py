"""What an emulated controller is started with."""

from collections.abc import Mapping
from dataclasses import dataclass

from hardware.robots.emulator.identity import is_loopback
from hardware.types import require

CONTROL_PORT = 10502
RTDE_PORT = 30004
JOINTS = 7


@dataclass(frozen=True)
class EmulatedModel:
    """A row of `MODELS`: whose protocol it speaks, on which port, and where its joints [rad] are at the start."""

    vendor: str
    port: int
    q_start: tuple[float, ...]


_UR_START = (0.0, -1.5708, 1.5708, -1.5708, -1.5708, 0.0)
MODELS: Mapping[str, EmulatedModel] = {
    "xarm7": EmulatedModel("xarm", CONTROL_PORT, (0.0, -0.7854, 0.0, 0.5236, 0.0, 1.309, 0.0)),
    "ur5": EmulatedModel("ur", RTDE_PORT, _UR_START),
    "ur5e": EmulatedModel("ur", RTDE_PORT, _UR_START),
}


def models_of(vendor: str) -> list[str]:
    """Return the models that speak a vendor's protocol."""
    return [name for name, row in MODELS.items() if row.vendor == vendor]


@dataclass(frozen=True)
class EmulatorConfig:
    """address: a loopback address of its own, since the vendors' other ports are fixed; q_start (J,) [rad].

    control_port 0 and q_start () stand for the model's own. kinematics_error_mm lengthens the emulator's forearm
    against the nominal arm, for tests of the comparison of kinematics at connect. unlock_after_s: how long a UR
    holds a protective stop before it can be unlocked (5 s by its manual). force_sensor, gripper: whether an xArm
    has the vendor's at its wrist; the URs have the sensor of their series and no gripper.
    """

    address: str = "127.0.0.11"
    control_port: int = 0
    model: str = "xarm7"
    q_start: tuple[float, ...] = ()
    kinematics_error_mm: float = 0.0
    unlock_after_s: float = 5.0
    force_sensor: bool = True
    gripper: bool = True

    def __post_init__(self) -> None:
        require(is_loopback(self.address), f"emulator: address {self.address} is not on the loopback (127.x.x.x)")
        require(self.model in MODELS, f"emulator: model {self.model!r} is not one of {list(MODELS)}")
        row = MODELS[self.model]
        object.__setattr__(self, "control_port", self.control_port or row.port)
        object.__setattr__(self, "q_start", self.q_start or row.q_start)
        joints = len(row.q_start)
        require(len(self.q_start) == joints, f"emulator: q_start has {len(self.q_start)} joints, not {joints}")
        require(0 < self.control_port < 65536, f"emulator: port {self.control_port} is not in 1..65535")
