"""A tracker for tests: nearly the same track for every episode, at once; boxes are believed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.datasets.track_job import TrackedTool, TrackOrder
from app.datasets.track_review import EpisodeReview, put_track, read_review
from app.jobs import kinds
from app.jobs.context import JobContext
from app.worker import Cancelled, Report
from models.tracking.trackers import BUILT_IN
from tests.models.data.sessions import PLACED, a_track

TIMES = 0.05 + 0.06 * np.arange(20)
TABLE = "tests.app.gui.track_nothing:KINDS"
KINDS = {
    **kinds.KINDS,
    "track_demos": replace(kinds.KINDS["track_demos"], run="tests.app.gui.track_nothing:run"),
}


def run(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Track episodes as a job."""
    episodes = [Path(episode) for episode in arguments["episodes"]]
    for k, episode in enumerate(episodes):
        job.report(k / len(episodes), f"episode {k + 1}")
        _put(episode, again=False)
    return {"tracked": len(episodes)}


def track_nothing(order: TrackOrder, report: Report, _cancelled: Cancelled) -> dict[str, TrackedTool]:
    """Track one episode in a worker."""
    report(0.5, "half way")
    _put(order.episode, order.again)
    return {"left": TrackedTool(20, 19, 1.0)}


def _put(episode: Path, again: bool) -> None:
    """Put `a_track` beside the episode, with the boxes and cuts that a person gave."""
    track, dream = a_track()
    review = (read_review(episode) or EpisodeReview()).review
    made_from = {
        "tools": {"left": {"name": "rotation_gripper_left"}},
        "cameras": [{"name": PLACED.name, "K": (2 * PLACED.K).tolist()}],
    }
    made = replace(track, tracker=BUILT_IN, hints=review.hints, cuts=review.cuts)
    put_track(episode, made, dream, TIMES, made_from, again=again)
