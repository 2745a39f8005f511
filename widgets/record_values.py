"""What the page Record and the live cameras are shown: small frozen records with texts ready for a person."""

from dataclasses import dataclass, field
from typing import Literal

from hardware.types import Image
from widgets.values import Mood

StreamShape = Literal["picture", "number"]
RecordStage = Literal[
    "off", "starting", "blocked", "idle", "scene", "ready", "recording", "saving", "review", "saved", "problem",
]  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """One short fact of a health strip, such as "30.0 fps"; tip says what it means."""

    text: str
    mood: Mood = "idle"
    tip: str = ""


@dataclass(frozen=True)
class StreamRow:
    """One camera or sensor. value: what a sensor says now, large; facts: in their order of importance; problem: ""
    or what is wrong and what to do; mood: the worst of all; button: what can be done about it, "" for nothing."""

    name: str
    shape: StreamShape = "picture"
    mood: Mood = "idle"
    facts: tuple[Fact, ...] = ()
    problem: str = ""
    value: str = ""
    button: str = ""


@dataclass(frozen=True)
class RecordState:
    """What must be read from two metres away. word: "REC"; clock_s: how long it has recorded, None for no clock;
    hint: what to do next, "Space stops"; count, goal: kept takes of today (goal 0: none set)."""

    stage: RecordStage = "off"
    word: str = ""
    hint: str = ""
    clock_s: float | None = None
    count: int = 0
    goal: int = 0


@dataclass(frozen=True)
class Choice:
    """What the next take is of: the words chosen, and those to choose among. locked: not now."""

    task: str = ""
    object: str = ""
    condition: str = ""
    instruction: str = ""
    tasks: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    goal: int = 0
    sampled: bool = False
    shown_by: str = ""
    shown_by_choices: tuple[tuple[str, str], ...] = ()
    locked: bool = False


@dataclass(frozen=True)
class GateRow:
    """One condition of recording. overridden: the reason that a person gave, "" where nobody did; can_override:
    whether it may be passed at all."""

    gate: str
    mood: Mood
    text: str
    hint: str = ""
    can_override: bool = False
    overridden: str = ""


@dataclass(frozen=True)
class VerdictRow:
    """What a check says of a take. at [s]: since its start, where replay should jump to; None: nowhere."""

    mood: Mood
    text: str
    detail: str = ""
    at: float | None = None


@dataclass(frozen=True, eq=False)
class TakeRow:
    """A take for the strip of last takes. picture: small, (H, W, 3) uint8."""

    number: int
    outcome: str
    mood: Mood
    note: str = ""
    picture: Image | None = field(default=None, repr=False)


@dataclass(frozen=True)
class UnfinishedRow:
    """A take that was neither kept nor discarded when the program ended."""

    id: str
    text: str
