"""Flat block shapes: the 26 capital letters that training shows, and the digits and polygons that it never does."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from hardware.geometry import Array
from hardware.world.objects import Colour, Part, Thing, ngon

# strokes on a grid of 5 columns (0..4) and 7 rows (0..6, upwards): polylines "xy xy ..", one after the other
LETTERS: Mapping[str, str] = {
    "A": "00 26 40,12 32", "B": "00 06 36 45 43 33 03,33 42 41 30 00", "C": "45 36 16 05 01 10 30 41",
    "D": "00 06 26 44 42 20 00", "E": "46 06 00 40,03 33", "F": "46 06 00,03 33",
    "G": "45 36 16 05 01 10 30 41 43 23",
    "H": "00 06,40 46,03 43", "I": "20 26", "J": "46 41 30 10 01", "K": "00 06,46 03 40", "L": "06 00 40",
    "M": "00 06 23 46 40", "N": "00 06 40 46", "O": "10 01 05 16 36 45 41 30 10", "P": "00 06 36 45 44 33 03",
    "Q": "10 01 05 16 36 45 41 30 10,22 40", "R": "00 06 36 45 44 33 03,23 40",
    "S": "45 36 16 05 14 32 41 30 10 01",
    "T": "06 46,26 20", "U": "06 01 10 30 41 46", "V": "06 20 46", "W": "06 10 23 30 46", "X": "00 46,06 40",
    "Y": "06 23 46,23 20", "Z": "06 46 00 40",
}  # fmt: skip
DIGITS: Mapping[str, str] = {
    "2": "05 16 36 45 44 00 40", "3": "05 16 36 45 33 41 30 10 01,33 13", "4": "30 36 02 42",
    "5": "46 06 03 33 42 41 30 00",
    "7": "06 46 10",
}  # fmt: skip
POLYGONS: Mapping[str, int] = {"triangle": 3, "pentagon": 5, "hexagon": 6}
HALF_TURN = frozenset("HINOSXZ")
TRAINING_SHAPES = tuple(f"letter {name}" for name in LETTERS)
HELD_OUT_SHAPES = (*(f"digit {name}" for name in DIGITS), *POLYGONS)
HEIGHT = 0.03


def block_shape(name: str, height: float, rgba: Colour) -> Thing:
    """The foam shape of that name, `height` [m] tall as it would be read; its origin is at the middle of its area.

    Raises KeyError for a name that is in neither table.
    """
    if name in POLYGONS:
        sides = POLYGONS[name]
        outline = ngon(sides, height / 2, np.pi / 2)
        part = Part("prism", (HEIGHT,), rgba=rgba, outline=outline)
        return Thing(name, (part,), outline, mass=0.12, order=sides)
    kind, sign = name.split()
    strokes = {"letter": LETTERS, "digit": DIGITS}[kind][sign]
    unit, half = height / 7.5, 0.75 * height / 7.5
    parts, areas = [], []
    for line in strokes.split(","):
        points = np.array([[float(point[0]), float(point[1])] for point in line.split()]) * unit
        for a, b in pairwise(points):
            length = float(np.linalg.norm(b - a))
            size = (length / 2 + 0.7 * half, half, HEIGHT / 2)
            middle, turn = (a + b) / 2, float(np.arctan2(*(b - a)[::-1]))
            parts.append((size, middle, turn))
            areas.append(length)
    centre = np.average([middle for _, middle, _ in parts], axis=0, weights=areas)
    boxes = tuple(
        Part("box", size, (*(middle - centre), HEIGHT / 2), turn, rgba=rgba) for size, middle, turn in parts
    )
    outline = np.concatenate([box_corners(box) for box in boxes])
    return Thing(name, boxes, outline, mass=0.12, order=2 if kind == "letter" and sign in HALF_TURN else 1)


def box_corners(part: Part) -> Array:
    """The four corners (4, 2) of a box's top view, in the object's frame."""
    x, y = part.size[:2]
    c, s = np.cos(part.yaw), np.sin(part.yaw)
    square = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    return np.asarray(square @ np.array([[c, s], [-s, c]]) + part.position[:2])


def footprint(thing: Thing) -> list[Array]:
    """Convex polygons (N, 2) that together cover the object's top view: of its boxes and prisms."""
    boxes = [box_corners(part) for part in thing.parts if part.kind == "box"]
    return boxes + [part.outline for part in thing.parts if part.kind == "prism" and part.outline is not None]
