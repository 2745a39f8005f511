"""Demos as clips and windows: map-style (`len`, `[i]`), numpy only, so that any loader can read them.

clips = StereoClips(demos, stereo_clip("rotation"), FittedPictures(FrameCache(folder, 50 * 2**30)))
clips[0].frames                     # (25, 448, 768, 3) uint8
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Camera, Image, require
from models.data.clips import MultiViewWindow, StereoClip, nearest
from models.data.clips_actions import ActionRange, actions, controls
from models.data.clips_pictures import Fit, FittedPictures, blend, fit_middle, fit_width
from models.data.demo import Demo
from models.data.steps import Step

Goals = Callable[[Demo], Mapping[str, Image]]
"""The goal of a demo by camera: masks (H, W) uint8, 0 or 255, as large as its pictures; empty: none is known."""
Steps = Callable[[Demo], Sequence[Step]]
"""The steps that somebody marked in a demo; empty: it is one step as a whole."""


@dataclass(frozen=True, eq=False)
class StereoSample:
    """A clip of V views. frames (N, H, W, 3) uint8, as in the recipe's layout; conditioning (V, H, W, 3) each view
    at t0, the goal painted in; cameras (V) as the frames show them, None where one is not calibrated; times (N,)
    since the demo's start at which the frames were taken [s]; fps: the clip's rate."""

    demo: str
    frames: NDArray[np.uint8]
    conditioning: NDArray[np.uint8]
    text: str
    cameras: tuple[Camera | None, ...]
    times: Array
    fps: float


@dataclass(frozen=True, eq=False)
class WindowSample:
    """A window. frames (1 + cameras * pictures, H, W, 3) uint8; times (...,) [s] of the frames; actions (steps, k)
    in their own units, None for a recipe without; own (steps,): False where an action lies beyond the demo's end;
    start: the control step."""

    demo: str
    start: int
    frames: NDArray[np.uint8]
    text: str
    times: Array
    actions: Array | None
    own: NDArray[np.bool_] | None


class StereoClips:
    """The clips of demos, one for each step."""

    def __init__(
        self,
        demos: Sequence[Demo],
        recipe: StereoClip,
        pictures: FittedPictures | None = None,
        *,
        goals: Goals | None = None,
        steps: Steps | None = None,
    ) -> None:
        """Raises ValueError where a demo lacks a view, or its pictures do not fit the recipe's size."""
        self.recipe, self._demos = recipe, tuple(demos)
        self._pictures, self._goals = pictures or FittedPictures(), goals
        self._views = [_views(demo, recipe) for demo in self._demos]
        self._fits = [
            [_fit(d, v, recipe) for v in views] for d, views in zip(self._demos, self._views, strict=True)
        ]
        marked = [tuple(steps(demo)) if steps else () for demo in self._demos]
        self._cameras: dict[tuple[str, str], Camera | None] = {}
        self._items = [(i, step) for i, found in enumerate(marked) for step in (found or (None,))]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> StereoSample:
        which, step = self._items[index]
        demo, views, fits, recipe = self._demos[which], self._views[which], self._fits[which], self.recipe
        taken_before = [self._pictures.scene(demo, view, fit) for view, fit in zip(views, fits, strict=True)]
        scene_s, end_s, photos = _piece(demo, views[0], taken_before, step)
        asked, length = recipe.asked(scene_s, end_s), recipe.length
        # a block for each view; later views at t0 are conditioning only and stand last in theirs
        shown = np.empty((len(views) * length, recipe.size[1], recipe.size[0], 3), np.uint8)
        times = np.empty(len(shown))
        for rows, view, fit, photo in zip(_rows(len(views), length), views, fits, photos, strict=True):
            if photo is not None:
                shown[rows[0]], times[rows[0]] = photo, scene_s
                rows = rows[1:]
            taken = demo.times(view)
            at = nearest(taken, asked[-len(rows) :])
            order = np.argsort(rows)
            self._pictures.fill(demo, view, fit, at[order].tolist(), shown[rows.min() : rows.max() + 1])
            times[rows] = taken[at]
        self._paint(demo, views, fits, shown)
        return StereoSample(
            demo.id,
            _clip(shown, length),
            shown[[rows[0] for rows in _rows(len(views), length)]],
            demo.labels.instruction or demo.labels.task,
            tuple(self._camera(demo, view, fit) for view, fit in zip(views, fits, strict=True)),
            _clip(times, length),
            recipe.shown_fps(scene_s, end_s),
        )

    def _camera(self, demo: Demo, view: str, fit: Fit) -> Camera | None:
        key = (demo.id, view)
        if key not in self._cameras:
            camera = demo.camera(view)
            self._cameras[key] = fit.camera(camera) if camera is not None else None
        return self._cameras[key]

    def _paint(self, demo: Demo, views: Sequence[str], fits: Sequence[Fit], shown: NDArray[np.uint8]) -> None:
        """Paint the goal into the pictures (V * length, H, W, 3), a block for each view."""
        how = self.recipe.goal
        if how is None or self._goals is None:
            return
        goals = self._goals(demo)
        for view, fit, own in zip(views, fits, _rows(len(views), self.recipe.length), strict=True):
            if view in goals:
                width, height = fit.source
                fits_picture = goals[view].shape == (height, width)
                require(fits_picture, f"{demo.id}: {view}: its goal is {goals[view].shape}; valid: {height, width}")
                goal = fit.picture(goals[view]).astype(float) / 255
                for k in own if how.frames == "all" else own[:1]:
                    shown[k] = blend(shown[k], goal, how)


class MultiViewWindows:
    """The windows of demos, one for each control step at which one can start."""

    def __init__(
        self, demos: Sequence[Demo], recipe: MultiViewWindow, pictures: FittedPictures | None = None
    ) -> None:
        """Raises ValueError, KeyError where a demo lacks a stream; demos too short for a window give none."""
        self.recipe, self._demos = recipe, tuple(demos)
        self._pictures = pictures or FittedPictures()
        for demo in self._demos:
            missing = [c for c in recipe.cameras if c not in demo.streams or demo.streams[c].size is None]
            there = [s.name for s in demo.streams.values() if s.kind == "camera"]
            require(not missing, f"{demo.id}: no camera {missing}; valid: {there}; name them in the recipe")
        self._motion = [controls(demo, recipe.cameras, recipe.rate_hz, recipe.actions) for demo in self._demos]
        self._starts = [recipe.starts(motion.usable) for motion in self._motion]
        self._ends = list(accumulate(len(starts) for starts in self._starts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> WindowSample:
        which, k = _place(self._ends, index)
        demo, recipe, motion = self._demos[which], self.recipe, self._motion[which]
        start = int(self._starts[which][k])
        step = np.minimum(start + recipe.stride * np.arange(recipe.pictures), len(motion.t) - 1)
        frames = np.empty((len(recipe.layout), recipe.size[1], recipe.size[0], 3), np.uint8)
        times = np.empty(len(frames))
        for c, camera in enumerate(recipe.cameras):
            taken = demo.times(camera)
            at = nearest(taken, motion.t[step])
            fit = fit_middle(_size(demo, camera), recipe.size, recipe.fitting)
            own = slice(1 + c * recipe.pictures, 1 + (c + 1) * recipe.pictures)
            self._pictures.fill(demo, camera, fit, at.tolist(), frames[own])
            times[own] = taken[at]
        frames[0], times[0] = frames[1] if recipe.pad == "current" else 0, times[1]
        found = actions(recipe.actions, motion, start) if recipe.actions else (None, None)
        return WindowSample(demo.id, start, frames, demo.labels.instruction or demo.labels.task, times, *found)

    def action_range(self) -> ActionRange:
        """Return what normalises the actions of these windows, those past a demo's end too: they are learned.

        Raises ValueError for a recipe without actions.
        """
        recipe = self.recipe.actions
        if recipe is None:
            raise ValueError("range: the recipe has no actions")
        names = recipe.names or self._given_names(recipe.given)

        def rows(which: int) -> list[Array]:
            return [actions(recipe, self._motion[which], int(start))[0] for start in self._starts[which]]

        return ActionRange.over(names, (row for which in range(len(self._demos)) for row in rows(which)))

    def _given_names(self, stream: str) -> tuple[str, ...]:
        streams = [s for demo in self._demos for s in demo.streams.values()]
        return next((s.columns for s in streams if s.kind == "action" and stream in ("", s.name)), ())


class Mixed:
    """Several sets of clips under one numbering; `lengths` is what an `EpochSampler` wants."""

    def __init__(self, parts: Sequence[StereoClips | MultiViewWindows]) -> None:
        self._parts = tuple(parts)
        self._ends = list(accumulate(self.lengths))

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(len(part) for part in self._parts)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> StereoSample | WindowSample:
        which, k = _place(self._ends, index)
        return self._parts[which][k]


def _place(ends: Sequence[int], index: int) -> tuple[int, int]:
    """Return the part, and the place in it, of a number that counts through all parts."""
    count = ends[-1] if ends else 0
    if not -count <= index < count:
        raise IndexError(f"clip {index}; valid: 0 to {count - 1}")
    index %= count
    which = bisect_right(ends, index)
    return which, index - (ends[which - 1] if which else 0)


def _views(demo: Demo, recipe: StereoClip) -> tuple[str, ...]:
    there = [s.name for s in demo.streams.values() if s.kind == "camera"]
    wanted = recipe.views or tuple(there[: recipe.cameras])
    fits = len(wanted) == recipe.cameras and all(view in there and len(demo.times(view)) > 0 for view in wanted)
    require(fits, f"{demo.id}: views {wanted}; valid: {recipe.cameras} of its cameras with pictures ({there})")
    return wanted


def _rows(views: int, length: int) -> list[NDArray[np.int64]]:
    """Return where the pictures (length,) of each view lie among (views * length,), that at t0 first."""
    blocks = np.arange(views * length).reshape(views, length)
    return [blocks[0], *(np.roll(block, 1) for block in blocks[1:])]


def _clip(rows: NDArray[Any], length: int) -> NDArray[Any]:
    """Return (V * length, ...) without later views at t0; of two views without a copy."""
    if len(rows) <= 2 * length:
        return rows[: 2 * length - 1]
    return np.delete(rows, np.arange(2 * length - 1, len(rows), length), axis=0)


def _size(demo: Demo, camera: str) -> tuple[int, int]:
    size = demo.streams[camera].size
    if size is None:
        raise ValueError(f"{demo.id}: {camera}: it does not say how large its pictures are")
    return size


def _fit(demo: Demo, view: str, recipe: StereoClip) -> Fit:
    try:
        return fit_width(_size(demo, view), recipe.size, recipe.zoom)
    except ValueError as error:
        raise ValueError(f"{demo.id}: {view}: {error}") from error


def _piece(
    demo: Demo, view: str, photos: Sequence[Image | None], step: Step | None
) -> tuple[float, float, Sequence[Image | None]]:
    """Return scene time, end [s], and the photos of all views where they are the clip's scene, else none."""
    first, last = float(demo.times(view)[0]), float(demo.times(view)[-1])
    whole = all(photo is not None for photo in photos)
    if step is not None and not (whole and step.scene_s <= first):
        return step.scene_s, step.end_s, [None] * len(photos)
    rate = demo.streams[view].rate_hz
    # the photo was the picture before the first
    scene_s = first - 1 / rate if whole and rate > 0 else first
    return scene_s, last if step is None else step.end_s, photos if whole else [None] * len(photos)
