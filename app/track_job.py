"""Tracking a dream folder: the job that runs in the worker process, where alone the tracker is imported."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from app.worker import Cancel
from models.data.dream_folder import load_dream
from models.tracking.stereo_tracker import Cancelled, track
from models.types import Dream, Hint, Track


def track_folder(
    folder: Path,
    hints: tuple[Hint, ...],
    previous: Track | None,
    report: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> Track:
    """Track the dream of a folder; the worker's job. Raises Cancel after a cancel."""
    dream = _dream(folder, (folder / "dream.toml").stat().st_mtime_ns)
    try:
        return track(dream, hints=hints, previous=previous, progress=report, cancelled=cancelled)
    except Cancelled as stop:
        raise Cancel from stop


@lru_cache(maxsize=1)
def _dream(folder: Path, _changed: int) -> Dream:
    """A person corrects the same dream again and again: decode it once."""
    return load_dream(folder)
