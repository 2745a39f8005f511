"""Paints the timeline: what stands still once, cursor and values over it."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from widgets.theme import color, font
from widgets.views.paint import badge_rect, draw_badge, elided, polygon
from widgets.views.timeline_layout import (
    LABELS,
    TICKS,
    Layout,
    cursor_text,
    film_end,
    is_bad,
    scale,
    span_rows,
    tick_step,
    value_at,
)
from widgets.views.types import Curve, Lane, TimelineData

_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_CENTER = Qt.AlignmentFlag.AlignCenter
HANDLE = 9.0
MIN_LANE_FOR_ROWS = 15.0


def draw_still(painter: QPainter, data: TimelineData, at: Layout, thumbs: Mapping[int, QImage]) -> None:
    """Draw everything but the cursor; thumbs by slot, see `slots`."""
    _draw_tints(painter, data, at)
    _draw_ruler(painter, data, at)
    _draw_film(painter, data, at, thumbs)
    _draw_spans(painter, data, at)
    for lane, area in zip(data.lanes, at.lanes, strict=False):
        _draw_lane(painter, at, lane, area)
    for lane, area in zip(data.lanes, at.lanes, strict=False):
        for curve, cell in _cells(at, lane, area):
            _draw_name(painter, cell, curve)
    _draw_left_out(painter, data, at)
    _draw_trim(painter, data, at)
    _draw_markers(painter, data, at)


def draw_cursor(painter: QPainter, data: TimelineData, at: Layout, t: float) -> None:
    """Draw the cursor with its time, and every curve's value there."""
    x = at.x(t)
    painter.setPen(QPen(color("accent"), 2))
    bottom = at.lanes[-1].bottom() if at.lanes else at.film.bottom()
    painter.drawLine(QPointF(x, at.ruler.bottom() - 3), QPointF(x, bottom))
    text = cursor_text(data, t)
    rect = badge_rect(text, QPointF(0, 1), 12, bold=True)
    rect.moveLeft(min(max(x - rect.width() / 2, at.axis.left()), at.axis.right() - rect.width()))
    _draw_times(painter, data, at, rect)
    draw_badge(painter, rect, text, ink=color("rail"), ground=color("accent"), pixels=12, bold=True)
    for lane, area in zip(data.lanes, at.lanes, strict=False):
        for curve, cell in _cells(at, lane, area):
            _draw_value(painter, cell, value_at(curve, t), lane)


def slots(data: TimelineData, at: Layout, aspect: float) -> list[tuple[QRectF, float]]:
    """Return the filmstrip's cells and the time [s] that each shows the picture of; aspect is width by height."""
    left, right = at.x(float(data.frame_times[0])), at.x(film_end(data))
    count = max(int((right - left) / max(aspect * at.film.height(), 1.0)), 1)
    width = (right - left) / count
    cells = [QRectF(left + i * width, at.film.top(), width, at.film.height()) for i in range(count)]
    return [(cell, at.time(cell.center().x())) for cell in cells]


def _draw_tints(painter: QPainter, data: TimelineData, at: Layout) -> None:
    for area in at.lanes:
        painter.fillRect(area, color("well"))
    for span in data.spans:
        left, right = at.x(span.start), max(at.x(span.end), at.x(span.start) + 2)
        for area in at.lanes:
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), color(span.level, 0.16))


def _draw_ruler(painter: QPainter, data: TimelineData, at: Layout) -> None:
    for t, _ in _ticks(data, at):
        x = at.x(t)
        painter.setPen(color("border"))
        painter.drawLine(QPointF(x, at.ruler.bottom() - 4), QPointF(x, at.ruler.bottom()))
        painter.setPen(color("grid"))
        for area in at.lanes:
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
    _draw_bands(painter, data, at)


def _ticks(data: TimelineData, at: Layout) -> list[tuple[float, str]]:
    step = tick_step(data.end - data.start, at.axis.width(), 90.0)
    digits = 0 if step >= 1 else 1 if step >= 0.1 else 2
    first = int(np.ceil(data.start / step - 1e-6))
    times = [k * step for k in range(first, int(data.end / step + 1e-6) + 1)]
    return [(t, f"{t:.{digits}f} s") for t in times]


def _draw_times(painter: QPainter, data: TimelineData, at: Layout, cursor: QRectF) -> None:
    """Write the ruler's times, but for those that the cursor's own time would cover."""
    painter.setFont(font(12))
    painter.setPen(color("muted"))
    for t, text in _ticks(data, at):
        label = QRectF(at.x(t) - 26, 0, 52, at.ruler.height() - 4)
        if not label.intersects(cursor):
            painter.drawText(label, _CENTER, text)


def _draw_bands(painter: QPainter, data: TimelineData, at: Layout) -> None:
    """Name the phases of a plan on the film row where there is no film."""
    for band in data.bands:
        left, right = at.x(band.start), at.x(band.end)
        painter.setPen(color("border"))
        painter.drawLine(QPointF(left, at.film.top()), QPointF(left, at.film.bottom()))
        painter.fillRect(QRectF(left, at.film.top(), right - left, at.film.height()), color("panel"))
        painter.setPen(color("muted"))
        painter.setFont(font(13))
        painter.drawText(QRectF(left, at.film.top(), right - left, at.film.height()), _CENTER, band.name)


def _draw_film(painter: QPainter, data: TimelineData, at: Layout, thumbs: Mapping[int, QImage]) -> None:
    _draw_label(painter, at.film, "Clip", f"{len(data.frame_times)} frames")
    if not thumbs:
        return
    first = next(iter(thumbs.values()))
    left, right = at.x(float(data.frame_times[0])), at.x(film_end(data))
    painter.fillRect(QRectF(left, at.film.top(), right - left, at.film.height()), color("well"))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for i, (cell, _) in enumerate(slots(data, at, first.width() / first.height())):
        image = thumbs.get(i)
        if image is not None:
            painter.drawImage(cell.adjusted(0.5, 0, -0.5, 0), image)


def _draw_spans(painter: QPainter, data: TimelineData, at: Layout) -> None:
    if not data.spans:
        return
    counts = [(sum(s.level == level for s in data.spans), name) for level, name in _COUNTED]
    texts = [f"{n} {name}{'s' if n > 1 else ''}" for n, name in counts if n]
    row = QRectF(at.spans.left(), at.spans.top(), at.spans.width(), min(at.spans.height(), 18.0))
    _draw_label(painter, row, " · ".join(texts), "", "alarm" if counts[0][0] else "warning", LABELS + TICKS)
    for (rect, _), span in zip(span_rects(data, at), data.spans, strict=True):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color(span.level))
        painter.drawRoundedRect(rect, 3, 3)
        painter.setPen(color("rail"))
        painter.setFont(font(11, bold=True))
        if rect.width() > 48 and rect.height() > 13:
            painter.drawText(rect.adjusted(6, 0, -4, 0), _LEFT, elided(span.text, rect.width() - 12, 11, True))


_COUNTED = (("alarm", "violation"), ("warning", "warning"))


def span_rects(data: TimelineData, at: Layout) -> list[tuple[QRectF, int]]:
    """Return where each span is drawn, at least 6 points wide, with its index."""
    rows, _ = span_rows(data.spans)
    rects = []
    for i, (span, row) in enumerate(zip(data.spans, rows, strict=True)):
        left, width = at.x(span.start), max(at.x(span.end) - at.x(span.start), 6.0)
        rects.append((QRectF(left, at.spans.top() + row * at.span_row + 1, width, at.span_row - 2), i))
    return rects


def _draw_label(
    painter: QPainter, row: QRectF, text: str, unit: str, ink: str = "text", width: float = LABELS
) -> None:
    area = QRectF(8, row.top(), width - 8, row.height())
    painter.setFont(font(13))
    painter.setPen(color(ink))
    if unit and row.height() > 30:
        half = QRectF(area.left(), area.center().y() - 16, area.width(), 16)
        painter.drawText(half, _LEFT, elided(text, area.width(), 13))
        painter.setPen(color("muted"))
        painter.setFont(font(12))
        painter.drawText(half.translated(0, 16), _LEFT, unit)
    else:
        whole = f"{text} [{unit}]" if unit else text
        painter.drawText(area, _LEFT, elided(whole, area.width(), 13))


def _draw_lane(painter: QPainter, at: Layout, lane: Lane, area: QRectF) -> None:
    _draw_label(painter, area, lane.label, lane.unit)
    low, high = scale(lane)

    def y(value: float) -> float:
        return area.bottom() - 3 - (value - low) / (high - low) * (area.height() - 6)

    if lane.alarm is not None:
        painter.setPen(QPen(color("alarm", 0.7), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), y(lane.alarm)), QPointF(area.right(), y(lane.alarm)))
    _draw_ticks(painter, lane, area, [(v, y(v)) for v in (low, high)], y)
    painter.save()
    painter.setClipRect(area)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for curve in lane.curves:
        style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(curve.color), 1.8, style))
        points = np.array([(at.x(t), y(v)) for t, v in zip(curve.t.tolist(), curve.value.tolist(), strict=True)])
        points = points.reshape(-1, 2)
        known = np.isfinite(points[:, 1])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
        for a, b in edges.reshape(-1, 2):
            if b - a > 1:
                painter.drawPolyline(polygon(points[a:b]))
            else:
                painter.drawPoint(QPointF(*points[a]))
    painter.restore()


def _draw_ticks(painter: QPainter, lane: Lane, area: QRectF, ends: list[tuple[float, float]], y: object) -> None:
    """The scale's ends and the alarm level in a column of their own; the level wins where they would touch."""
    painter.setFont(font(11))
    taken: list[float] = []
    marks = [(v, py, "faint") for v, py in ends]
    if lane.alarm is not None and callable(y):
        marks.insert(0, (lane.alarm, y(lane.alarm), "alarm"))
    for value, py, ink in marks:
        middle = min(max(py, area.top() + 6), area.bottom() - 6)
        if all(abs(middle - other) >= 13 for other in taken):
            taken.append(middle)
            painter.setPen(color(ink))
            painter.drawText(QRectF(LABELS - 12, middle - 7, TICKS + 6, 14), _RIGHT, f"{value:.3g}")


def _cells(at: Layout, lane: Lane, area: QRectF) -> list[tuple[Curve, QRectF]]:
    """Where each curve's name and value stand: two columns beside the lane."""
    rows = max((len(lane.curves) + 1) // 2, 1)
    tall = min(area.height() / rows, 20.0)
    width = (at.values - 12) / 2
    top = area.center().y() - rows * tall / 2
    return [
        (curve, QRectF(area.right() + 10 + (i // rows) * width, top + (i % rows) * tall, width - 8, tall))
        for i, curve in enumerate(lane.curves)
    ]


def _draw_name(painter: QPainter, cell: QRectF, curve: Curve) -> None:
    painter.setPen(QPen(QColor(curve.color), 2, Qt.PenStyle.DotLine if curve.dashed else Qt.PenStyle.SolidLine))
    painter.drawLine(QPointF(cell.left(), cell.center().y()), QPointF(cell.left() + 8, cell.center().y()))
    name = QRectF(cell.left() + 12, cell.top(), cell.width() - 50, cell.height())
    if name.width() > 30:
        painter.setFont(font(11))
        painter.setPen(color("muted"))
        painter.drawText(name, _LEFT, elided(curve.name, name.width(), 11))


def _draw_value(painter: QPainter, cell: QRectF, value: float, lane: Lane) -> None:
    """The value at the cursor, red where it is past the alarm level: all that changes with every tick."""
    painter.setFont(font(13 if cell.height() > 14 else 11, bold=True))
    painter.setPen(color("alarm" if is_bad(lane, value) else "text"))
    painter.drawText(cell, _RIGHT, f"{value:.2f}" if np.isfinite(value) else "–")


def _draw_left_out(painter: QPainter, data: TimelineData, at: Layout) -> None:
    """Say what there is no room for, beside the filmstrip."""
    left_out = [lane.label for lane in data.lanes[len(at.lanes) :]]
    if left_out:
        area = QRectF(at.axis.right() + 10, at.film.top(), at.values - 12, at.film.height())
        painter.setFont(font(11))
        painter.setPen(color("muted"))
        text = f"No room for {', '.join(left_out)}"
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap, text)


def _draw_trim(painter: QPainter, data: TimelineData, at: Layout) -> None:
    if data.trim is None:
        return
    left, right = trim_x(data, at)
    bottom = at.lanes[-1].bottom() if at.lanes else at.film.bottom()
    for a, b in ((at.x(float(data.frame_times[0])), left), (right, at.x(film_end(data)))):
        painter.fillRect(QRectF(a, at.film.top(), max(b - a, 0.0), bottom - at.film.top()), color("rail", 0.66))
    for x, side in ((left, -1), (right, 1)):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("text"))
        rect = QRectF(x - (HANDLE if side < 0 else 0), at.film.top(), HANDLE, at.film.height())
        painter.drawRoundedRect(rect, 3, 3)
        painter.setPen(QPen(color("rail"), 1.5))
        middle = rect.center()
        painter.drawLine(QPointF(middle.x(), middle.y() - 8), QPointF(middle.x(), middle.y() + 8))


def trim_x(data: TimelineData, at: Layout) -> tuple[float, float]:
    """Return the inner edges of the two trim handles: the start of the first frame, the end of the last one."""
    times = data.frame_times
    first, last = data.trim or (0, len(times) - 1)
    end = float(times[last + 1]) if last + 1 < len(times) else film_end(data)
    return at.x(float(times[first])), at.x(end)


def _draw_markers(painter: QPainter, data: TimelineData, at: Layout) -> None:
    for marker in data.markers:
        x, y = at.x(marker.t), at.film.bottom() - 7
        painter.setPen(QPen(color("rail"), 1.5))
        painter.setBrush(QColor(marker.color))
        corners = [QPointF(x, y - 7), QPointF(x + 6, y), QPointF(x, y + 7), QPointF(x - 6, y)]
        painter.drawPolygon(QPolygonF(corners))
