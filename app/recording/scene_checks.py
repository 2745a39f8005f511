"""Whether the picture of the bare scene is bare: no hand, no arm. Pure functions over pictures."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.recording.note import Verdict
from hardware.types import Image

# fractions of a picture: skin, what moves, an arm whose joints are known, what came in since the last bare scene
SKIN, MOVED, ARM, REACHES_IN = 0.015, 0.004, 0.003, 0.03
TABLE = 0.4  # a patch of skin's colour that fills more of the picture is wood
NEW, MOST_NEW = 40.0, 0.4  # grey values by which a pixel is new; so many new pixels say that it is another scene
WIDTH = 160  # [px] at which pictures are compared


def scene_faults(
    first: Mapping[str, Image],
    second: Mapping[str, Image],
    before: Mapping[str, Image] | None = None,
    arms: Mapping[str, Mapping[str, float]] | None = None,
) -> tuple[Verdict, ...]:
    """Look for a hand or an arm in pictures (H, W, 3) of the bare scene by camera: by the colour of skin, by what
    moves from the first to the second some tenths of a second later, and by what stands there.

    before: the last bare scene, in which nothing stood; arms: camera -> arm -> fraction that it covers, where the
    joints of arms are known.
    """
    found = []
    for name, picture in second.items():
        skin = skin_fraction(picture)
        if skin > SKIN:
            found.append(Verdict("hand in the scene", "bad", f"{name}: {skin:.0%} looks like skin", name))
        moved = moved_fraction(first[name], picture) if name in first else 0.0
        if moved > MOVED:
            text = f"{name}: {moved:.1%} of the picture moves; is a hand or an arm in it?"
            found.append(Verdict("hand in the scene", "bad", text, name))
        for arm, share in (arms or {}).get(name, {}).items():
            if share > ARM:
                text = f"{name}: the {arm} arm covers {share:.1%} of the picture; move it out"
                found.append(Verdict("arm in the scene", "bad", text, name))
        stands = reached_in(before[name], picture) if before and name in before else 0.0
        if stands > REACHES_IN:
            text = f"{name}: {stands:.0%} of the picture was not there before the last take; is an arm in it?"
            found.append(Verdict("arm in the scene", "bad", text, name))
    return tuple(found)


def skin_fraction(rgb: Image) -> float:
    """Return how much of a picture (H, W, 3) is one patch with the colour of skin that comes in over an edge.

    Wood and cardboard have that colour too, but a hand reaches in from outside and is not the table.
    """
    small = _small(rgb)
    y, cr, cb = np.moveaxis(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb).astype(int), -1, 0)
    skin = (y > 50) & (cr >= 137) & (cr <= 173) & (cb >= 77) & (cb <= 122) & (cr - cb > 18)
    return max((area for area in _over_edge(skin) if area < TABLE), default=0.0)


def moved_fraction(first: Image, second: Image) -> float:
    """Return how much of a picture (H, W, 3) changed by more than noise and flicker do."""
    if first.shape != second.shape:
        return 1.0
    changed = np.abs(_small(first).astype(np.float32) - _small(second)).max(axis=-1)
    return float((changed - np.median(changed) > 20).mean())


def reached_in(before: Image, now: Image) -> float:
    """Return how much of a picture (H, W, 3) one patch covers that comes in over an edge and was not there before.

    0 where most of the picture is new: then another camera, light or table is seen, and the two say nothing.
    """
    if before.shape != now.shape:
        return 0.0
    difference = _small(now).astype(np.float32) - _small(before)
    changed = np.abs(difference - np.median(difference, axis=(0, 1))).max(axis=-1) > NEW
    return 0.0 if changed.mean() > MOST_NEW else max(_over_edge(changed), default=0.0)


def _small(rgb: Image) -> Image:
    size = (WIDTH, max(1, rgb.shape[0] * WIDTH // rgb.shape[1]))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _over_edge(mask: NDArray[np.bool_]) -> list[float]:
    """Return which part of a mask (H, W) each of its patches fills that touches the rim, specks left out."""
    whole = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(whole)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return [float((labels == k).mean()) for k in range(1, count) if (rim == k).any()]
