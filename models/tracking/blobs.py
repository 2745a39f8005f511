"""Boxes around tools as published: what is new in a picture and is not a hand (Dreamitate's released code).

Grey difference to the empty scene, skin away, specks away, dark away, gaps closed; the largest blobs are the tools.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.types import Image
from models.tracking.pictures import SKIN_HIGH, SKIN_LOW

Mask = NDArray[np.uint8]
Box = tuple[float, float, float, float]

DIFFERENT = 40  # grey values
BRIGHT = 130  # a pixel of a tool has a channel over this: shadows have not
HAND_AREA = 500  # px; smaller skin-coloured blobs are part of a tool's print
SPECK, GAP = 3, 40  # px, sizes of the opening and the closing


def tool_mask(frame: Image, scene: Image) -> Mask:
    """Return (H, W) 255 where a picture (H, W, 3) shows something bright that is new and is no hand."""
    grey, before = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (frame, scene))
    new = np.where(cv2.absdiff(grey, before) > DIFFERENT, 255, 0).astype(np.uint8)
    new[_hands(frame) > 0] = 0
    new = cv2.morphologyEx(new, cv2.MORPH_OPEN, np.ones((SPECK, SPECK), np.uint8))
    new[frame.max(axis=2) <= BRIGHT] = 0
    return np.asarray(cv2.morphologyEx(new, cv2.MORPH_CLOSE, np.ones((GAP, GAP), np.uint8)), np.uint8)


def tool_boxes(frame: Image, scene: Image, count: int) -> list[Box]:
    """Return the boxes x0, y0, x1, y1 [px] of the `count` largest such blobs, or of fewer, from left to right."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(tool_mask(frame, scene))
    blobs = stats[1:]
    largest = blobs[np.argsort(-blobs[:, cv2.CC_STAT_AREA], kind="stable")[:count]]
    boxes = [(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h, _ in largest]
    return sorted(boxes)


def _hands(frame: Image) -> Mask:
    """Return (H, W) 255 where large parts of the picture have the colour of skin."""
    skin = cv2.inRange(cv2.cvtColor(frame, cv2.COLOR_RGB2YCrCb), SKIN_LOW, SKIN_HIGH)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(skin)
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] > HAND_AREA)
    return np.where(np.isin(labels, large[large > 0]), 255, 0).astype(np.uint8)
