"""Hundreds of rough fits in one compiled call: what the start of a track is chosen from."""

from collections.abc import Sequence

import numba as nb
import numpy as np

from hardware.geometry import Array
from models.tracking.fit import (
    CHANNEL_WEIGHT,
    HIDDEN,
    LIKELY,
    SCORE_SIGMA,
    compose,
    fit_shades,
    normal_equations,
    residual_size,
)
from models.tracking.model import ToolModel
from models.tracking.pictures import ViewPictures
from models.tracking.render import FAST, draw


@nb.njit(**FAST)
def blur3(picture):  # type: ignore[no-untyped-def]
    """Return (h, w, C) blurred by 1 2 1 in x and y, borders repeated."""
    h, w, n = picture.shape
    across = np.empty_like(picture)
    out = np.empty_like(picture)
    for y in range(h):
        for x in range(w):
            for k in range(n):
                across[y, x, k] = 0.25 * (
                    picture[y, max(x - 1, 0), k] + 2 * picture[y, x, k] + picture[y, min(x + 1, w - 1), k]
                )
    for y in range(h):
        for x in range(w):
            for k in range(n):
                out[y, x, k] = 0.25 * (
                    across[max(y - 1, 0), x, k] + 2 * across[y, x, k] + across[min(y + 1, h - 1), x, k]
                )
    return out


@nb.njit(**FAST)
def turn(w):  # type: ignore[no-untyped-def]
    """Return the rotation (3, 3) of an axis-angle vector (3,) (Rodrigues)."""
    a = np.sqrt((w * w).sum())
    R = np.eye(3)
    if a > 1e-12:
        x, y, z = w / a
        c, s = np.cos(a), np.sin(a)
        R[0] = np.array([c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s])
        R[1] = np.array([y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s])
        R[2] = np.array([z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)])
    return R


@nb.njit(**FAST)
def fit_many(
    poses, iterations, T_views, Ks, pictures, scenes, frees, change_scales, vertices, faces, colour, uv, textured,
    mips, mip_shape, group, used, groups, plain, channel, sigma2, reach,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Gauss-Newton from every pose (N, 4, 4), T_view1_centre; views stacked along axis 0 of their arrays.

    Returns the best poses seen (N, 4, 4) and their scores (N,) [px of the level].
    """
    out = poses.copy()
    scores = np.zeros(len(poses))
    H_, W_ = pictures.shape[1:3]
    start = np.zeros((groups, 4))
    start[:, 0] = 1.0
    for n in range(len(poses)):
        T = poses[n].copy()
        best = -1e30
        for i in range(iterations + 1):
            A, b, total = np.zeros((6, 6)), np.zeros(6), 0.0
            for v in range(len(T_views)):
                T_v = T_views[v] @ T
                points = vertices @ np.ascontiguousarray(T_v[:3, :3].T) + T_v[:3, 3]
                if points[:, 2].min() < 0.05:
                    continue
                fx, fy, cx, cy = Ks[v]
                x, y = fx * points[:, 0] / points[:, 2] + cx, fy * points[:, 1] / points[:, 2] + cy
                left, top = max(0, int(x.min()) - 2), max(0, int(y.min()) - 2)
                right, bottom = min(W_, int(x.max()) + 4), min(H_, int(y.max()) + 4)
                if right - left < 4 or bottom - top < 4:
                    continue
                rgb, cover, other, q, drawn_group = draw(
                    points, faces, colour, uv, textured, mips, mip_shape, group, used,
                    fx, fy, cx - left, cy - top, bottom - top, right - left, 2,
                )  # fmt: skip
                seen, bare = pictures[v, top:bottom, left:right], scenes[v, top:bottom, left:right]
                free = frees[v, top:bottom, left:right] * (1 - other)
                shades = fit_shades(seen, rgb, cover, drawn_group, free, groups, plain, start)
                drawn = blur3(compose(bare, rgb, cover, drawn_group, shades, change_scales[v], plain))
                both = np.empty((cover.shape[0], cover.shape[1], 2), np.float32)
                both[:, :, 0], both[:, :, 1] = q * cover, cover
                both = blur3(both)
                q = np.where(both[:, :, 1] > 0.05, both[:, :, 0] / np.maximum(both[:, :, 1], 1e-3), 0.0)
                e2 = residual_size(seen, drawn, channel)
                e2_bare = residual_size(seen, bare, channel)
                total += (free * (e2_bare / (e2_bare + sigma2) - e2 / (e2 + sigma2))).sum()
                skinless = frees[v, top:bottom, left:right]
                total += (other * (LIKELY * skinless * seen[:, :, 3] - HIDDEN * (1 - seen[:, :, 3]))).sum()
                k = np.array([fx, fy, cx - left, cy - top])
                Hv, bv = normal_equations(
                    seen, drawn, free, q, e2, sigma2, channel, k, T_views[v, :3, :3], T_views[v, :3, 3], T[:3, 3]
                )
                A += Hv[:6, :6]
                b += bv[:6]
            if total > best:
                best = total
                out[n] = T
                scores[n] = total
            if i == iterations or A[0, 0] <= 0:
                break
            scale = np.sqrt(np.maximum(np.diag(A), 1e-12))
            A = A / np.outer(scale, scale) + 0.003 * np.eye(6)
            step = -np.linalg.solve(A, b / scale) / scale
            size = max(np.sqrt((step[:3] ** 2).sum()) / 0.35, np.sqrt((step[3:] ** 2).sum()) / reach)
            step = step / max(size, 1.0)
            T[:3, :3] = turn(step[:3]) @ np.ascontiguousarray(T[:3, :3])
            T[:3, 3] += step[3:]
    return out, scores


def fit_poses(
    model: ToolModel, views: Sequence[ViewPictures], t: int, poses: Array, level: int, iterations: int
) -> tuple[Array, Array]:
    """Return poses (N, 4, 4) fitted to frame t at a level of the pyramid, without offsets, and their scores (N,)."""
    heights = max(v.pyramid[level].shape[1] for v in views)
    widths = max(v.pyramid[level].shape[2] for v in views)
    pictures = np.zeros((len(views), heights, widths, 4), np.float32)
    scenes, frees = pictures.copy(), pictures[..., 0].copy()
    for v, view in enumerate(views):
        h, w = view.free[level].shape[1:]
        pictures[v, :h, :w], scenes[v, :h, :w] = view.pyramid[level][t], view.pyramid[level][0]
        frees[v, :h, :w] = view.free[level][t]
    Ks = np.array([[v.K[0, 0], v.K[1, 1], v.K[0, 2], v.K[1, 2]] for v in views]) / 2.0**level
    out, scores = fit_many(
        np.ascontiguousarray(poses), iterations, np.ascontiguousarray([v.T_view_view1 for v in views]), Ks,
        pictures, scenes, frees, np.array([v.change_scale for v in views]),
        model.vertices, model.faces, model.colour, model.uv, model.textured_face, model.mips, model.mip_shape,
        model.group, model.used, model.groups, model.plain, CHANNEL_WEIGHT, SCORE_SIGMA**2, 0.4 * model.radius,
    )  # fmt: skip
    return np.asarray(out), np.asarray(scores)
