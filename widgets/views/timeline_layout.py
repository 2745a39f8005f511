"""Where everything lies on the timeline, and what the curves say at a time: no painting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF

from hardware.geometry import Array
from widgets.views.types import Curve, Lane, Span, TimelineData

LABELS, TICKS, VALUES = 146.0, 40.0, 252.0
NARROW, NARROW_VALUES = 900.0, 150.0  # a timeline narrower than this names no curves beside their values
RULER, FILM, SPAN, GAP = 26.0, 46.0, 18.0, 6.0
MOST_SPANS = 54.0  # height for spans: more than three rows of them grow thinner
LEAST_LANE = 24.0  # a lane lower than this cannot be read: the last ones are left out instead


@dataclass(frozen=True)
class Layout:
    """Rectangles of the timeline's parts in widget points, and the time axis.

    lanes: those that there is room for; values: width of the gutter on the right; span_row: height of a row.
    """

    start: float
    end: float
    axis: QRectF
    ruler: QRectF
    film: QRectF
    spans: QRectF
    span_row: float
    values: float
    lanes: tuple[QRectF, ...]

    def x(self, t: float) -> float:
        """Return the widget x of a time [s]."""
        return self.axis.left() + (t - self.start) / (self.end - self.start) * self.axis.width()

    def time(self, x: float) -> float:
        """Return the time [s] at a widget x, held to the axis."""
        s = (x - self.axis.left()) / max(self.axis.width(), 1.0)
        return self.start + min(max(s, 0.0), 1.0) * (self.end - self.start)


def layout(data: TimelineData, width: float, height: float) -> Layout:
    """Lay the timeline out: gutters left and right, ruler, filmstrip, spans, then the lanes in what is left."""
    left = LABELS + TICKS
    values = VALUES if width >= NARROW else NARROW_VALUES
    axis = QRectF(left, 0, max(width - left - values, 40.0), height)
    count = span_rows(data.spans)[1]
    span_row = min(SPAN, MOST_SPANS / max(count, 1))
    top, rows = 0.0, []
    for row in (RULER, FILM, count * span_row):
        rows.append(QRectF(axis.left(), top, axis.width(), row))
        top += row + (GAP if row else 0.0)
    fitting = min(len(data.lanes), max(int((height - top) / (LEAST_LANE + GAP)), 0))
    tall = (height - top) / max(fitting, 1) - GAP
    lanes = tuple(QRectF(axis.left(), top + i * (tall + GAP), axis.width(), tall) for i in range(fitting))
    return Layout(data.start, data.end, axis, rows[0], rows[1], rows[2], span_row, values, lanes)


def span_rows(spans: Sequence[Span]) -> tuple[list[int], int]:
    """Return the row of each span so that none covers another, and how many rows there are."""
    ends: list[float] = []
    rows = [0] * len(spans)
    for i in sorted(range(len(spans)), key=lambda i: spans[i].start):
        row = next((r for r, end in enumerate(ends) if end <= spans[i].start), len(ends))
        ends[row : row + 1] = [spans[i].end]
        rows[i] = row
    return rows, len(ends)


def scale(lane: Lane) -> tuple[float, float]:
    """Return the lowest and highest value of a lane's scale; the alarm level is always on it."""
    values = np.concatenate([c.value for c in lane.curves]) if lane.curves else np.zeros(0)
    values = values[np.isfinite(values)]
    if lane.alarm is not None:
        values = np.append(values, lane.alarm)
    low = float(values.min()) if lane.low is None and len(values) else lane.low or 0.0
    high = 1.12 * float(values.max()) if lane.high is None and len(values) else lane.high or 1.0
    return low, max(high, low + 1e-9)


def value_at(curve: Curve, t: float) -> float:
    """Return a curve's value at time t [s], between its samples; nan where one of them is unknown."""
    if not len(curve.t) or t < curve.t[0] - 1e-9 or t > curve.t[-1] + 1e-9:
        return float("nan")
    i = int(np.clip(np.searchsorted(curve.t, t, side="right") - 1, 0, max(len(curve.t) - 2, 0)))
    if len(curve.t) == 1 or abs(t - curve.t[i]) < 1e-6:
        return float(curve.value[i])
    s = (t - curve.t[i]) / (curve.t[i + 1] - curve.t[i])
    if s > 1 - 1e-6:
        return float(curve.value[i + 1])
    return float((1 - s) * curve.value[i] + s * curve.value[i + 1])


def is_bad(lane: Lane, value: float) -> bool:
    """Whether a value is on the wrong side of the lane's alarm level."""
    if lane.alarm is None or not np.isfinite(value):
        return False
    return value > lane.alarm if lane.alarm_above else value < lane.alarm


def tick_step(span: float, width: float, room: float = 70.0) -> float:
    """Return a round step [s] of the ruler that leaves `room` points between two labels."""
    least = span / max(width / room, 1.0)
    decade = 10.0 ** np.floor(np.log10(least))
    return float(next(decade * m for m in (1, 2, 5, 10) if decade * m >= least * 0.999))


def film_end(data: TimelineData) -> float:
    """Return when the last clip frame stops being shown [s]: a frame later, or with the phase that it ends."""
    times = data.frame_times
    step = float(times[-1] - times[-2]) if len(times) > 1 else data.end - data.start
    phases = [band.end for band in data.bands if band.start < times[-1] <= band.end + 1e-9]
    return min(float(times[-1]) + step, data.end, *phases)


def cursor_text(data: TimelineData, t: float) -> str:
    """Return what the cursor says: the time, and the clip's frame or the phase that it stands in."""
    if data.frame_times[0] - 1e-6 <= t <= film_end(data) + 1e-6:
        return f"{t:.2f} s · frame {data.first_frame + frame_at(data.frame_times, t)}"
    bands = [band.name for band in data.bands if band.start <= t <= band.end]
    return " · ".join([f"{t:.2f} s", *bands[:1]])


def frame_at(frame_times: Array, t: float) -> int:
    """Return the last frame shown at or before time t [s]; the first before that."""
    return int(np.clip(np.searchsorted(frame_times, t + 1e-6, side="right") - 1, 0, len(frame_times) - 1))
