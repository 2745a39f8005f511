"""Where the table is in an arm's base frame, from three or more points of it that a known tip touched.

Pure geometry: the plane of least squared distances, from the singular values of the centred points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hardware.geometry import Array, apply, inverse
from hardware.types import require

Verdict = Literal["good", "fair", "poor", "unchecked"]
LEAST_POINTS = 3
GOOD_M, FAIR_M = 0.5e-3, 1.5e-3
LEAST_WIDTH_M = 0.05  # the points must spread at least so far across their longest line
STEEPEST_RAD = np.radians(20.0)  # a table that leans more is a mistake, not a table


@dataclass(frozen=True, eq=False)
class PlaneResult:
    """normal (3,) unit, towards the arm's side of the table, and offset [m]: points p of the table have
    normal . p = offset, in the frame of the points; residual (N,) [m] signed, above is positive; width [m] how far
    the points spread across their longest line."""

    normal: Array
    offset: float
    residual: Array
    width: float

    @property
    def rms(self) -> float:
        """[m]; 0 for three points, which always fit."""
        return float(np.sqrt((self.residual**2).mean()))

    @property
    def worst(self) -> int:
        return int(np.argmax(np.abs(self.residual)))

    @property
    def verdict(self) -> Verdict:
        """unchecked: three points always fit, a fourth would tell."""
        if len(self.residual) == LEAST_POINTS:
            return "unchecked"
        return "good" if self.rms <= GOOD_M else "fair" if self.rms <= FAIR_M else "poor"

    @property
    def words(self) -> str:
        """The verdict as a sentence for a person."""
        left = f"{len(self.residual)} points lie within {1e3 * np.abs(self.residual).max():.2f} mm of one plane"
        return {
            "unchecked": "Three points always fit a plane: touch a fourth to know how well.",
            "good": f"Good: {left}.",
            "fair": f"Usable: {left}. Touch point {self.worst + 1} again for better.",
            "poor": f"Poor: {left}. Is the table bent, or was the tip off it at point {self.worst + 1}?",
        }[self.verdict]

    def height_at(self, xy: Array) -> float:
        """Return z [m] of the table at (x, y), in the frame of the points."""
        return float((self.offset - self.normal[:2] @ np.asarray(xy, float)) / self.normal[2])

    @property
    def tilt_rad(self) -> float:
        """Angle between the table and the frame's own level."""
        return float(np.arccos(np.clip(self.normal[2], -1, 1)))

    def in_world(self, T_world_base: Array) -> "PlaneResult":
        """Return the same plane in the world frame, of points that were in the base frame."""
        normal = T_world_base[:3, :3] @ self.normal
        return PlaneResult(normal, self.offset + float(normal @ T_world_base[:3, 3]), self.residual, self.width)


def touched_points(T_base_flange: Sequence[Array], tip: Array) -> Array:
    """Return the points (N, 3) [m] in base that a tip (3,) [m], in the flange frame, touched."""
    return np.array([apply(np.asarray(T, float), np.asarray(tip, float)[None])[0] for T in T_base_flange])


def solve_plane(points: Array, up: Array | None = None) -> PlaneResult:
    """Return the plane through points (N, 3) [m]; up (3,): which side is above, +z where nothing is said.

    Raises ValueError in words for a person: too few points, all on one line, or a plane that is no table.
    """
    p = np.asarray(points, float)
    require(p.ndim == 2 and p.shape[1] == 3, f"points: shape {p.shape}; valid: (N, 3)")
    require(len(p) >= LEAST_POINTS, f"points: {len(p)}; valid: {LEAST_POINTS} or more")
    require(bool(np.isfinite(p).all()), "points: one is nan or inf")
    above = np.array([0.0, 0.0, 1.0]) if up is None else np.asarray(up, float) / np.linalg.norm(up)
    centre = p.mean(axis=0)
    _, _, axes = np.linalg.svd(p - centre)
    width = float(np.ptp((p - centre) @ axes[1]))
    require(
        width >= LEAST_WIDTH_M,
        f"points: they lie on one line, {1e3 * width:.0f} mm across it; valid: {1e3 * LEAST_WIDTH_M:.0f} mm "
        "or more: touch the table's corners, not one edge",
    )
    normal = axes[2] * (1.0 if axes[2] @ above >= 0 else -1.0)
    lean = float(np.arccos(np.clip(normal @ above, -1, 1)))
    require(
        lean <= STEEPEST_RAD,
        f"plane: it leans {np.degrees(lean):.0f} degrees; valid: at most {np.degrees(STEEPEST_RAD):.0f}; "
        "was each touch on the table?",
    )
    return PlaneResult(normal, float(normal @ centre), (p - centre) @ normal, width)


def plane_transform(plane: PlaneResult, T_world_base: Array) -> Array:
    """Return T_base_table (4, 4): origin on the table under the base, z its normal, x as level as the world's x."""
    x_base = inverse(T_world_base)[:3, 0]
    x = x_base - plane.normal * (x_base @ plane.normal)
    x = x / np.linalg.norm(x)
    T = np.eye(4)
    T[:3, :3] = np.stack([x, np.cross(plane.normal, x), plane.normal], axis=1)
    T[:3, 3] = [0.0, 0.0, plane.height_at(np.zeros(2))]
    return T
