"""Tool paths: sparse poses on the clip's clock, the smooth curve through them, and the lift over the table.

Position is a cubic spline; rotation is the cubic spline of the (sign-continuous) quaternions, normalised. Both pass
through every given pose with continuous acceleration. Before its first and after its last pose a path holds still;
an end that is held while the other arm moves starts and stops with zero speed and acceleration (the spline's last
segment becomes quintic there).
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BPoly, BSpline, CubicSpline

from hardware.geometry import Array, is_transform, quaternion, rotation_from_quaternion, transform
from hardware.types import require

MAX_POSES = 1000
LIFT_GRID_S = 0.005
# the lowest point may dip between samples of the grid by about this much at hand-like accelerations
BETWEEN_GRID_M = 5e-5
LIFT_BLEND_S = 0.1


@dataclass(frozen=True, eq=False)
class ToolPath:
    """Where a tool is to be: t (M,) clip times [s], strictly increasing; T_world_tool (M, 4, 4); 2 <= M <= 1000."""

    t: Array
    T_world_tool: Array

    def __post_init__(self) -> None:
        n = len(self.t)
        require(self.t.ndim == 1, f"tool path: t has shape {self.t.shape}, not (M,)")
        require(2 <= n <= MAX_POSES, f"tool path: it has {n} poses; valid are 2 to {MAX_POSES}")
        require(bool(np.isfinite(self.t).all()), "tool path: a time is nan or inf")
        back = np.flatnonzero(np.diff(self.t) <= 0)
        require(len(back) == 0, f"tool path: times do not increase after pose {back[:1]}; sort or trim the track")
        require(
            self.T_world_tool.shape == (n, 4, 4), f"tool path: poses are {self.T_world_tool.shape}, not ({n}, 4, 4)"
        )
        bad = [i for i, T in enumerate(self.T_world_tool) if not is_transform(T)]
        require(not bad, f"tool path: pose {bad[:1]} is not a rigid transform (nan, or not a rotation)")


class PosePath:
    """The smooth curve through a ToolPath. hold_first, hold_last: that end is held while others move."""

    def __init__(self, path: ToolPath, hold_first: bool, hold_last: bool) -> None:
        q = quaternion(path.T_world_tool[:, :3, :3])
        flips = np.cumprod(np.where(np.sum(q[1:] * q[:-1], axis=1) < 0, -1.0, 1.0))
        q[1:] *= flips[:, None]
        values = np.concatenate([path.T_world_tool[:, :3, 3], q], axis=1)
        self.start, self.end = float(path.t[0]), float(path.t[-1])
        self._curve = _spline(path.t, values, hold_first, hold_last)

    def poses(self, u: Array) -> Array:
        """Return T_world_tool (..., 4, 4) at clip times u (...) [s]."""
        values = self._curve(np.clip(u, self.start, self.end))
        return transform(rotation_from_quaternion(values[..., 3:]), values[..., :3])


class LiftedPath:
    """A PosePath raised so that no point (V, 3) of the tool comes below a height [m].

    The lift is the smooth upper envelope of what is missing: its running maximum over +-0.1 s of clip time, blended
    over the same width, so that it is never too small and its acceleration stays finite.
    """

    def __init__(self, path: PosePath, points: Array, min_height: float, start: float, end: float) -> None:
        self._path = path
        pad = 2 * LIFT_BLEND_S
        grid = np.arange(start - pad, end + pad + LIFT_GRID_S, LIFT_GRID_S)
        poses = path.poses(grid)
        lowest = (poses[:, 2, :3] @ points.T).min(axis=1) + poses[:, 2, 3]
        missing = np.maximum(min_height + BETWEEN_GRID_M - lowest, 0.0)
        envelope = _envelope(missing, round(LIFT_BLEND_S / LIFT_GRID_S))
        # the envelope as B-spline coefficients, not as values: such a curve cannot ring below zero
        knots = grid[0] + LIFT_GRID_S * np.arange(-2, len(grid) + 2)
        self._lift = BSpline(knots, envelope, 3) if missing.any() else None

    def lift(self, u: Array) -> Array:
        """Return how far (...) [m] the tool is raised at clip times u (...) [s]."""
        return np.zeros(np.shape(u)) if self._lift is None else np.asarray(self._lift(u))

    def poses(self, u: Array) -> Array:
        """Return T_world_tool (..., 4, 4) at clip times u (...) [s]."""
        T = self._path.poses(u)
        T[..., 2, 3] += self.lift(u)
        return T


def _spline(t: Array, values: Array, hold_first: bool, hold_last: bool) -> BPoly:
    ends = tuple((1, np.zeros(values.shape[1])) if hold else "natural" for hold in (hold_first, hold_last))
    cubic = CubicSpline(t, values, bc_type=ends)
    knots = np.stack([values, cubic(t, 1), cubic(t, 2)], axis=1)
    if hold_first:
        knots[0, 1:] = 0.0
    if hold_last:
        knots[-1, 1:] = 0.0
    return BPoly.from_derivatives(t, knots)


def _envelope(values: Array, width: int) -> Array:
    """Return a smooth sequence (N,) that is nowhere below values (N,): dilated by width, then averaged over it."""
    padded = np.pad(values, width)
    dilated = np.max([padded[i : i + len(values)] for i in range(2 * width + 1)], axis=0)
    kernel = np.ones(1)
    for _ in range(3):
        box = 2 * (width // 3) + 1
        kernel = np.convolve(kernel, np.ones(box) / box)
    smooth = np.convolve(np.pad(dilated, len(kernel) // 2, mode="edge"), kernel, mode="valid")
    return np.maximum(smooth, values)
