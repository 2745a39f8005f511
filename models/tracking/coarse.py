"""Hundreds of rough fits in one compiled call: what the start of a track is chosen from."""

from collections.abc import Sequence

import numpy as np

from hardware.geometry import Array
from models.tracking.fit import CHANNEL_WEIGHT, SCORE_SIGMA
from models.tracking.kernels import fit_many
from models.tracking.model import ToolModel
from models.tracking.pictures import ViewPictures


def fit_poses(
    model: ToolModel, views: Sequence[ViewPictures], t: int, poses: Array, level: int, iterations: int
) -> tuple[Array, Array]:
    """Return poses (N, 4, 4) fitted to frame t at a pyramid level, without offsets, and their scores (N,)."""
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
