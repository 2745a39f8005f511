"""A made-up dream for the demos, tests and benches of the views: two hands turn an object with two tools.

Geometry and numbers are like the real ones (published camera rig, 13 frames at 6 fps, a tool lost in one frame),
the pictures are painted by hand.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF, QRadialGradient

from hardware.geometry import Array, apply, inverse, rotation_from_vector, transform
from hardware.types import Box, Camera, Frame, Image, Mesh
from widgets.theme import COLORS, tool_color
from widgets.views.made_up_mesh import arm_links, ball, tool_mesh
from widgets.views.outline import MeshEdges, mesh_edges, outline, project_axes, project_points, tip_path
from widgets.views.types import (
    ArmHistory,
    Band,
    Curve,
    HintBox,
    Lane,
    Marker,
    SceneArm,
    SceneMoment,
    ScenePath,
    SceneStatic,
    SceneViolation,
    Span,
    TimelineData,
    ToolOverlay,
)

FRAMES, FPS = 13, 6.0
ROLES = ("left", "right")
VIEWS = ("top", "side")
LOST = {("left", 2)}
TIP = np.array([0.065, 0.0, 0.0])
WHEN = np.arange(FRAMES) / FPS


def _camera(name: str, y: float, roll_deg: float) -> Camera:
    K = np.array([[566.4, 0, 384.0], [0, 566.4, 224.0], [0, 0, 1]])
    roll = rotation_from_vector(np.radians([roll_deg, 0.0, 0.0]))
    return Camera(name, K, (768, 448), T_world_cam=transform(roll, [0.0, y, 0.76]))


CAMERAS = (_camera("top", -0.33, -157.5), _camera("side", 0.33, 157.5))


MESHES = {"left": tool_mesh(), "right": tool_mesh(mirrored=True)}
EDGES: dict[str, MeshEdges] = {role: mesh_edges(mesh) for role, mesh in MESHES.items()}


def T_world_tool(role: str, t: float) -> Array:
    """Where a tool is at clip time t [s]: comes in from its side, takes hold, turns the object by 40 degrees."""
    s = float(np.clip(t * FPS / (FRAMES - 1), 0, 1))
    side = -1.0 if role == "left" else 1.0
    reach = min(s / (0.42 if side < 0 else 0.5), 1.0)
    near = reach * reach * (3 - 2 * reach)
    late = max(0.0, s - 0.5) / 0.5
    turn = 0.8 * late * late * (3 - 2 * late)
    radius = 0.36 - 0.23 * near
    angle = turn + (np.pi if side < 0 else 0.0)
    place = [radius * np.cos(angle), radius * np.sin(angle) - 0.02, 0.05 + 0.06 * (1 - near)]
    R = rotation_from_vector([0, 0, angle + np.pi]) @ rotation_from_vector([side * 0.35, 0.25, 0])
    return transform(R, place)


def confidence(role: str, view: str) -> Array:
    """(T,) made-up confidence of a tool in a view."""
    n = np.arange(FRAMES)
    phase = ROLES.index(role) + 2 * VIEWS.index(view)
    curve = 0.9 - 0.08 * np.abs(np.sin(0.9 * n + phase)) - 0.45 * np.exp(-((n - 8 - phase % 2) ** 2) / 1.2)
    curve[:3] -= [0.5, 0.35, 0.2]
    return np.where([(role, int(k)) in LOST for k in n], np.nan, np.clip(curve, 0.05, 1))


class MadeUpSource:
    """Paints the pictures of the made-up dream, each once."""

    def frame_at(self, view: str, t: float) -> Image | None:
        return picture(view, int(np.clip(np.floor(t * FPS + 1e-6), 0, FRAMES - 1)))


@cache
def picture(view: str, frame: int) -> Image:
    """The picture (448, 768, 3) of a view at a frame."""
    camera = CAMERAS[VIEWS.index(view)]
    image = QImage(*camera.size, QImage.Format.Format_RGB888)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    glow = QRadialGradient(QPointF(420, 260), 520)
    glow.setColorAt(0, QColor("#4a443f"))
    glow.setColorAt(1, QColor("#1e1c1b"))
    painter.fillRect(image.rect(), glow)
    painter.setPen(Qt.PenStyle.NoPen)
    _paint(painter, camera, ball(0.075, 12, 20), transform(np.eye(3), [0, -0.02, 0.05]), QColor("#b8452f"))
    for role in ROLES:
        T = T_world_tool(role, frame / FPS)
        _paint(painter, camera, MESHES[role], T, QColor("#d8d5cc"))
        _arm(painter, camera, T)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    noise = np.random.default_rng(frame).normal(0, 3, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def T_cam_world(camera: Camera) -> Array:
    if camera.T_world_cam is None:
        raise ValueError(f"camera {camera.name}: its place in the world is unknown")
    return inverse(camera.T_world_cam)


def _paint(painter: QPainter, camera: Camera, mesh: Mesh, T_world: Array, color: QColor) -> None:
    points = apply(T_cam_world(camera) @ T_world, mesh.vertices)
    corners = points[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    pixels = project_points(camera, points)[mesh.faces]
    for i in np.argsort(-corners[:, :, 2].mean(axis=1)):
        if normals[i] @ corners[i, 0] < 0:
            light = 0.35 + 0.65 * max(0.0, float(normals[i] @ [-0.3, -0.4, -0.86]))
            painter.setBrush(QColor.fromRgbF(color.redF() * light, color.greenF() * light, color.blueF() * light))
            painter.drawPolygon(QPolygonF([QPointF(*p) for p in pixels[i]]))


def _arm(painter: QPainter, camera: Camera, T: Array) -> None:
    handle = apply(T, [[-0.03, 0.0, 0.05], [-0.32, 0.0, 0.2]])
    (a, b) = project_points(camera, apply(T_cam_world(camera), handle))
    pen = QPen(QColor("#c58f72"), 54, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawLine(QPointF(*a), QPointF(*b))
    painter.setPen(Qt.PenStyle.NoPen)


def overlays(view: str, t: float) -> tuple[list[ToolOverlay], list[HintBox]]:
    """What is drawn over a view at clip time t [s]."""
    frame = int(np.clip(np.floor(t * FPS + 1e-6), 0, FRAMES - 1))
    return [_overlay(role, view, frame) for role in ROLES], _hints(view, frame)


@cache
def _overlay(role: str, view: str, frame: int) -> ToolOverlay:
    camera = CAMERAS[VIEWS.index(view)]
    T_cam_tools = T_cam_world(camera) @ np.array([T_world_tool(role, t) for t in WHEN])
    T_cam_tools[[k for k in range(FRAMES) if (role, k) in LOST]] = np.nan
    path = tip_path(camera, T_cam_tools, TIP)
    lost = (role, frame) in LOST
    lines, creases = outline(EDGES[role], T_cam_tools[frame], camera)
    return ToolOverlay(
        role,
        tool_color(role),
        outline=lines,
        creases=creases,
        axes=None if lost else project_axes(camera, T_cam_tools[frame]),
        past=path[: frame + 1],
        future=path[frame:],
        confidence=0.0 if lost else float(confidence(role, view)[frame]),
        state="lost" if lost else "hinted" if (role, frame) == ("right", 5) else "tracked",
    )


def _hints(view: str, frame: int) -> list[HintBox]:
    return [HintBox("right", tool_color("right"), (440.0, 140.0, 620.0, 290.0))] if frame == 5 else []


def timeline_data() -> TimelineData:
    """Curves, violations and hints of the made-up dream."""
    t = np.arange(0, WHEN[-1] + 1e-9, 0.02)
    disagreement = 2.0 + 1.4 * np.sin(WHEN * 3) + 1.2 * np.exp(-((np.arange(FRAMES) - 8) ** 2) / 2)
    curves = [
        Curve(f"{role} {view}", tool_color(role), WHEN, confidence(role, view), dashed=view == "side")
        for role in ROLES
        for view in VIEWS
    ]
    pixels = [Curve(r, tool_color(r), WHEN, disagreement * (1 - 0.4 * i)) for i, r in enumerate(ROLES)]
    tips = {r: np.array([apply(T_world_tool(r, s), TIP[None])[0] for s in t]) for r in ROLES}
    speed = [
        Curve(r, tool_color(r), t, 0.4 * np.linalg.norm(np.gradient(p, t, axis=0), axis=1)) for r, p in tips.items()
    ]
    joints = [Curve(c.name, c.color, t, 1.9 * c.value + 0.08 * np.abs(np.sin(5 * t))) for c in speed]
    return TimelineData(
        0.0,
        float(WHEN[-1]),
        WHEN,
        (1, FRAMES - 1),
        view="top",
        lanes=(
            Lane("Confidence", "", tuple(curves), alarm=0.4, alarm_above=False, high=1.0),
            Lane("Stereo disagreement", "px", tuple(pixels), alarm=4.0),
            Lane("Tool-tip speed", "m/s", tuple(speed), alarm=0.25),
            Lane("Joint speed", "rad/s", tuple(joints), alarm=3.14),
        ),
        spans=(
            Span(0.1, 0.34, "alarm", "Tool-tip speed 0.31 m/s over 0.25 m/s · slow the plan to 80%"),
            Span(1.15, 1.5, "warning", "Clamped to 5 mm above the table, by up to 2.1 mm"),
        ),
        markers=(Marker(5 / FPS, tool_color("right"), "Hint: box for right in top, frame 5"),),
        bands=(Band("work", 0.0, float(WHEN[-1])),),
    )


def link_poses(role: str, t: float, lag: float = 0.0) -> Array:
    """(7, 4, 4) in world: a chain from the arm's stand to the tool, bent enough to look like an arm."""
    T = T_world_tool(role, max(0.0, t - lag))
    base = np.array([-0.58 if role == "left" else 0.58, 0.12, 0.0])
    wrist = apply(T, [[-0.03, 0.0, 0.12]])[0]
    lengths = [0.27, 0.15, 0.15, 0.17, 0.17, 0.08, 0.06]
    points = [base, base + np.array([0, 0, 0.27])]
    bow = (points[1] + wrist) / 2 + [0, 0.05, 0.34]
    for s in np.linspace(0, 1, 7)[1:]:
        points.append((1 - s) ** 2 * points[1] + 2 * s * (1 - s) * bow + s * s * wrist)
    return np.array([_along(points[i], points[i + 1], lengths[i]) for i in range(7)])


def _along(a: Array, b: Array, length: float) -> Array:
    z = (b - a) / np.linalg.norm(b - a)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    return transform(np.stack([x, np.cross(z, x), z * np.linalg.norm(b - a) / length], axis=1), a)


def scene_static() -> SceneStatic:
    """Table, cameras, tools, paths, one violation, arms and boxes of the made-up dream."""
    paths = []
    for role in ROLES:
        points = np.array([apply(T_world_tool(role, t), TIP[None])[0] for t in WHEN])
        points[[k for k in range(FRAMES) if (role, k) in LOST]] = np.nan
        weaker = np.minimum(confidence(role, "top"), confidence(role, "side"))
        paths.append(ScenePath(role, points, np.nan_to_num(weaker)))
    corner = transform(np.eye(3), np.zeros(3))
    boxes = []
    for name, y in (("top camera", -0.33), ("side camera", 0.33)):
        place = corner.copy()
        place[:3, 3] = [0.0, y, 0.78]
        boxes.append(Box(name, place, np.array([0.16, 0.10, 0.10])))
    return SceneStatic(
        cameras=CAMERAS,
        tools=MESHES,
        tool_colors={role: COLORS[f"tool_{role}"] for role in ROLES},
        paths=tuple(paths),
        violations=(SceneViolation(paths[0].points[1], "Tool-tip speed 0.31 m/s over 0.25 m/s"),),
        arms=tuple(SceneArm(role, arm_links()) for role in ROLES),
        keep_out=tuple(boxes),
        workspace=np.array([[-0.45, -0.40, 0.0], [0.45, 0.40, 0.50]]),
    )


def scene_moment(t: float) -> SceneMoment:
    """Where everything of the made-up dream is at clip time t [s]."""
    frame = int(np.clip(np.floor(t * FPS + 1e-6), 0, FRAMES - 1))
    return SceneMoment(
        T_world_tool={r: None if (r, frame) in LOST else T_world_tool(r, t) for r in ROLES},
        planned={r: link_poses(r, t) for r in ROLES},
        measured={r: link_poses(r, t, lag=0.12) for r in ROLES},
        pictures={view: picture(view, frame) for view in VIEWS},
    )


class LiveCameras:
    """Cameras that show the made-up dream over and over; stops: when a camera falls silent [s]."""

    def __init__(
        self, stops: Mapping[str, float] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stops, self._clock = dict(stops or {}), clock
        self._start = clock()

    def latest(self, name: str) -> Frame | None:
        """The newest of 30 frames a second."""
        index = int(min(self._clock() - self._start, self._stops.get(name, np.inf)) * 30)
        t = self._start + index / 30
        return Frame(name, index, t, t, picture(name, index // 5 % FRAMES))


class LiveArms:
    """Two arms that follow a made-up plan at 100 samples a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, clock()

    def history(self, arm: str) -> ArmHistory | None:
        """All samples since the start."""
        t = np.arange(0.0, self._clock() - self._start, 0.01)
        phase = ROLES.index(arm)
        planned = 0.09 * (1 - np.cos(1.3 * t + phase)) * np.clip(t, 0, 1)
        noise = np.random.default_rng(phase).normal(0, 1, len(t))
        lag = np.interp(t - 0.06, t, planned) if len(t) else planned
        return ArmHistory(t, 0.25 * np.abs(planned - lag) + 0.012 + 0.001 * noise, planned, lag + 0.002 * noise)
