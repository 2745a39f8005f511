"""Streams of several rates as rows of one: which sample stands in which row, and what the rows hold."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from models.data.demo import Demo, DemoStream
from models.data.errors import DreamFileError
from models.data.exchange import nearest
from models.data.lerobot_layout import Layout

MOST_ROWS = 5_000_000
ONE_EACH_PERIODS = 0.75  # a camera of the rows' own rate keeps a picture a row while it strays less than that
TOGETHER_PERIODS = 1.5  # cameras that begin, or end, within that of each other do so together


@dataclass(frozen=True, eq=False)
class Rows:
    """t (N,) [s since the demo's start], 1/fps apart; picked: stream -> (N,) which sample is in each row;
    one_each: cameras whose pictures from some first one on stand one in each row, none left out."""

    t: Array
    picked: Mapping[str, NDArray[np.int64]]
    one_each: frozenset[str]

    def __len__(self) -> int:
        return len(self.t)


def make_rows(demo: Demo, layout: Layout) -> Rows:
    """Place the samples of a demo in rows: each row has the nearest of every stream. Raises DreamFileError."""
    times = {stream.name: demo.times(stream.name) for stream in layout.streams}
    t = _row_times(times, layout, demo)
    picked: dict[str, NDArray[np.int64]] = {}
    one_each = set()
    for stream in layout.streams:
        found = _one_each(times[stream.name], t, layout.fps) if stream.kind == "camera" else None
        if found is not None:
            one_each.add(stream.name)
        picked[stream.name] = nearest(times[stream.name], t) if found is None else found
    return Rows(t, picked, frozenset(one_each))


def _row_times(times: Mapping[str, Array], layout: Layout, demo: Demo) -> Array:
    for name, found in times.items():
        if not len(found) or not np.isfinite(found).all() or (np.diff(found) < 0).any():
            raise DreamFileError(demo.source["path"], f"{demo.id}: {name}", "has no times that rise",
                                 "samples with times that rise")  # fmt: skip
    period = 1 / layout.fps
    leading = [times[s.name] for s in layout.cameras] or list(times.values())
    together = TOGETHER_PERIODS * period
    first = min(float(found[0]) for found in leading)
    begun = float(max(leading, key=lambda found: (len(found), -found[0]))[0])
    start = begun if begun - first <= together else first
    ends = [float(found[-1]) for found in leading]
    end = min(ends) if max(ends) - min(ends) <= together else max(ends)
    count = int(np.floor((end - start) * layout.fps + ONE_EACH_PERIODS)) + 1
    if not 0 < count <= MOST_ROWS:
        raise DreamFileError(demo.source["path"], demo.id, f"makes {count} rows", f"1 to {MOST_ROWS}")
    return np.asarray(start + np.arange(count) * period)


def _one_each(times: Array, t: Array, fps: float) -> NDArray[np.int64] | None:
    """Return successive samples, one a row, where each is near enough to its row."""
    first = int(nearest(times, t[:1])[0])
    if len(times) - first < len(t):
        return None
    away = np.abs(times[first : first + len(t)] - t)
    return np.arange(first, first + len(t)) if away.max() <= ONE_EACH_PERIODS / fps else None


def row_values(demo: Demo, streams: tuple[DemoStream, ...], rows: Rows) -> Array:
    """Return what the rows hold of some streams, side by side (N, C)."""
    parts = [demo.values(stream.name)[rows.picked[stream.name]] for stream in streams]
    return np.hstack(parts) if parts else np.zeros((len(rows), 0))


def capture_times(demo: Demo, layout: Layout, rows: Rows) -> Array:
    """Return when the sample of each stream in each row was taken (N, S) [s since the demo's start]."""
    return np.stack([demo.times(s.name)[rows.picked[s.name]] for s in layout.streams], axis=1)
