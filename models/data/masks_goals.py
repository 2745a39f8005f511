"""The goal of each clip of push-shape: where the object lay when the last push of its episode was over."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, read_note
from hardware.types import Image
from models.data.demo import Demo
from models.data.masks import MASKS, final_masks, read_masks
from models.data.session_demo import SessionDemo

STEP = "step"
"""Key in EpisodeNote.details of a push that is an episode of its own: "2 of 3"."""


def recorded_goals(demo: Demo) -> Mapping[str, Image]:
    """Return by camera the last mask (H, W), 0 or 255, of the table that a demo of a session shows.

    That is the demo's own episode, or where every push is one, the episode of the last push. Empty where nobody
    found any. Raises DreamFileError.
    """
    if not isinstance(demo, SessionDemo):
        return {}
    folder = demo.recording.folder
    last = last_push(folder, demo.note)
    return _masks(last) or _masks(folder)


def last_push(episode: Path, note: EpisodeNote) -> Path:
    """Return the episode of the last push of the same table; the same one where it is no push, or that is gone."""
    ahead = _pushes_ahead(note)
    if not ahead:
        return episode
    last = episode.with_name(f"{note.number + ahead:06d}")
    try:
        other = read_note(last / NOTE)
    except EpisodeFileError:
        return episode
    same = (other.task, other.seed, _pushes_ahead(other)) == (note.task, note.seed, 0)
    return last if same else episode


def _pushes_ahead(note: EpisodeNote) -> int:
    push, of, pushes = note.details.get(STEP, "").partition(" of ")
    return int(pushes) - int(push) if of and push.isdecimal() and pushes.isdecimal() else 0


def _masks(episode: Path) -> Mapping[str, Image]:
    path = episode / MASKS
    return _read(episode, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=64)
def _read(episode: Path, _changed: int) -> Mapping[str, Image]:
    return final_masks(read_masks(episode))
