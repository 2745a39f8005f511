"""Tools as they were tracked through an episode: poses.json with the time of each frame (docs/datasets.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """track: poses in the frame of the first of `views`, cameras of the episode; times (T,) [s since its start];
    K (3, 3) by view: of its pictures as they were tracked; names: of the tools, by role; both as far as that was
    written down."""

    track: Track
    views: tuple[str, ...]
    times: Array
    K: Mapping[str, Array] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(len(self.views) > 0, "views: none; valid: cameras of the episode")
        rising = bool(np.isfinite(self.times).all() and (np.diff(self.times) > 0).all())
        require(self.times.ndim == 1 and rising, "times: not a rising list of seconds")
        for role, tool in self.track.tools.items():
            require(len(tool) == len(self.times), f"times: {len(self.times)}, but {role} has {len(tool)} frames")


def write_episode_track(
    episode: Path, track: Track, dream: Dream, times: Array, provenance: Mapping[str, object] | None = None
) -> None:
    """Write the track of a clip that was made from an episode beside it. Raises OSError, ValueError."""
    write_whole(episode / TRACK, to_json(episode_track_document(track, dream, times, provenance or {})))


def episode_track_document(
    track: Track, dream: Dream, times: Array, provenance: Mapping[str, object]
) -> dict[str, object]:
    """Return the JSON values of a track of an episode; times (T,) of the clip's frames.

    provenance: from what it was made, JSON values. Raises ValueError.
    """
    EpisodeTrack(track, tuple(view.name for view in dream.views), times)
    values = {**poses_document(track, dream), "times": times.tolist()}
    return {**values, "provenance": dict(provenance)}


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
        times = fields.array("times", (-1,), "seconds, one for each frame")
        known = "provenance" in fields.values
        made_from = fields.table("provenance", "what it was made from") if known else Fields({}, path)
        return EpisodeTrack(track, tuple(views), times, _K(made_from), _names(made_from))
    except DreamFileError:
        raise
    except ValueError as error:
        raise fields.wrong("", str(error)) from error


def _K(made_from: Fields) -> Mapping[str, Array]:
    rows = made_from.rows("cameras", "a list of cameras") if "cameras" in made_from.values else []
    return {row.get("name", str, "a camera"): row.array("K", (3, 3), "3x3 numbers") for row in rows}


def _names(made_from: Fields) -> Mapping[str, str]:
    if "tools" not in made_from.values:
        return {}
    tools = made_from.table("tools", "tools by role")
    return {role: tools.table(role, "a tool").get("name", str, "its name") for role in tools.values}
