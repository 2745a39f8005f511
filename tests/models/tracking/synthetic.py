"""Small clips with exact truth, drawn by the tracker's own rasteriser: two cameras, one or two tools, a hand."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, inverse, rotation_from_vector, transform
from hardware.types import Camera, Image, Mesh, Tool
from models.tracking.model import prepare
from models.tracking.render import draw_model
from models.types import Dream, View

SIZE = (320, 224)
K = np.array([[300.0, 0, 160], [0, 300.0, 112], [0, 0, 1]])
SKIN = np.array([205, 150, 125])


def second_camera(turn: tuple[float, float, float] = (-np.pi / 4, 0, 0)) -> Array:
    """T_view1_view2: 45 degrees round the horizontal axis (or another turn), looking at the point 0.6 m ahead."""
    R = rotation_from_vector(np.array(turn))
    target = np.array([0, 0, 0.6])
    return transform(R, target - R @ target)


def wedge(mirrored: bool = False, seed: int = 0, textured: bool = True) -> Tool:
    """A wedge of 90 x 60 x 25 mm with a patterned face; mirrored: y turned round, with a pattern of its own."""
    sign = -1.0 if mirrored else 1.0
    outline = np.array([[-45, -30], [45, -30], [45, 10], [15, 30], [-45, 30]]) * [1.0, sign] * 1e-3
    n = len(outline)
    top = np.column_stack([outline, np.full(n, 0.0125)])
    low = np.column_stack([outline * 0.8, np.full(n, -0.0125)])
    faces = [(0, i, i + 1) for i in range(1, n - 1)] + [(n, n + i + 1, n + i) for i in range(1, n - 1)]
    faces += [f for i in range(n) for j in [(i + 1) % n] for f in ((i, n + i, n + j), (i, n + j, j))]
    order = np.array(faces, np.int32)
    vertices = np.vstack([top, low])
    if mirrored:
        order = order[:, ::-1].copy()
    if not textured:
        return Tool("plain", Mesh(vertices, order), np.eye(4), np.zeros(3))
    rng = np.random.default_rng(seed)
    cells = rng.choice([30, 235], (6, 9, 1)) + rng.integers(-20, 20, (6, 9, 3))
    texture = np.kron(cells, np.ones((16, 16, 1))).clip(0, 255).astype(np.uint8)
    flat = vertices[order]
    uv = np.stack([flat[..., 0] / 0.09 + 0.5, flat[..., 1] / 0.06 + 0.5], axis=-1)
    sides = np.abs(flat[..., 2]).max(axis=1) - flat[..., 2].min(axis=1) > 1e-6
    uv[sides] = uv[sides] * 0.05 + 0.02
    return Tool("wedge", Mesh(vertices, order, uv.astype(np.float32), texture), np.eye(4), np.zeros(3))


def path(frames: int, start: Array, step: Array, spin: float) -> Array:
    """Poses (frames, 4, 4) in view 1: along a line, turning about the line of sight, the face to the camera."""
    face = rotation_from_vector(np.array([np.pi - 0.4, 0, 0]))
    turns = rotation_from_vector(np.outer(np.arange(frames) * spin, [0.0, 0.0, 1.0]))
    return transform(turns @ face, start + np.outer(np.arange(frames), step))


def clip(
    tools: Mapping[str, Tool],
    poses: Mapping[str, Array],
    *,
    drift_px: float = 0.0,
    views: int = 2,
    hand: bool = True,
    seed: int = 0,
) -> Dream:
    """A dream of the tools at poses (T, 4, 4) (nan: not there), over dark noise, a hand in front of each."""
    rng = np.random.default_rng(seed)
    frames = len(next(iter(poses.values())))
    T_view1 = [np.eye(4), second_camera(), second_camera((0, 0.6, 0)), second_camera((0, -0.6, 0))]
    out = []
    for v in range(views):
        scene = rng.normal(35, 6, (SIZE[1] // 8, SIZE[0] // 8, 3)).repeat(8, 0).repeat(8, 1)
        pictures = np.stack([scene] * frames)
        for name, tool in tools.items():
            for t in range(frames):
                if np.isfinite(poses[name][t]).all():
                    T = inverse(T_view1[v]) @ poses[name][t]
                    _paint(pictures[t], tool, T, drift_px * (v - 0.5), hand)
        noisy = pictures + rng.normal(0, 3, pictures.shape)
        camera = Camera(f"view{v + 1}", K, SIZE)
        out.append(View(camera, T_view1[v], noisy.clip(0, 255).astype(np.uint8)))
    return Dream("synthetic", 6.0, tuple(out), tools, np.eye(4))


def _paint(picture: NDArray[np.float64], tool: Tool, T: Array, shift: float, hand: bool) -> None:
    model = prepare(tool)
    points = tool.mesh.vertices @ T[:3, :3].T + T[:3, 3]
    k = (K[0, 0], K[1, 1], K[0, 2] + shift, K[1, 2])
    yuv, cover, _, _, group = draw_model(model, points, k, (SIZE[1], SIZE[0]), 3)
    y, b, r = (yuv[..., i].astype(float) for i in range(3))
    shade = 1.0 - 0.12 * np.maximum(group, 0)
    rgb = np.stack([y + r / 0.713, y - 0.194 * b / 0.564 - 0.509 * r / 0.713, y + b / 0.564], axis=-1)
    alpha = cover[..., None]
    picture[:] = picture * (1 - alpha) + alpha * 255 * (rgb * shade[..., None]).clip(0, 1)
    if hand:
        centre = T[:3, 3] + T[:3, :3] @ [0.02, -0.03, 0.0]
        u, w = k[0] * centre[0] / centre[2] + k[2], k[1] * centre[1] / centre[2] + k[3]
        ys, xs = np.mgrid[: SIZE[1], : SIZE[0]]
        picture[((xs - u) / 9) ** 2 + ((ys - w) / 16) ** 2 < 1] = SKIN


def still(rgb: Image, frames: int) -> Image:
    """A picture repeated."""
    return np.stack([rgb] * frames)
