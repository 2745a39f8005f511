"""Where is the tool? Places where something new stands, turned every way, rendered small, and scored."""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, closest_points, inverse, ray_directions, rotation_from_vector, transform
from models.tracking.coarse import fit_poses
from models.tracking.fit import OFFSET_SIGMA, Estimate, Fitter
from models.tracking.kernels import score_poses
from models.tracking.model import ToolModel
from models.tracking.pictures import LEVELS, ViewPictures

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


def search(fitter: Fitter, t: int, centres: Array, rotations: Array, survivors: int = SURVIVORS) -> list[Estimate]:
    """Return the best poses, best first, and the best at each place, refined to half resolution, in frame t.

    centres (N, 3) [m] and rotations (M, 3, 3), all with all, view 1; survivors: how many are fitted.
    """
    model, views = fitter.model, fitter.views
    if len(centres) == 0:
        return []
    level = search_level(model, views, float(np.median(centres[:, 2])))
    poses = transform(np.tile(rotations, (len(centres), 1, 1)), np.repeat(centres, len(rotations), axis=0))
    extent = 2 * model.radius * views[0].K[0, 0] / np.median(centres[:, 2]) / 2**level
    scores, poses = score(model, views, t, poses, level, max(2, round(0.3 * extent)))
    poses = poses[shortlist(scores, len(centres), survivors)]
    # a finer step costs four times as much: only what is still ahead takes it (successive halving)
    poses, scores = fit_poses(model, views, t, poses, level, 3)
    poses = poses[ahead(scores * fitter.odds(poses), poses, centres, len(poses) // 2)]
    poses, scores = fit_poses(model, views, t, poses, max(level - 1, 1), 2)
    poses = poses[ahead(scores * fitter.odds(poses), poses, centres, survivors // 5)]
    poses, scores = fit_poses(model, views, t, poses, max(level - 1, 1), 3)
    scores = scores * fitter.odds(poses)
    order = np.argsort(-scores)
    n, some = len(views), np.zeros((6 + len(views), 6 + len(views)))
    rough = [Estimate(poses[i], np.zeros(n), np.full(n, scores[i] / n), np.ones(n), some) for i in order]
    rough = distinct(rough, model)
    best_places = {id(e) for e in apart(rough, model)[:PLACES_REFINED]}
    rough = [e for i, e in enumerate(rough) if i < FINALISTS or id(e) in best_places]
    fine = [fitter.refine(t, e, [(max(level - 2, 1), 5, OFFSET_SIGMA)]) for e in rough]
    return distinct(fine, model)


def shortlist(scores: Array, places: int, count: int) -> Array:
    """Return indices of the best scores, half of them shared out evenly among places (scores: place by place)."""
    chosen = set(np.argsort(-scores)[: count // 2].tolist())
    for place in np.arange(len(scores)).reshape(places, -1):
        chosen |= set(place[np.argsort(-scores[place])[: count // 2 // places]].tolist())
    return np.array(sorted(chosen))


def ahead(scores: Array, poses: Array, centres: Array, count: int) -> NDArray[np.int_]:
    """Return indices of the `count` best poses (N, 4, 4), half of them shared out among centres (M, 3)."""
    at = np.linalg.norm(poses[:, None, :3, 3] - centres[None], axis=-1).argmin(axis=1)
    order = np.argsort(-scores)
    chosen = set(order[: count // 2].tolist())
    for place in range(len(centres)):
        chosen |= set(order[at[order] == place][: max(count // 2 // len(centres), 1)].tolist())
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
