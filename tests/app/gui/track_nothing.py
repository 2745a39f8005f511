"""A tracker for tests: the same track for every episode, at once."""

import numpy as np

from app.demo_track_job import TrackedTool, TrackOrder
from app.worker import Cancelled, Report
from models.data.episode_track import write_episode_track
from tests.models.data.sessions import a_track


def track_nothing(order: TrackOrder, report: Report, _cancelled: Cancelled) -> dict[str, TrackedTool]:
    """Write `a_track` beside the episode."""
    report(0.5, "half way")
    track, dream = a_track()
    write_episode_track(order.episode, track, dream, 0.05 + 0.06 * np.arange(20))
    return {"left": TrackedTool(20, 19, 1.0)}
