"""The summary of an evaluation as lines of text."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.evaluation.published import PUBLISHED
from app.evaluation.summary import SCORES, PolicyFigures
from app.evaluation.trials import Policy
from models.evaluation.statistics import Interval

UNITS: Mapping[str, tuple[str, int]] = {
    "success": ("success", 2),
    "iou": ("IoU", 3),
    "rotation_error_deg": ("degrees off", 1),
    "turn_deg": ("degrees turned", 1),
    "nearest_mm": ("nearest [mm]", 0),
}
"""Name and decimals of each measure."""


def lines_of(task: str, found: Mapping[Policy, PolicyFigures], clock: str) -> list[str]:
    """Return the table of an evaluation, its 95% intervals in brackets, and the paper's figures beside."""
    measures = SCORES[task]
    head = ["policy", "tables", "success", *(UNITS[m][0] for m in measures), "normalised"]
    rows = [_row(name, figures, measures) for name, figures in found.items()]
    rows += _published(task, measures)
    lines = [f"{task}, held-out objects, {clock} clock; 95% intervals in brackets", *_aligned([head, *rows])]
    for name, figures in found.items():
        if figures.separated:
            told = ", ".join(UNITS[m][0] for m in figures.separated)
            lines.append(f"{name}: interval apart from that of nothing in: {told}")
        if figures.lost:
            told = ", ".join(f"{link} {count}" for link, count in figures.lost.items())
            lines.append(f"{name}: lost by {told}")
    for name, figures in found.items():
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in figures.seconds.items())
        lines.append(f"{name}: seconds in the median: {stages}")
    return lines


def interval(found: Interval, decimals: int) -> str:
    """Return "0.51 [0.40, 0.62]", "–" where it is not known."""
    if not np.isfinite(found.value):
        return "–"
    return f"{found.value:.{decimals}f} [{found.low:.{decimals}f}, {found.high:.{decimals}f}]"


def _row(name: str, figures: PolicyFigures, measures: Sequence[str]) -> list[str]:
    means = [interval(figures.means[m], UNITS[m][1]) for m in measures]
    first = next((m for m in ("iou", "success") if m in figures.normalised), "")
    score = interval(figures.normalised[first], 2) if first else "–"
    return [name, str(figures.trials), interval(figures.success, 2), *means, score]


def _published(task: str, measures: Sequence[str]) -> list[list[str]]:
    rows = []
    for row in PUBLISHED.get(task, ()):
        success = "–" if row.successes is None else f"{row.successes / row.trials:.2f}"
        means = [f"{row.means[m]:.{UNITS[m][1]}f}" if m in row.means else "–" for m in measures]
        rows.append([f"paper: {row.policy}*", str(row.trials), success, *means, "–"])
    return [*rows, ["* real robots, other objects"]] if rows else []


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[k]) for row in full) for k in range(len(full[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]
