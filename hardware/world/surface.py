"""Rounded shapes from blended capsules: a distance field and its surface (naive surface nets, Gibson 1998)."""

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array


def capsule_distance(points: Array, a: Array, b: Array, r_a: float, r_b: float) -> Array:
    """Signed distance (N,) of points (N, 3) to a capsule from a to b (3,) whose radius goes from r_a to r_b."""
    axis = b - a
    s = np.clip((points - a) @ axis / max(float(axis @ axis), 1e-12), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - a - s[:, None] * axis, axis=1) - (r_a + (r_b - r_a) * s))


def smooth_union(distances: Array, blend: float) -> Array:
    """Blend distance fields (C, N) into one (N,): fillets of about `blend` where shapes meet (log-sum-exp)."""
    nearest = distances.min(axis=0)
    return np.asarray(nearest - blend * np.log(np.exp(-(distances - nearest) / blend).sum(axis=0)))


def grid(lower: Array, upper: Array, step: float) -> tuple[Array, tuple[int, int, int]]:
    """Points (X * Y * Z, 3) of a regular grid and its shape."""
    axes = [np.arange(lo, hi + step, step) for lo, hi in zip(lower, upper, strict=True)]
    shape = (len(axes[0]), len(axes[1]), len(axes[2]))
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3), shape


def surface(field: Array, lower: Array, step: float) -> tuple[Array, NDArray[np.int64]]:
    """Return vertices (V, 3) and outward faces (F, 3) of the zero level of a field (X, Y, Z), negative inside."""
    inside = field < 0
    cells = tuple(n - 1 for n in field.shape)
    total, count = np.zeros((*cells, 3)), np.zeros(cells)
    corners = [np.array(c) for c in np.ndindex(2, 2, 2)]
    for i, p in enumerate(corners):
        for q in corners[i + 1 :]:
            if np.abs(p - q).sum() != 1:
                continue
            f_p, f_q = (field[tuple(slice(c, c + n) for c, n in zip(o, cells, strict=True))] for o in (p, q))
            crossing = (f_p < 0) != (f_q < 0)
            s = np.where(crossing, f_p / np.where(crossing, f_p - f_q, 1.0), 0.0)
            total += crossing[..., None] * (p + s[..., None] * (q - p))
            count += crossing
    active = count > 0
    index = np.full(cells, -1)
    index[active] = np.arange(int(active.sum()))
    base = np.stack(np.nonzero(active), axis=1)
    vertices = lower + step * (base + total[active] / count[active][:, None])
    faces = [_quads(inside, index, axis) for axis in range(3)]
    return vertices, np.concatenate(faces)


def _quads(inside: NDArray[np.bool_], index: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """Two triangles around every grid edge along `axis` that the surface crosses."""
    u, v = (axis + 1) % 3, (axis + 2) % 3
    here = np.moveaxis(inside, (axis, u, v), (0, 1, 2))
    cell = np.moveaxis(index, (axis, u, v), (0, 1, 2))
    a, b = here[:-1, 1:-1, 1:-1], here[1:, 1:-1, 1:-1]
    crossing = a != b
    around = [cell[:, :-1, :-1], cell[:, 1:, :-1], cell[:, 1:, 1:], cell[:, :-1, 1:]]
    quad = np.stack([c[crossing] for c in around], axis=1)
    flip = ~a[crossing]
    quad[flip] = quad[flip][:, ::-1]
    return np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
