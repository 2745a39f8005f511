"""The trackers by name: one table that the verb, the session and page Dream read. No tracker is imported here."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from models.types import Dream, Hint, Track

BUILT_IN = "stereo"


class TrackFunction(Protocol):
    """What a tracker is: see `models.tracking.stereo_tracker.track`, which says it in full."""

    def __call__(
        self,
        dream: Dream,
        *,
        hints: Sequence[Hint] = (),
        previous: Track | None = None,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Track: ...


@dataclass(frozen=True)
class TrackerRow:
    """One tracker. make: "module:function"; the function gets the TrackerChoice and returns a TrackFunction.

    devices: where it can compute, the usual one first. extends: it can take over a track of its own and track
    again only what new boxes touch.
    """

    name: str
    title: str
    about: str
    make: str
    devices: tuple[str, ...] = ("cpu",)
    extends: bool = False


@dataclass(frozen=True)
class TrackerChoice:
    """Which tracker, where it computes ("" for its usual device) and what it needs to know of this machine.

    settings: megapose_python, megapose_data (see models/tracking/megapose_setup.py).
    """

    name: str = BUILT_IN
    device: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        row = tracker_row(self.name)
        if self.device and self.device not in row.devices:
            raise ValueError(f"tracker {self.name}: device {self.device!r}; valid: {list(row.devices)}")


_MODULES = "models.tracking"
TRACKERS: Mapping[str, TrackerRow] = {
    row.name: row
    for row in (
        TrackerRow(
            BUILT_IN,
            "Stereo",
            "built in: one fit over all views at once",
            f"{_MODULES}.built_in:make",
            extends=True,
        ),
        TrackerRow(
            "fusion",
            "Fusion",
            "built in, as published: each view alone, then the midpoint of the rays and the mean rotation",
            f"{_MODULES}.fusion:make",
        ),
        TrackerRow(
            "megapose",
            "MegaPose",
            "MegaPose in its own environment, each view alone, then fused as published",
            f"{_MODULES}.megapose:make",
            devices=("cuda",),
        ),
    )
}


def tracker_row(name: str) -> TrackerRow:
    """Return the row of a tracker. Raises ValueError that lists the valid names."""
    if name not in TRACKERS:
        raise ValueError(f"tracker: {name!r} is unknown; valid: {list(TRACKERS)}")
    return TRACKERS[name]


def make_tracker(choice: TrackerChoice) -> TrackFunction:
    """Return the tracker; its module is imported now. Raises ValueError where it is not set up."""
    module, _, name = tracker_row(choice.name).make.partition(":")
    make: Callable[[TrackerChoice], TrackFunction] = getattr(importlib.import_module(module), name)
    return make(choice)
