"""What every calibration under way has in common, whether it looks at a board, at markers or at a force."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from app.calibration.store import Calibration
from hardware.calibration.report import Coverage, Report
from hardware.geometry import Array
from hardware.types import Camera

BoardTask = Literal["lens", "cameras", "wrist", "stand", "table", "tracker"]
GaugeTask = Literal["opening", "force"]
Task = BoardTask | GaugeTask
TITLES: Mapping[Task, str] = {
    "lens": "Lens of one camera",
    "cameras": "Cameras to each other",
    "wrist": "Camera on the wrist",
    "stand": "Camera on its stand, to the arm",
    "table": "Table, from the board on it",
    "tracker": "Tracking camera on the gripper",
    "opening": "Opening of the fingers",
    "force": "Force sensor",
}


@dataclass(frozen=True)
class Asked:
    """A number that only a person knows. value, low, high: SI; unit: what it is shown in, `per_si` of it each SI
    one."""

    what: str
    unit: str
    per_si: float
    low: float
    high: float
    value: float


@dataclass(frozen=True)
class Row:
    """One thing that was taken, in words; warned: it agrees badly, or was left out."""

    text: str
    warned: bool = False


@dataclass(frozen=True, eq=False)
class Seen:
    """What one camera shows now: corners (N, 2) of board or markers as shares of its picture, or why there are
    none."""

    corners: Array = field(default_factory=lambda: np.zeros((0, 2)))
    problem: str = ""


class Wizard(Protocol):
    """One calibration under way, owned by one thread, which calls `pump` about every 30 ms.

    Read: `cameras` (whose pictures belong to it), `taken`, `seen` by camera, `resting` (what is seen now is still),
    `automatic` (what rests somewhere new is taken by itself; may be set), `problem` ("" or why there is no result
    yet), `covered` (None where there is nothing to cover), `asked` (None where nobody is asked for a number).
    """

    automatic: bool

    @property
    def task(self) -> Task: ...

    @property
    def cameras(self) -> tuple[Camera, ...]: ...

    @property
    def taken(self) -> Sized: ...

    @property
    def seen(self) -> Mapping[str, Seen]: ...

    @property
    def covered(self) -> Coverage | None: ...

    @property
    def resting(self) -> bool: ...

    @property
    def problem(self) -> str: ...

    @property
    def solving(self) -> bool: ...

    @property
    def report(self) -> Report | None: ...

    @property
    def can_take(self) -> bool: ...

    @property
    def asked(self) -> Asked | None: ...

    @property
    def step(self) -> str:
        """What to do next, in words."""
        ...

    @property
    def live(self) -> str:
        """How far it is, in words."""
        ...

    @property
    def figure(self) -> str:
        """What is measured now, to be read from afar; "" where pictures tell it."""
        ...

    @property
    def rows(self) -> tuple[Row, ...]: ...

    def answer(self, number: float) -> None:
        """Take in the number that was asked for, in SI. Raises ValueError where it cannot be."""
        ...

    def pump(self) -> None: ...

    def take(self) -> None: ...

    def remove(self, at: int) -> None: ...

    def calibration(self, rig: str) -> Calibration:
        """Return the result as it is kept. Raises ValueError where there is none, or one that has to be done
        again."""
        ...

    def close(self) -> None: ...


def checked_answer(asked: Asked, number: float) -> float:
    """Return the number. Raises ValueError in words where it is out of range."""
    if not asked.low <= number <= asked.high:
        low, high = asked.low * asked.per_si, asked.high * asked.per_si
        told = number * asked.per_si
        raise ValueError(f"{asked.what}: {told:g} {asked.unit}; valid: {low:g} to {high:g} {asked.unit}")
    return number
