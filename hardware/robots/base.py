"""The contract of an arm driver. A driver lives inside a servo process and nowhere else (DESIGN, rule 5)."""

from typing import Protocol, runtime_checkable

from hardware.geometry import Array
from hardware.types import ArmLimits, ArmState


class ArmError(RuntimeError):
    """The controller said no, or is not there. The message names the arm, what happened and what to do next."""


class ArmDriver(Protocol):
    """One arm over its vendor SDK. Calls block and come from one thread; every failure raises ArmError.

    Units are SI inside; the driver alone speaks the vendor's. `connect` refuses a controller that another client
    holds where the vendor can tell, and verifies `emulator_nonce` where the rig says that the arm is emulated.
    """

    def connect(self) -> None: ...

    def read_limits(self) -> ArmLimits:
        """Limits read back from the controller, the rig's own where the controller has none; see `source`."""
        ...

    def read_state(self) -> ArmState: ...

    def start_servo(self) -> None:
        """Enable the motors and enter the streaming mode; the arm does not move."""
        ...

    def send_joints(self, q: Array) -> Array:
        """Command joint positions (J,) [rad] for the next servo cycle; return what was really sent."""
        ...

    def stop(self) -> None:
        """Stop now, in the vendor's own way, and leave the streaming mode. Safe to call at any time, repeatedly."""
        ...

    def clear_error(self) -> None: ...

    def disconnect(self) -> None: ...


@runtime_checkable
class GuidedArm(Protocol):
    """What a driver has besides where its arm can be led by hand (freedrive, teach or manual mode)."""

    def start_guiding(self) -> None:
        """Let a person move the arm by hand from now on; it does not move by itself. Raises ArmError."""
        ...

    def end_guiding(self) -> None:
        """Hold the arm where it is. Raises ArmError."""
        ...


@runtime_checkable
class GrippingArm(Protocol):
    """What a driver has besides where it knows a gripper. Openings are shares: 0 closed to 1 open.

    `stop` and `disconnect` hold a gripper that moves where it is.
    """

    def opening(self) -> float | None:
        """How far it is open now, None where the rig names no gripper for this arm. Raises ArmError."""
        ...

    def start_gripping(self, opening: float) -> None:
        """Begin to move it; the arm does not move. Raises ArmError."""
        ...

    def end_gripping(self, hold: bool = True) -> None:
        """Hold it where it is. hold False: it has arrived and goes on pressing. Raises ArmError."""
        ...
