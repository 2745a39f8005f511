"""Made-up meshes for the demos, tests and benches of the views."""

from functools import cache

import numpy as np

from hardware.geometry import Array
from hardware.types import Mesh


def prism(outline_xy: Array, low: float, high: float) -> Mesh:
    """A convex outline (N, 2), anticlockwise, pulled up from z = low to high [m]."""
    n = len(outline_xy)
    vertices = np.vstack([np.column_stack([outline_xy, np.full(n, z)]) for z in (low, high)])
    i = np.arange(n)
    j = (i + 1) % n
    walls = np.vstack([np.column_stack([i, j, j + n]), np.column_stack([i, j + n, i + n])])
    fan = np.column_stack([np.zeros(n - 2, int), i[1:-1], i[2:]])
    return Mesh(vertices, np.vstack([walls, fan[:, ::-1], fan + n]).astype(np.int32))


def joined(*meshes: Mesh) -> Mesh:
    """Several meshes as one."""
    offsets = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]])
    faces = np.vstack([m.faces + o for m, o in zip(meshes, offsets, strict=True)])
    return Mesh(np.vstack([m.vertices for m in meshes]), faces.astype(np.int32))


def ball(radius: float = 0.05, rings: int = 8, sectors: int = 12) -> Mesh:
    """A sphere."""
    theta = np.linspace(0, np.pi, rings + 1)[:, None]
    phi = np.linspace(0, 2 * np.pi, sectors, endpoint=False)[None]
    xyz = np.stack(np.broadcast_arrays(np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)), -1)
    a = (np.arange(rings)[:, None] * sectors + np.arange(sectors)).ravel()
    b = (np.arange(rings)[:, None] * sectors + (np.arange(sectors) + 1) % sectors).ravel()
    faces = np.vstack([np.column_stack([a, a + sectors, b + sectors]), np.column_stack([a, b + sectors, b])])
    return Mesh(radius * xyz.reshape(-1, 3), faces.astype(np.int32))


def tool_mesh(mirrored: bool = False) -> Mesh:
    """A plate with a rounded end, a rim and a handle box, about 1,000 faces."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 24)
    nose = np.column_stack([0.03 + 0.036 * np.cos(turn), 0.038 * np.sin(turn)])
    plate = np.vstack([nose, [[-0.065, 0.038], [-0.065, -0.038]]])
    box = np.array([[-0.02, -0.016], [0.02, -0.016], [0.02, 0.016], [-0.02, 0.016]])
    side = np.array([1.0, -1.0 if mirrored else 1.0])
    handle = (box + np.array([-0.03, 0.004])) * side
    handle = handle[::-1] if mirrored else handle
    return joined(prism(plate, -0.012, 0.0), prism(handle, 0.0, 0.035), ball(0.014, 16, 24))


@cache
def arm_links() -> tuple[Mesh, ...]:
    """Seven tubes, roughly an xArm 7: each along its link's z axis."""
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    sizes = [(0.06, 0.27), (0.055, 0.15), (0.05, 0.15), (0.048, 0.17), (0.045, 0.17), (0.04, 0.08), (0.036, 0.06)]
    return tuple(joined(prism(r * circle, 0.0, length), ball(r * 1.06, 8, 16)) for r, length in sizes)
