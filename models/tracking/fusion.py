"""The published way to track: each view alone, then one pose from all views (Dreamitate, appendix D).

Position: the midpoint of the rays through the tool's centre as each view estimates it, so that each camera's poor
sense of depth does not count. Rotation: the mean. Any per-view tracker will do.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array, project, transform
from hardware.types import Tool
from models.tracking.boxes import check_hints
from models.tracking.per_view import IsCancelled, PerViewTracker, Progress, ViewTrack, built_in
from models.tracking.rays import mean_rotation, meeting_point, nearest_turn, ray_distances, rotation_spread
from models.tracking.tool_points import tracked_centre
from models.tracking.trackers import TrackerChoice, TrackFunction
from models.types import Dream, Hint, PoseSource, ToolTrack, Track

AGREE_RAD, APART_RAD = np.radians(20.0), np.radians(60.0)
"""Rotations that differ by less say nothing against each other (published dreams: 6 degrees in the median); from
the larger angle on one of them is a wrong reading, and a mean would be neither."""
AGREE_PX, APART_PX = 20.0, 60.0
"""The same for how far the rays pass each other, in pixels of the views (published dreams: rms 5)."""


@dataclass(frozen=True, eq=False)
class FusedPose:
    """One tool in one frame, from the views that found it.

    T_view1_tool (4, 4); offset_px (V,) how far right of the fused centre each view saw its own, nan for views that
    did not find it; gap_m the mean distance of the point from the rays; spread_rad the largest angle
    between the views' rotations; agreement 0..1 how far the views support each other.
    """

    T_view1_tool: Array
    offset_px: Array
    gap_m: float
    spread_rad: float
    agreement: float


def make(_choice: TrackerChoice) -> TrackFunction:
    """Return the tracker that fuses the built-in one, run in each view alone."""
    return fused_tracker(built_in, "fusion")


def fused_tracker(per_view: PerViewTracker, name: str) -> TrackFunction:
    """Return a tracker of the usual contract that runs a per-view tracker in every view and fuses what comes out.

    It always tracks the whole clip: `previous` saves nothing here.
    """

    def track(
        dream: Dream,
        *,
        hints: Sequence[Hint] = (),
        previous: Track | None = None,
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Track:
        begin = time.monotonic()
        check_hints(dream, hints)
        found: list[Mapping[str, ViewTrack]] = []
        for v, view in enumerate(dream.views):
            own = [hint for hint in hints if hint.view == view.name]
            share = _share(progress, v, len(dream.views), view.name)
            found.append(per_view(dream, v, hints=own, progress=share, cancelled=cancelled))
        tools = {role: fuse(dream, role, [view[role] for view in found]) for role in dream.tools}
        return Track(dream.name, tools, tracker=name, hints=tuple(hints), seconds=time.monotonic() - begin)

    return track


def fuse(dream: Dream, role: str, views: Sequence[ViewTrack]) -> ToolTrack:
    """Return one tool's track from its tracks in all views of the dream, in their order.

    A frame that one view alone has keeps that view's pose; the other's confidence is 0 there, so the frame's is.
    Raises ValueError where the number of views or of frames is not the dream's.
    """
    frames, n = len(dream), len(dream.views)
    if len(views) != n or any(len(view.source) != frames for view in views):
        lengths = [len(view.source) for view in views]
        raise ValueError(f"fuse {role}: views of {lengths} frames; the dream has {n} views of {frames}")
    poses, confidence = np.full((frames, 4, 4), np.nan), np.zeros((frames, n))
    disagreement, source = np.full(frames, np.nan), [_source(views, t) for t in range(frames)]
    for t in range(frames):
        seen = [v for v in range(n) if views[v].source[t] != "lost"]
        if not seen:
            continue
        sure = np.array([views[v].confidence[t] for v in range(n)])
        fused = fuse_pose(dream, dream.tools[role], {v: views[v].T_view_tool[t] for v in seen}, sure)
        poses[t] = fused.T_view1_tool
        confidence[t, seen] = sure[seen] * fused.agreement
        disagreement[t] = fused.offset_px[1] - fused.offset_px[0] if n > 1 else np.nan
    return ToolTrack(role, poses, confidence, disagreement, tuple(source))


def fuse_pose(dream: Dream, tool: Tool, T_view_tool: Mapping[int, Array], sure: Array) -> FusedPose:
    """Return the one pose of a tool from its poses (4, 4) by number of the view; sure (V,) confidence of each.

    Where the views contradict each other, or all look along one line, the surest one decides alone.
    """
    T = {v: dream.views[v].T_view1_view @ pose for v, pose in T_view_tool.items()}
    best = max(T, key=lambda v: sure[v])
    centre = tracked_centre(tool)
    p = np.array([T[v][:3, :3] @ centre + T[v][:3, 3] for v in T])
    R = np.array([nearest_turn(T[v][:3, :3], T[best][:3, :3], tool.symmetry) for v in T])
    point, gap = _meet(np.array([dream.views[v].T_view1_view[:3, 3] for v in T]), p, p[list(T).index(best)])
    offset = np.full(len(dream.views), np.nan)
    for v, seen in zip(T, p, strict=True):
        offset[v] = _column(dream, v, seen) - _column(dream, v, point)
    spread = rotation_spread(R)
    agreement = _support(spread, AGREE_RAD, APART_RAD) * _support(
        float(np.ptp(offset[list(T)])), AGREE_PX, APART_PX
    )
    pose = T[best] if agreement == 0 else _about(mean_rotation(R), point, centre)
    return FusedPose(pose, offset, gap, spread, agreement)


def _meet(origins: Array, points: Array, own: Array) -> tuple[Array, float]:
    """Return where the rays meet and how far off they pass [m]; `own` where they say nothing together."""
    try:
        point = meeting_point(origins, points - origins)
    except ValueError:  # one view, or cameras that look along one line: only a camera's own depth is left
        return own, 0.0
    return point, float(ray_distances(point, origins, points - origins).mean())


def _about(R: Array, point: Array, centre: Array) -> Array:
    """The pose (4, 4) that puts the tool's centre at a point."""
    return transform(R, point - R @ centre)


def _column(dream: Dream, v: int, point: Array) -> float:
    """Where a point [m, view 1] is in a view, from left to right [px]."""
    p = dream.T_view_tool(v, transform(np.eye(3), point))[:3, 3]
    return float(project(dream.views[v].camera.K, p[None])[0, 0])


def _support(value: float, agree: float, apart: float) -> float:
    """1 up to `agree`, falling to 0 at `apart`."""
    return float(np.clip((apart - value) / (apart - agree), 0.0, 1.0)) if np.isfinite(value) else 0.0


def _source(views: Sequence[ViewTrack], t: int) -> PoseSource:
    """A pose counts as a person's as soon as a person's box is behind one of the views."""
    said = [view.source[t] for view in views]
    ranked: tuple[PoseSource, ...] = ("corrected", "hinted", "tracked", "interpolated")
    return next((source for source in ranked if source in said), "lost")


def _share(progress: Progress | None, v: int, views: int, name: str) -> Callable[[float, str], None] | None:
    """This view's part of the progress."""
    if progress is None:
        return None
    return lambda done, text: progress((v + done) / views, f"{name}: {text}")
