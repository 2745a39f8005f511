"""The printed patterns of the built-in tools: black on white, no symmetry, each tool its own."""

from collections.abc import Sequence

import cv2
import numpy as np

from hardware.types import Image

ATLAS_PX = 512
PX_PER_MM = 3.0
INK, PAPER = (24, 24, 26), (236, 236, 232)
SUBPIXEL = 4  # bits of cv2's fixed-point coordinates

# a shape: ("disc", x, y, r) | ("ring", x, y, r, width) | ("poly", x0, y0, x1, y1, ...) in mm, y up
Shape = tuple[object, ...]


def box(x0: float, y0: float, x1: float, y1: float) -> Shape:
    """An axis-aligned bar."""
    return ("poly", x0, y0, x1, y0, x1, y1, x0, y1)


def printed(width_mm: float, height_mm: float, shapes: Sequence[Shape], scale: int = 4) -> Image:
    """Draw shapes about the middle of a white sheet; returns (H, W, 3) at PX_PER_MM, smoothly sampled."""
    px = PX_PER_MM * scale
    sheet = np.full((round(height_mm * px), round(width_mm * px), 3), PAPER, np.uint8)
    for kind, *rest in shapes:
        numbers = np.array(rest, float)
        xy = numbers[: len(numbers) // 2 * 2] if kind == "poly" else numbers[:2]
        points = xy.reshape(-1, 2) * [px, -px] + [sheet.shape[1] / 2, sheet.shape[0] / 2]
        fixed = np.round(points * 2**SUBPIXEL).astype(np.int32)
        if kind == "poly":
            cv2.fillPoly(sheet, [fixed], INK, cv2.LINE_AA, SUBPIXEL)
            continue
        centre, radius = (int(fixed[0, 0]), int(fixed[0, 1])), round(numbers[2] * px * 2**SUBPIXEL)
        thickness = -1 if kind == "disc" else round(numbers[3] * px)
        cv2.circle(sheet, centre, radius, INK, thickness, cv2.LINE_AA, SUBPIXEL)
    small = cv2.resize(sheet, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


LEFT_PLATE: tuple[Shape, ...] = (
    ("disc", 42, 12, 13),
    ("disc", 46, -20, 7),
    box(8, 20, 24, 33),
    box(8, -34, 14, 12),
    ("poly", 18, -34, 32, -34, 18, -4),
    ("ring", -12, 16, 11.5, 7),
    box(-28, -34, 2, -26),
    box(-28, -20, 2, -13),
    box(-28, -8, -14, -2),
    box(-58, 22, -32, 33),
    ("poly", -58, 14, -40, 14, -40, -6, -50, -6, -50, 6, -58, 6),
    box(-58, -14, -34, -20),
    box(-58, -34, -48, -24),
    box(-44, -34, -34, -26),
)
RIGHT_PLATE: tuple[Shape, ...] = (
    ("ring", 44, 0, 13, 8),
    ("poly", 22, 34, 40, 26, 22, 14),
    box(22, -34, 34, -22),
    box(18, -14, 26, 8),
    box(-8, 26, 14, 33),
    box(-8, 14, 14, 20),
    ("disc", 2, -2, 10),
    ("poly", -8, -34, 14, -34, 14, -18, 6, -18, 6, -26, -8, -26),
    ("poly", -40, 33, -16, 33, -16, 16, -24, 16),
    box(-34, -4, -14, 6),
    box(-22, -34, -14, -12),
    box(-36, -34, -28, -20),
    ("poly", -60, 4, -44, -10, -60, -22),
    box(-60, 14, -42, 24),
    ("disc", -50, -30, 5.5),
)
SCOOPER_HANDLE: tuple[Shape, ...] = (
    box(40, -20, 52, 20),
    ("disc", 22, 8, 10),
    box(8, -20, 32, -11),
    ("poly", -4, 20, -4, -20, -20, 20),
    box(-34, 2, -24, 20),
    box(-44, -20, -22, -10),
    ("ring", -46, 10, 8, 5),
)
BRUSH_HEAD: tuple[Shape, ...] = (
    box(-14, 44, 14, 54),
    ("disc", 0, 28, 11),
    box(-14, 2, -4, 14),
    box(2, 8, 14, 14),
    ("poly", -14, -4, 14, -4, 14, -22),
    box(-14, -32, 14, -26),
    ("ring", -2, -45, 8, 5),
)
PUSHER_HEAD: tuple[Shape, ...] = (
    ("poly", -20, 40, 20, 40, 20, 20, 6, 20, 6, 30, -20, 30),
    ("ring", -9, 12, 10, 6),
    box(8, -6, 20, 14),
    box(-20, -14, 2, -7),
    ("poly", -20, -40, -20, -20, -2, -40),
    ("disc", 10, -26, 10),
)
