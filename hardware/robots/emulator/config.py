"""What an emulated controller is started with."""

from dataclasses import dataclass

from hardware.robots.emulator.identity import is_loopback
from hardware.types import require

CONTROL_PORT = 10502
MODELS = ("xarm7",)
JOINTS = 7


@dataclass(frozen=True)
class EmulatorConfig:
    """address: a loopback address of its own, since the vendor's report ports are fixed; q_start (7,) [rad].

    kinematics_error_mm lengthens the emulator's forearm against the nominal arm, for tests of the comparison of
    kinematics at connect.
    """

    address: str = "127.0.0.11"
    control_port: int = CONTROL_PORT
    model: str = MODELS[0]
    q_start: tuple[float, ...] = (0.0, -0.7854, 0.0, 0.5236, 0.0, 1.309, 0.0)
    kinematics_error_mm: float = 0.0

    def __post_init__(self) -> None:
        require(is_loopback(self.address), f"emulator: address {self.address} is not on the loopback (127.x.x.x)")
        require(self.model in MODELS, f"emulator: model {self.model!r} is not one of {list(MODELS)}")
        require(len(self.q_start) == JOINTS, f"emulator: q_start has {len(self.q_start)} joints, not {JOINTS}")
        require(0 < self.control_port < 65536, f"emulator: port {self.control_port} is not in 1..65535")
