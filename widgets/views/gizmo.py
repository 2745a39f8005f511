"""Handles at a tool in the 3-D scene: three arrows move it along an axis, three rings turn it about one."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from hardware.geometry import Array, exp_se3
from widgets.theme import color
from widgets.views.orbit import to_widget
from widgets.views.paint import polygon

Handle = Literal["move x", "move y", "move z", "turn x", "turn y", "turn z"]
HANDLES: tuple[Handle, ...] = get_args(Handle)
ARROW_PX, RING_PX, REACH_PX = 84.0, 56.0, 9.0
FINE = 0.1  # of the mouse's own way
EDGE_ON = 0.2  # sine of the angle between sight and ring under which its plane says nothing
Ray = tuple[Array, Array]
"""Origin (3,) and unit direction (3,) in world."""


@dataclass(frozen=True, eq=False)
class Gizmo:
    """Handles for one tool. T_world_tool (4, 4); axes (3, 3): columns in world along which it moves and turns."""

    tool: str
    T_world_tool: Array
    axes: Array

    def axis(self, handle: Handle) -> Array:
        """Return the (3,) direction of a handle in world."""
        return np.asarray(self.axes[:, "xyz".index(handle[-1])])


@dataclass(frozen=True, eq=False)
class Eye:
    """How the scene is looked at: clip_from_world (4, 4) and the view's size in points."""

    clip_from_world: Array
    width: float
    height: float

    def points(self, world: Array) -> Array:
        """Return widget points (N, 2) of world points (N, 3); nan behind the eye."""
        return to_widget(self.clip_from_world, world, self.width, self.height)

    def ray(self, x: float, y: float) -> Ray:
        """Return what lies under a widget point."""
        ndc = np.array([2 * x / self.width - 1, 1 - 2 * y / self.height])
        ends = np.array([[*ndc, -1.0, 1.0], [*ndc, 0.5, 1.0]]) @ np.linalg.inv(self.clip_from_world).T
        near, far = ends[:, :3] / ends[:, 3:]
        return near, (far - near) / np.linalg.norm(far - near)


def metres(eye: Eye, at: Array) -> float:
    """Return how many metres a widget point is worth at a place (3,) in world; nan behind the eye."""
    (x, y), step = eye.points(at[None])[0], 40.0
    if not np.isfinite([x, y]).all():
        return float("nan")
    # across the sight, both rays at the depth of the place
    (o, d), (p, e) = eye.ray(x, y), eye.ray(x + step, y)
    depth = float((at - o) @ d)
    return float(np.linalg.norm((p + e * depth / max(float(d @ e), 1e-6)) - (o + d * depth))) / step


def lines(gizmo: Gizmo, eye: Eye) -> dict[Handle, Array]:
    """Return each handle as a polyline (N, 2) in widget points: arrows from the origin, rings closed."""
    at = gizmo.T_world_tool[:3, 3]
    unit = metres(eye, at)
    if not np.isfinite(unit):
        return {}
    around = np.linspace(0, 2 * np.pi, 49)[:, None]
    made: dict[Handle, Array] = {}
    for handle in HANDLES:
        axis = gizmo.axis(handle)
        if handle.startswith("move"):
            world = at + unit * np.outer([RING_PX * 0.35, ARROW_PX], axis)
        else:
            u, v = (gizmo.axes[:, i] for i in range(3) if i != "xyz".index(handle[-1]))
            world = at + unit * RING_PX * (np.cos(around) * u + np.sin(around) * v)
        made[handle] = eye.points(world)
    return made


def pick(drawn: dict[Handle, Array], x: float, y: float) -> Handle | None:
    """Return the handle under a widget point, an arrow before a ring."""
    ways = {handle: distance(line, np.array([x, y])) for handle, line in drawn.items()}
    near = [h for h in HANDLES if h in ways and ways[h] <= REACH_PX]
    # where an arrow crosses a ring near its tip, the arrow is meant
    return min(near, key=lambda h: ways[h] + (0 if h.startswith("move") else 3.0), default=None)


def distance(line: Array, point: Array) -> float:
    a, b = line[:-1], line[1:]
    along = b - a
    s = np.clip(np.sum((point - a) * along, axis=1) / np.maximum(np.sum(along * along, axis=1), 1e-9), 0, 1)
    ways = np.linalg.norm(a + s[:, None] * along - point, axis=1)
    return float(np.nanmin(ways)) if np.isfinite(ways).any() else float("inf")


def dragged(gizmo: Gizmo, handle: Handle, start: Ray, now: Ray, share: float = 1.0) -> Array:
    """Return T_world_tool after a handle was dragged from one ray to another; share: 1, or FINE of that way."""
    axis, at = gizmo.axis(handle), gizmo.T_world_tool[:3, 3]
    T = gizmo.T_world_tool.copy()
    if handle.startswith("move"):
        T[:3, 3] += share * (_along(at, axis, now) - _along(at, axis, start)) * axis
    else:
        turn = share * _angle(at, axis, start, now)
        T[:3, :3] = exp_se3([*(turn * axis), 0.0, 0.0, 0.0])[:3, :3] @ T[:3, :3]
    return T


def _along(at: Array, axis: Array, ray: Ray) -> float:
    """Return how far along an axis through `at` a ray comes closest to it [m]; 0 where they are parallel."""
    origin, direction = ray
    c = float(axis @ direction)
    if 1 - c * c < 1e-4:
        return 0.0
    w = at - origin
    return float((c * (w @ direction) - w @ axis) / (1 - c * c))


def _angle(at: Array, axis: Array, start: Ray, now: Ray) -> float:
    """Return the angle [rad] by which a ring about an axis was turned."""
    if abs(float(axis @ start[1])) < EDGE_ON:
        return _rolled(at, axis, start, now)
    (a, b) = (_meet(at, axis, ray) - at for ray in (start, now))
    return float(np.arctan2(axis @ np.cross(a, b), a @ b))


def _rolled(at: Array, axis: Array, start: Ray, now: Ray) -> float:
    """A ring seen from its edge: its near side goes with the mouse."""
    sight = start[1]
    tangent = np.cross(axis, -sight)
    a, b = (_meet(at, sight, ray) for ray in (start, now))
    radius = 0.02 * float(np.linalg.norm(at - start[0]))
    return float((b - a) @ tangent / max(radius, 1e-6) / 2)


def _meet(at: Array, normal: Array, ray: Ray) -> Array:
    origin, direction = ray
    slope = float(normal @ direction)
    slope = slope if abs(slope) > 1e-6 else 1e-6
    return np.asarray(origin + direction * (normal @ (at - origin)) / slope)


def draw(painter: QPainter, drawn: dict[Handle, Array], hot: Handle | None) -> None:
    """Draw the handles, the one under the mouse or in the hand brighter than the others."""
    for handle in reversed(HANDLES):
        line = drawn.get(handle)
        if line is None or not np.isfinite(line).all():
            continue
        ink = QColor(color(f"axis_{handle[-1]}"))
        ink.setAlphaF(1.0 if hot in (None, handle) else 0.35)
        wide = 3.5 if handle == hot else 2.2
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(color("rail", 0.6), wide + 2.5), QPen(ink, wide)):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawPolyline(polygon(line))
        if handle.startswith("move"):
            _draw_head(painter, line, ink)


def _draw_head(painter: QPainter, line: Array, ink: QColor) -> None:
    way = line[1] - line[0]
    length = float(np.linalg.norm(way))
    if length < 4:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(QPointF(*line[1]), 5, 5)
        return
    u = way / length
    side = np.array([-u[1], u[0]])
    corners = np.array([line[1] + 6 * u, line[1] - 7 * u + 5.5 * side, line[1] - 7 * u - 5.5 * side])
    painter.setPen(QPen(color("rail", 0.6), 1))
    painter.setBrush(ink)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners.tolist()]))
