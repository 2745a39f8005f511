"""One tool in 3-D: tracked part coloured, axes, tip, centre of mass, and the flange that it is mounted on."""

from itertools import pairwise

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from hardware.geometry import Array, apply, inverse
from hardware.types import Image, Mesh, Tool
from widgets.demo import demo
from widgets.theme import color, font
from widgets.views.orbit import Orbit, to_widget
from widgets.views.paint import draw_empty
from widgets.views.scene_gl import Dots, SceneRenderer, Segments, Solids
from widgets.views.scene_model import rgba

FLANGE_M = 0.0315  # radius of the drawn flange, that of ISO 9409-1-50-4-M6
SHOWN_RADIUS = 0.55  # what is shown is scaled to this, whatever its size, so that one eye fits all
MOST_PIXELS = 1_500_000
_NO_SOLIDS = Solids(np.zeros((0, 3, 3)), np.zeros((0, 4)))


class ToolOrbit(Orbit):
    """An eye that may look from below too: tips are there."""

    def reset(self, preset: object = None) -> None:
        super().reset()
        self.center, self.distance = np.zeros(3), 2.05
        self.elevation = 0.3

    def turn(self, azimuth: float, elevation: float) -> None:
        self.azimuth += azimuth
        self.elevation = float(np.clip(self.elevation + elevation, 1e-3 - np.pi / 2, np.pi / 2 - 1e-3))

    def clip_from_world(self, aspect: float) -> Array:
        """As the scene's eye, but a narrow picture is filled up to its sides."""
        P = super().clip_from_world(aspect)
        P[:2] *= min(1.0, aspect) / min(1.0, aspect / 1.5)
        return P


class MeshView(QWidget):
    """Drag turns, right drag or Shift+drag moves, wheel zooms, double click resets. Drawn off screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tool: Tool | None = None
        self._words = "Choose a tool"
        self._problem = ""
        self._orbit = ToolOrbit()
        self._renderer: SceneRenderer | None = None
        self._uploaded: Tool | None = None
        self._image: QImage | None = None
        self._pixels: Image | None = None  # what the image is a window on: it must live as long
        self._grip: QPointF | None = None
        self._T_shown = np.eye(4)
        self.setMinimumSize(220, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Tool in 3-D")
        self.setToolTip(
            "Drag to turn, wheel to zoom, right drag to move, double click to look from the start again"
        )

    def show_tool(self, tool: Tool | None, words: str = "Choose a tool") -> None:
        """Show a tool, or words where there is none; the eye stays where it is."""
        self._tool, self._words = tool, words
        self._redraw()

    def look_from_start(self) -> None:
        """Put the eye back."""
        self._orbit.reset()
        self._redraw()

    def picture(self, tool: Tool, pixels: int) -> QImage:
        """Return a small picture of a tool; an empty one on a machine without off-screen OpenGL."""
        orbit, renderer = ToolOrbit(), self._ready()
        if renderer is None:
            return QImage()
        self._upload(renderer, tool, plain=True)
        orbit.distance = 1.9
        data = renderer.render(orbit.clip_from_world(1.0), (2 * pixels, 2 * pixels), 2.0, rgba("well"))
        self._uploaded = None
        image = QImage(data.data, 2 * pixels, 2 * pixels, 8 * pixels, QImage.Format.Format_RGBX8888)
        mode = Qt.TransformationMode.SmoothTransformation
        return image.scaled(pixels, pixels, Qt.AspectRatioMode.IgnoreAspectRatio, mode)

    def release(self) -> None:
        """Give the drawing surface back."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def sizeHint(self) -> QSize:
        return QSize(380, 380)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        image = self._drawn() if self._tool is not None else None
        if image is None or self._tool is None:
            painter.fillRect(self.rect(), color("well"))
            off = f"The 3-D view is off: {self._problem}.\nInstall libegl1 and libgl1-mesa-dri."
            draw_empty(painter, QRectF(self.rect()), off if self._problem else self._words)
            return
        painter.drawImage(self.rect(), image)
        self._draw_words(painter, self._tool)

    def _ready(self) -> SceneRenderer | None:
        if self._renderer is None and not self._problem:
            try:
                self._renderer = SceneRenderer()
            except RuntimeError as error:
                self._problem = str(error)
        return self._renderer

    def _drawn(self) -> QImage | None:
        if self._image is not None:
            return self._image
        renderer = self._ready()
        if renderer is None or self._tool is None:
            return None
        if self._uploaded is not self._tool:
            self._upload(renderer, self._tool, plain=False)
            self._uploaded = self._tool
        width, height = max(self.width(), 1), max(self.height(), 1)
        scale = min(2.0, max(1.0, (MOST_PIXELS / (width * height)) ** 0.5))
        size = (round(width * scale), round(height * scale))
        self._pixels = renderer.render(self._orbit.clip_from_world(width / height), size, scale, rgba("well"))
        self._image = QImage(self._pixels.data, *size, 4 * size[0], QImage.Format.Format_RGBX8888)
        return self._image

    def _upload(self, renderer: SceneRenderer, tool: Tool, plain: bool) -> None:
        T = shown_frame(tool, flange=not plain)
        if not plain:
            self._T_shown = T
        renderer.activate()
        renderer.set_solids(_solids(tool, T), _NO_SOLIDS)
        renderer.set_lines(_lines(tool, T) if not plain else _lines_of([]))
        renderer.set_dots(_dots(tool, T) if not plain else Dots(np.zeros((0, 3)), np.zeros((0, 4)), np.zeros(0)))

    def _draw_words(self, painter: QPainter, tool: Tool) -> None:
        clip = self._orbit.clip_from_world(self.width() / max(self.height(), 1))
        flange = inverse(tool.T_flange_tool)[:3, 3]
        marks = [("tip", tool.tip, "warning"), ("flange", flange, "accent")]
        marks += [("centre of mass", tool.centre_of_mass, "muted")] if tool.centre_of_mass is not None else []
        painter.setFont(font(12, bold=True))
        for text, point, ink in marks:
            x, y = to_widget(clip, _shown(self._T_shown, point[None]), self.width(), self.height())[0]
            if np.isfinite([x, y]).all():
                painter.setPen(color(ink))
                painter.drawText(QPointF(x + 9, y + (14 if text == "centre of mass" else -6)), text)
        painter.setPen(color("muted"))
        painter.setFont(font(12))
        size = 1e3 * np.ptp(tool.mesh.vertices[np.unique(tool.mesh.faces)], axis=0)
        painter.drawText(QPointF(10, 20), " × ".join(f"{v:.4g}" for v in size) + " mm")
        tracked = len(tool.mesh.faces) if tool.trackable is None else int(tool.trackable.sum())
        said = (
            "whole tool tracked" if tool.trackable is None else f"{tracked} of {len(tool.mesh.faces)} faces tracked"
        )
        painter.drawText(QPointF(10, self.height() - 10), f"{said}   ·   x red, y green, z blue")

    def resizeEvent(self, _event: object) -> None:
        self._redraw()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grip = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None:
            return
        moved = event.position() - self._grip
        self._grip = event.position()
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.buttons() & Qt.MouseButton.LeftButton and not shift:
            self._orbit.turn(-0.008 * moved.x(), 0.008 * moved.y())
        else:
            self._orbit.move(-moved.x() / self.height(), moved.y() / self.height())
        self._redraw()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._grip = None

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self.look_from_start()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._orbit.zoom(1.0015 ** event.angleDelta().y())
        self._redraw()
        event.accept()

    def _redraw(self) -> None:
        self._image = None
        self.update()


def shown_frame(tool: Tool, flange: bool = True) -> Array:
    """Return the similarity (4, 4) that brings the tool, with or without its flange, to the middle and one size."""
    points = tool.mesh.vertices[np.unique(tool.mesh.faces)]
    if flange:
        points = np.concatenate([points, inverse(tool.T_flange_tool)[None, :3, 3], tool.tip[None]])
    lower, upper = points.min(axis=0), points.max(axis=0)
    scale = 2 * SHOWN_RADIUS / max(float(np.linalg.norm(upper - lower)), 1e-6)
    T = np.eye(4)
    T[:3, :3] *= scale
    T[:3, 3] = -scale * (lower + upper) / 2
    return T


def _shown(T: Array, points: Array) -> Array:
    return np.asarray(points @ T[:3, :3].T + T[:3, 3])


def _solids(tool: Tool, T: Array) -> Solids:
    """The mesh, lit from above and the side, so that turning it costs nothing."""
    triangles = _shown(T, tool.mesh.vertices)[tool.mesh.faces]
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = np.array([-0.45, -0.62, 0.64])
    shade = 0.36 + 0.42 * np.abs(normals @ light) + 0.22 * (0.5 + 0.5 * normals[:, 2])
    ink = np.repeat(rgba("tool_right")[None], len(triangles), axis=0)
    if tool.trackable is not None:
        ink[~tool.trackable] = rgba("faint")
    ink[:, :3] *= shade[:, None]
    return Solids(triangles, ink)


def _lines(tool: Tool, T: Array) -> Segments:
    """Axes at the tool's origin, the flange as a ring with axes, and what joins them."""
    extent = float(np.ptp(tool.mesh.vertices, axis=0).max())
    T_tool_flange = inverse(tool.T_flange_tool)
    lines: list[tuple[Array, Array, str, float]] = []
    for axis, ink in zip(np.eye(3), ("axis_x", "axis_y", "axis_z"), strict=True):
        lines.append((np.zeros(3), 0.3 * extent * axis, ink, 3.0))
    angles = np.linspace(0, 2 * np.pi, 33)
    ring = apply(T_tool_flange, FLANGE_M * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1))
    lines += [(a, b, "accent", 2.5) for a, b in pairwise(ring)]
    flange = T_tool_flange[:3, 3]
    lines.append((flange, flange + FLANGE_M * T_tool_flange[:3, 2], "axis_z", 2.0))
    lines.append((flange, flange + FLANGE_M * T_tool_flange[:3, 0], "axis_x", 2.0))
    lines.append((flange, np.zeros(3), "muted", 1.0))
    return _lines_of([(_shown(T, a[None])[0], _shown(T, b[None])[0], ink, width) for a, b, ink, width in lines])


def _lines_of(lines: list[tuple[Array, Array, str, float]]) -> Segments:
    start = np.array([line[0] for line in lines]).reshape(-1, 3)
    end = np.array([line[1] for line in lines]).reshape(-1, 3)
    inks = np.array([rgba(line[2]) for line in lines]).reshape(-1, 4)
    return Segments(start, end, inks, np.array([line[3] for line in lines]))


def _dots(tool: Tool, T: Array) -> Dots:
    points, inks = [tool.tip], ["warning"]
    if tool.centre_of_mass is not None:
        points.append(tool.centre_of_mass)
        inks.append("muted")
    return Dots(_shown(T, np.array(points)), np.array([rgba(ink) for ink in inks]), np.full(len(points), 12.0))


def made_up_tool() -> Tool:
    """A wedge on a flange, for demos and tests."""
    vertices = np.array([[-5, -3, 0], [5, -3, 0], [5, 3, 0], [-5, 3, 0], [-5, 0, -8], [5, 0, -8]]) / 100
    faces = np.array([[0, 1, 2], [0, 2, 3], [0, 4, 1], [1, 4, 5], [2, 5, 3], [3, 5, 4], [0, 3, 4], [1, 5, 2]])
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[2, 3] = 0.08
    tip = np.array([0.0, 0.0, -0.08])
    half = np.arange(8) % 2 == 0
    return Tool("wedge", Mesh(vertices, faces.astype(np.int32)), T, tip, half)


def main() -> None:
    """Show a made-up tool."""

    def make() -> QWidget:
        view = MeshView()
        view.show_tool(made_up_tool())
        return view

    demo(make)


if __name__ == "__main__":
    main()
