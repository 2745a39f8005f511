"""Finding the object of push-shape: what stands out from the cloth before anybody came, by its colour since.

The table is one cloth (Dreamitate uses a black one), so in the bare scene the object is the largest thing of
another colour. In a later picture, with hand and tool in it, it is what has that colour. A brush mends the rest.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Image
from models.data.clips import nearest
from models.data.clips_pictures import scene_photo
from models.data.demo import Demo
from models.data.masks import ObjectMask, mask_of

BY = "colour"
_LEAST, _MOST = 0.0004, 0.25  # shares of the picture that an object takes
_APART = 12.0  # in CIE L*a*b*: less is the cloth's own folds
_NEAR = 3.0  # deviations of the object's colour
_BROADEST = 14.0  # of a deviation, in L*a*b*: light changes from place to place


def find_masks(demo: Demo, at_s: Sequence[float]) -> tuple[ObjectMask, ...]:
    """Return where the object lies in every camera at times [s since the demo's start], as far as it is found.

    The scene's photo, else the first picture, says what it looks like. Raises as `Demo.pictures`.
    """
    found = []
    for stream in demo.streams.values():
        if stream.kind != "camera" or not len(demo.times(stream.name)):
            continue
        times = demo.times(stream.name)
        photo = scene_photo(demo, stream.name)
        scene = photo if photo is not None else demo.pictures(stream.name, [0])[0]
        where = nearest(times, at_s)
        for t, picture in zip(times[where], demo.pictures(stream.name, where.tolist()), strict=True):
            mask = found_object(scene, picture)
            if mask is not None:
                found.append(mask_of(stream.name, float(t), mask, BY))
    return tuple(found)


def found_object(scene: Image, picture: Image) -> NDArray[np.bool_] | None:
    """Return where the object lies (H, W) in a picture, None where none is seen; scene: the bare scene with it."""
    before, now = _lab(scene), _lab(picture)
    cloth = np.median(before.reshape(-1, 3), axis=0)
    start = _standing_out(np.linalg.norm(before - cloth, axis=-1))
    if start is None:
        return None
    inside = cv2.erode(start.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    colours = before[inside if inside.sum() > 30 else start]
    middle = np.median(colours, axis=0)
    spread = np.clip(1.4826 * np.median(np.abs(colours - middle), axis=0), 3.0, _BROADEST)
    alike = np.sqrt((((now - middle) / spread) ** 2).mean(axis=-1)) < _NEAR
    # nearer to the object's colour than to the cloth's
    alike &= np.linalg.norm(now - middle, axis=-1) < np.linalg.norm(now - cloth, axis=-1)
    return _whole(alike, int(start.sum()))


def _lab(rgb: Image) -> Array:
    """CIE L*a*b* (H, W, 3), a little smoothed; L at half weight, since shade is no other thing."""
    smooth = cv2.GaussianBlur(rgb, (0, 0), 0.8)
    lab = cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return np.asarray(lab * [0.5, 1.0, 1.0], float)


def _standing_out(away: Array) -> NDArray[np.bool_] | None:
    """Return the largest thing (H, W) that is not of the cloth's colour and does not reach over an edge."""
    level = max(_APART, _otsu(away))
    mask = cv2.morphologyEx((away > level).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    height, width = away.shape
    best, area = 0, 0
    for k in range(1, count):
        x, y, w, h, size = stats[k]
        inner = x > 0 and y > 0 and x + w < width and y + h < height
        if inner and size > area and _LEAST * away.size < size < _MOST * away.size:
            best, area = k, int(size)
    return labels == best if best else None


def _whole(alike: NDArray[np.bool_], expected: int) -> NDArray[np.bool_] | None:
    """Return the pieces that belong to the object: a hand before it may have cut it in several."""
    opened = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[largest, cv2.CC_STAT_AREA] < 0.1 * expected:
        return None
    reach = 2.0 * np.sqrt(expected)
    mine = [
        k for k in range(1, count)
        if stats[k, cv2.CC_STAT_AREA] > 0.03 * expected and np.linalg.norm(centres[k] - centres[largest]) < reach
    ]  # fmt: skip
    return np.isin(labels, mine)


def _otsu(values: Array) -> float:
    """The level that parts values into two groups best (Otsu 1979)."""
    scaled = np.clip(values * 2, 0, 255).astype(np.uint8)
    return float(cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]) / 2
