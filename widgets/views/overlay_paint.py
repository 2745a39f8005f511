"""Tools, paths and hint boxes drawn in vector over a picture."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
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
    for tool in tools:
        _draw_outline(painter, zoom, tool)
        _draw_axes(painter, zoom, tool)
    taken: list[QRectF] = []
    for tool in tools:
        if tool.state != "lost":
            taken.append(_draw_confidence(painter, zoom, tool, taken))


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
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for line in lines:
            painter.drawPolyline(line)


def _draw_axes(painter: QPainter, zoom: Zoom, tool: ToolOverlay) -> None:
    if tool.axes is None or not np.isfinite(tool.axes).all():
        return
    origin, *ends = (QPointF(x, y) for x, y in zoom.to_widget(tool.axes).tolist())
    for end, name in zip(ends, _AXES, strict=True):
        painter.setPen(QPen(color("rail", 0.6), 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(origin, end)
        painter.setPen(QPen(color(name), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(origin, end)


def _draw_confidence(painter: QPainter, zoom: Zoom, tool: ToolOverlay, taken: Sequence[QRectF]) -> QRectF:
    text = f"{tool.tool} {tool.confidence:.2f}" + (f" · {tool.state}" if tool.state != "tracked" else "")
    level = confidence_level(tool.confidence)
    rect = _place(badge_rect(text, _anchor(zoom, tool), 14, bold=True, dot=True), zoom, taken)
    ink = color(level) if level != "ok" else color("text")
    draw_badge(painter, rect, text, ink=ink, dot=QColor(tool.color), bold=True)
    return rect


def _anchor(zoom: Zoom, tool: ToolOverlay) -> QPointF:
    """The top right corner of the drawn tool; of the axes or the path where there is no outline."""
    parts = [p for p in (*tool.outline, tool.axes, tool.past[-1:]) if p is not None and len(p)]
    points = zoom.to_widget(np.vstack(parts)) if parts else np.zeros((0, 2))
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return zoom.area.topLeft()
    return QPointF(float(points[:, 0].mean()), float(points[:, 1].min()) - 32)


def _place(rect: QRectF, zoom: Zoom, taken: Sequence[QRectF]) -> QRectF:
    """Keep a badge inside the picture, under the title, and off the others."""
    room = zoom.area.intersected(zoom.picture).adjusted(6, 40, -6, -44)
    rect.moveLeft(min(max(rect.left(), room.left()), max(room.left(), room.right() - rect.width())))
    rect.moveTop(min(max(rect.top(), room.top()), max(room.top(), room.bottom() - rect.height())))
    for other in taken:
        if rect.intersects(other):
            rect.moveTop(
                other.bottom() + 4
                if other.bottom() + rect.height() + 4 < room.bottom()
                else other.top() - rect.height() - 4
            )
    return rect
