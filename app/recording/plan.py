"""What is to be recorded: choices to sample from, a goal, and what is remembered from one start to the next."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from hardware.recording.note import EpisodeNote
from hardware.whole_file import write_whole


@dataclass(frozen=True)
class Choice:
    """What one take shows. instruction: in words, as a policy is told it."""

    task: str
    object: str = ""
    condition: str = ""
    instruction: str = ""


@dataclass(frozen=True)
class RecordingPlan:
    """Choices to sample from, each `goal` times over."""

    choices: tuple[Choice, ...]
    goal: int = 50

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError("plan: choices: there are none; valid: one and more")
        if self.goal < 1:
            raise ValueError(f"plan: goal: {self.goal}; valid: 1 and more")

    def next(self, kept: Iterable[EpisodeNote], seed: int) -> Choice:
        """Return one of the choices that were recorded least, drawn by seed.

        Where the plan names tasks alone, every take of a task counts, whatever object was in it.
        """
        tasks_only = not any(c.object or c.condition for c in self.choices)
        counts = Counter((n.task, "", "") if tasks_only else (n.task, n.object, n.condition) for n in kept)
        fewest = min(counts[(c.task, c.object, c.condition)] for c in self.choices)
        open_ = [c for c in self.choices if counts[(c.task, c.object, c.condition)] == fewest]
        return random.Random(seed).choice(open_)


@dataclass(frozen=True)
class Remembered:
    """What the page comes up with the next time."""

    choice: Choice = Choice("demonstration")
    goal: int = 50
    session: str = ""


def read_remembered(path: Path) -> Remembered:
    """Read what was remembered; a file that is missing or broken is as good as none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        choice = Choice(**{str(k): str(v) for k, v in values["choice"].items()})
        return Remembered(choice, max(1, int(values["goal"])), str(values["session"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Remembered()


def write_remembered(path: Path, remembered: Remembered) -> None:
    """Raises OSError."""
    write_whole(path, json.dumps(asdict(remembered), indent=1) + "\n")
