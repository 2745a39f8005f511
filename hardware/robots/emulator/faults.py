"""Faults that a test or the world injects into an emulator: over its process's pipe, never the vendor's port."""

from dataclasses import dataclass
from typing import Literal, get_args

from hardware.types import require

FaultKind = Literal[
    "error",
    "warning",
    "protective_stop",
    "emergency_stop",
    "silent",
    "freeze",
    "drop_link",
    "refuse",
    "external_force",
    "object_in_gripper",
    "none",
]


@dataclass(frozen=True)
class Fault:
    """One fault.

    error, warning: the controller raises `code` by itself; it stays until a client clears it (xArm only).
    protective_stop: the controller takes it that the arm has hit something; stays until a client clears it.
    emergency_stop: the button is pressed, and stays so until "none"; then a client can clear it.
    silent: the link stays up and the arm goes on, but no command is answered; an xArm's reports go on.
    freeze: the whole controller hangs: no answers, no reports, no new clients; the drives brake.
    drop_link: every connection is closed now; new ones are accepted.
    refuse: every connection is closed and no new one is accepted.
    external_force: `wrench` [N, Nm] in the base frame pushes at the tool until it is changed.
    object_in_gripper: something `code` percent of its opening wide keeps the gripper from closing (xArm only).
    none: ends silent, freeze, refuse, external_force, the pressed button, and takes the object away.
    """

    kind: FaultKind
    code: int = 0
    wrench: tuple[float, float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        require(self.kind in get_args(FaultKind), f"fault: kind {self.kind!r} is not one of {get_args(FaultKind)}")
        require(0 <= self.code <= 255, f"fault: code {self.code} is not in 0..255")
        require(
            self.kind not in ("error", "warning") or self.code > 0, f"fault: {self.kind} needs a code of 1..255"
        )
        require(len(self.wrench) == 6, f"fault: wrench has {len(self.wrench)} numbers, not 6")
