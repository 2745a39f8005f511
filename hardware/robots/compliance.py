"""What an arm can do about forces, in words for the person who approves, and one small way to ask for it."""

from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np

from hardware.geometry import Array
from hardware.types import require

# on demand: there is a sensor, and it is switched on for what needs it
Sensing = Literal["measured", "estimated", "on demand", "none"]
Frame = Literal["base", "tool"]
LARGEST_FORCE, LARGEST_TORQUE = 50.0, 4.0


@dataclass(frozen=True)
class Compliance:
    """What this very arm has. sensing: how it knows of a force at its tool; yields: whether it can give way to it.

    words: a sentence for the Approve panel.
    """

    sensing: Sensing
    yields: bool
    words: str

    def __post_init__(self) -> None:
        require(self.sensing in get_args(Sensing), f"compliance: sensing {self.sensing!r}: {get_args(Sensing)}")
        require(bool(self.words), "compliance: words are missing; they are what a person approves")

    @property
    def source(self) -> dict[str, str]:
        """As it stands beside an arm's limits, in `ArmLimits.source`."""
        return {"forces": self.sensing, "compliance": self.words}


@dataclass(frozen=True, eq=False)
class Yielding:
    """How an arm is to give way.

    axes (6,): 1 where it does, along and about the frame's axes as they stand at the start; push (6,) [N, Nm]: what
    it presses by itself; speed (6,) [m/s, rad/s]: no faster than this; stiffness (6,) [N/m, Nm/rad]: back to where
    it was, 0 for none.
    """

    axes: tuple[int, ...]
    frame: Frame = "base"
    push: Array = field(default_factory=lambda: np.zeros(6))
    speed: Array = field(default_factory=lambda: np.array([0.05] * 3 + [0.3] * 3))
    stiffness: Array = field(default_factory=lambda: np.zeros(6))

    def __post_init__(self) -> None:
        require(self.frame in get_args(Frame), f"yielding: frame {self.frame!r} is not one of {get_args(Frame)}")
        require(
            len(self.axes) == 6 and set(self.axes) <= {0, 1} and any(self.axes),
            f"yielding: axes {self.axes} are not six of 0 and 1, with a 1 among them",
        )
        for name in ("push", "speed", "stiffness"):
            value = getattr(self, name)
            require(value.shape == (6,) and bool(np.isfinite(value).all()), f"yielding: {name} {value} is not (6,)")
        limits = np.array([LARGEST_FORCE] * 3 + [LARGEST_TORQUE] * 3)
        require(
            bool((np.abs(self.push) <= limits).all()),
            f"yielding: push {self.push} is over {LARGEST_FORCE:.0f} N or {LARGEST_TORQUE:.0f} Nm",
        )
        require(bool((self.speed > 0).all()), f"yielding: speed {self.speed} is not positive")
        require(bool((self.stiffness >= 0).all()), f"yielding: stiffness {self.stiffness} is negative")


@runtime_checkable
class CompliantArm(Protocol):
    """What a driver has where its arm can feel or give way. Calls as those of `ArmDriver`."""

    def compliance(self) -> Compliance: ...

    def start_feeling(self) -> None:
        """See to it that `read_state` tells the force at the tool from now on; the arm does not move.

        Raises ArmError where this arm feels none.
        """
        ...

    def start_yielding(self, wanted: Yielding) -> None:
        """Give way from now on; without a force and a push the arm does not move.

        Raises ArmError where this arm cannot: the message says why.
        """
        ...

    def end_yielding(self) -> None:
        """Hold where it is. Raises ArmError."""
        ...
