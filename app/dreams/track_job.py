"""Tracking a dream folder, once or to compare: jobs of the worker process, where alone trackers are imported."""

import logging
from functools import lru_cache
from pathlib import Path

from app.dreams.comparison import Comparison, Trial, compare
from app.worker import Cancel, Cancelled, Report
from models.data.dream_folder import load_dream
from models.tracking.trackers import TrackerChoice, make_tracker
from models.tracking.yardstick import outline_agreement
from models.types import Dream, Hint, Track

log = logging.getLogger(__name__)


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


def compare_folder(
    folder: Path,
    hints: tuple[Hint, ...],
    choices: tuple[TrackerChoice, ...],
    known: tuple[Track, ...],
    labels: Track | None,
    report: Report,
    cancelled: Cancelled,
) -> Comparison:
    """Track the dream of a folder with each tracker and compare; nothing in the folder changes.

    known: tracks that are there already and need not be made again. A tracker that fails is a trial with a problem.
    """
    dream = cached_dream(folder)
    there = {track.tracker: track for track in known}
    trials = []
    for i, choice in enumerate(choices):
        share = _share(report, i, len(choices), choice.name)
        trials.append(_trial(dream, hints, choice, there.get(choice.name), share, cancelled))
    return compare(dream, trials, labels)


def _trial(
    dream: Dream,
    hints: tuple[Hint, ...],
    choice: TrackerChoice,
    known: Track | None,
    report: Report,
    cancelled: Cancelled,
) -> Trial:
    def check() -> None:
        if cancelled():
            raise Cancel

    try:
        track = known or make_tracker(choice)(dream, hints=hints, progress=report, cancelled=cancelled)
        check()
        return Trial(choice.name, track, outline_agreement(dream, track, check))
    except Exception as error:
        check()
        log.info("tracker %s failed", choice.name, exc_info=True)
        return Trial(choice.name, None, problem=str(error) or type(error).__name__)


def _share(report: Report, i: int, count: int, name: str) -> Report:
    """One tracker's part of the progress."""
    return lambda done, text: report((i + done) / count, f"{name}: {text}")
