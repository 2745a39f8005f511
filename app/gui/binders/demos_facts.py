"""Demos as page Demos shows them: lines of the table, labels, timeline, previews, statistics."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from app.datasets.library import Proposal
from app.datasets.player import EpisodeCurves
from app.datasets.statistics import Counts, Look, SameScene, Twins, counts
from hardware.geometry import Array
from hardware.recording.note import Verdict
from models.data.annotations import Annotation, Piece
from models.data.dataset_index import DemoCut, DemoKey, DemoRow
from models.data.demo import POSE_COLUMNS, DemoStream
from widgets.demos_values import (
    Bar,
    Chart,
    DemoLine,
    Labels,
    Preview,
    PreviewRow,
    Scatter,
    Statistics,
    SuccessWord,
    Twin,
)
from widgets.theme import COLORS, tool_color
from widgets.views.types import Band, Curve, Lane, Level, Marker, Span, TimelineData

LISTED = 200  # rows of a preview
_SUCCESS: Mapping[bool | None, SuccessWord] = {True: "yes", False: "no", None: "unknown"}
_LEVELS: Mapping[str, Level] = {"mark": "warning", "bad": "alarm"}
_TEXTS = ("task", "instruction", "object", "condition", "note")
_SHOWN = (*_TEXTS, "success", "tags")
_POSES = ("track", "pose", "arm")


class Lines(Sequence[DemoLine]):
    """The lines of the table, each made when it is looked at: of ten thousand a dozen are seen."""

    def __init__(self, rows: Sequence[DemoRow]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> DemoLine: ...

    @overload
    def __getitem__(self, index: slice) -> "Lines": ...

    def __getitem__(self, index: int | slice) -> "DemoLine | Lines":
        return Lines(self.rows[index]) if isinstance(index, slice) else _line(self.rows[index])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lines) and self.rows == other.rows

    __hash__ = None  # type: ignore[assignment]  # rows may be a list

    @property
    def keys(self) -> list[DemoKey]:
        return [row.key for row in self.rows]


def _line(row: DemoRow) -> DemoLine:
    words = [word for word, holds in (("edited", row.edited), ("tracked", row.tracked)) if holds]
    return DemoLine(
        row.key,
        name_of(row),
        row.task,
        row.instruction,
        row.object,
        _SUCCESS[row.success],
        ", ".join(row.tags),
        f"{row.duration_s:.1f} s",
        row.level,
        ", ".join(row.streams),
        when(row.started),
        " · ".join(words),
        row.problem,
    )


def name_of(row: DemoRow) -> str:
    """Return what a demo is called in its session: the number of its take, and of its part where there are some."""
    return f"{row.number}" if row.pieces == 1 and row.piece == 1 else f"{row.number}.{row.piece}"


def when(started: str) -> str:
    """Return an ISO 8601 time as the clock on the wall shows it, to the minute."""
    try:
        moment = datetime.datetime.fromisoformat(started)
    except ValueError:
        return started[:16]
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def labels_of(rows: Sequence[DemoRow], everything: Iterable[DemoRow]) -> Labels:
    """Return what the form shows of the chosen demos; everything: where its choices come from."""
    if not rows:
        return Labels()
    texts = {
        name: _common([getattr(row, name) for row in rows]) for name in _SHOWN if name not in ("success", "tags")
    }
    success = {row.success for row in rows}
    every = [tag for tag in rows[0].tags if all(tag in row.tags for row in rows)]
    some = dict.fromkeys(tag for row in rows for tag in row.tags if tag not in every)
    known = list(everything)
    return Labels(
        **texts,
        success=_SUCCESS[success.pop()] if len(success) == 1 else None,
        tags=tuple(every),
        some_tags=tuple(some),
        of=len(rows),
        tasks=tuple(sorted({row.task for row in known if row.task})),
        objects=tuple(sorted({row.object for row in known if row.object})),
    )


def _common(texts: Sequence[str]) -> str | None:
    return texts[0] if len(set(texts)) == 1 else None


def preview(proposal: Proposal) -> Preview:
    """Return what a bulk edit would change, demo by demo."""
    rows = [_preview_row(was, becomes) for was, becomes in proposal.rows[:LISTED]]
    return Preview(proposal.text.capitalize(), rows, len(proposal.rows) - len(rows), proposal.unchanged)


def _preview_row(was: DemoRow, becomes: DemoRow | None) -> PreviewRow:
    if becomes is None:
        return PreviewRow(name_of(was), f"{was.task}, {was.duration_s:.1f} s", "deleted; undo brings it back")
    names = [name for name in (*_SHOWN, "start", "duration_s") if getattr(was, name) != getattr(becomes, name)]
    return PreviewRow(name_of(was), *(", ".join(_said(row, name) for name in names) for row in (was, becomes)))


def _said(row: DemoRow, name: str) -> str:
    value = getattr(row, name)
    text = _SUCCESS[value] if name == "success" else ", ".join(value) if name == "tags" else str(value)
    return f"{name.removesuffix('_s')}: {text or 'none'}"


# the timeline


def timeline(
    curves: EpisodeCurves, duration: float, annotation: Annotation, piece: Piece, verdicts: Sequence[Verdict]
) -> TimelineData | None:
    """Return the whole episode with the piece's cut, None where it holds no picture."""
    times = curves.picture_times
    if len(times) < 2:
        return None
    view = next(name for name, stream in curves.streams.items() if stream.kind == "camera")
    end = max(duration, float(times[-1]))
    return TimelineData(
        start=0.0,
        end=end,
        frame_times=times,
        trim=frames_of(piece, times),
        view=view,
        lanes=tuple(lanes(curves)),
        spans=tuple(
            Span(a, max(b, a + 1e-3), _LEVELS[verdict.level], verdict.text)
            for verdict in verdicts
            if verdict.level in _LEVELS
            for a, b in verdict.spans
        ),
        markers=tuple(Marker(mark.t, COLORS["accent"], f"step {mark.name}".strip()) for mark in annotation.marks),
        bands=_parts(annotation, end),
    )


def _parts(annotation: Annotation, end: float) -> tuple[Band, ...]:
    pieces = annotation.pieces if len(annotation.pieces) > 1 else ()
    return tuple(Band(f"part {p.key}", p.start, end if p.end is None else min(p.end, end)) for p in pieces)


def frames_of(piece: Piece, times: Array) -> tuple[int, int]:
    """Return the first and the last picture of a piece."""
    first = min(int(np.searchsorted(times, piece.start - 1e-9)), len(times) - 1)
    last = len(times) - 1 if piece.end is None else int(np.searchsorted(times, piece.end - 1e-9)) - 1
    return first, min(max(last, first), len(times) - 1)


def cut_of(first: int, last: int, times: Array, piece: Piece) -> tuple[float, float | None]:
    """Return the start and end [s] that keep pictures first..last; what is not moved stays as it is, and what
    reaches an end of the episode goes on to it."""
    was_first, was_last = frames_of(piece, times)
    start = 0.0 if first == 0 else float(times[first])
    end = None if last >= len(times) - 1 else float(times[last + 1])
    return piece.start if first == was_first else start, piece.end if last == was_last else end


def lanes(curves: EpisodeCurves) -> list[Lane]:
    """Return the curves of all sensors, those of one kind in one lane."""
    by_kind: dict[str, list[DemoStream]] = {}
    for stream in curves.streams.values():
        by_kind.setdefault(stream.kind, []).append(stream)
    posed = [stream for kind in _POSES for stream in by_kind.get(kind, [])]
    made = [
        Lane("tool speed", "m/s", tuple(_speed(curves, stream, i) for i, stream in enumerate(posed))),
        Lane("z", "m", tuple(_height(curves, stream, i) for i, stream in enumerate(posed)), low=None),
        Lane("opening", "mm", tuple(_value(curves, s, i, 1e3) for i, s in enumerate(by_kind.get("opening", [])))),
        Lane(
            "force", "N", tuple(_value(curves, s, i, 1.0) for i, s in enumerate(by_kind.get("force", []))), low=None
        ),
        *(Lane(stream.name, "rad", tuple(_joints(curves, stream)), low=None) for stream in by_kind.get("arm", [])),
    ]
    return [lane for lane in made if lane.curves]


def _points(curves: EpisodeCurves, stream: DemoStream) -> Array:
    return curves.values[stream.name][:, [stream.columns.index(axis) for axis in POSE_COLUMNS[:3]]]


def _speed(curves: EpisodeCurves, stream: DemoStream, index: int) -> Curve:
    t, points = curves.times[stream.name], _points(curves, stream)
    speed = np.full(len(t), np.nan)
    if len(t) > 2 and (np.diff(t) > 0).all():
        speed = np.linalg.norm(np.gradient(points, t, axis=0), axis=1)
    return Curve(stream.name, _ink(stream, index), t, speed)


def _height(curves: EpisodeCurves, stream: DemoStream, index: int) -> Curve:
    return Curve(stream.name, _ink(stream, index), curves.times[stream.name], _points(curves, stream)[:, 2])


def _value(curves: EpisodeCurves, stream: DemoStream, index: int, scale: float) -> Curve:
    return Curve(
        stream.name, _ink(stream, index), curves.times[stream.name], scale * curves.values[stream.name][:, 0]
    )


def _joints(curves: EpisodeCurves, stream: DemoStream) -> list[Curve]:
    names = [name for name in stream.columns if name.startswith("q") and name[1:].isdigit()]
    t, values = curves.times[stream.name], curves.values[stream.name]
    return [
        Curve(name, tool_color("", i), t, values[:, stream.columns.index(name)]) for i, name in enumerate(names)
    ]


def _ink(stream: DemoStream, index: int) -> str:
    role = next((role for role in ("left", "right") if role in stream.name), "")
    return tool_color(role, index)


# statistics


def statistics(
    rows: Sequence[DemoRow],
    looks: Mapping[DemoCut, Look],
    pairs: Sequence[Twins],
    scenes: Sequence[SameScene] = (),
) -> Statistics:
    """Return what there is of these demos, from the table and from what was read of their recordings."""
    found = counts(rows)
    known = [(row, looks[row.cut]) for row in rows if row.cut in looks]
    facts = [f"{found.demos} demos, {found.seconds / 60:.1f} minutes"] if rows else []
    apart = np.array([look.stereo_px for _, look in known])
    if np.isfinite(apart).any():
        worst = float(np.nanmax(apart))
        facts.append(
            f"Views disagree about the tool by {np.nanmedian(apart):.1f} px (median), {worst:.1f} px at most"
        )
    names = {row.key: name_of(row) for row in rows}
    return Statistics(
        facts,
        [chart for chart in _charts(found) if chart.bars],
        _scatter(known),
        [_twin(pair, names) for pair in pairs if pair.a in names and pair.b in names],
        f"Positions and pictures of {len(known)} of {len(rows)} demos." if len(known) < len(rows) else "",
        [_same_scene(pair, names) for pair in scenes if pair.a in names and pair.b in names],
    )


def _twin(pair: Twins, names: Mapping[DemoKey, str]) -> Twin:
    apart = f"{1000 * pair.path_m:.0f} mm apart, pictures {pair.picture:.0f} grey levels"
    return Twin(pair.a, pair.b, f"{names[pair.a]} and {names[pair.b]}: {apart}")


def _same_scene(pair: SameScene, names: Mapping[DemoKey, str]) -> Twin:
    return Twin(pair.a, pair.b, f"{names[pair.a]} and {names[pair.b]}: {pair.levels:.0f} levels apart at most")


def _charts(found: Counts) -> list[Chart]:
    return [
        Chart("TASKS", [Bar(name, n, f'task:"{name}"') for name, n in found.by_task]),
        Chart("OBJECTS", [Bar(name, n, f'object:"{name}"') for name, n in found.by_object]),
        Chart("SUCCESS", [Bar(name, n, f"success:{name}") for name, n in found.by_success]),
        Chart("TAGS", [Bar(name, n, f'tag:"{name}"') for name, n in found.by_tag]),
        Chart("CHECKS", [Bar(name, n, f"verdict:{name}") for name, n in found.by_level]),
        Chart("LENGTHS", [Bar(f"{a:g} to {b:g} s", n, f"duration:{a:g}-{b:g}") for a, b, n in found.lengths]),
    ]


def _scatter(known: Sequence[tuple[DemoRow, Look]]) -> Scatter:
    placed = [(row, look.path[0, :2]) for row, look in known if np.isfinite(look.path).all()]
    if not placed:
        return Scatter()
    tasks = sorted({row.task for row, _ in placed})
    inks = [tool_color("", tasks.index(row.task)) for row, _ in placed]
    names = [f"{name_of(row)} {row.task} {Path(row.session).name}" for row, _ in placed]
    return Scatter(np.stack([point for _, point in placed]), inks, names)
