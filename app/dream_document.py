"""An open dream folder: the dream, a person's corrections with undo, and the track that goes with them."""

import logging
from dataclasses import dataclass
from pathlib import Path

from app.edits import Allowed, Edit, History, Review, load_history, save_history
from app.track_shelf import TrackShelf, track_key
from hardware.types import Image
from models.data.dream_folder import load_dream
from models.data.errors import DreamFileError
from models.types import Dream, Hint, Track

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorstFrame:
    """The frame to look at first: the least confident one, a lost one before all others."""

    tool: str
    t: int
    confidence: float


class DreamDocument:
    """Everything that a dream folder holds, kept there with every change. Owner's thread only."""

    def __init__(self, folder: Path) -> None:
        """Open a dream folder. Raises DreamFileError naming file and field."""
        self.folder = folder.absolute()
        self.dream: Dream = load_dream(self.folder)
        sizes = {view.name: view.camera.size for view in self.dream.views}
        self._allowed = Allowed(tuple(self.dream.tools), tuple(sizes), len(self.dream), sizes)
        self._history = self._load_history()
        self._shelf = TrackShelf(self.folder, self.dream)
        try:
            self._shelf.select(self.hints, self.tracker)
        except OSError as error:
            log.warning("%s: the folder cannot be written; corrections will not be kept: %s", self.folder, error)

    @property
    def track(self) -> Track | None:
        """The track of the current boxes, else the one that was current last."""
        return self._shelf.current

    @property
    def stale(self) -> bool:
        """Whether the boxes, or the tracker that counts, have changed since the track was made."""
        return self.track is not None and track_key(self.track) != track_key(
            Track("", {}, tracker=self.tracker, hints=self.hints)
        )

    @property
    def hints(self) -> tuple[Hint, ...]:
        return self._history.review.hints

    @property
    def tracker(self) -> str:
        """The tracker whose track counts."""
        return self._history.review.tracker

    @property
    def trim(self) -> tuple[int, int]:
        return self._history.review.trim

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    @property
    def extended_track(self) -> Track | None:
        """The track that boxes were only added to, so that only their spans need be tracked again; else None."""
        track = self.track
        same = track is not None and track.tracker == self.tracker
        return track if same and track is not None and set(track.hints) < set(self.hints) else None

    def edit(self, edit: Edit) -> bool:
        """Do an edit; return whether it changed anything.

        Raises ValueError naming what is unknown, OSError where it could not be kept (it holds until closing).
        """
        self._allowed.check(edit)
        return self._go(self._history.do(edit))

    def undo(self) -> bool:
        """Return whether there was anything to undo. Raises OSError as `edit` does."""
        return self._go(self._history.undo())

    def redo(self) -> bool:
        return self._go(self._history.redo())

    def shelve(self, track: Track) -> None:
        """Keep a track for when its tracker and its boxes count. Raises OSError where it cannot be written."""
        self._shelf.keep(track)

    def put_track(self, track: Track) -> None:
        """Keep a new track. Raises OSError where it could not be kept (it is current until closing)."""
        try:
            self._shelf.put(track)
        finally:
            self._shelf.select(self.hints, self.tracker)

    def frame_at(self, view: str, t: int) -> Image:
        """Return picture t (H, W, 3) of a view; KeyError lists the views, IndexError the range."""
        for candidate in self.dream.views:
            if candidate.name == view:
                if not 0 <= t < len(self.dream):
                    raise IndexError(f"frame {t}; dream {self.dream.name} has 0 to {len(self.dream) - 1}")
                picture: Image = candidate.frames[t]
                return picture
        raise KeyError(f"view {view!r}; dream {self.dream.name} has {[v.name for v in self.dream.views]}")

    def worst_frame(self) -> WorstFrame | None:
        """Return the least confident frame inside the trim, None without a track."""
        if self.track is None:
            return None
        first, last = self.trim
        candidates = [
            WorstFrame(role, t, float(tool.frame_confidence[t]))
            for role, tool in self.track.tools.items()
            for t in range(max(first, _first_found(tool.source)), min(last + 1, len(tool)))
        ]
        return min(candidates, key=lambda frame: frame.confidence, default=None)

    def _go(self, history: History) -> bool:
        if history == self._history:
            return False
        self._history = history
        try:
            save_history(self.folder / "edits.json", history)
        finally:
            self._shelf.select(self.hints, self.tracker)
        return True

    def _load_history(self) -> History:
        """Spoilt corrections do not keep a dream from opening."""
        start = Review((), (0, len(self.dream) - 1))
        try:
            return load_history(self.folder / "edits.json", start, self._allowed)
        except DreamFileError as error:
            log.warning("corrections left out: %s", error)
            return History(start)


def _first_found(source: tuple[str, ...]) -> int:
    """Frames before a tool comes into view are no failure."""
    return next((t for t, s in enumerate(source) if s != "lost"), 0)
