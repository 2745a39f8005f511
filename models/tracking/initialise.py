"""Where is the tool? Places where something new stands, turned every way, rendered small, and scored."""

import itertools
from collections.abc import Sequence

import cv2
import numba as nb
import numpy as np

from hardware.geometry import Array, closest_points, inverse, ray_directions, rotation_from_vector, transform
from models.tracking.coarse import fit_poses
from models.tracking.fit import OFFSET_SIGMA, Estimate, Fitter
from models.tracking.model import ToolModel
from models.tracking.pictures import LEVELS, ViewPictures
from models.tracking.render import FAST, draw

DIRECTIONS, TURNS = 64, 14  # about 26 degrees apart: within the reach of the coarse fit
SEARCH_EXTENT = 16.0  # [px] size of the tool in the pictures of the search
PLACES = 5
SURVIVORS, FINALISTS = 400, 6
PLACES_REFINED = 3
DRIFT = 12.0  # [px] how far two views of a dream may disagree about a place


def rotation_grid() -> Array:
    """Return (N, 3, 3): viewing directions evenly over the sphere (Fibonacci), times turns about them."""
    i = np.arange(DIRECTIONS) + 0.5
    polar, around = np.arccos(1 - 2 * i / DIRECTIONS), np.pi * (1 + 5**0.5) * i
    tilt = rotation_from_vector(np.stack([-np.sin(around), np.cos(around), 0 * around], axis=-1) * polar[:, None])
    turn = rotation_from_vector(np.outer(np.arange(TURNS) * 2 * np.pi / TURNS, [0.0, 0.0, 1.0]))
    return np.asarray(tilt[:, None] @ turn[None]).reshape(-1, 3, 3)


@nb.njit(**FAST)
def _agreement(seen, bare, open_, rgb, cover, other, group, groups, plain, dx, dy, x0, y0):  # type: ignore[no-untyped-def]
    """Return how much better the tool explains the pictures than the bare scene, rendered crop moved by dx, dy.

    Squares of differences, with the best single gain (textured) or the best colour of each group (plain).
    """
    H, W = seen.shape[:2]
    before, own, tt, ti, n, new, hidden = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    sums = np.zeros((groups, 4))
    for y in range(cover.shape[0]):
        Y = y + y0 + dy
        if Y < 0 or Y >= H:
            continue
        for x in range(cover.shape[1]):
            X = x + x0 + dx
            a = cover[y, x]
            if X < 0 or X >= W:
                continue
            hidden += other[y, x] * (1 - seen[Y, X, 3] - 0.5 * seen[Y, X, 3] * open_[Y, X])
            if a < 0.3:
                continue
            w = a * open_[Y, X]
            n += w
            new += w * seen[Y, X, 3]
            for k in range(3):
                i, b, c = seen[Y, X, k], bare[Y, X, k], rgb[y, x, k]
                before += w * (i - b) * (i - b)
                own += w * i * i
                tt += w * c * c
                ti += w * c * i
                if plain:
                    sums[group[y, x], k] += w * i
            if plain:
                sums[group[y, x], 3] += w
    if n < 1:
        return 0.0
    if plain:
        after = own
        for g in range(groups):
            for k in range(3):
                after -= sums[g, k] * sums[g, k] / (sums[g, 3] + 0.1)
        # where the tool is, something must be new: half of it at least
        return before - after + 0.05 * (2 * new - n - hidden)
    gain = min(max((ti + 0.05 * tt) / (1.05 * tt + 1e-9), 0.4), 1.6)
    return before - (own - 2 * gain * ti + gain * gain * tt) - 0.05 * hidden


@nb.njit(**FAST)
def score_poses(  # type: ignore[no-untyped-def]
    T, vertices, faces, colour, uv, textured, mips, mip_shape, group, used, groups, plain,
    picture, scene, free, fx, fy, cx, cy, reach,
):  # fmt: skip
    """Return (N, 3): the best score of poses T (N, 4, 4), view <- centre, moved up to `reach` px; and the move."""
    out = np.zeros((T.shape[0], 3))
    H, W = picture.shape[:2]
    points = np.empty_like(vertices)
    for n in range(T.shape[0]):
        x0, y0, x1, y1 = 1e9, 1e9, -1e9, -1e9
        behind = False
        for i in range(vertices.shape[0]):
            for j in range(3):
                points[i, j] = (
                    T[n, j, 0] * vertices[i, 0] + T[n, j, 1] * vertices[i, 1] + T[n, j, 2] * vertices[i, 2]
                ) + T[n, j, 3]
            if points[i, 2] < 0.05:
                behind = True
                break
            u = fx * points[i, 0] / points[i, 2] + cx
            v = fy * points[i, 1] / points[i, 2] + cy
            x0, x1, y0, y1 = min(x0, u), max(x1, u), min(y0, v), max(y1, v)
        left, top = int(np.floor(x0)), int(np.floor(y0))
        w, h = int(x1) + 2 - left, int(y1) + 2 - top
        if behind or left > W or top > H or left + w < 0 or top + h < 0 or w > 2 * W or h > 2 * H:
            continue
        rgb, cover, other, _q, drawn_group = draw(
            points, faces, colour, uv, textured, mips, mip_shape, group, used,
            fx, fy, cx - left, cy - top, h, w, 2,
        )  # fmt: skip
        best, bx, by = -1e9, 0, 0
        for dy in range(-reach, reach + 1, 2):
            for dx in range(-reach, reach + 1, 2):
                s = _agreement(picture, scene, free, rgb, cover, other, drawn_group, groups, plain, dx, dy, left, top)
                if s > best:
                    best, bx, by = s, dx, dy
        mx, my = bx, by
        for dy in range(my - 1, my + 2):
            for dx in range(mx - 1, mx + 2):
                s = _agreement(picture, scene, free, rgb, cover, other, drawn_group, groups, plain, dx, dy, left, top)
                if s > best:
                    best, bx, by = s, dx, dy
        out[n, 0], out[n, 1], out[n, 2] = best, bx, by
    return out


def score(
    model: ToolModel, views: Sequence[ViewPictures], t: int, poses: Array, level: int, reach: int
) -> tuple[Array, Array]:
    """Return (N,) scores of poses (N, 4, 4), T_view1_centre, in frame t, and the poses moved to where they fit."""
    total, s = np.zeros(len(poses)), 2.0**level
    A, b = np.zeros((len(poses), 3, 3)), np.zeros((len(poses), 3))
    for view in views:
        K, T = view.K, view.T_view_view1 @ poses
        found = score_poses(
            T, model.vertices, model.faces, model.colour, model.uv, model.textured_face,
            model.mips, model.mip_shape, model.group, model.used, model.groups, model.plain,
            view.pyramid[level][t], view.pyramid[level][0], view.free[level][t],
            K[0, 0] / s, K[1, 1] / s, K[0, 2] / s, K[1, 2] / s, reach,
        )  # fmt: skip
        total += found[:, 0]
        p = T[:, :3, 3]
        J = np.zeros((len(poses), 2, 3))
        J[:, 0, 0], J[:, 1, 1] = K[0, 0] / s / p[:, 2], K[1, 1] / s / p[:, 2]
        J[:, 0, 2], J[:, 1, 2] = -J[:, 0, 0] * p[:, 0] / p[:, 2], -J[:, 1, 1] * p[:, 1] / p[:, 2]
        J = J @ view.T_view_view1[:3, :3]
        A += np.swapaxes(J, 1, 2) @ J
        b += np.einsum("nij,ni->nj", J, found[:, 1:])
    # one camera says nothing of depth: a weak wish to stay
    A += np.eye(3) * 1e-3 * np.trace(A, axis1=1, axis2=2)[:, None, None]
    moved = poses.copy()
    moved[:, :3, 3] += np.linalg.solve(A, b[..., None])[..., 0]
    return total, moved


def usual_depth(views: Sequence[ViewPictures]) -> float:
    """Return the depth [m] where the first two cameras' axes pass each other; 0.75 m with one camera."""
    if len(views) < 2:
        return 0.75
    T = inverse(views[1].T_view_view1)
    try:
        a, _ = closest_points(np.zeros(3), np.array([0, 0, 1.0]), T[:3, 3], T[:3, 2])
    except ValueError:
        return 0.75
    return float(a[2]) if 0.1 < a[2] < 5 else 0.75


def peaks(view: ViewPictures, t: int, radius_px: float) -> Array:
    """Return (N, 3): x, y [px] and strength of the places about as large as the tool where something new stands."""
    level = LEVELS - 2
    s = 2.0**level
    new = view.pyramid[level][t][..., 3] * view.free[level][t]
    sigma = max(0.4 * radius_px / s, 1.0)
    smooth = cv2.GaussianBlur(new, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    size = 2 * int(sigma) + 1
    high = (smooth >= cv2.dilate(smooth, np.ones((size, size), np.uint8))) & (smooth > 0.08)
    ys, xs = np.nonzero(high)
    order = np.argsort(-smooth[ys, xs])[:PLACES]
    return np.stack([xs[order] * s, ys[order] * s, smooth[ys, xs][order]], axis=-1)


def places(model: ToolModel, views: Sequence[ViewPictures], t: int) -> Array:
    """Return (N, 3) where the tool's centre may be in frame t [m, view 1]."""
    depth = usual_depth(views)
    f = views[0].K[0, 0]
    found = [peaks(view, t, f * model.radius / depth) for view in views]
    rays = []
    for view, peak in zip(views, found, strict=True):
        T = inverse(view.T_view_view1)
        rays.append((T[:3, 3], ray_directions(view.K, peak[:, :2]) @ T[:3, :3].T))
    points: list[tuple[float, Array]] = []
    for i, j in itertools.combinations(range(len(views)), 2):
        for a, b in itertools.product(range(len(found[i])), range(len(found[j]))):
            p, q = closest_points(rays[i][0], rays[i][1][a], rays[j][0], rays[j][1][b])
            gap = float(np.linalg.norm(p - q))
            ahead = (p - rays[i][0]) @ rays[i][1][a] > 0.1 and (q - rays[j][0]) @ rays[j][1][b] > 0.1
            if ahead and gap < 0.5 * model.radius + DRIFT * depth / f:
                points.append((float(found[i][a, 2] + found[j][b, 2]), (p + q) / 2))
    if not points:
        # seen by one camera only: along its ray, at depths that change its size by a fifth
        for (origin, directions), peak in zip(rays, found, strict=True):
            for d, strength in zip(directions, peak[:, 2], strict=True):
                points += [(float(strength), origin + d * depth * 1.2**k) for k in (-3, -2, -1, 0, 1, 2, 3)]
    points.sort(key=lambda x: -x[0])
    kept: list[Array] = []
    for _, p in points:
        if all(np.linalg.norm(p - o) > 0.3 * model.radius for o in kept):
            kept.append(p)
    return np.array(kept[: PLACES * (1 if len(views) > 1 else 7)]).reshape(-1, 3)


def search_level(model: ToolModel, views: Sequence[ViewPictures], depth: float) -> int:
    """Return the level at which the tool is about SEARCH_EXTENT large."""
    extent = 2 * model.radius * views[0].K[0, 0] / depth
    return int(np.clip(round(np.log2(max(extent / SEARCH_EXTENT, 1.0))), 1, LEVELS - 1))


def search(fitter: Fitter, t: int, centres: Array, rotations: Array) -> list[Estimate]:
    """Return the best poses, best first, and the best at each place, refined to half resolution, in frame t.

    centres (N, 3) [m] and rotations (M, 3, 3), all with all, view 1.
    """
    model, views = fitter.model, fitter.views
    if len(centres) == 0:
        return []
    level = search_level(model, views, float(np.median(centres[:, 2])))
    poses = transform(np.tile(rotations, (len(centres), 1, 1)), np.repeat(centres, len(rotations), axis=0))
    extent = 2 * model.radius * views[0].K[0, 0] / np.median(centres[:, 2]) / 2**level
    scores, poses = score(model, views, t, poses, level, max(2, round(0.3 * extent)))
    poses = poses[shortlist(scores, len(centres), SURVIVORS)]
    poses, _ = fit_poses(model, views, t, poses, level, 3)
    poses, scores = fit_poses(model, views, t, poses, max(level - 1, 1), 5)
    order = np.argsort(-scores)
    n, some = len(views), np.zeros((6 + len(views), 6 + len(views)))
    rough = [Estimate(poses[i], np.zeros(n), np.full(n, scores[i] / n), np.ones(n), some) for i in order]
    rough = distinct(rough, model)
    best_places = {id(e) for e in apart(rough, model)[:PLACES_REFINED]}
    rough = [e for i, e in enumerate(rough) if i < FINALISTS or id(e) in best_places]
    fine = [fitter.refine(t, e, [(max(level - 2, 1), 5, OFFSET_SIGMA)]) for e in rough]
    return distinct(fine, model)


def shortlist(scores: Array, places: int, count: int) -> Array:
    """Return indices of the best scores, half of them shared out evenly among the places (scores: place by place)."""
    chosen = set(np.argsort(-scores)[: count // 2].tolist())
    for place in np.arange(len(scores)).reshape(places, -1):
        chosen |= set(place[np.argsort(-scores[place])[: count // 2 // places]].tolist())
    return np.array(sorted(chosen))


def apart(estimates: list[Estimate], model: ToolModel) -> list[Estimate]:
    """Return the estimates, best first, without those at the place of a better one."""
    kept: list[Estimate] = []
    for e in sorted(estimates, key=lambda e: -e.score):
        if all(np.linalg.norm(e.T[:3, 3] - o.T[:3, 3]) > 0.7 * model.radius for o in kept):
            kept.append(e)
    return kept


def distinct(estimates: list[Estimate], model: ToolModel) -> list[Estimate]:
    """Return the estimates, best first, without those that say nearly the same as a better one."""
    kept: list[Estimate] = []
    for e in sorted(estimates, key=lambda e: -e.score):
        same = False
        for o in kept:
            near = np.linalg.norm(e.T[:3, 3] - o.T[:3, 3]) < 0.1 * model.radius
            same = same or (bool(near) and np.trace(e.T[:3, :3].T @ o.T[:3, :3]) > 1 + 2 * np.cos(0.15))
        if not same:
            kept.append(e)
    return kept
