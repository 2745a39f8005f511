"""The tool tracker without weights: known CAD, all calibrated views in one fit, nothing but the pictures."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.optimize import linear_sum_assignment

from hardware.geometry import Array, transform
from models.tracking.fit import Fitter
from models.tracking.initialise import places, rotation_grid, search
from models.tracking.model import prepare
from models.tracking.pictures import ViewPictures, look_all
from models.tracking.propagate import Found, revise, settle, sweep
from models.tracking.quality import view_confidence
from models.tracking.smooth import smooth
from models.types import Dream, Hint, PoseSource, ToolTrack, Track

ALARM_LEVEL = 0.5
"""Confidence under which a frame must be distrusted (ToolTrack.frame_confidence)."""

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]

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
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="tracker") as pool:
        run = _Run(dream, pool, progress, cancelled)
        tools = run.tracks()
    return Track(dream.name, tools, hints=tuple(hints), seconds=time.monotonic() - begin)


class _Run:
    """One tracking of one dream: two threads, one tool each at a time."""

    def __init__(
        self, dream: Dream, pool: ThreadPoolExecutor, progress: Progress | None, cancelled: IsCancelled | None
    ) -> None:
        self.dream, self.pool, self.progress, self.cancelled = dream, pool, progress, cancelled
        self.done, self.lock = 0.0, threading.Lock()
        self.check()
        self.views: list[ViewPictures] = look_all(dream, True, pool)
        self.fitters = {name: Fitter(prepare(tool), self.views, self.check) for name, tool in dream.tools.items()}

    def check(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("tracking was cancelled")

    def advance(self, share: float, text: str) -> None:
        with self.lock:
            self.done = min(self.done + share, 1.0)
            if self.progress is not None:
                self.progress(self.done, text)

    def tracks(self) -> Mapping[str, ToolTrack]:
        anchors = self.anchors()
        names = list(self.fitters)
        return dict(zip(names, self.pool.map(lambda n: self.one_tool(n, anchors.get(n)), names), strict=True))

    def anchors(self) -> dict[str, tuple[int, Found]]:
        """Return for each tool the frame where it is seen most surely, and how."""
        best: dict[str, tuple[int, Found]] = {}
        last = len(self.dream) - 1
        for t in dict.fromkeys(max(1, round(share * last)) for share in ANCHORS) if last > 0 else ():
            if all(name in best and best[name][1].strength > SURE for name in self.fitters):
                break
            for name, found in self.assign(t).items():
                if name not in best or found.strength > best[name][1].strength:
                    best[name] = (t, found)
            self.advance(0.3 / len(ANCHORS), f"looking for the tools in frame {t}")
        return {name: a for name, a in best.items() if a[1].strength >= LEAST}

    def assign(self, t: int) -> dict[str, Found]:
        """Look for all tools in frame t; each gets a place of its own so that together they explain most."""
        names = list(self.fitters)

        def candidates(name: str) -> list[Found]:
            fitter = self.fitters[name]
            spots = places(fitter.model, self.views, t)
            return [settle(fitter, t, e) for e in search(fitter, t, spots, rotation_grid())]

        found = list(self.pool.map(candidates, names))
        spots: list[Array] = []
        radius = min(f.model.radius for f in self.fitters.values())
        rows: list[dict[int, Found]] = []
        for each in found:
            row: dict[int, Found] = {}
            for f in each:
                p = f.estimate.T[:3, 3]
                at = next((i for i, s in enumerate(spots) if np.linalg.norm(s - p) < 0.7 * radius), len(spots))
                if at == len(spots):
                    spots.append(p)
                if at not in row or f.strength > row[at].strength:
                    row[at] = f
            rows.append(row)
        value = np.zeros((len(names), len(spots) + len(names)))
        for i, row in enumerate(rows):
            for at, f in row.items():
                value[i, at] = f.strength
        who, where = linear_sum_assignment(-value)
        return {names[i]: rows[i][j] for i, j in zip(who, where, strict=True) if j in rows[i]}

    def one_tool(self, name: str, anchor: tuple[int, Found] | None) -> ToolTrack:
        n = len(self.dream)
        found: list[Found | None] = [None] * n
        if anchor is not None:
            at, found[anchor[0]] = anchor[0], anchor[1]
            sweep(self.fitters[name], found, range(at, n), ENOUGH, LEAST)
            self.advance(0.2 / len(self.fitters), f"{name}: forward")
            sweep(self.fitters[name], found, range(at, 0, -1), ENOUGH, LEAST)
            self.advance(0.2 / len(self.fitters), f"{name}: backward")
            revise(self.fitters[name], found, range(n - 2, 0, -1), LEAST)
            revise(self.fitters[name], found, range(2, n), LEAST)
            self.advance(0.3 / len(self.fitters), f"{name}: both ways")
        return self.finish(name, found)

    def finish(self, name: str, found: list[Found | None]) -> ToolTrack:
        model, n, v = self.fitters[name].model, len(self.dream), len(self.views)
        poses, confidence = np.full((n, 4, 4), np.nan), np.zeros((n, v))
        disagreement = np.full(n, np.nan)
        source: list[PoseSource] = ["lost"] * n
        T_centre_tool = transform(np.eye(3), -model.centre)
        for span in _spans([f is not None for f in found]):
            kept = [f for f in found[span.start : span.stop] if f is not None]
            smoothed = smooth([f.estimate for f in kept], [t / self.dream.fps for t in span])
            for t, f, (T, offset) in zip(span, kept, smoothed, strict=True):
                poses[t], source[t] = T @ T_centre_tool, "tracked"
                confidence[t] = view_confidence(f.agreement, model.plain)
                disagreement[t] = offset[1] - offset[0] if v > 1 else np.nan
        return ToolTrack(name, poses, confidence, disagreement, tuple(source))


def _spans(flags: Sequence[bool]) -> list[range]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, int), [0]])))
    return [range(a, b) for a, b in edges.reshape(-1, 2)]
