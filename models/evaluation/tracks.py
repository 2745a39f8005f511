"""How far two tracks of a tool are apart, frame by frame."""

from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array, apply, project, rotation_angle
from hardware.types import Tool
from models.tracking.tool_points import tracked_centre, tracked_corners
from models.types import Dream, ToolTrack

MOST_POINTS = 200  # of a mesh, for the distance in the pictures


@dataclass(frozen=True, eq=False)
class Difference:
    """One tool in two tracks, nan where one of them has lost it.

    mm (T,) between the tracked centres; deg (T,) between the rotations, whichever of the tool's symmetries is
    nearest; px (T, V) mean distance of the tool's corners in each view.
    """

    mm: Array
    deg: Array
    px: Array


def difference(dream: Dream, tool: Tool, a: ToolTrack, b: ToolTrack) -> Difference:
    """Return how far two tracks of one tool are apart. Raises ValueError where they are not of one length."""
    if not len(a) == len(b) == len(dream):
        raise ValueError(f"tracks of {a.tool}: {len(a)} and {len(b)} frames; valid: {len(dream)} each")
    n, corners = len(dream), tracked_corners(tool)
    points = corners[:: max(1, len(corners) // MOST_POINTS)]
    mm, deg, px = np.full(n, np.nan), np.full(n, np.nan), np.full((n, len(dream.views)), np.nan)
    both = np.flatnonzero(a.found & b.found)
    T_a, T_b = a.T_view1_tool[both], b.T_view1_tool[both]
    centre = tracked_centre(tool)[None]
    mm[both] = 1e3 * np.linalg.norm((apply(T_a, centre) - apply(T_b, centre))[:, 0], axis=-1)
    deg[both] = np.degrees(_angle(T_a[:, :3, :3], T_b[:, :3, :3], tool.symmetry))
    for v, view in enumerate(dream.views):
        uv = [project(view.camera.K, apply(dream.T_view_tool(v, T), points)) for T in (T_a, T_b)]
        px[both, v] = np.linalg.norm(uv[0] - uv[1], axis=-1).mean(axis=-1)
    return Difference(mm, deg, px)


def middle(values: Array) -> float:
    """Return the median of what is known, nan where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def worst(values: Array, share: float = 90.0) -> float:
    """Return what that share [%] of the known values stays under, nan where nothing is known."""
    known = values[np.isfinite(values)]
    return float(np.percentile(known, share)) if known.size else float("nan")


def _angle(R_a: Array, R_b: Array, symmetry: Array) -> Array:
    turns = np.concatenate([np.eye(3)[None], symmetry.reshape(-1, 3, 3)])
    return np.asarray(rotation_angle(R_a[None], R_b[None] @ turns[:, None]).min(axis=0))
