"""Where an object lies in a picture: found by program, corrected with a brush, kept as data beside the episode.

    EPISODE/masks.json    {"format": 1, "masks": [{"camera", "t", "by", "size", "runs", "strokes", "position"}, ..]}

A mask is run lengths, row by row, zeros first. Strokes are never painted into it: they are drawn again over it, so
that each can be undone, after a restart too; `position` says how many of them count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.types import Image, require
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.text_files import read_table, to_json

MASKS = "masks.json"
FORMAT = 1
MAX_SIDE, MAX_STROKES, MAX_POINTS, MAX_MASKS = 8192, 10_000, 10_000, 1000


@dataclass(frozen=True)
class Stroke:
    """A brush drawn over a mask. add: it paints, else it erases; radius [px]; points: (x, y) [px] on its way."""

    add: bool
    radius: float
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        require(0 < self.radius <= MAX_SIDE, f"stroke: radius {self.radius:g} px; valid: over 0")
        require(0 < len(self.points) <= MAX_POINTS, f"stroke: {len(self.points)} points; valid: 1 to {MAX_POINTS}")


@dataclass(frozen=True)
class ObjectMask:
    """Where the object lies in a camera's picture at t [s since the episode's start].

    size (width, height) [px]; runs: what was found, before any stroke; by: what found it; position: how many of the
    strokes count, the rest can be redone.
    """

    camera: str
    t: float
    size: tuple[int, int]
    runs: tuple[int, ...]
    by: str = "person"
    strokes: tuple[Stroke, ...] = ()
    position: int = 0

    def __post_init__(self) -> None:
        width, height = self.size
        require(0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE, f"mask {self.camera}: size {self.size}")
        fits = all(run >= 0 for run in self.runs) and sum(self.runs) == width * height
        require(
            fits, f"mask {self.camera}: runs of {sum(self.runs)} pixels; valid: {width * height}, none negative"
        )
        count = len(self.strokes)
        require(0 <= self.position <= count, f"mask {self.camera}: position {self.position}; valid: 0 to {count}")

    @property
    def picture(self) -> Image:
        """The mask with its strokes (H, W) uint8, 0 or 255."""
        mask = picture_of(self.runs, self.size)
        for stroke in self.strokes[: self.position]:
            _draw(mask, stroke)
        return mask

    def brushed(self, stroke: Stroke) -> "ObjectMask":
        """Return it with one more stroke; those that were undone are gone."""
        strokes = (*self.strokes[: self.position], stroke)
        require(len(strokes) <= MAX_STROKES, f"mask {self.camera}: over {MAX_STROKES} strokes")
        return replace(self, strokes=strokes, position=len(strokes))

    def undone(self) -> "ObjectMask":
        """Return it without its last stroke; the same where there is none."""
        return replace(self, position=max(0, self.position - 1))

    def redone(self) -> "ObjectMask":
        return replace(self, position=min(len(self.strokes), self.position + 1))


def mask_of(camera: str, t: float, mask: NDArray[np.bool_], by: str) -> ObjectMask:
    """Return a mask (H, W) as it is kept."""
    return ObjectMask(camera, t, (mask.shape[1], mask.shape[0]), runs_of(mask), by)


def runs_of(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return a mask (H, W) as run lengths, row by row, zeros first."""
    flat = np.concatenate([[False], mask.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    ends = np.concatenate([[0], edges, [mask.size]])
    runs = np.diff(ends)
    return tuple(runs[:-1].tolist() if len(runs) > 1 and runs[-1] == 0 else runs.tolist())


def picture_of(runs: Sequence[int], size: tuple[int, int]) -> Image:
    """Return run lengths as a picture (H, W), 0 or 255."""
    values = np.zeros(len(runs), np.uint8)
    values[1::2] = 255
    return np.repeat(values, runs).reshape(size[1], size[0])


def final_masks(masks: Sequence[ObjectMask]) -> Mapping[str, Image]:
    """Return by camera where the object lay last: the goal of every step's clip."""
    last: dict[str, ObjectMask] = {}
    for mask in sorted(masks, key=lambda mask: mask.t):
        last[mask.camera] = mask
    return {camera: mask.picture for camera, mask in last.items()}


def read_masks(episode: Path) -> tuple[ObjectMask, ...]:
    """Read the masks beside an episode, none where there are none. Raises DreamFileError naming file and field."""
    path = episode / MASKS
    if not path.exists():
        return ()
    fields = Fields(read_table(path), path)
    if fields.values.get("format") != FORMAT:
        raise fields.wrong("format", repr(fields.values.get("format")), f"{FORMAT}; is this program too old?")
    rows = fields.rows("masks", "a list of masks")
    if len(rows) > MAX_MASKS:
        raise fields.wrong("masks", f"{len(rows)} of them", f"at most {MAX_MASKS}")
    return tuple(_mask(row) for row in rows)


def write_masks(episode: Path, masks: Sequence[ObjectMask]) -> None:
    """Write them beside the episode, whole or not at all. Raises OSError."""
    rows = [{**vars(mask), "strokes": [vars(stroke) for stroke in mask.strokes]} for mask in masks]
    write_whole(episode / MASKS, to_json({"format": FORMAT, "masks": rows}))


def _mask(row: Fields) -> ObjectMask:
    width, height = (int(v) for v in row.array("size", (2,), "[width, height] in pixels"))
    runs = row.array("runs", (-1,), "run lengths, whole numbers of 0 and more")
    strokes = tuple(_stroke(stroke) for stroke in row.rows("strokes", "a list of strokes"))
    try:
        if (runs != np.round(runs)).any() or (runs < 0).any() or runs.sum() > MAX_SIDE**2:
            raise row.wrong("runs", "not all are whole numbers of 0 and more", "run lengths that fill the picture")
        return ObjectMask(
            row.get("camera", str, "a camera's name"),
            row.number("t", "seconds since the episode's start"),
            (width, height),
            tuple(runs.astype(int).tolist()),
            row.get("by", str, "who found it", "person"),
            strokes,
            int(row.number("position", "how many strokes count", len(strokes))),
        )
    except DreamFileError:
        raise
    except ValueError as error:
        raise row.wrong("", str(error)) from error


def _stroke(row: Fields) -> Stroke:
    points = row.array("points", (-1, 2), "a list of [x, y]")
    if np.abs(points).max(initial=0) > 10 * MAX_SIDE:
        raise row.wrong("points", "far outside of any picture", "pixels")
    try:
        add, radius = row.get("add", bool, "true or false"), row.number("radius", "pixels")
        return Stroke(add, radius, tuple((float(x), float(y)) for x, y in points))
    except DreamFileError:
        raise
    except ValueError as error:
        raise row.wrong("", str(error)) from error


def _draw(mask: Image, stroke: Stroke) -> None:
    value, thickness = 255 if stroke.add else 0, max(1, round(2 * stroke.radius))
    points = np.rint(stroke.points).astype(np.int32)
    cv2.polylines(mask, [points.reshape(-1, 1, 2)], False, value, thickness)
    for x, y in (points[0], points[-1]):
        cv2.circle(mask, (int(x), int(y)), max(0, round(stroke.radius)), value, -1)
