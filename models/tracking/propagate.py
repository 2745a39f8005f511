"""From the frame where the tool was found to all others: follow it, look for it again where it is lost."""

from dataclasses import dataclass, replace

import numpy as np

from hardware.geometry import Array, inverse, rotation_angle
from models.tracking.fit import Estimate, Fitter
from models.tracking.initialise import places, rotation_grid, search
from models.tracking.quality import Agreement, judge, strength

COARSE, FINE = ((2, 3),), ((1, 4), (0, 5))
DRIFT_SIGMA = 4.0  # [px] change of the views' disagreement from one frame to the next (published dreams: 2)
NEAR_ROTATION = 0.9  # [rad] how far a tool may turn from one frame to the next when it is looked for again


@dataclass(frozen=True, eq=False)
class Found:
    """The tool in one frame, how the pictures agree, and their verdict in one number (quality.strength)."""

    estimate: Estimate
    agreement: Agreement
    strength: float


def settle(fitter: Fitter, t: int, start: Estimate, offset: Array | None = None) -> Found:
    """Fit frame t from a start near the truth at full resolution, and judge it."""
    sigma = {} if offset is None else {"offset_sigma": DRIFT_SIGMA}
    estimate = fitter.refine(t, start, FINE, offset, **sigma)
    agreement = judge(fitter, t, estimate)
    return Found(estimate, agreement, strength(agreement, fitter.model.plain))


def follow(fitter: Fitter, t: int, last: Found, before: Found | None, enough: float) -> Found:
    """Find the tool in frame t from the neighbouring frame, and the one behind it."""
    starts = [last.estimate]
    if before is not None:
        a, b = before.estimate.T, last.estimate.T
        T = b.copy()
        T[:3, :3] = b[:3, :3] @ a[:3, :3].T @ b[:3, :3]
        T[:3, 3] = 2 * b[:3, 3] - a[:3, 3]
        starts.append(replace(last.estimate, T=T))
    rough = [fitter.refine(t, start, COARSE) for start in starts]
    found = settle(fitter, t, max(rough, key=lambda e: e.score), last.estimate.offset)
    if found.strength >= enough:
        return found
    again = look_near(fitter, t, last)
    return again if again is not None and again.strength > found.strength else found


def look_near(fitter: Fitter, t: int, last: Found) -> Found | None:
    """Look for the tool in frame t wherever something new stands, turned not far from how it was last seen."""
    R = last.estimate.T[:3, :3]
    grid = rotation_grid()
    near = np.concatenate([R[None], grid[rotation_angle(grid, R) < NEAR_ROTATION]])
    hypotheses = search(fitter, t, places(fitter.model, fitter.views, t), near)
    return settle(fitter, t, hypotheses[0], last.estimate.offset) if hypotheses else None


def sweep(fitter: Fitter, track: list[Found | None], frames: range, enough: float, least: float) -> None:
    """Follow the tool through frames (one behind the other, the first one is known) and write it into track.

    The sweep goes on from the last frame where the tool was seen (strength over `least`).
    """
    last, before = track[frames[0]], None
    for t in frames[1:]:
        if last is None:
            return
        found = follow(fitter, t, last, before, enough)
        if found.strength >= least:
            track[t] = found
            before, last = (last, found)
        else:
            track[t], before = None, None


def revise(fitter: Fitter, track: list[Found | None], frames: range) -> None:
    """The pass the other way: start every frame from its neighbour on the other side, keep what is better."""
    for t in frames:
        neighbour, now = track[t + (1 if frames.step < 0 else -1)], track[t]
        if neighbour is None:
            continue
        start = fitter.refine(t, neighbour.estimate, (*COARSE, (1, 3)))
        if now is not None and _same(start, now.estimate):
            continue
        found = settle(fitter, t, start, neighbour.estimate.offset)
        if now is None or found.strength > now.strength:
            track[t] = found


def _same(a: Estimate, b: Estimate) -> bool:
    D = inverse(a.T) @ b.T
    return bool(np.linalg.norm(D[:3, 3]) < 0.004 and rotation_angle(D[:3, :3], np.eye(3)) < 0.03)
