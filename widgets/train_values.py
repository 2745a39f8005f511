"""What page Train is shown: small frozen records with texts and numbers ready for a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hardware.geometry import Array
from hardware.types import Image
from widgets.values import Mood

FieldKind = Literal["text", "choice"]


@dataclass(frozen=True)
class JobLine:
    """One job for the table. state: a word for a person; done 0..1, below 0: unknown; left: such as "12 min";
    started: when; tip: more of it."""

    id: str
    title: str
    kind: str
    state: str
    mood: Mood = "idle"
    done: float = -1.0
    left: str = ""
    started: str = ""
    tip: str = ""


@dataclass(frozen=True)
class FormField:
    """One value of a training's config. value, published: as they are written, published "" where nothing was;
    choices: words by value; valid: what may be written; differs: from what was published; problem: why the value
    cannot be used."""

    name: str
    section: str
    title: str
    help: str
    kind: FieldKind
    value: str
    published: str = ""
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    valid: str = ""
    differs: bool = False
    problem: str = ""


@dataclass(frozen=True)
class DataChoice:
    """A data set that can be trained on. path: what it is known by; about: such as "100 demos, push-shape"."""

    path: str
    name: str
    about: str = ""


@dataclass(frozen=True)
class FormState:
    """What the form says. start: the config that it began from, of `starts` (words by name); data: the path of the
    chosen data set; problem: what is wrong with all of it, beside what is said at the fields."""

    starts: Mapping[str, str] = field(default_factory=dict)
    start: str = ""
    title: str = ""
    data: str = ""
    data_problem: str = ""
    fields: tuple[FormField, ...] = ()
    problem: str = ""
    about: str = ""

    @property
    def problems(self) -> int:
        """How many things keep it from starting."""
        return sum(bool(f.problem) for f in self.fields) + bool(self.problem) + bool(self.data_problem)

    @property
    def differing(self) -> int:
        return sum(f.differs for f in self.fields)


@dataclass(frozen=True, eq=False)
class RunCurves:
    """The values of one run by name: steps (N,) rising, values (N,), nan where there is none."""

    id: str
    name: str
    series: Mapping[str, tuple[Array, Array]]


@dataclass(frozen=True, eq=False)
class GalleryScene:
    """One held-out scene as it was dreamt at a step: pictures by row name ("dreamt", "shown"), each the frames
    (H, W, 3); words: its metrics, ready to read; tracks: a line for each tool, how it was followed there."""

    name: str
    rows: Mapping[str, tuple[Image, ...]]
    words: str = ""
    tracks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other. names: of the runs; rows: what differs, then what came out: (name, a value a run)."""

    names: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Meter:
    """Something of the machine that is used up. used: 0..1; words: how much of how much, and by whom."""

    name: str
    used: float
    words: str
