"""Tracking a dream folder: the job that runs in the worker process, where alone a tracker is imported."""

from functools import lru_cache
from pathlib import Path

from app.worker import Cancel, Cancelled, Report
from models.data.dream_folder import load_dream
from models.tracking.trackers import TrackerChoice, make_tracker
from models.types import Dream, Hint, Track


def track_folder(
    folder: Path,
    hints: tuple[Hint, ...],
    previous: Track | None,
    choice: TrackerChoice,
    report: Report,
    cancelled: Cancelled,
) -> Track:
    """Track the dream of a folder; the worker's job. Raises Cancel after a cancel."""
    track = make_tracker(choice)
    dream = cached_dream(folder)
    try:
        return track(dream, hints=hints, previous=previous, progress=report, cancelled=cancelled)
    except Exception as error:
        if cancelled():
            raise Cancel from error
        raise


def cached_dream(folder: Path) -> Dream:
    """Return the dream of a folder; decoded once, since a person corrects the same dream again and again."""
    return _dream(folder, (folder / "dream.toml").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _dream(folder: Path, _changed: int) -> Dream:
    return load_dream(folder)
