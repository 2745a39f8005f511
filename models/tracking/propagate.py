"""From the frame where the tool was found to all others: follow it, look for it again where it is lost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware.geometry import Array, interpolate, inverse, rotation_angle
from models.tracking.fit import HELD, OFFSET_SIGMA, Estimate, Fitter, Stage
from models.tracking.initialise import places, rotation_grid, search
from models.tracking.quality import Agreement, judge, strength, weakest

# While the pose is still coarse the offset is held, else it would slip by a period of the tool's pattern.
COARSE: tuple[Stage, ...] = ((2, 3, HELD),)
FINE: tuple[Stage, ...] = ((1, 5, 4.0), (0, 2, 4.0))
CAREFUL: tuple[Stage, ...] = ((2, 3, HELD), (1, 4, HELD), (1, 3, 1.0))
FIRST: tuple[Stage, ...] = ((1, 4, OFFSET_SIGMA), (0, 2, OFFSET_SIGMA))
VOTERS = 5
BETTER = 0.05  # a second look has to be this much stronger: a tool does not jump for nothing
MORE = 1.1
TIE = 0.97  # another reading that explains this share as much cannot be told from the one that was kept
SLIDE = 0.25  # of the tool's radius
WHOLE, MENDED = 0.95, 2  # an unbroken track may explain this little less; breaks looked at
NEAR_SURVIVORS = 60  # of about 40 orientations at up to 5 places
NEAR_ROTATION = 0.9  # [rad] how far a tool may turn from one frame to the next when it is looked for again


@dataclass(frozen=True, eq=False)
class Found:
    """The tool in one frame, how the pictures agree, their verdict in one number (quality.strength), and the share
    of it that table and arm leave (placing.odds); tie [m]: how far away another reading is about as good."""

    estimate: Estimate
    agreement: Agreement
    strength: float
    odds: float = 1.0
    tie: float = 0.0


def settle(
    fitter: Fitter, t: int, start: Estimate, offset: Array | None = None, stages: Sequence[Stage] | None = None
) -> Found:
    """Fit frame t from a start near the truth at full resolution, and judge it."""
    estimate = fitter.refine(t, start, stages or (FIRST if offset is None else FINE), offset)
    agreement = judge(fitter, t, estimate)
    odds = float(fitter.odds(estimate.T))
    return Found(estimate, agreement, strength(agreement, fitter.model.plain), odds)


def follow(fitter: Fitter, t: int, last: Found, before: Found | None, enough: float) -> Found:
    """Find the tool in frame t from the neighbouring frame, and the one behind it."""
    starts = [last.estimate]
    if before is not None:
        a, b = before.estimate.T, last.estimate.T
        T = b.copy()
        T[:3, :3] = b[:3, :3] @ a[:3, :3].T @ b[:3, :3]
        T[:3, 3] = 2 * b[:3, 3] - a[:3, 3]
        starts.append(replace(last.estimate, T=T))
    rough = [fitter.refine(t, start, COARSE, start.offset) for start in starts]
    found = settle(fitter, t, max(rough, key=lambda e: e.score), last.estimate.offset)
    if weakest(found.agreement, fitter.model.plain) >= enough:
        return found
    # one view may have slipped by a period of the pattern: once more, with the offset held longer
    for start in () if fitter.model.plain else rough:
        other = settle(fitter, t, fitter.refine(t, start, CAREFUL, last.estimate.offset), last.estimate.offset)
        if other.strength > found.strength + BETTER:
            found = other
    if found.strength >= enough:
        return found
    again = look_near(fitter, t, last)
    if again is None or again.strength <= found.strength + BETTER:
        return found
    plain = fitter.model.plain
    # shape alone offers many turned readings nearly as strong: a plain tool must also explain more
    return found if plain and merit(again, plain) < MORE * merit(found, plain) else again


def look_near(fitter: Fitter, t: int, last: Found) -> Found | None:
    """Look for the tool in frame t wherever something new stands, turned not far from how it was last seen."""
    R = last.estimate.T[:3, :3]
    grid = rotation_grid()
    near = np.concatenate([R[None], grid[rotation_angle(grid, R) < NEAR_ROTATION]])
    spots = [p for p in places(fitter.model, fitter.views, t) if not fitter.is_taken(t, p)]
    hypotheses = search(fitter, t, np.array(spots).reshape(-1, 3), near, NEAR_SURVIVORS)
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
        if found.strength >= least and not fitter.is_taken(t, found.estimate.T[:3, 3]):
            track[t] = found
            before, last = (last, found)
        else:
            track[t], before = None, None


def rejoin(
    fitter: Fitter, track: list[Found | None], frames: range, fixed: Collection[int], enough: float, least: float
) -> set[int]:
    """Follow the tool from the first of frames until the track agrees, knows better, or is a person's word.

    Returns the frames that changed.
    """
    last, before, changed = track[frames[0]], None, set()
    plain = fitter.model.plain
    for t in frames[1:]:
        old = track[t]
        if t in fixed or last is None:
            break
        found = follow(fitter, t, last, before, enough)
        if old is not None and (
            _same(found.estimate, old.estimate) or merit(old, plain) > 1.05 * merit(found, plain)
        ):
            break
        if found.strength < least:
            if old is not None and old.strength < least:
                track[t] = None
                changed.add(t)
            break
        track[t] = found
        changed.add(t)
        before, last = last, found
    return changed


def revise(fitter: Fitter, track: list[Found | None], frames: range, least: float, slide: bool = False) -> None:
    """The pass the other way: start every frame from its neighbours, keep what is better, note what is as good.

    slide: also from places along the tool's own axis, where motion blur leaves plain tools off the mark.
    """
    plain = fitter.model.plain
    for t in frames:
        now = track[t]
        behind, ahead = (track[t + d] if 0 <= t + d < len(track) else None for d in (-frames.step, frames.step))
        starts = [e.estimate for e in (behind,) if e is not None]
        if behind is not None and ahead is not None:
            starts.append(_between(behind.estimate, ahead.estimate))
        if slide and plain and now is not None:
            starts += slid(fitter, now.estimate)
        for first in starts:
            start = fitter.refine(t, first, (*COARSE, (1, 3, 1.0)), first.offset)
            if now is not None and _same(start, now.estimate):
                continue
            found = settle(fitter, t, start, first.offset)
            if fitter.is_taken(t, found.estimate.T[:3, 3]):
                continue
            if found.strength > least and (now is None or merit(found, plain) > merit(now, plain)):
                now, found = found, now
            if now is not None and found is not None and plain and merit(found, plain) > TIE * merit(now, plain):
                now = replace(now, tie=max(now.tie, apart(fitter, now.estimate, found.estimate)))
            track[t] = now


def mend(fitter: Fitter, track: list[Found | None], enough: float, least: float) -> None:
    """Where the tool turns as no hand turns it, carry either side's reading over the other, if that explains nearly
    as much; else the break stays and lowers the confidence."""
    plain = fitter.model.plain

    def total(one: Sequence[Found | None]) -> float:
        return sum(merit(f, plain) for f in one if f is not None)

    for i in breaks(fitter, track)[:MENDED]:
        options = []
        for way in (range(i - 1, len(track)), range(i, 0, -1)):
            other = list(track)
            sweep(fitter, other, way, enough, least)
            if len(breaks(fitter, other)) < len(breaks(fitter, track)):
                options.append(other)
        best = max(options, key=total, default=track)
        if total(best) > WHOLE * total(track):
            track[:] = best


def breaks(fitter: Fitter, track: Sequence[Found | None]) -> list[int]:
    """Return the frames to which the tool turned from the one before as no hand turns it."""
    out = []
    for i in range(1, len(track)):
        a, b = track[i - 1], track[i]
        if a is not None and b is not None:
            turns = (b.estimate.T[:3, :3] @ S for S in (np.eye(3), *fitter.model.symmetry))
            if min(float(rotation_angle(a.estimate.T[:3, :3], R)) for R in turns) > NEAR_ROTATION:
                out.append(i)
    return out


def slid(fitter: Fitter, e: Estimate) -> list[Estimate]:
    """Return starts moved both ways along the tool's long axis, the way an outline says least about."""
    axis = np.linalg.svd(fitter.corners - fitter.corners.mean(axis=0), full_matrices=False)[2][0]
    step = SLIDE * fitter.model.radius * (e.T[:3, :3] @ axis)
    out = []
    for sign in (-1, 1):
        T = e.T.copy()
        T[:3, 3] += sign * step
        out.append(replace(e, T=T))
    return out


def apart(fitter: Fitter, a: Estimate, b: Estimate) -> float:
    """Return how far two poses put the tool's corners from each other, mean [m], by its nearest symmetry."""
    p = fitter.corners @ a.T[:3, :3].T + a.T[:3, 3]
    turns = (np.eye(3), *fitter.model.symmetry)
    q = [fitter.corners @ (b.T[:3, :3] @ S).T + b.T[:3, 3] for S in turns]
    return min(float(np.linalg.norm(p - x, axis=1).mean()) for x in q)


def merit(f: Found, plain: bool) -> float:
    """Return what readings of the same frame are compared by: what is explained, in the right pattern."""
    return f.estimate.score * f.odds * (1.0 if plain else f.strength)


def half_turns(fitter: Fitter, t: int, now: Found) -> list[Found]:
    """Return frame t read with the tool turned half round about its main axes, as plain tools are mistaken."""
    corners = fitter.corners - fitter.corners.mean(axis=0)
    axes = np.linalg.svd(corners, full_matrices=False)[2]
    out = []
    for axis in axes:
        T = now.estimate.T.copy()
        T[:3, :3] = T[:3, :3] @ (2 * np.outer(axis, axis) - np.eye(3))
        start = fitter.refine(t, replace(now.estimate, T=T), [(2, 5, HELD)], now.estimate.offset)
        out.append(settle(fitter, t, start, now.estimate.offset))
    return out


def vote(
    fitter: Fitter, track: Sequence[Found | None], t: int, others: Sequence[Found]
) -> tuple[Found | None, float]:
    """Hold other readings of frame t against the track, in frames all over the clip.

    Returns the reading that is better than the track (None: none is) and by which share the best one of all is
    better than the next one, 1 where there is no other.
    """
    now = track[t]
    frames = [i for i, f in enumerate(track) if f is not None]
    if now is None or not others or not frames:
        return None, 1.0
    chosen = [frames[i] for i in sorted({round(x) for x in np.linspace(0, len(frames) - 1, VOTERS)})]
    plain = fitter.model.plain
    leads = []
    for other in others:
        Q = inverse(now.estimate.T) @ other.estimate.T
        total, own = 0.0, 0.0
        for i in chosen:
            f = track[i]
            assert f is not None
            start = replace(f.estimate, T=f.estimate.T @ Q)
            turned = settle(fitter, i, start, f.estimate.offset)
            # what comes back to the track itself is no other reading of this picture
            if not alike(fitter, turned.estimate, f.estimate):
                total, own = total + merit(turned, plain), own + merit(f, plain)
        leads.append(total / own if own > 0 else 0.0)
    best = int(np.argmax(leads))
    if leads[best] <= 1.0:
        return None, 1.0 - max(leads[best], 0.0)
    rest = max([1.0, *(lead for i, lead in enumerate(leads) if i != best)])
    return others[best], 1.0 - rest / leads[best]


def _between(a: Estimate, b: Estimate) -> Estimate:
    return replace(a, T=interpolate(a.T, b.T, 0.5), offset=(a.offset + b.offset) / 2)


def alike(fitter: Fitter, a: Estimate, b: Estimate) -> bool:
    """Return whether two poses are one reading of a picture: a little off, not turned another way."""
    angle = min(float(rotation_angle(a.T[:3, :3], b.T[:3, :3] @ S)) for S in (np.eye(3), *fitter.model.symmetry))
    return bool(angle < 0.4 and np.linalg.norm(a.T[:3, 3] - b.T[:3, 3]) < 0.3 * fitter.model.radius)


def _same(a: Estimate, b: Estimate) -> bool:
    """Return whether two poses lie within 4 mm, 0.03 rad and 1.5 px of each other."""
    D = inverse(a.T) @ b.T
    return bool(
        np.linalg.norm(D[:3, 3]) < 0.004
        and np.abs(a.offset - b.offset).max() < 1.5
        and rotation_angle(D[:3, :3], np.eye(3)) < 0.03
    )
