"""The tracks that a dream folder keeps."""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from app.edits import distinct
from models.data.dream_folder import load_track, save_track
from models.data.errors import DreamFileError
from models.data.text_files import to_json
from models.tracking.trackers import BUILT_IN, TRACKERS
from models.types import Dream, Hint, Track

log = logging.getLogger(__name__)


class TrackShelf:
    """The tracks of one dream by tracker and the boxes they were made with; the one that counts is track.json."""

    def __init__(self, folder: Path, dream: Dream) -> None:
        self._folder, self._dream = folder, dream
        self._tracks: dict[str, Track | None] = {}
        current = self._load("track.json")
        if current is not None:
            self._tracks[track_key(current)] = current
        self.current = current

    def select(self, hints: Iterable[Hint], tracker: str = BUILT_IN) -> bool:
        """Make the track of these boxes the current one; False (and no change) where there is none yet."""
        key = _key(hints, tracker)
        if key not in self._tracks:
            self._tracks[key] = self._load(f"tracks/{key}.json")
        found = self._tracks[key]
        if found is None:
            return False
        if found is not self.current:
            self.current = found
            save_track(self._folder, self._dream, found)
        return True

    def put(self, track: Track) -> None:
        """Keep a new track as the current one. Raises OSError where it cannot be written; it is current still."""
        self.current = track
        self.keep(track)
        save_track(self._folder, self._dream, track)

    def keep(self, track: Track) -> None:
        """Keep a track beside the current one. Raises OSError where it cannot be written."""
        key = track_key(track)
        self._tracks[key] = track
        (self._folder / "tracks").mkdir(exist_ok=True)
        save_track(self._folder, self._dream, track, f"tracks/{key}.json")

    def _load(self, name: str) -> Track | None:
        """A damaged track is as good as none: it can be made again."""
        try:
            loaded = load_track(self._folder, name)
        except DreamFileError as error:
            log.warning("track left out: %s", error)
            return None
        if loaded is None or (set(loaded.tools) == set(self._dream.tools) and _fits(loaded, self._dream)):
            return loaded
        log.warning("%s: track left out: it is not one of dream %s", self._folder / name, self._dream.name)
        return None


def _fits(track: Track, dream: Dream) -> bool:
    shape = (len(dream), len(dream.views))
    return all(tool.confidence.shape == shape for tool in track.tools.values())


def track_sha256(track: Track) -> str:
    """Return the sha256 of what a plan depends on: the poses, exactly."""
    poses = {role: tool.T_view1_tool.tolist() for role, tool in sorted(track.tools.items())}
    return hashlib.sha256(to_json(poses).encode()).hexdigest()


def track_key(track: Track) -> str:
    """Return what a track is kept by: its boxes, and its tracker. A file of another program counts as built in."""
    return _key(track.hints, track.tracker)


def _key(hints: Iterable[Hint], tracker: str) -> str:
    made_by = [tracker] if tracker in TRACKERS and tracker != BUILT_IN else []
    text = to_json([*([h.tool, h.view, h.t, list(h.box)] for h in distinct(hints)), *made_by])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
