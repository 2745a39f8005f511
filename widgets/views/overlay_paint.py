"""Tools, paths and hint boxes drawn in vector over a picture."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from hardware.geometry import Array
from widgets.theme import color, confidence_level
from widgets.views.paint import badge_rect, draw_badge, polygon
from widgets.views.types import HintBox, ToolOverlay
from widgets.views.zoom import Zoom

_AXES = ("axis_x", "axis_y", "axis_z")


def draw_tools(painter: QPainter, zoom: Zoom, tools: Sequence[ToolOverlay]) -> None:
    """Draw paths, outlines and axes of all tools, then their badges on top, none over another."""
    for tool in tools:
        _draw_path(painter, zoom, tool)
        if tool.state == "original":
            _draw_original(painter, zoom, tool)
    tools = [tool for tool in tools if tool.state != "original"]
    for tool in tools:
        _draw_outline(painter, zoom, tool)
        _draw_axes(painter, zoom, tool)
    bodies = [_body(zoom, tool) for tool in tools]
    taken: list[QRectF] = []
    for i, tool in enumerate(tools):
        if tool.state != "lost":
            others = [body for k, body in enumerate(bodies) if k != i and body is not None]
            taken.append(_draw_confidence(painter, zoom, tool, bodies[i], others + taken))


def draw_hints(painter: QPainter, zoom: Zoom, hints: Sequence[HintBox]) -> None:
    """Draw a person's boxes dashed in the colour of their tool."""
    for hint in hints:
        draw_box(painter, zoom, hint.box, QColor(hint.color))


def draw_box(painter: QPainter, zoom: Zoom, box: tuple[float, float, float, float], ink: QColor) -> None:
    """Draw one dashed box (x0, y0, x1, y1) [px]."""
    (x0, y0), (x1, y1) = zoom.to_widget(np.array(box).reshape(2, 2))
    rect = QRectF(QPointF(x0, y0), QPointF(x1, y1)).normalized()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color("rail", 0.7), 3.5))
    painter.drawRect(rect)
    pen = QPen(ink, 1.75)
    pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.drawRect(rect)


def _runs(points: Array) -> list[Array]:
    """Split a path (N, 2) at its unknown points."""
    known = np.isfinite(points).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))
    return [points[a:b] for a, b in edges.reshape(-1, 2)]


def _draw_path(painter: QPainter, zoom: Zoom, tool: ToolOverlay) -> None:
    ink = QColor(tool.color)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for points, style in ((tool.past, Qt.PenStyle.SolidLine), (tool.future, Qt.PenStyle.DotLine)):
        for run in _runs(points):
            if len(run) > 1:
                line = polygon(zoom.to_widget(run))
                painter.setPen(QPen(color("rail", 0.6), 4, Qt.PenStyle.SolidLine))
                if style == Qt.PenStyle.SolidLine:
                    painter.drawPolyline(line)
                painter.setPen(QPen(ink, 2.2, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
                painter.drawPolyline(line)


def _draw_outline(painter: QPainter, zoom: Zoom, tool: ToolOverlay) -> None:
    ink = QColor(tool.color)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if len(tool.creases):
        thin = QColor(ink)
        thin.setAlphaF(0.55)
        painter.setPen(QPen(thin, 1.0))
        painter.drawLines([QLineF(*row) for row in zoom.to_widget(tool.creases).reshape(-1, 4).tolist()])
    lines = [polygon(zoom.to_widget(line)) for line in tool.outline]
    for pen in (QPen(color("rail", 0.55), 4.5), QPen(ink, 2.2)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if tool.state == "interpolated" and pen.widthF() < 4:
            pen.setDashPattern([3, 3])  # no picture says that it is there
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for line in lines:
            painter.drawPolyline(line)


def _draw_original(painter: QPainter, zoom: Zoom, tool: ToolOverlay) -> None:
    """What was there before a correction, under everything else."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(color("rail", 0.6), 3.5), QPen(color("text", 0.85), 1.4)):
        pen.setDashPattern([4, 4] if pen.widthF() < 2 else [1.6, 1.6])
        painter.setPen(pen)
        for line in tool.outline:
            painter.drawPolyline(polygon(zoom.to_widget(line)))


def _draw_axes(painter: QPainter, zoom: Zoom, tool: ToolOverlay) -> None:
    if tool.axes is None or not np.isfinite(tool.axes).all():
        return
    origin, *ends = (QPointF(x, y) for x, y in zoom.to_widget(tool.axes).tolist())
    for end, name in zip(ends, _AXES, strict=True):
        painter.setPen(QPen(color("rail", 0.6), 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(origin, end)
        painter.setPen(QPen(color(name), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(origin, end)


def _draw_confidence(
    painter: QPainter, zoom: Zoom, tool: ToolOverlay, body: QRectF | None, taken: Sequence[QRectF]
) -> QRectF:
    measured = bool(np.isfinite(tool.confidence)) and tool.state != "interpolated"
    words = [f"{tool.tool} {tool.confidence:.2f}" if measured else tool.tool]
    words += [tool.state] if tool.state != "tracked" else []
    text = " · ".join([*words, *([tool.note] if tool.note else [])])
    level = confidence_level(tool.confidence) if measured else "warning" if tool.state == "interpolated" else "ok"
    size = badge_rect(text, QPointF(0, 0), 14, bold=True, dot=True)
    rect = _place(size, body or QRectF(zoom.area.topLeft(), QSizeF(1, 1)), zoom, taken)
    ink = color(level) if level != "ok" else color("text")
    draw_badge(painter, rect, text, ink=ink, dot=QColor(tool.color), bold=True)
    return rect


def _body(zoom: Zoom, tool: ToolOverlay) -> QRectF | None:
    """Where a tool is drawn: its outline, else its axes, else the end of its path."""
    parts = list(tool.outline) or [p for p in (tool.axes, tool.past[-1:]) if p is not None and len(p)][:1]
    points = zoom.to_widget(np.vstack(parts)) if parts else np.zeros((0, 2))
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return None
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return QRectF(left, top, max(right - left, 1.0), max(bottom - top, 1.0))


def _place(badge: QRectF, body: QRectF, zoom: Zoom, taken: Sequence[QRectF]) -> QRectF:
    """Put a badge beside its tool where it covers least of the others, kept in the picture and under the title."""
    room = zoom.area.intersected(zoom.picture).adjusted(6, 40, -6, -44)
    width, height = badge.width(), badge.height()
    middle = body.center().x() - width / 2
    above, below = body.top() - height - 6, body.bottom() + 6
    corners = [(middle, above), (body.right() - width, above), (body.left(), above), (middle, below)]
    corners += [(body.left() - width - 6, body.top()), (body.right() + 6, body.top())]
    best, least = badge, float("inf")
    for x, y in corners:
        x = min(max(x, room.left()), max(room.left(), room.right() - width))
        y = min(max(y, room.top()), max(room.top(), room.bottom() - height))
        rect = QRectF(x, y, width, height)
        shared = [rect.intersected(other) for other in (*taken, body)]
        covered = sum(part.width() * part.height() for part in shared)
        if covered < least - 1.0:
            best, least = rect, covered
    return best
