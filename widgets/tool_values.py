"""What the tool library's widgets show: small values, no files and no program behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtGui import QImage

Level = Literal["", "ok", "warning", "alarm"]


@dataclass(frozen=True)
class ToolItem:
    """One row of the list. note: such as "built in"; problem: why it cannot be used."""

    name: str
    note: str = ""
    problem: str = ""
    picture: QImage | None = None


@dataclass(frozen=True)
class FieldRow:
    """One field of the form: key, title, what to type."""

    key: str
    title: str
    hint: str


@dataclass(frozen=True)
class ToolSheet:
    """Everything the form says of a tool.

    texts and problems by field; units to choose from and the chosen one with why; report on the mesh and its level;
    pieces that can be tracked; tracked: what is, in words; locked: why nothing can be changed, "" where it can.
    """

    texts: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    unit: str = "mm"
    unit_words: str = ""
    unit_level: Level = ""
    report: str = ""
    report_level: Level = ""
    can_repair: bool = False
    can_thin: bool = False
    can_choose_unit: bool = False
    pieces: int = 1
    tracked: str = ""
    changes: tuple[str, ...] = ()
    locked: str = ""
    unsaved: bool = False
    can_undo: str = ""
    can_redo: str = ""
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class TouchSheet:
    """A wizard's state: what to do, the touches so far, the verdict; live: where the flange is now, in words."""

    title: str
    step: str
    touches: tuple[str, ...] = ()
    verdict: str = ""
    level: Level = ""
    live: str = ""
    can_take: bool = False
    can_save: bool = False
