"""Tools as they were tracked through an episode: poses.json with the time of each frame (docs/datasets.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.geometry import Array
from hardware.types import require
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.poses_file import poses_document, read_poses
from models.data.text_files import read_table, to_json
from models.types import Dream, Track

TRACK = "track.json"


@dataclass(frozen=True, eq=False)
class EpisodeTrack:
    """track: poses in the frame of the first of `views`, cameras of the episode; times (T,) [s since its start]."""

    track: Track
    views: tuple[str, ...]
    times: Array

    def __post_init__(self) -> None:
        require(len(self.views) > 0, "views: none; valid: cameras of the episode")
        rising = bool(np.isfinite(self.times).all() and (np.diff(self.times) > 0).all())
        require(self.times.ndim == 1 and rising, "times: not a rising list of seconds")
        for role, tool in self.track.tools.items():
            require(len(tool) == len(self.times), f"times: {len(self.times)}, but {role} has {len(tool)} frames")


def write_episode_track(
    episode: Path, track: Track, dream: Dream, times: Array, provenance: Mapping[str, object] | None = None
) -> None:
    """Write the track of a clip that was made from an episode beside it; times (T,) of the clip's frames.

    provenance: from what it was made, JSON values. Raises OSError, ValueError.
    """
    EpisodeTrack(track, tuple(view.name for view in dream.views), times)
    values = {**poses_document(track, dream), "times": times.tolist()}
    write_whole(episode / TRACK, to_json({**values, "provenance": dict(provenance or {})}))


def read_episode_track(episode: Path) -> EpisodeTrack | None:
    """Return the track beside an episode, None where nobody tracked it. Raises DreamFileError."""
    path = episode / TRACK
    if not path.exists():
        return None
    track, fields = read_poses(path), Fields(read_table(path), path)
    views = fields.get("views", list, "names of cameras of the episode")
    if not all(isinstance(view, str) for view in views):
        raise fields.wrong("views", repr(views)[:80], "names of cameras of the episode")
    try:
        return EpisodeTrack(track, tuple(views), fields.array("times", (-1,), "seconds, one for each frame"))
    except DreamFileError:
        raise
    except ValueError as error:
        raise fields.wrong("", str(error)) from error
