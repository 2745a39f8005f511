"""What the calibration wizard shows: small values, no files and no program behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hardware.geometry import Array
from widgets.tool_values import Level


@dataclass(frozen=True)
class Choice:
    """One of several things to choose: its key, and what a person reads."""

    key: str
    text: str


@dataclass(frozen=True)
class ViewRow:
    """One view that was taken, with its error once that is known."""

    text: str
    level: Level = ""


@dataclass(frozen=True)
class Number:
    """A number that a person is asked for; low, high and value in the unit that is shown, `per_si` of it each SI
    one."""

    what: str
    unit: str
    low: float
    high: float
    value: float
    per_si: float


@dataclass(frozen=True, eq=False)
class PictureState:
    """What is drawn over a camera's picture. corners (N, 2): of the board, shares of the picture; grid (R, C):
    which cells are covered already, None for no map; badge: a word or two; problem: why no board is seen."""

    corners: Array
    grid: Array | None = None
    badge: str = ""
    problem: str = ""


@dataclass(frozen=True, eq=False)
class CalibrationSheet:
    """The wizard as it is. running: pictures are looked at; can_plan: an arm can be sent through stops for it now,
    None where none goes through any; person: a simulated one can help, None where there is none; kept: what is in
    use now, in words; figure: what is measured now, to be read from afar; number: None where nobody is asked for
    one; needs_board, needs_camera: whether one is chosen for it."""

    running: bool = False
    step: str = ""
    views: tuple[ViewRow, ...] = ()
    verdict: str = ""
    level: Level = ""
    live: str = ""
    pictures: Mapping[str, PictureState] = field(default_factory=dict)
    can_start: bool = False
    can_take: bool = False
    can_save: bool = False
    can_plan: bool | None = None
    automatic: bool = True
    person: bool | None = None
    person_words: str = ""
    kept: str = ""
    figure: str = ""
    number: Number | None = None
    needs_board: bool = True
    needs_camera: bool = True
