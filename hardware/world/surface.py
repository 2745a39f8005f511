"""Rounded shapes from blended capsules: a distance field and its surface (naive surface nets, Gibson 1998)."""

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array


def capsule_distance(points: Array, a: Array, b: Array, r_a: float, r_b: float) -> Array:
    """Signed distance (N,) of points (N, 3) to a capsule from a to b (3,) whose radius goes from r_a to r_b."""
    axis = b - a
    s = np.clip((points - a) @ axis / max(float(axis @ axis), 1e-12), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - a - s[:, None] * axis, axis=1) - (r_a + (r_b - r_a) * s))


def blended_capsules(ends: Array, radii: Array, blend: float, step: float) -> tuple[Array, Array]:
    """Distance field (X, Y, Z) of capsules, ends (C, 2, 3) and radii (C, 2), and the grid's lower corner (3,).

    They flow into each other with fillets of about `blend` (log-sum-exp); each is looked at only where it counts.
    """
    reach = radii.max(axis=1) + 10 * blend
    lower = (ends.min(axis=1) - reach[:, None]).min(axis=0)
    shape = np.ceil(((ends.max(axis=1) + reach[:, None]).max(axis=0) - lower) / step).astype(int) + 1
    total = np.full(tuple(shape), 1e-30)
    for (a, b), (r_a, r_b), far in zip(ends, radii, reach, strict=True):
        first = np.maximum(np.floor((np.minimum(a, b) - far - lower) / step).astype(int), 0)
        last = np.minimum(np.ceil((np.maximum(a, b) + far - lower) / step).astype(int) + 1, shape)
        axes = [lower[k] + step * np.arange(first[k], last[k]) for k in range(3)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        distance = capsule_distance(points.reshape(-1, 3), a, b, r_a, r_b).reshape(points.shape[:3])
        total[tuple(slice(f, e) for f, e in zip(first, last, strict=True))] += np.exp(-distance / blend)
    return -blend * np.log(total), lower


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
