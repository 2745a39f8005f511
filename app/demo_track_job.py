"""Tracking one recorded episode: a job of the worker process, where alone trackers are imported."""

from importlib.metadata import version

from app.demo_tracking import TrackedTool, TrackOrder
from app.worker import Cancel, Cancelled, Report
from hardware.recording.note import NOTE, read_note
from models.data.annotations import AS_RECORDED
from models.data.clips_tracking import camera_values, tool_sha256, tracking_clip
from models.data.episode_track import write_episode_track
from models.data.imports import read_tool
from models.data.session_demo import episode_demos
from models.tracking.stereo_tracker import ALARM_LEVEL
from models.tracking.trackers import make_tracker


def track_episode(order: TrackOrder, report: Report, cancelled: Cancelled) -> dict[str, TrackedTool]:
    """Track the tools of an episode and put `track.json` beside it. Raises Cancel: then nothing changed.

    The whole episode is tracked, whatever pieces a person made of it: they can be made anew.
    """
    report(0.0, "reading the pictures")
    (demo,) = episode_demos(order.episode, read_note(order.episode / NOTE), AS_RECORDED)
    tools = {role: read_tool(role, path) for role, path in order.tools.items()}
    dream, times = tracking_clip(demo, tools, order.fps)
    if cancelled():
        raise Cancel

    def share(done: float, text: str) -> None:
        report(0.05 + 0.95 * done, text)

    try:
        track = make_tracker(order.choice)(dream, progress=share, cancelled=cancelled)
    except Exception as error:
        if cancelled():
            raise Cancel from error
        raise
    if cancelled():
        raise Cancel
    write_episode_track(order.episode, track, dream, times, {
        "recording": demo.source,
        "tools": {role: {"name": tool.name, "sha256": tool_sha256(tool)} for role, tool in tools.items()},
        "cameras": [camera_values(view.camera) for view in dream.views],
        "program": version("dreamdeck"),
    })  # fmt: skip
    return {
        role: TrackedTool(
            len(tool), int(tool.found.sum()), float((tool.frame_confidence[tool.found] >= ALARM_LEVEL).mean())
            if tool.found.any() else 0.0,
        )
        for role, tool in track.tools.items()
    }  # fmt: skip
