"""The steps of a demo that takes several (push-shape): where each begins with a bare scene, and where it ends.

A step's clip begins at a picture without hand, tool or arm. Those pictures are found by what comes in over the
picture's edges: what is pushed about lies inside, whoever pushes reaches in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Image, require
from models.data.annotations import Mark
from models.data.demo import Demo

AUTOMATIC = "scene difference"
LOOK_HZ = 6.0
SHORTEST_S = 0.3  # shorter visits are a flicker, not a step
_WIDTH = 192  # of the pictures that are compared [px]
_BORDER = 6  # how deep at the edges [px]
_CHANGED = 26  # grey levels, largest channel; H.264 and lamps stay below
_REACHED = 0.02  # share of the border that somebody who reaches in covers


@dataclass(frozen=True)
class Step:
    """scene_s: the bare picture it begins at; end_s: its last picture; [s] since the demo's start."""

    scene_s: float
    end_s: float

    def __post_init__(self) -> None:
        require(self.scene_s < self.end_s, f"step: {self.scene_s:g} to {self.end_s:g} s; valid: rising")


@runtime_checkable
class HasSteps(Protocol):
    """A demo whose steps somebody marked."""

    @property
    def steps(self) -> tuple[Mark, ...]:
        """Where they begin [s since the demo's start]."""
        ...


def marked_steps(demo: Demo) -> tuple[Step, ...]:
    """Return the steps that are marked in a demo, each until the next one; none where nobody marked any."""
    marks = sorted(mark.t for mark in demo.steps) if isinstance(demo, HasSteps) else []
    ends = [*marks, demo.duration_s][1:]
    return tuple(Step(start, end) for start, end in zip(marks, ends, strict=False) if start < end)


def found_marks(times: Array, bare: NDArray[np.bool_]) -> tuple[Mark, ...]:
    """Return a mark at the last bare picture before each visit; times (N,) [s]; bare (N,): nobody reaches in.

    A demo that begins with somebody in the picture begins with that visit.
    """
    marks: list[Mark] = []
    for first, stop in _runs(~bare):
        if times[stop - 1] - times[first] >= SHORTEST_S:
            marks.append(Mark(max(0.0, float(times[max(first - 1, 0)])), f"step {len(marks) + 1}", AUTOMATIC))
    return tuple(marks)


def find_steps(demo: Demo, stream: str, scene: Image | None = None) -> tuple[Mark, ...]:
    """Look through a camera's pictures for steps; scene (H, W, 3): without anybody, None for the demo's first
    picture. Raises as `Demo.pictures`."""
    times = demo.times(stream)
    if not len(times):
        return ()
    every = max(1, round(len(times) / max(demo.duration_s, 1e-3) / LOOK_HZ))
    looked = np.arange(0, len(times), every)
    pictures = _small_pictures(demo, stream, looked)
    reference = _small(scene) if scene is not None else None
    bare = []
    for picture in pictures:
        reference = picture if reference is None else reference
        bare.append(is_bare(picture, reference))
    return found_marks(times[looked], np.array(bare))


def is_bare(picture: Image, scene: Image) -> bool:
    """Say whether nobody reaches into a picture over its edges; scene: the view without anybody; both small."""
    away = np.abs(picture.astype(np.int16) - scene).max(axis=-1) > _CHANGED
    border = np.ones(away.shape, bool)
    border[_BORDER:-_BORDER, _BORDER:-_BORDER] = False
    return bool(away[border].mean() < _REACHED)


def _small_pictures(demo: Demo, stream: str, looked: NDArray[np.int64]) -> Iterator[Image]:
    for first in range(0, len(looked), 30):
        yield from (_small(rgb) for rgb in demo.pictures(stream, looked[first : first + 30].tolist()))


def _small(rgb: Image) -> Image:
    height = max(2 * _BORDER + 1, round(rgb.shape[0] * _WIDTH / rgb.shape[1]))
    small = cv2.resize(rgb, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.uint8)


def _runs(flags: NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    """Return [first, stop) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
