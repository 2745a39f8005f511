"""Tracking one recorded episode: a job of the worker process, where alone trackers are imported."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from app.datasets.track_review import CORRECTIONS, EpisodeReview, extended_track, put_track, read_review
from app.datasets.tracking import TrackedTool, TrackOrder
from app.dreams.cut_job import follow
from app.dreams.edits import AddCut, AddHint, Allowed, SetPose
from app.worker import Cancel, Cancelled, Report
from hardware.geometry import Array
from hardware.recording.note import NOTE, read_note
from models.data.annotations import AS_RECORDED
from models.data.clips_tracking import camera_values, tool_sha256, tracking_clip
from models.data.episode_track import read_episode_track
from models.data.errors import DreamFileError
from models.data.imports import read_tool
from models.data.session_demo import episode_demos
from models.tracking.stereo_tracker import ALARM_LEVEL
from models.tracking.trackers import make_tracker
from models.types import Dream


def track_episode(order: TrackOrder, report: Report, cancelled: Cancelled) -> dict[str, TrackedTool]:
    """Track the tools of an episode and put `track.json` beside it. Raises Cancel: then nothing changed.

    The whole episode is tracked, whatever pieces a person made of it: they can be made anew.
    """
    report(0.0, "reading the pictures")
    (demo,) = episode_demos(order.episode, read_note(order.episode / NOTE), AS_RECORDED)
    tools = {role: read_tool(role, path) for role, path in order.tools.items()}
    if order.whole:
        tools = {role: replace(tool, trackable=None) for role, tool in tools.items()}
    dream, times = tracking_clip(demo, tools, order.fps)
    if cancelled():
        raise Cancel
    review = _review(order.episode, dream, times)
    previous = extended_track(order.episode, review) if order.again else None

    def share(done: float, text: str) -> None:
        report(0.05 + 0.95 * done, text)

    try:
        boxes, cuts = review.review.hints, review.review.cuts
        track = follow(make_tracker(order.choice), dream, boxes, previous, cuts, share, cancelled)
    except Exception as error:
        if cancelled():
            raise Cancel from error
        raise
    if cancelled():
        raise Cancel
    put_track(order.episode, track, dream, times, {
        "recording": demo.source,
        "tools": {role: {"name": tool.name, "sha256": tool_sha256(tool)} for role, tool in tools.items()},
        "cameras": [camera_values(view.camera) for view in dream.views],
        "program": version("dreamdeck"),
    }, again=order.again)  # fmt: skip
    return {
        role: TrackedTool(
            len(tool), int(tool.found.sum()), float((tool.frame_confidence[tool.found] >= ALARM_LEVEL).mean())
            if tool.found.any() else 0.0,
        )
        for role, tool in track.tools.items()
    }  # fmt: skip


def _review(episode: Path, dream: Dream, times: Array) -> EpisodeReview:
    """Return the corrections of an episode. Raises DreamFileError where they are not of this clip."""
    review, before = read_review(episode), read_episode_track(episode)
    if review is None:
        return EpisodeReview()
    if before is not None and (
        before.times.shape != times.shape or not np.allclose(before.times, times, atol=1e-6)
    ):
        problem = "its frames are those of a track at another rate"
        raise DreamFileError(episode / CORRECTIONS, "hints", problem, "the rate at which it was tracked before")
    sizes = {view.name: view.camera.size for view in dream.views}
    allowed = Allowed(tuple(dream.tools), tuple(sizes), len(dream), sizes)
    try:
        for hint in review.review.hints:
            allowed.check(AddHint(hint))
        for cut in review.review.cuts:
            allowed.check(AddCut(cut))
        for fix in review.review.fixes:
            allowed.check(SetPose(fix))
    except ValueError as error:
        raise DreamFileError(
            episode / CORRECTIONS, "", str(error), "tools, cameras and frames of the track"
        ) from error
    return review
