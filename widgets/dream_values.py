"""What the form of a new dream and the strip of candidates are shown: small frozen records, ready for a person."""

from dataclasses import dataclass

from hardware.types import Image
from widgets.values import Mood

AS_IT_LIES = -1


@dataclass(frozen=True)
class Option:
    """One of several to choose: value is what comes back, text what is read, tip a sentence more."""

    value: str
    text: str
    tip: str = ""


@dataclass(frozen=True)
class DreamForm:
    """Everything that the form says.

    table: number of a simulated table to be laid, AS_IT_LIES, or None where there is none to lay; table_words: what
    lies there now; text None: the model is told nothing in words; override None: nothing is in the way; look: what
    the button over the pictures says, "" for no button; note: what will happen; problem: why it cannot.
    """

    models: tuple[Option, ...] = ()
    model: str = ""
    sources: tuple[Option, ...] = ()
    source: str = ""
    tasks: tuple[Option, ...] = ()
    task: str = ""
    table: int | None = None
    table_words: str = ""
    text: str | None = None
    candidates: int = 4
    seed: int = 0
    steps: int = 30
    devices: tuple[Option, ...] = ()
    device: str = ""
    override: str | None = None
    look: str = ""
    note: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Figure:
    """A row of a candidate's card. share 0..1: how long its bar is; tip: what the number means, in sentences."""

    name: str
    text: str = "–"
    share: float = 0.0
    mood: Mood = "idle"
    tip: str = ""


@dataclass(frozen=True, eq=False)
class CandidateCard:
    """A candidate for its card. place: from 1, 0 while it is not ranked; picture (H, W, 3); share 0..1: how far it
    is, None while nothing goes on; opened: it is the dream on the page; dreamt: it can be opened."""

    seed: int
    place: int
    state: str
    mood: Mood = "idle"
    picture: Image | None = None
    figures: tuple[Figure, ...] = ()
    reason: str = ""
    share: float | None = None
    kept: bool = False
    opened: bool = False
    dreamt: bool = False


@dataclass(frozen=True, eq=False)
class Denoising:
    """A dream while it is denoised. sheet (H, W, 3): rows are views, time to the right, None before the first step;
    done 0..1; left_s [s], None: unknown."""

    text: str
    sheet: Image | None = None
    done: float = 0.0
    left_s: float | None = None
