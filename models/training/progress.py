"""What a run says while it goes, how it ends, and how it may be stopped. Knows no torch: pages and jobs read it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Progress:
    """step of steps, 0 while it prepares; loss: of this step, None where there is none; samples_per_s: clips a
    second; left_s: time left [s], None: unknown; pictures: gallery pictures that were just written."""

    step: int
    steps: int
    loss: float | None = None
    samples_per_s: float | None = None
    left_s: float | None = None
    text: str = ""
    pictures: tuple[Path, ...] = ()

    @property
    def fraction(self) -> float:
        return self.step / self.steps if self.steps else 0.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended without an error. checkpoint: the newest one, None where there is none yet."""

    state: Literal["done", "paused", "cancelled"]
    step: int
    checkpoint: Path | None
    text: str


class TrainingError(RuntimeError):
    """A run cannot begin, or cannot go on. The message says what happened, what is kept and what to do."""


Report = Callable[[Progress], None]
Control = Callable[[], Literal["run", "pause", "cancel"]]
"""Asked between steps: "pause" and "cancel" save and end; a run that goes on later is none the wiser."""
