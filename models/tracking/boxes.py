"""A person's boxes: where the tool is in one frame, by the person's word."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hardware.geometry import Array, closest_points, inverse, ray_directions
from models.tracking.fit import Estimate, Fitter, start_at
from models.tracking.initialise import rotation_grid, search, usual_depth
from models.tracking.propagate import Found, merit, settle
from models.types import Dream, Hint

FITS = 0.4  # IoU of the person's box and the tool's: boxes are drawn roughly, and around what is seen

Boxes = Mapping[int, Array]
"""By view number, a box (4,) x0, y0, x1, y1 [px]."""


def check_hints(dream: Dream, hints: Sequence[Hint]) -> None:
    """Raise ValueError where a hint names a tool, view or frame that the dream does not have."""
    views = [view.name for view in dream.views]
    for hint in hints:
        where = f"hint {hint.tool}/{hint.view}/t={hint.t}"
        if hint.tool not in dream.tools:
            raise ValueError(f"{where}: the dream's tools are {sorted(dream.tools)}")
        if hint.view not in views:
            raise ValueError(f"{where}: the dream's views are {views}")
        if hint.t >= len(dream):
            raise ValueError(f"{where}: the dream has frames 0..{len(dream) - 1}")


def boxes_of(dream: Dream, hints: Sequence[Hint], tool: str) -> dict[int, dict[int, Array]]:
    """Return by frame, then by view number, the boxes of one tool; a later hint replaces an earlier one."""
    views = [view.name for view in dream.views]
    out: dict[int, dict[int, Array]] = {}
    for hint in hints:
        if hint.tool == tool:
            out.setdefault(hint.t, {})[views.index(hint.view)] = np.array(hint.box, float)
    return out


def overlap(fitter: Fitter, e: Estimate, boxes: Boxes) -> float:
    """Return the worst IoU of the tool's boxes at an estimate and the person's, both cut at the picture's edge."""
    worst = 1.0
    for v, box in boxes.items():
        own = fitter.box(e.T, v, float(e.offset[v]))
        if own is None:
            return 0.0
        size = np.tile(np.array(fitter.views[v].size, float) - 1, 2)
        a, b = np.clip(own, 0, size), np.clip(box, 0, size)
        both = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0).prod()
        either = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both
        worst = min(worst, float(both / max(either, 1e-9)))
    return worst


def centres(fitter: Fitter, boxes: Boxes, near: Sequence[Estimate]) -> Array:
    """Return (N, 3) where the tool's centre may be [m, view 1], given the boxes and estimates at other frames."""
    rays = []
    for v, box in boxes.items():
        T = inverse(fitter.views[v].T_view_view1)
        direction = T[:3, :3] @ ray_directions(fitter.views[v].K, (box[:2] + box[2:]) / 2)
        rays.append((T[:3, 3], direction))
    if len(rays) > 1:
        p, q = closest_points(*rays[0], *rays[1])
        return np.array([(p + q) / 2])
    origin, direction = rays[0]
    depth = usual_depth(fitter.views)
    if near:
        depth = float(np.median([(e.T[:3, 3] - origin) @ direction for e in near]))
    return np.array([origin + direction * depth * 1.08**k for k in range(-4, 5)])


def obey(fitter: Fitter, t: int, boxes: Boxes, near: Sequence[Estimate]) -> Found:
    """Find the tool in frame t inside the person's boxes; what does not fit them is not considered.

    near: estimates of the same tool in other frames, for its depth and, where the pictures say nothing, its turn.
    """
    spots = centres(fitter, boxes, near)
    readings = [settle(fitter, t, e) for e in search(fitter, t, spots, rotation_grid())]
    for e in near:
        for spot in spots:
            T = e.T.copy()
            T[:3, 3] = spot
            readings.append(settle(fitter, t, fitter.refine(t, replace(e, T=T), [(2, 6, 1.0)])))
    plain = fitter.model.plain
    fits = [(merit(f, plain) * overlap(fitter, f.estimate, boxes), i) for i, f in enumerate(readings)]
    good = [x for x in fits if overlap(fitter, readings[x[1]].estimate, boxes) > FITS]
    if good:
        return readings[max(good)[1]]
    # the pictures contradict the person: the person is right, and the confidence says what the pictures say
    T = near[0].T.copy() if near else np.eye(4)
    T[:3, 3] = spots[len(spots) // 2]
    n = len(fitter.views)
    return settle_nothing(fitter, t, start_at(T, n, near[0].offset if near else None))


def settle_nothing(fitter: Fitter, t: int, e: Estimate) -> Found:
    """Judge frame t at an estimate as it is."""
    return settle(fitter, t, e, e.offset, stages=((0, 0, 1.0),))
