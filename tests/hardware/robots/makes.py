"""The makes of arms that the contract holds for: one row each. Another arm is one more row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.rig import ArmConfig, SafetyConfig
from hardware.robots.base import ArmDriver
from hardware.robots.emulator.process import EmulatorProcess
from hardware.robots.ur import UrDriver
from hardware.robots.xarm import XArmDriver

UR_HOME = (0.3, -1.6, 1.6, -1.5, -1.4, 0.2)


class MakeDriver(Protocol):
    def __call__(
        self,
        arm: ArmConfig,
        safety: SafetyConfig,
        *,
        emulator_nonce: bytes,
        T_flange_tool: Array | None = None,
        tool_mass: float = 0.0,
        tool_centre: Array | None = None,
    ) -> ArmDriver: ...


@dataclass(frozen=True, eq=False)
class Make:
    """One driver with its emulator: home [rad], how often it is streamed to [Hz], what a hit reads as.

    own_process: whether its SDK lives outside the test's process, so that a connection may outlive a test.
    """

    model: str
    driver_name: str
    make: MakeDriver
    home: Array
    rate: float
    hit_code: int
    hit_words: str
    pressed_words: str
    own_process: bool = True

    def emulator(self, address: str) -> EmulatorProcess:
        return EmulatorProcess(address, model=self.model, q_start=self.home, unlock_after_s=0.2)

    def config(self, address: str) -> ArmConfig:
        return ArmConfig(
            name="right",
            driver=self.driver_name,
            model=self.model,
            address=address,
            emulated=True,
            role="right",
            T_world_base=transform(rotation_from_vector([0.0, 0.0, np.pi]), [0.6, 0.0, 0.0]),
            home=self.home,
            command_rate_hz=self.rate,
        )


_XARM_HOME = np.radians([0.0, -46.0, 0.0, 64.0, 0.0, 110.0, 0.0])
_UR = {"hit_code": 3, "hit_words": "error 3.*hit", "pressed_words": "error 7.*pressed"}
MAKES: Mapping[str, Make] = {
    "xarm7": Make(
        "xarm7", "xarm", XArmDriver, _XARM_HOME, 100.0, 31, "error 31.*hit", "error 2.*emergency stop", False
    ),
    "ur5": Make("ur5", "ur", UrDriver, np.array(UR_HOME), 125.0, **_UR),  # type: ignore[arg-type]
    "ur5e": Make("ur5e", "ur", UrDriver, np.array(UR_HOME), 500.0, **_UR),  # type: ignore[arg-type]
}
