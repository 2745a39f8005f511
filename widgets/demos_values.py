"""What page Demos shows: demos as lines of a table, their labels, what a bulk edit would change, statistics."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hardware.geometry import Array

SuccessWord = Literal["yes", "no", "unknown"]
LineKey = tuple[str, int, int]
"""What the binder calls a demo by; the widgets only give it back."""


@dataclass(frozen=True)
class DemoLine:
    """A demo in the table, as texts. level: ok, mark or bad, "" unknown; problem: "" or why it cannot be used."""

    key: LineKey
    number: str
    task: str = ""
    instruction: str = ""
    object: str = ""
    success: SuccessWord = "unknown"
    tags: str = ""
    duration: str = ""
    level: str = ""
    streams: str = ""
    started: str = ""
    marks: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Labels:
    """What stands in the label form. None: the chosen demos differ there. of: how many demos are chosen."""

    task: str | None = ""
    instruction: str | None = ""
    object: str | None = ""
    condition: str | None = ""
    note: str | None = ""
    success: SuccessWord | None = "unknown"
    tags: tuple[str, ...] = ()
    some_tags: tuple[str, ...] = ()
    of: int = 0
    tasks: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelEdit:
    """What a person changed in the label form; None and empty: nothing."""

    task: str | None = None
    instruction: str | None = None
    object: str | None = None
    condition: str | None = None
    note: str | None = None
    success: SuccessWord | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return all(value in (None, ()) for value in vars(self).values())


@dataclass(frozen=True)
class PreviewRow:
    """One demo of a bulk edit: what of it changes, before and after."""

    number: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """A bulk edit that waits for a yes. more: rows that are not listed."""

    title: str
    rows: Sequence[PreviewRow]
    more: int = 0
    unchanged: int = 0


@dataclass(frozen=True, eq=False)
class Scatter:
    """Where the demos begin, in the table's plane: points (N, 2) [m] with a colour each."""

    points: Array = field(default_factory=lambda: np.zeros((0, 2)))
    colors: Sequence[str] = ()
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: its name, how many, and a query that shows them."""

    name: str
    count: int
    query: str = ""


@dataclass(frozen=True)
class Chart:
    title: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Twin:
    """Two demos that look and move nearly alike."""

    a: LineKey
    b: LineKey
    text: str


@dataclass(frozen=True, eq=False)
class Statistics:
    """What there is of the demos that the filter shows. facts: sentences; note: what it was reckoned from;
    scenes: demos before which the table looked the same."""

    facts: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    scatter: Scatter = field(default_factory=Scatter)
    twins: Sequence[Twin] = ()
    note: str = ""
    scenes: Sequence[Twin] = ()
