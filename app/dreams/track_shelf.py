"""The tracks that a dream folder keeps."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.dreams.edits import distinct
from models.data.dream_folder import load_track, save_track
from models.data.errors import DreamFileError
from models.data.poses_file import cut_values
from models.data.text_files import to_json
from models.tracking.trackers import BUILT_IN, TRACKERS
from models.types import Cut, Dream, Hint, Track

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """What a track is made from: boxes, those of corrected poses too; the tracker; and where it begins anew."""

    hints: tuple[Hint, ...]
    tracker: str = BUILT_IN
    cuts: tuple[Cut, ...] = ()

    @property
    def key(self) -> str:
        """What a track is kept by. A track of another program counts as the built-in tracker's."""
        made_by = [self.tracker] if self.tracker in TRACKERS and self.tracker != BUILT_IN else []
        boxes = ([h.tool, h.view, h.t, list(h.box)] for h in distinct(self.hints))
        text = to_json([*boxes, *made_by, *map(cut_values, self.cuts)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def recipe_of(track: Track) -> Recipe:
    """Return what a track was made from."""
    return Recipe(track.hints, track.tracker, track.cuts)


class TrackShelf:
    """The trackers' own tracks of one dream, in tracks/ by what they were made from; `base` is the one that counts.

    track.json holds what became of it by a person's corrections: what is planned, and what other programs read.
    keep_corrections: take track.json itself as the base, corrections and all, where the history of them is lost.
    """

    def __init__(self, folder: Path, dream: Dream, keep_corrections: bool = False) -> None:
        self._folder, self._dream = folder, dream
        self._tracks: dict[str, Track | None] = {}
        self.shown = self._load("track.json")
        self.base = self.shown
        if self.shown is None:
            return
        key = recipe_of(self.shown).key
        if self.shown.corrections and not keep_corrections:
            self.base = self._load(f"tracks/{key}.json") or self.shown
        self._tracks[key] = self.base

    def select(self, recipe: Recipe) -> bool:
        """Make the track of this recipe the base; False (and no change) where there is none yet."""
        found = self.find(recipe)
        if found is not None:
            self.base = found
        return found is not None

    def find(self, recipe: Recipe) -> Track | None:
        """Return the tracker's own track of a recipe, None where there is none."""
        key = recipe.key
        if key not in self._tracks:
            self._tracks[key] = self._load(f"tracks/{key}.json")
        return self._tracks[key]

    def put(self, track: Track) -> None:
        """Keep a new track as the base. Raises OSError where it cannot be written; it is the base still."""
        self.base = track
        self.keep(track)

    def keep(self, track: Track) -> None:
        """Keep a track beside the current one. Raises OSError where it cannot be written."""
        key = recipe_of(track).key
        self._tracks[key] = track
        (self._folder / "tracks").mkdir(exist_ok=True)
        save_track(self._folder, self._dream, track, f"tracks/{key}.json")

    def show(self, track: Track) -> None:
        """Write track.json where it differs; what the tracker said is kept first. Raises OSError."""
        if self.shown is not None and _same(self.shown, track):
            return
        if self.base is not None and not (self._folder / "tracks" / f"{recipe_of(self.base).key}.json").exists():
            self.keep(self.base)
        save_track(self._folder, self._dream, track)
        self.shown = track

    def rescue(self) -> None:
        """Keep a base that holds corrections, and beside it what lies in its place. Raises OSError."""
        if self.base is None:
            return
        file = self._folder / "tracks" / f"{recipe_of(self.base).key}.json"
        if file.exists():
            file.replace(file.with_suffix(".before.json"))
        self.keep(self.base)

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


def _same(a: Track, b: Track) -> bool:
    """Whether two tracks would make the same file."""
    if (recipe_of(a), a.corrections) != (recipe_of(b), b.corrections):
        return False
    sources = all(a.tools[role].source == tool.source for role, tool in b.tools.items())
    return sources and track_sha256(a) == track_sha256(b)


def track_sha256(track: Track) -> str:
    """Return the sha256 of what a plan depends on: the poses, exactly."""
    poses = {role: tool.T_view1_tool.tolist() for role, tool in sorted(track.tools.items())}
    return hashlib.sha256(to_json(poses).encode()).hexdigest()


def boxes_only(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """Return the boxes that a person drew or copied, in one order, without those that poses stand for."""
    return distinct(hint for hint in hints if hint.kind != "pose")
