"""The words over the 3-D scene: names of cameras and axes, the caption, what is wrong."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter

from hardware.geometry import Array
from widgets.theme import color, font
from widgets.views.orbit import to_widget
from widgets.views.paint import badge_rect, draw_badge, elided
from widgets.views.types import SceneStatic, SceneViolation

TOP_LINE = 40  # height of caption and presets: no name goes there


def draw_names(painter: QPainter, static: SceneStatic, clip_from_world: Array, size: tuple[int, int]) -> None:
    """Name cameras and axes; a name that would cover another one goes above it."""
    names = [(c.T_world_cam[:3, 3], c.name, "muted") for c in static.cameras if c.T_world_cam is not None]
    names += [(0.14 * np.eye(3)[i], name, f"axis_{name}") for i, name in enumerate("xyz")]
    painter.setFont(font(12, bold=True))
    taken: list[QRectF] = []
    for point, text, ink in names:
        x, y = to_widget(clip_from_world, point[None], *size)[0]
        if np.isfinite([x, y]).all():
            taken.append(_room(QPointF(x, y), text, taken))
            painter.setPen(color(ink))
            painter.drawText(taken[-1], Qt.AlignmentFlag.AlignCenter, text)


def _room(at: QPointF, text: str, taken: Sequence[QRectF]) -> QRectF:
    half = 4 + 4 * len(text)
    rect = QRectF(at.x() - half, at.y() - 22, 2 * half, 16)
    if rect.top() < TOP_LINE:
        rect.moveTop(at.y() + 6)
    for _ in taken:
        if any(rect.intersects(other) for other in taken):
            rect.translate(0, 15 if rect.top() < TOP_LINE + 15 else -15)
    return rect


def draw_caption(painter: QPainter, text: str, width: float) -> None:
    """Draw the caption in the top left corner, cut to a width."""
    cut = elided(text, width - 40, 13, bold=True)
    draw_badge(painter, badge_rect(cut, QPointF(8, 8), 13, bold=True), cut, pixels=13, bold=True)


def draw_line(painter: QPainter, violations: Sequence[SceneViolation], otherwise: str, area: QRect) -> None:
    """Say at the bottom what is wrong, else what there is to do, else nothing."""
    count = f"{len(violations)} violations · first: " if len(violations) > 1 else ""
    text = count + violations[0].text if violations else otherwise
    if not text:
        return
    cut = elided(text, area.width() - 60, 13)
    rect = badge_rect(cut, QPointF(8, 0), 13, dot=bool(violations))
    rect.moveBottom(area.height() - 8)
    draw_badge(painter, rect, cut, dot=color("alarm") if violations else None, pixels=13)
