"""What the pages are shown: small frozen records with texts and numbers ready for a person."""

from dataclasses import dataclass
from typing import Literal

Mood = Literal["ok", "warning", "alarm", "idle"]
Stage = Literal["empty", "planning", "planned", "approved", "running", "paused", "ended"]


@dataclass(frozen=True)
class Chip:
    """A short fact in the top bar."""

    text: str
    mood: Mood = "idle"
    tip: str = ""


@dataclass(frozen=True)
class LimitRow:
    """One limit of an arm as read back; source: "controller" or "rig"."""

    name: str
    value: str
    source: str = ""


@dataclass(frozen=True)
class ArmCard:
    """An arm for its card. state: a word for the badge; detail says more; connected: whether it is there at all."""

    name: str
    title: str
    state: str
    mood: Mood
    detail: str = ""
    error: str = ""
    emulated: bool = False
    connected: bool = False
    limits: tuple[LimitRow, ...] = ()
    joints_deg: tuple[float, ...] = ()


@dataclass(frozen=True)
class LineItem:
    """One part of the bottom line: a coloured dot and a text."""

    text: str
    mood: Mood = "idle"
    tip: str = ""


@dataclass(frozen=True)
class BusyState:
    """Work that goes on. done 0..1, below 0: unknown; left_s [s]: None: unknown."""

    text: str
    done: float = -1.0
    left_s: float | None = None
    can_cancel: bool = True


@dataclass(frozen=True)
class ToolRow:
    """A tool of the dream. found of total frames in the trim; confidence 0..1, disagreement [px] at this frame."""

    role: str
    name: str
    color: str
    state: str = "not tracked"
    found: int = 0
    total: int = 0
    confidence: float | None = None
    disagreement_px: float | None = None


@dataclass(frozen=True)
class CheckRow:
    """A check for the list. amount: "0.21 ≤ 0.25 m/s"; at [s]: where a click leads, None: nowhere; detail: more."""

    mood: Mood
    text: str
    amount: str = ""
    hint: str = ""
    at: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class ApproveState:
    """Everything that the approve panel says. reasons: why approve is off, in words; empty: it may be given.

    forces: over which [N] the connected arms can be asked to give way; give_way: the chosen one, None: stiff;
    gives_way: what the plan does about forces; compliance, compliance_words: what each arm knows of forces, in few
    words and in sentences.
    """

    stage: Stage = "empty"
    plan: str = ""
    duration_s: float = 0.0
    reasons: tuple[str, ...] = ()
    expires_s: float = 0.0
    speeds: tuple[float, ...] = (0.10,)
    speed: float = 0.10
    rehearsing: bool = False
    phase: str = ""
    elapsed_s: float = 0.0
    message: str = ""
    mood: Mood = "idle"
    can_plan: bool = False
    emulated: bool = False
    connected: bool = True
    forces: tuple[float, ...] = ()
    give_way: float | None = None
    gives_way: str = ""
    compliance: tuple[str, ...] = ()
    compliance_words: tuple[str, ...] = ()
    connecting: bool = False


@dataclass(frozen=True)
class RunRow:
    """One run of the ledger, for the table."""

    id: str
    time: str
    dream: str
    outcome: str
    mood: Mood = "idle"
    tags: str = ""
    note: str = ""
    person: str = ""
    plan: str = ""
    ended: str = ""
    video: bool = False


@dataclass(frozen=True)
class ChainLink:
    """One object in the provenance of a run. facts: (name, value) pairs worth reading."""

    kind: str
    name: str
    created: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DroppedDream:
    """What was recognised among dropped files; paths as texts, empty where missing. problem: what is wrong."""

    video: str = ""
    scenes: tuple[str, ...] = ()
    calibration: str = ""
    meshes: tuple[tuple[str, str], ...] = ()
    problem: str = ""
