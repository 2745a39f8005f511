"""What the panel that compares trackers shows, in words and curves."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from app.dreams.comparison import Comparison, Trial
from hardware.geometry import Array
from models.evaluation.tracks import Difference, middle, worst
from models.tracking.trackers import tracker_row
from models.types import ToolTrack
from widgets.theme import COLORS, confidence_level
from widgets.track_comparison import ComparedCurve, ComparedPlot, ComparedRow

UNKNOWN = "–"


def columns(result: Comparison) -> tuple[str, ...]:
    """The table's headings; medians, with 90% in brackets."""
    apart = (f"From {_title(result.reference)}",) if result.from_reference else ()
    labels = ("From labels",) if result.from_labels else ()
    return ("Tracker", "Tool", "Found", "Confidence", "Outline", *apart, *labels, "Took")


def rows(result: Comparison, in_use: str) -> list[ComparedRow]:
    """A row per tracker and tool; one for a tracker that has no track."""
    made: list[ComparedRow] = []
    for trial in result.trials:
        if trial.track is None:
            cells = (_title(trial.tracker), UNKNOWN, "no track")
            made.append(ComparedRow(trial.tracker, cells, ("", "", "warning"), problem=trial.problem))
            continue
        for i, (role, tool) in enumerate(trial.track.tools.items()):
            made.append(_row(result, trial, role, tool, i == 0, trial.tracker == in_use))
    return made


def note(result: Comparison, stale: bool) -> str:
    """A line under the table."""
    if stale:
        return "The boxes have changed since: compare again."
    against = "labels" if result.from_labels else _title(result.reference)
    return (
        f"Medians, 90% in brackets. Outline: overlap of drawn and seen by view, 1 is all. Curves: from {against}."
    )


def plots(result: Comparison) -> list[ComparedPlot]:
    """Position and rotation over the frames, from the labels where there are any, else from the first tracker."""
    apart, name = result.from_reference, _title(result.reference)
    if result.from_labels:
        apart, name = result.from_labels, "labels"
    shown = list(dict.fromkeys(tracker for tracker, _ in apart))
    who = f"{_title(shown[0])}, " if len(shown) == 1 else ""
    return [
        ComparedPlot(f"{who}mm from {name}", _curves(apart, lambda one: one.mm)),
        ComparedPlot(f"{who}degrees from {name}", _curves(apart, lambda one: one.deg)),
    ]


def _row(result: Comparison, trial: Trial, role: str, tool: ToolTrack, first: bool, in_use: bool) -> ComparedRow:
    sure = tool.frame_confidence[tool.found]
    confidence = float(np.median(sure)) if len(sure) else 0.0
    outline = " · ".join(f"{middle(trial.outline[role][:, v]):.2f}" for v in range(len(result.views)))
    known = [d.get((trial.tracker, role)) for d in (result.from_reference, result.from_labels) if d]
    seconds = f"{trial.track.seconds:.0f} s" if trial.track is not None and first else ""
    cells = (
        f"{_title(trial.tracker)}{', in use' if in_use else ''}" if first else "",
        role,
        f"{int(tool.found.sum())}/{len(tool)}",
        f"{confidence:.2f}",
        outline,
        *map(_apart, known),
        seconds,
    )
    levels = ("ok" if in_use else "", "", "", confidence_level(confidence))
    return ComparedRow(trial.tracker, cells, levels, in_use, tip=_pixels(result, known))


def _apart(difference: Difference | None) -> str:
    if difference is None:
        return UNKNOWN
    mm, deg = difference.mm, difference.deg
    return f"{middle(mm):.1f} ({worst(mm):.1f}) mm · {middle(deg):.1f} ({worst(deg):.1f})°"


def _pixels(result: Comparison, known: Sequence[Difference | None]) -> str:
    """The same in the pictures: too much for the table."""
    names = [name for name, d in ((result.reference, result.from_reference), ("labels", result.from_labels)) if d]
    lines = []
    for name, one in zip(names, known, strict=True):
        if one is not None:
            by_view = ", ".join(f"{view} {middle(one.px[:, v]):.1f} px" for v, view in enumerate(result.views))
            lines.append(f"from {name}: {by_view}")
    return "; ".join(lines)


def _curves(
    apart: Mapping[tuple[str, str], Difference], pick: Callable[[Difference], Array]
) -> tuple[ComparedCurve, ...]:
    trackers = list(dict.fromkeys(tracker for tracker, _ in apart))
    roles = list(dict.fromkeys(role for _, role in apart))
    return tuple(
        ComparedCurve(
            role if len(trackers) == 1 else f"{_title(tracker)} {role}",
            _ink(role, roles.index(role)),
            pick(one),
            trackers.index(tracker) % 2 == 1,
        )
        for (tracker, role), one in apart.items()
    )


def _ink(role: str, index: int) -> str:
    """The theme's name of a tool's colour."""
    return f"tool_{role}" if f"tool_{role}" in COLORS else ("tool_3", "tool_4")[index % 2]


def _title(tracker: str) -> str:
    return tracker_row(tracker).title
