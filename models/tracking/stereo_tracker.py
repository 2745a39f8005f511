"""The tool tracker without weights: known CAD, all calibrated views in one fit, nothing but the pictures."""

import itertools
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from hardware.geometry import Array, transform
from models.tracking.boxes import boxes_of, check_hints, obey, settle_nothing
from models.tracking.fit import Fitter, start_at
from models.tracking.initialise import places, rotation_grid, search
from models.tracking.model import prepare
from models.tracking.pictures import ViewPictures, look_all
from models.tracking.placing import standing
from models.tracking.propagate import (
    Found,
    alike,
    half_turns,
    mend,
    merit,
    rejoin,
    revise,
    settle,
    sweep,
    vote,
)
from models.tracking.readout import Clip, merged, read_out
from models.types import Dream, Hint, ToolTrack, Track

ALARM_LEVEL = 0.5
"""Confidence under which a frame must be distrusted (ToolTrack.frame_confidence)."""

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]

RIVAL = 0.75  # another reading of the same frame is worth a vote from this share of the merit on
ANCHORS = (0.6, 0.9, 0.4, 0.75, 0.25)  # where in the clip the tool is looked for, in this order
SURE, ENOUGH, LEAST = 0.75, 0.65, 0.5  # strength: stop looking; no second look; under it the tool is not there


class Cancelled(Exception):
    """The caller's `cancelled` said True: no track was made."""


def track(
    dream: Dream,
    *,
    hints: Sequence[Hint] = (),
    previous: Track | None = None,
    progress: Progress | None = None,
    cancelled: IsCancelled | None = None,
) -> Track:
    """Return the motion of every tool of a dream, frame 0 being the scene without tools.

    hints are a person's boxes and hold hard. With `previous` (a track of the same dream) only the span that the
    hints not yet in previous.hints affect is tracked again. progress is told (fraction 0..1, what is done);
    cancelled is asked often, and Cancelled raised when it says True. Both are called from this thread or from
    worker threads that end before this function returns. ValueError: a hint names an unknown tool, view or frame.
    """
    begin = time.monotonic()
    check_hints(dream, hints)
    if previous is not None and (set(previous.tools) != set(dream.tools) or _length(previous) != len(dream)):
        raise ValueError(f"previous: it is a track of {previous.dream}, not of dream {dream.name}")
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="tracker") as pool:
        run = _Run(dream, pool, progress, cancelled)
        tools = run.tracks(hints) if previous is None else run.corrected(previous, hints)
    return Track(dream.name, tools, hints=tuple(hints), seconds=time.monotonic() - begin)


def sightings(dream: Dream, *, cancelled: IsCancelled | None = None) -> Mapping[str, tuple[float, ...]]:
    """Return by tool how surely it is found in each frame after the first: 0..1, under LEAST it is not there.

    Every frame stands by itself, so that the clip need not hang together, and costs a fraction of a track. Raises
    Cancelled.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="tracker") as pool:
        run = _Run(dream, pool, None, cancelled)
        found = [run.assign(t) for t in range(1, len(dream))]
    return {name: tuple(a[name].found.strength if name in a else 0.0 for a in found) for name in dream.tools}


@dataclass(frozen=True, eq=False)
class _Anchor:
    """A frame where the tool was found without a neighbour's help, and other readings of the same place."""

    t: int
    found: Found
    others: Sequence[Found] = ()


class _Run:
    """One tracking of one dream: two threads, one tool each at a time."""

    def __init__(
        self, dream: Dream, pool: ThreadPoolExecutor, progress: Progress | None, cancelled: IsCancelled | None
    ) -> None:
        self.dream, self.pool, self.progress, self.cancelled = dream, pool, progress, cancelled
        self.done, self.lock = 0.0, threading.Lock()
        self.check()
        self.views: list[ViewPictures] = look_all(dream, True, pool)
        self.fitters = {name: self.fitter(name) for name in dream.tools}

    def fitter(self, name: str) -> Fitter:
        model = prepare(self.dream.tools[name])
        return Fitter(model, self.views, self.check, standing(self.dream, name, model))

    def check(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("tracking was cancelled")

    def advance(self, share: float, text: str) -> None:
        with self.lock:
            self.done = min(self.done + share, 1.0)
            if self.progress is not None:
                self.progress(self.done, text)

    def tracks(self, hints: Sequence[Hint]) -> Mapping[str, ToolTrack]:
        """Track everything, starting where a person drew a box, else where a tool is seen most surely."""
        names = list(self.fitters)
        boxes = {name: boxes_of(self.dream, hints, name) for name in names}
        anchors = self.anchors()
        runs = dict(zip(names, self.pool.map(lambda n: self.one_tool(n, anchors.get(n)), names), strict=True))
        self.part(runs)
        done = {}
        for name in names:
            found, margin = runs[name]
            changed = self.obey_boxes(name, found, boxes[name], frozenset())
            done[name] = self.finish(name, found, margin if not changed else 1.0, set(boxes[name]))
        return done

    def corrected(self, previous: Track, hints: Sequence[Hint]) -> Mapping[str, ToolTrack]:
        """Track again only what the hints that are new affect; all else is taken over as it is."""
        new = [hint for hint in hints if hint not in previous.hints]
        done = dict(previous.tools)
        for name in {hint.tool for hint in new}:
            old = previous.tools[name]
            found = self.recall(name, old)
            held = frozenset(boxes_of(self.dream, [h for h in hints if h not in new], name))
            boxes = boxes_of(self.dream, new, name)
            changed = self.obey_boxes(name, found, boxes, held)
            fresh = self.finish(name, found, 1.0, set(boxes))
            done[name] = merged(old, fresh, changed)
            self.advance(1.0 / len(self.fitters), f"{name}: corrected")
        return done

    def recall(self, name: str, old: ToolTrack) -> list[Found | None]:
        """Return what an earlier track says, judged by the pictures."""
        fitter, n = self.fitters[name], len(self.views)
        T_tool_centre = transform(np.eye(3), fitter.model.centre)
        out: list[Found | None] = []
        for t, seen in enumerate(old.found):
            offset = np.zeros(n)
            if n > 1 and np.isfinite(old.stereo_disagreement_px[t]):
                offset[:2] = np.array([-0.5, 0.5]) * old.stereo_disagreement_px[t]
            e = start_at(old.T_view1_tool[t] @ T_tool_centre, n, offset) if seen else None
            out.append(settle_nothing(fitter, t, e) if e is not None else None)
        return out

    def obey_boxes(
        self, name: str, found: list[Found | None], boxes: Mapping[int, Mapping[int, Array]], held: frozenset[int]
    ) -> set[int]:
        """Put the tool where a person says, and follow it from there until it meets the track; return the frames
        that are new. Frames in `held` are another hint's."""
        fitter, changed = self.fitters[name], set(boxes)
        fixed = held | set(boxes)
        for t, frame_boxes in sorted(boxes.items()):
            near = [
                f.estimate for i in np.argsort(np.abs(np.arange(len(found)) - t)) if (f := found[i]) is not None
            ]
            found[t] = obey(fitter, t, frame_boxes, near[:2])
        for t in sorted(boxes):
            for way in (range(t, len(found)), range(t, 0, -1)):
                changed |= rejoin(fitter, found, way, fixed, ENOUGH, LEAST)
        return changed

    def anchors(self) -> dict[str, _Anchor]:
        """Return for each tool the frame where it is seen most surely, and how."""
        best: dict[str, _Anchor] = {}
        last = len(self.dream) - 1
        for t in dict.fromkeys(max(1, round(share * last)) for share in ANCHORS) if last > 0 else ():
            if all(name in best and best[name].found.strength > SURE for name in self.fitters):
                break
            for name, anchor in self.assign(t).items():
                if name not in best or anchor.found.strength > best[name].found.strength:
                    best[name] = anchor
            self.advance(0.3 / len(ANCHORS), f"looking for the tools in frame {t}")
        return {name: a for name, a in best.items() if a.found.strength >= LEAST}

    def assign(self, t: int) -> dict[str, _Anchor]:
        """Look for all tools in frame t; each gets a place of its own so that together they explain most."""
        names = list(self.fitters)

        def candidates(name: str) -> list[Found]:
            fitter = self.fitters[name]
            spots = places(fitter.model, self.views, t)
            found = [settle(fitter, t, e) for e in search(fitter, t, spots, rotation_grid())]
            return sorted(found, key=lambda f: -merit(f, fitter.model.plain))

        found = list(self.pool.map(candidates, names))
        spots: list[Array] = []
        radius = min(f.model.radius for f in self.fitters.values())
        rows: list[dict[int, list[Found]]] = []
        for each in found:
            row: dict[int, list[Found]] = {}
            for f in each:
                p = f.estimate.T[:3, 3]
                at = next((i for i, s in enumerate(spots) if np.linalg.norm(s - p) < 0.7 * radius), len(spots))
                if at == len(spots):
                    spots.append(p)
                row.setdefault(at, []).append(f)
            rows.append(row)
        value = np.zeros((len(names), len(spots) + len(names)))
        for i, row in enumerate(rows):
            for at, fs in row.items():
                value[i, at] = max(merit(fs[0], self.fitters[names[i]].model.plain), 0.0)
        who, where = linear_sum_assignment(-value)
        return {
            names[i]: _Anchor(t, rows[i][j][0], rows[i][j][1:])
            for i, j in zip(who, where, strict=True)
            if j in rows[i]
        }

    def one_tool(self, name: str, anchor: _Anchor | None) -> tuple[list[Found | None], float]:
        """Track one tool over the clip from its anchor; also return how clearly it is not turned another way."""
        found: list[Found | None] = [None] * len(self.dream)
        if anchor is None:
            return found, 0.0
        fitter = self.fitters[name]
        self.spread(name, found, anchor.t, anchor.found)
        self.advance(0.4 / len(self.fitters), f"{name}: forward and backward")
        others = [*anchor.others, *(half_turns(fitter, anchor.t, anchor.found) if fitter.model.plain else ())]
        others = [f for f in others if self.is_rival(fitter, anchor.found, f)]
        better, margin = vote(fitter, found, anchor.t, others)
        if better is not None:
            found = [None] * len(self.dream)
            self.spread(name, found, anchor.t, better)
        mend(fitter, found, ENOUGH, LEAST)
        self.advance(0.3 / len(self.fitters), f"{name}: other readings")
        return found, margin

    @staticmethod
    def is_rival(fitter: Fitter, now: Found, other: Found) -> bool:
        """Return whether another reading is nearly as good and more than the tool's own symmetry."""
        plain = fitter.model.plain
        good = merit(other, plain) > RIVAL * merit(now, plain)
        return good and not alike(fitter, other.estimate, now.estimate)

    def spread(self, name: str, found: list[Found | None], t: int, anchor: Found) -> None:
        """Follow the tool from frame t to both ends, then revise both ways."""
        n, fitter = len(found), self.fitters[name]
        found[t] = anchor
        sweep(fitter, found, range(t, n), ENOUGH, LEAST)
        sweep(fitter, found, range(t, 0, -1), ENOUGH, LEAST)
        revise(fitter, found, range(n - 2, 0, -1), LEAST, slide=True)
        revise(fitter, found, range(2, n), LEAST)

    def part(self, runs: Mapping[str, tuple[list[Found | None], float]]) -> None:
        """Where two tools were taken to be in one place, leave it to the surer one and look again for the other."""
        for a, b in itertools.combinations(runs, 2):
            lost: dict[str, list[int]] = {a: [], b: []}
            reach = 0.5 * min(self.fitters[a].model.radius, self.fitters[b].model.radius)
            for t, (p, q) in enumerate(zip(runs[a][0], runs[b][0], strict=True)):
                if p is None or q is None or np.linalg.norm(p.estimate.T[:3, 3] - q.estimate.T[:3, 3]) > reach:
                    continue
                loser, winner = (a, q) if p.strength < q.strength else (b, p)
                lost[loser].append(t)
                self.fitters[loser].taken.setdefault(t, []).append(winner.estimate.T[:3, 3])
            for name, frames in lost.items():
                self.again(name, runs[name][0], frames)

    def again(self, name: str, found: list[Found | None], frames: Sequence[int]) -> None:
        """Forget a tool in frames and follow it there once more."""
        for t in frames:
            found[t] = None
        for t in frames:
            if found[t - 1] is not None:
                sweep(self.fitters[name], found, range(t - 1, t + 1), ENOUGH, LEAST)
        for t in reversed(frames):
            if found[t] is None and t + 1 < len(found) and found[t + 1] is not None:
                sweep(self.fitters[name], found, range(t + 1, t - 1, -1), ENOUGH, LEAST)

    def finish(
        self, name: str, found: list[Found | None], margin: float, hinted: Collection[int] = ()
    ) -> ToolTrack:
        clip = Clip(self.dream.fps, len(self.views))
        return read_out(self.fitters[name], self.dream.tools[name], name, found, margin, clip, hinted)


def _length(track: Track) -> int:
    return len(next(iter(track.tools.values()))) if track.tools else 0
