"""Tracking with cuts: where a person says that a tool's track begins anew. Runs in the worker process."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from app.dreams.track_job import cached_dream
from app.worker import Cancel, Cancelled, Report
from models.corrections import pose_hints
from models.tracking.trackers import TrackerChoice, TrackFunction, make_tracker
from models.types import Cut, Dream, Hint, PoseFix, ToolTrack, Track


def track_with_cuts(
    folder: Path,
    hints: tuple[Hint, ...],
    previous: Track | None,
    choice: TrackerChoice,
    cuts: tuple[Cut, ...],
    report: Report,
    cancelled: Cancelled,
) -> Track:
    """Track the dream of a folder, then each tool anew where it was cut. Raises Cancel after a cancel.

    previous: a track that boxes and cuts were only added to; what they do not touch is taken over from it.
    """
    try:
        return follow(make_tracker(choice), cached_dream(folder), hints, previous, cuts, report, cancelled)
    except Exception as error:
        if cancelled():
            raise Cancel from error
        raise


def follow(
    tracker: TrackFunction,
    dream: Dream,
    hints: tuple[Hint, ...],
    previous: Track | None,
    cuts: tuple[Cut, ...],
    report: Report,
    cancelled: Cancelled,
) -> Track:
    """Track a dream, then each tool anew where it was cut; previous: see `track_with_cuts`."""
    done = previous.cuts if previous is not None else ()
    left = cuts[len(done) :]

    def shared(step: int) -> Report:
        return lambda share, text: report((step + share) / (1 + len(left)), text)

    track = previous
    if track is None or set(track.hints) != set(hints):
        track = tracker(dream, hints=hints, previous=track, progress=shared(0), cancelled=cancelled)
    for step, cut in enumerate(left, 1):
        again = _split if cut.kind == "split" else _restarted
        fresh = again(tracker, dream, track, cut, hints, shared(step), cancelled)
        track = replace(track, tools={**track.tools, cut.tool: fresh}, seconds=track.seconds)
    return replace(track, hints=hints, cuts=cuts, corrections=())


def _split(
    tracker: TrackFunction,
    dream: Dream,
    track: Track,
    cut: Cut,
    hints: tuple[Hint, ...],
    report: Report,
    cancelled: Cancelled,
) -> ToolTrack:
    """Find and follow the tools in frames cut.t.. as if the clip began there; frame 0 stays the bare scene."""
    kept = [0, *range(cut.t, len(dream))]
    views = tuple(replace(view, frames=view.frames[kept]) for view in dream.views)
    later = tuple(replace(hint, t=hint.t - cut.t + 1) for hint in hints if hint.t >= cut.t)
    part = tracker(replace(dream, views=views), hints=later, progress=report, cancelled=cancelled)
    return joined(track.tools[cut.tool], part.tools[cut.tool], cut.t)


def joined(before: ToolTrack, after: ToolTrack, t: int) -> ToolTrack:
    """Return frames 0..t-1 of one track and then frames 1.. of another."""
    return ToolTrack(
        before.tool,
        np.concatenate([before.T_view1_tool[:t], after.T_view1_tool[1:]]),
        np.concatenate([before.confidence[:t], after.confidence[1:]]),
        np.concatenate([before.stereo_disagreement_px[:t], after.stereo_disagreement_px[1:]]),
        (*before.source[:t], *after.source[1:]),
    )


def _restarted(
    tracker: TrackFunction,
    dream: Dream,
    track: Track,
    cut: Cut,
    hints: tuple[Hint, ...],
    report: Report,
    cancelled: Cancelled,
) -> ToolTrack:
    """Forget the tool everywhere but in frame cut.t, and follow it from the pose there to both ends."""
    pose = PoseFix(cut.tool, cut.t, cut.pose).T_view1_tool
    alone = {**track.tools, cut.tool: only_at(track.tools[cut.tool], cut.t, pose)}
    known = tuple(h for h in hints if h.tool != cut.tool)
    own = {(h.view, h.t): h for h in pose_hints(dream, cut.tool, cut.t, pose)}
    own |= {(h.view, h.t): h for h in hints if h.tool == cut.tool}
    base = replace(track, tools=alone, hints=known)
    all_hints = (*known, *own.values())
    return tracker(dream, hints=all_hints, previous=base, progress=report, cancelled=cancelled).tools[cut.tool]


def only_at(tool: ToolTrack, t: int, pose: np.ndarray) -> ToolTrack:
    """Return a track that is lost in every frame but one."""
    poses = np.full_like(tool.T_view1_tool, np.nan)
    poses[t] = pose
    unknown = np.full(len(tool), np.nan)
    source = tuple("tracked" if i == t else "lost" for i in range(len(tool)))
    return ToolTrack(tool.tool, poses, np.zeros_like(tool.confidence), unknown, source)  # type: ignore[arg-type]
