"""Outlines of flat things, carried between pictures over a plane that is level with the table. Pure functions.

An outline is a tuple of closed polygons (N, 2); what lies in an odd number of them is inside. In pictures they are
in pixels, on the plane in metres, x and y of the world.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, closest_points, inverse, ray_directions, rotation_from_vector
from hardware.types import Camera
from hardware.world.tasks.push_shape import iou

Outline = tuple[Array, ...]
Mask = NDArray[np.bool_]

_FINE_BITS = 4  # of a pixel, in polygons that OpenCV fills
_CELL_M = 0.001  # at which outlines are compared on the plane
_ALIKE = 0.03  # overlaps that differ by less are as good as each other
HIGHEST_M = 0.1


@dataclass(frozen=True, eq=False)
class PlaneView:
    """A camera that looks at the plane z = height [m] of the world; T_world_view (4, 4)."""

    camera: Camera
    T_world_view: Array
    height: float = 0.0

    def on_plane(self, pixels: Array) -> Array:
        """Return where rays through pixels (N, 2) meet the plane (N, 2) [m]; nan where they do not."""
        origin = self.T_world_view[:3, 3]
        way = self.rays(pixels)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = (self.height - origin[2]) / way[:, 2:]
        return np.asarray(np.where(reach > 0, origin[:2] + reach * way[:, :2], np.nan))

    def outline_on_plane(self, outline: Outline) -> Outline:
        """Return an outline of the picture on the plane."""
        return tuple(self.on_plane(rim) for rim in outline)

    def outline_in_picture(self, outline: Outline) -> Outline:
        """Return an outline of the plane in the picture."""
        return tuple(self.in_picture(rim) for rim in outline)

    def in_picture(self, points: Array) -> Array:
        """Return the pixels (N, 2) of points (N, 2) [m] of the plane."""
        level = np.column_stack([points, np.full(len(points), self.height)])
        p_view = apply(inverse(self.T_world_view), level)
        seen = cv2.projectPoints(p_view[:, None], np.zeros(3), np.zeros(3), self.camera.K, self.camera.distortion)
        return np.asarray(seen[0], float).reshape(-1, 2)

    def rays(self, pixels: Array) -> Array:
        """Return the viewing directions (N, 3) of pixels (N, 2), in the world."""
        K, bent = self.camera.K, self.camera.distortion
        straight = cv2.undistortPoints(np.asarray(pixels, float)[:, None], K, bent, P=K)[:, 0]
        return np.asarray(ray_directions(K, straight) @ self.T_world_view[:3, :3].T)


def outline_of(mask: Mask) -> Outline:
    """Return the rims of a mask (H, W), through the middles of its outermost pixels."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(np.asarray(rim[:, 0], float) for rim in found)


def filled(outline: Outline, size: tuple[int, int]) -> Mask:
    """Return the mask (H, W) of an outline in a picture of (width, height)."""
    picture = np.zeros((size[1], size[0]), np.uint8)
    fine = [np.rint(rim * 2**_FINE_BITS).astype(np.int32) for rim in outline if np.isfinite(rim).all()]
    cv2.fillPoly(picture, fine, 1, cv2.LINE_8, _FINE_BITS)
    return picture > 0


def moved(outline: Outline, turn: float, middle: Array, place: Array) -> Outline:
    """Turn an outline of the plane counterclockwise about `middle` (2,), which then goes to `place` (2,)."""
    R = rotation_from_vector([0.0, 0.0, turn])[:2, :2]
    return tuple((rim - middle) @ R.T + place for rim in outline)


def middle_of(outline: Outline) -> Array:
    """Return the centre (2,) of an outline's area (the shoelace formula; holes run the other way round)."""
    area, moment = 0.0, np.zeros(2)
    for rim in outline:
        ahead = np.roll(rim, -1, axis=0)
        cross = rim[:, 0] * ahead[:, 1] - ahead[:, 0] * rim[:, 1]
        area += cross.sum() / 2
        moment += (cross[:, None] * (rim + ahead)).sum(axis=0) / 6
    return np.asarray(moment / area)


def height_between(a: PlaneView, pixels_a: Array, b: PlaneView, pixels_b: Array) -> float:
    """Return the height [m] over the table at which two views see the middle of a thing, each in pixels (2,).

    About half of the thing's own, since a picture shows its sides too; 0 to 0.1 m.
    """
    ways = [view.rays(pixels[None])[0] for view, pixels in ((a, pixels_a), (b, pixels_b))]
    ends = closest_points(a.T_world_view[:3, 3], ways[0], b.T_world_view[:3, 3], ways[1])
    return float(np.clip(np.mean(ends, axis=0)[2], 0.0, HIGHEST_M))


def turn_between(outline: Outline, wanted: Outline) -> float:
    """Return by how much [rad], -pi..pi, an outline on the plane must turn to look like another, wherever it lies.

    Of several turns that look alike, since a shape may be symmetric, the smallest.
    """
    turns = np.radians(np.arange(-180.0, 180.0))
    side = 2 * max(_reach(outline), _reach(wanted))
    goal = _raster(wanted, 0.0, side)
    overlaps = np.array([iou(_raster(outline, turn, side), goal) for turn in turns])
    peaks = (overlaps >= np.roll(overlaps, 1)) & (overlaps >= np.roll(overlaps, -1))
    good = turns[peaks & (overlaps >= overlaps.max() - _ALIKE)]
    return float(good[np.argmin(np.abs(good))])


def _reach(outline: Outline) -> float:
    middle = middle_of(outline)
    return max(float(np.linalg.norm(rim - middle, axis=1).max()) for rim in outline)


def _raster(outline: Outline, turn: float, side_m: float) -> Mask:
    """Draw an outline of the plane, turned, with its middle in the middle of a square."""
    cells = int(np.ceil(side_m / _CELL_M)) + 1
    there = moved(outline, turn, middle_of(outline), np.zeros(2))
    return filled(tuple(rim / _CELL_M + cells / 2 for rim in there), (cells, cells))
