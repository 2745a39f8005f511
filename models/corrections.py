"""A person's corrections of a track, as plain functions: poses given, frames marked untracked, boxes copied.

Poses are T_view1_tool (4, 4); pixels are of a view's full picture. Lens distortion is left out of what a drag in a
picture means: a drag is a few pixels long.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from hardware.geometry import Array, apply, exp_se3, interpolate, inverse, project, rotation_angle
from hardware.types import Camera, Tool
from models.types import Dream, Hint, HintKind, PoseFix, PoseSource, ToolTrack, Track, View

LONGEST_GAP = 3
"""Frames marked untracked in a row that are interpolated; over more of them a straight line would be a guess."""

Frames = Collection[tuple[str, int]]


class Eye(Protocol):
    """A camera, and where it stands to the first one: a View of a dream, or an EpisodeEye."""

    @property
    def camera(self) -> Camera: ...

    @property
    def T_view1_view(self) -> Array:
        """(4, 4)"""
        ...


@dataclass(frozen=True, eq=False)
class EpisodeEye:
    """A camera of a recorded episode. T_view1_view (4, 4)."""

    camera: Camera
    T_view1_view: Array


def pose_values(T: Array) -> tuple[float, ...]:
    """Return a pose (4, 4) as the 16 numbers of a PoseFix or a Cut."""
    return tuple(np.asarray(T, float).ravel().tolist())


def corrected(track: Track, fixes: Sequence[PoseFix], untracked: Frames) -> Track:
    """Return the track with a person's poses put in and marked frames interpolated; the same one without any.

    untracked: (tool, frame). A marked span of at most LONGEST_GAP frames is interpolated between the good frames
    on both its sides ("interpolated", confidence 0); a longer one, or one at an end, is lost. A pose counts more
    than a mark on the same frame.
    """
    tools = {}
    for role, tool in track.tools.items():
        given = {fix.t: fix.T_view1_tool for fix in fixes if fix.tool == role and fix.t < len(tool)}
        marked = {t for name, t in untracked if name == role and t < len(tool)} - given.keys()
        tools[role] = _corrected(tool, given, marked) if given or marked else tool
    changed = any(tools[role] is not track.tools[role] for role in tools)
    return replace(track, tools=tools) if changed else track


def _corrected(tool: ToolTrack, given: Mapping[int, Array], marked: Collection[int]) -> ToolTrack:
    poses, confidence = tool.T_view1_tool.copy(), tool.confidence.copy()
    apart, source = tool.stereo_disagreement_px.copy(), list(tool.source)
    for t, T in given.items():
        poses[t], confidence[t], apart[t], source[t] = T, np.nan, np.nan, "corrected"
    for t in marked:
        poses[t], confidence[t], apart[t], source[t] = np.nan, 0.0, np.nan, "lost"
    for t, T in _bridged(poses, source, marked).items():
        poses[t], source[t] = T, "interpolated"
    return ToolTrack(tool.tool, poses, confidence, apart, tuple(source))


def _bridged(poses: Array, source: Sequence[PoseSource], marked: Collection[int]) -> dict[int, Array]:
    """Return poses for the short runs of marked frames that have good frames right before and after them."""
    out: dict[int, Array] = {}
    for first, last in spans(marked):
        before, after = first - 1, last + 1
        sided = before >= 0 and after < len(source) and "lost" not in (source[before], source[after])
        if sided and last - first < LONGEST_GAP:
            for t in range(first, last + 1):
                out[t] = interpolate(poses[before], poses[after], (t - before) / (after - before))
    return out


def spans(frames: Collection[int]) -> list[tuple[int, int]]:
    """Return the runs (first, last), both included, of a set of frames."""
    ordered = sorted(frames)
    starts = [t for t in ordered if t - 1 not in frames]
    ends = [t for t in ordered if t + 1 not in frames]
    return list(zip(starts, ends, strict=True))


def difference(before: ToolTrack, after: ToolTrack, t: int) -> tuple[float, float] | None:
    """Return how far two tracks of a tool are apart in frame t: (metres, radians); None where one is lost."""
    if not (before.found[t] and after.found[t]):
        return None
    a, b = before.T_view1_tool[t], after.T_view1_tool[t]
    return float(np.linalg.norm(a[:3, 3] - b[:3, 3])), float(rotation_angle(a[:3, :3], b[:3, :3]))


def nearest_pose(tool: ToolTrack, t: int) -> Array | None:
    """Return T_view1_tool (4, 4) of the nearest other frame that has a pose, None where none has."""
    others = np.flatnonzero(tool.found)
    others = others[others != t]
    return tool.T_view1_tool[others[np.argmin(np.abs(others - t))]].copy() if len(others) else None


def projected_box(view: View, tool: Tool, T_view1_tool: Array) -> tuple[float, float, float, float] | None:
    """Return the box (x0, y0, x1, y1) [px] of a tool in a view, cut at the picture's edge; None where it is not
    seen there."""
    points = apply(inverse(view.T_view1_view) @ T_view1_tool, tool.mesh.vertices)
    if not np.isfinite(points).all() or points[:, 2].min() < 1e-3:
        return None
    pixels = project(view.camera.K, points)
    edge = np.array(view.camera.size, float) - 1
    (x0, y0), (x1, y1) = np.clip(pixels.min(axis=0), 0, edge), np.clip(pixels.max(axis=0), 0, edge)
    return (float(x0), float(y0), float(x1), float(y1)) if x1 - x0 > 1 and y1 - y0 > 1 else None


def pose_hints(dream: Dream, tool: str, t: int, T_view1_tool: Array, kind: HintKind = "pose") -> tuple[Hint, ...]:
    """Return the boxes that a pose means in every view that sees it: what a tracker is told of a corrected pose."""
    boxes = ((view.name, projected_box(view, dream.tools[tool], T_view1_tool)) for view in dream.views)
    return tuple(Hint(tool, name, t, box, kind) for name, box in boxes if box is not None)


def copied_hints(dream: Dream, hint: Hint, T_view1_tool: Array) -> tuple[Hint, ...]:
    """Return a person's box as boxes in the other views.

    The pose is moved across the line of sight until its box has the person's box's centre, and seen from there.
    """
    view = next(view for view in dream.views if view.name == hint.view)
    own = projected_box(view, dream.tools[hint.tool], T_view1_tool)
    if own is None:
        return ()
    x0, y0, x1, y1 = np.subtract(hint.box, own)
    T = moved_in_view(view, T_view1_tool, (float(x0 + x1) / 2, float(y0 + y1) / 2))
    return tuple(h for h in pose_hints(dream, hint.tool, hint.t, T, "copied") if h.view != hint.view)


def moved_in_view(view: Eye, T_view1_tool: Array, by_px: tuple[float, float]) -> Array:
    """Return the pose moved across the line of sight so that its origin goes by so many pixels in a view."""
    T = inverse(view.T_view1_view) @ T_view1_tool
    depth, K = max(float(T[2, 3]), 1e-3), view.camera.K
    T[:2, 3] += np.array(by_px) * depth / np.array([K[0, 0], K[1, 1]])
    return np.asarray(view.T_view1_view @ T)


def turned_in_view(view: Eye, T_view1_tool: Array, angle: float) -> Array:
    """Return the pose turned about the line of sight through its origin by an angle [rad], clockwise as seen."""
    T = inverse(view.T_view1_view) @ T_view1_tool
    sight = T[:3, 3] / max(float(np.linalg.norm(T[:3, 3])), 1e-9)
    T[:3, :3] = exp_se3([*(angle * sight), 0.0, 0.0, 0.0])[:3, :3] @ T[:3, :3]
    return np.asarray(view.T_view1_view @ T)


def moved_in_depth(view: Eye, T_view1_tool: Array, by_m: float) -> Array:
    """Return the pose moved away from a camera along the line of sight by so many metres, never behind it."""
    T = inverse(view.T_view1_view) @ T_view1_tool
    far = max(float(np.linalg.norm(T[:3, 3])), 1e-9)
    T[:3, 3] *= max(far + by_m, 0.05) / far
    return np.asarray(view.T_view1_view @ T)


def nudged(T_a_tool: Array, move: ArrayLike, turn: ArrayLike, axes: Array) -> Array:
    """Return a pose moved by `move` (3,) [m] and turned by `turn` (3,) [rad] about its origin, both along the
    columns of axes (3, 3) in frame a."""
    T = T_a_tool.copy()
    T[:3, :3] = exp_se3([*(axes @ np.asarray(turn, float)), 0.0, 0.0, 0.0])[:3, :3] @ T[:3, :3]
    T[:3, 3] += axes @ np.asarray(move, float)
    return T
