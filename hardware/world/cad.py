"""Solids from rings of points, and their textured OBJ files: the small CAD kernel behind the built-in tools."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from hardware.geometry import Array
from hardware.types import Image

# maps points (..., 3) [mm] to texture coordinates (..., 2), v up
Projection = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Solid:
    """A closed triangle mesh [mm] whose faces (F, 3) each belong to a named patch (F,) of the texture."""

    vertices: Array
    faces: NDArray[np.int64]
    patch: tuple[str, ...]


def loft(rings: Array, side: Sequence[Sequence[str]], first_cap: str, last_cap: str) -> Solid:
    """Close a stack of rings (S, M, 3) [mm] into a solid.

    Rings run counter-clockwise seen from the first one's outside; the caps must be star-shaped about their mean.
    side[s][m] names the patch of the strip between rings s and s + 1, at edge m to m + 1.
    """
    stations, count = rings.shape[:2]
    vertices = np.concatenate([rings.reshape(-1, 3), [rings[0].mean(axis=0), rings[-1].mean(axis=0)]])
    faces: list[tuple[int, int, int]] = []
    patch: list[str] = []
    for s in range(stations - 1):
        for m in range(count):
            a, b = s * count + m, s * count + (m + 1) % count
            c, d = a + count, b + count
            faces += [(a, c, b), (b, c, d)]
            patch += [side[s][m]] * 2
    top, bottom, last = len(vertices) - 2, len(vertices) - 1, (stations - 1) * count
    for m in range(count):
        n = (m + 1) % count
        faces += [(top, m, n), (bottom, last + n, last + m)]
        patch += [first_cap, last_cap]
    return Solid(vertices, np.array(faces), tuple(patch))


def mirrored(solid: Solid) -> Solid:
    """The solid seen in a mirror: y -> -y, faces turned so that they look outward again."""
    return Solid(solid.vertices * [1.0, -1.0, 1.0], solid.faces[:, ::-1].copy(), solid.patch)


def planar(axes: tuple[int, int], origin_mm: Array, size_mm: Array, box_px: Array, atlas_px: int) -> Projection:
    """Project two axes onto a rectangle of the atlas.

    The rectangle of size_mm (2,) centred at origin_mm (2,) fills box_px = (x0, y0, x1, y1), the picture's y
    running against the second axis.
    """

    def project(points: Array) -> Array:
        s = (points[..., list(axes)] - origin_mm) / size_mm + 0.5
        x = box_px[0] + s[..., 0] * (box_px[2] - box_px[0])
        y = box_px[3] - s[..., 1] * (box_px[3] - box_px[1])
        return np.stack([x / atlas_px, 1.0 - y / atlas_px], axis=-1)

    return project


def swatch(x_px: float, y_px: float, atlas_px: int) -> Projection:
    """Every point has the colour of one atlas pixel."""

    def project(points: Array) -> Array:
        return np.broadcast_to([x_px / atlas_px, 1.0 - y_px / atlas_px], (*points.shape[:-1], 2)).astype(float)

    return project


def write_obj(folder: Path, name: str, solid: Solid, patches: Mapping[str, Projection], atlas: Image) -> None:
    """Write name.obj [mm], name.mtl and name.png; the same input gives the same bytes."""
    corners = solid.vertices[solid.faces]
    uv = np.stack([patches[p](triangle) for p, triangle in zip(solid.patch, corners, strict=True)])
    rows, index = np.unique(np.round(uv.reshape(-1, 2), 6), axis=0, return_inverse=True)
    index = index.reshape(-1, 3)
    lines = [
        f"# {name}: millimetres, made by python -m hardware.world.tools",
        f"mtllib {name}.mtl",
        f"usemtl {name}",
    ]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in solid.vertices]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in rows]
    for face, texture in zip(solid.faces + 1, index + 1, strict=True):
        lines.append("f " + " ".join(f"{v}/{t}" for v, t in zip(face, texture, strict=True)))
    (folder / f"{name}.obj").write_text("\n".join(lines) + "\n", encoding="utf-8")
    material = f"newmtl {name}\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nmap_Kd {name}.png\n"
    (folder / f"{name}.mtl").write_text(material, encoding="utf-8")
    Picture.fromarray(atlas).save(folder / f"{name}.png", optimize=True)
