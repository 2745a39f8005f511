"""Turns what the 3-D scene shows into triangles, lines and markers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, ray_directions
from hardware.types import Box, Camera, Mesh
from widgets.theme import color
from widgets.views.scene_gl import Dots, Segments, Solids
from widgets.views.types import SceneMoment, ScenePath, SceneStatic

SCREEN = 0.2  # [m] from a camera's centre to the picture that hangs before it
GRID = 0.1  # [m]
_BOX_EDGES = np.array(
    [[0, 1], [2, 3], [4, 5], [6, 7], [0, 2], [1, 3], [4, 6], [5, 7], [0, 4], [1, 5], [2, 6], [3, 7]]
)


def rgba(name: str, alpha: float = 1.0) -> Array:
    """Return a colour of the theme, or "#rrggbb", as (4,) of 0..1."""
    if name.startswith("#"):
        return np.array([*(int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)), alpha])
    return np.array(color(name, alpha).getRgbF())


def confidence_rgba(confidence: Array) -> Array:
    """Return (N, 4): red through amber to green for confidence (N,) 0..1."""
    stops = np.array([rgba("alarm"), rgba("warning"), rgba("ok")])
    at = np.clip((np.asarray(confidence) - 0.3) / 0.5, 0, 1) * 2
    return np.stack([np.interp(at, [0, 1, 2], stops[:, k]) for k in range(4)], axis=1)


Kind = Literal["table", "tool", "before", "measured", "planned"]


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh that moves as one: which tool or link it is, and its triangles (N, 3, 3) with their colour (4,).

    normals (N, 3) and offsets (N,) [m] of the triangles' planes.
    """

    kind: Kind
    name: str
    link: int
    triangles: NDArray[np.float32]
    normals: NDArray[np.float32]
    offsets: NDArray[np.float32]
    color: Array


def parts(static: SceneStatic) -> list[Part]:
    """Return everything solid, in its own frame."""
    x, y = static.table_size / 2
    corners = np.array([[-x, -y, -2e-3], [x, -y, -2e-3], [x, y, -2e-3], [-x, y, -2e-3]])
    top = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    found = [_part("table", "", 0, top, rgba("raised"))]
    for role, mesh in static.tools.items():
        found.append(_part("tool", role, 0, mesh, rgba(static.tool_colors.get(role, "text"))))
        found.append(_part("before", role, 0, mesh, rgba("muted", 0.55)))
    for arm in static.arms:
        for i, mesh in enumerate(arm.links):
            found.append(_part("measured", arm.name, i, mesh, rgba("text") * [0.86, 0.87, 0.88, 1.0]))
            found.append(_part("planned", arm.name, i, mesh, rgba("accent", 0.6)))
    return found


def _part(kind: Kind, name: str, link: int, mesh: Mesh, ink: Array) -> Part:
    t = mesh.vertices[mesh.faces]
    normals = np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    offsets = np.einsum("ij,ij->i", normals, t[:, 0])
    return Part(kind, name, link, _single(t), _single(normals), _single(offsets), ink)


def _single(values: Array) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)


def solids(found: Sequence[Part], moment: SceneMoment, eye: Array) -> tuple[Solids, Solids]:
    """Return what is drawn opaque (table, tools, measured arms) and the ghosts (planned arms, nearest first)."""
    light = np.array([0.25, 0.35, 0.9]) + eye / max(float(np.linalg.norm(eye)), 1e-9)
    light /= np.linalg.norm(light)
    here = [(part, T) for part in found if (T := _pose(part, moment)) is not None]
    ghosts = [(part, T) for part, T in here if part.kind in ("planned", "before")]
    ghosts.sort(key=lambda pair: float(np.linalg.norm(pair[1][:3, 3] - eye)))
    return _lit([p for p in here if p[0].kind not in ("planned", "before")], light, eye), _lit(ghosts, light, eye)


def _pose(part: Part, moment: SceneMoment) -> Array | None:
    if part.kind == "table":
        return np.eye(4)
    if part.kind == "tool":
        return moment.T_world_tool.get(part.name)
    if part.kind == "before":
        return moment.T_world_before.get(part.name)
    links = (moment.measured if part.kind == "measured" else moment.planned).get(part.name)
    return links[part.link] if links is not None and np.isfinite(links[part.link]).all() else None


def _lit(here: Sequence[tuple[Part, Array]], light: Array, eye: Array) -> Solids:
    """Move the parts and put the light into their colours: a headlight from the eye and above, and a sky.

    What an arm turns away from the eye is left out; a tool's mesh comes from anybody and may be inside out.
    """
    if not here:
        return Solids(np.zeros((0, 3, 3)), np.zeros((0, 4)))
    triangles, inks = [], []
    for part, T in here:
        R, p = T[:3, :3].astype(np.float32), T[:3, 3].astype(np.float32)
        # light, up and eye are brought to the part: that is less work than turning all its normals
        key, up, toward = np.stack([light @ R, R[2], (eye - p) @ R]).astype(np.float32) @ part.normals.T
        shade = 0.375 + 0.5 * np.abs(key) + 0.125 * up
        seen = toward > part.offsets if part.kind in ("measured", "planned") else slice(None)
        triangles.append((part.triangles[seen].reshape(-1, 3) @ R.T + p).reshape(-1, 3, 3))
        ink = np.repeat(part.color.astype(np.float32)[None], len(triangles[-1]), axis=0)
        ink[:, :3] *= shade[seen, None]
        inks.append(ink)
    return Solids(np.concatenate(triangles), np.concatenate(inks))


def still_lines(static: SceneStatic) -> Segments:
    """Return grid, axes, frusta, boxes and paths."""
    lines = [_grid(static.table_size), _axes()]
    lines += [_frustum(camera) for camera in placed(static.cameras)]
    lines += [_box(box, rgba("muted", 0.75)) for box in static.keep_out]
    if static.workspace is not None:
        lines.append(_lines(_corners(static.workspace)[_BOX_EDGES], rgba("muted", 0.35), 1.0))
    lines += [_path(path) for path in static.paths]
    return _join(lines)


def moving_lines(static: SceneStatic, moment: SceneMoment) -> Segments:
    """Return a line from each tool down to the table: how high it is, and over what."""
    parts = []
    for role, T in moment.T_world_tool.items():
        if T is not None and T[2, 3] > 0:
            foot = np.array([T[0, 3], T[1, 3], 0.0])
            ink = rgba(static.tool_colors.get(role, "text"), 0.55)
            cross = 0.012 * np.array([[[-1, 0, 0], [1, 0, 0]], [[0, -1, 0], [0, 1, 0]]])
            parts.append(_lines(np.concatenate([np.stack([foot, T[:3, 3]])[None], foot + cross]), ink, 1.2))
    return _join(parts)


def dots(static: SceneStatic) -> Dots:
    """Return the markers of violations."""
    n = len(static.violations)
    points = np.array([v.point for v in static.violations]).reshape(n, 3)
    return Dots(points, np.tile(rgba("alarm"), (n, 1)), np.full(n, 15.0))


def screens(static: SceneStatic) -> dict[str, Array]:
    """Return the corners (4, 3) in world of each camera's picture."""
    return {camera.name: _image_corners(camera) for camera in placed(static.cameras)}


def placed(cameras: Sequence[Camera]) -> list[Camera]:
    """Return the cameras whose place in the world is known."""
    return [camera for camera in cameras if camera.T_world_cam is not None]


def _image_corners(camera: Camera) -> Array:
    width, height = camera.size
    pixels = np.array([[0, 0], [width, 0], [0, height], [width, height]]) - 0.5
    rays = ray_directions(camera.K, pixels)
    T = camera.T_world_cam if camera.T_world_cam is not None else np.eye(4)
    return apply(T, rays / rays[:, 2:] * SCREEN)


def _frustum(camera: Camera) -> Segments:
    corners = _image_corners(camera)
    eye = camera.T_world_cam[:3, 3] if camera.T_world_cam is not None else np.zeros(3)
    pairs = [np.stack([eye, corner]) for corner in corners]
    pairs += [corners[[a, b]] for a, b in ((0, 1), (1, 3), (3, 2), (2, 0))]
    return _lines(np.array(pairs), rgba("muted", 0.9), 1.3)


def _grid(size: Array) -> Segments:
    pairs = []
    for axis in (0, 1):
        reach, along = size[axis] / 2, size[1 - axis] / 2
        n = int(reach / GRID)
        for v in np.append(np.arange(-n, n + 1) * GRID, [-reach, reach]):
            ends = np.zeros((2, 3))
            ends[:, axis], ends[:, 1 - axis] = v, (-along, along)
            pairs.append(ends)
    segments = _lines(np.array(pairs), rgba("muted", 0.16), 1.0)
    rim = (np.abs(np.abs(segments.start[:, :2]) - size / 2) < 1e-6).sum(axis=1) == 2
    segments.color[rim, 3] = 0.5
    return segments


def _axes() -> Segments:
    ends = np.stack([np.zeros((3, 3)), 0.12 * np.eye(3)], axis=1)
    parts = [_lines(ends[i : i + 1], rgba(f"axis_{name}"), 2.5) for i, name in enumerate("xyz")]
    return _join(parts)


def _box(box: Box, ink: Array) -> Segments:
    corners = _corners(np.array([-box.size, box.size]) / 2)
    return _lines(apply(box.T_world_box, corners)[_BOX_EDGES], ink, 1.2)


def _corners(bounds: Array) -> Array:
    bits = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)])
    return np.asarray(np.where(bits == 1, bounds[1], bounds[0]))


def _path(path: ScenePath) -> Segments:
    ends = np.stack([path.points[:-1], path.points[1:]], axis=1)
    known = np.isfinite(ends).all(axis=(1, 2))
    inks = confidence_rgba((path.confidence[:-1] + path.confidence[1:]) / 2)
    if path.color:
        inks = np.tile(rgba(path.color, 0.7), (len(ends), 1))
    segments = _lines(ends[known], rgba("ok"), 1.6 if path.color else 3.0)
    return Segments(segments.start, segments.end, inks[known], segments.width)


def _lines(pairs: Array, ink: Array, width: float) -> Segments:
    n = len(pairs)
    return Segments(pairs[:, 0], pairs[:, 1], np.tile(ink, (n, 1)), np.full(n, width))


def _join(parts: Sequence[Segments]) -> Segments:
    if not parts:
        return Segments(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 4)), np.zeros(0))
    return Segments(
        np.concatenate([p.start for p in parts]),
        np.concatenate([p.end for p in parts]),
        np.concatenate([p.color for p in parts]),
        np.concatenate([p.width for p in parts]),
    )
