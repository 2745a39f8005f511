"""An open dream folder: the dream, a person's corrections with undo, and the track that goes with them."""

import getpass
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from app.dreams.edits import Allowed, Edit, History, Review
from app.dreams.edits_file import load_history, save_history
from app.dreams.track_shelf import Recipe, TrackShelf, boxes_only, recipe_of
from hardware.types import Image
from models.corrections import corrected, pose_hints
from models.data.dream_folder import load_dream
from models.data.errors import DreamFileError
from models.tracking.trackers import BUILT_IN, TRACKERS
from models.types import Dream, Hint, Track

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorstFrame:
    """The frame to look at first: the least confident one, a lost one before all others."""

    tool: str
    t: int
    confidence: float


class DreamDocument:
    """Everything that a dream folder holds, kept there with every change. Owner's thread only.

    track: the track with a person's corrections in it, of the current boxes, else the one that was current last.
    """

    def __init__(self, folder: Path) -> None:
        """Open a dream folder. Raises DreamFileError naming file and field."""
        self.folder = folder.absolute()
        self.dream: Dream = load_dream(self.folder)
        sizes = {view.name: view.camera.size for view in self.dream.views}
        self._allowed = Allowed(tuple(self.dream.tools), tuple(sizes), len(self.dream), sizes)
        self.track: Track | None = None
        self._made: tuple[tuple[object, ...], Track] | None = None
        history = self._load_history()
        self._shelf = TrackShelf(self.folder, self.dream, keep_corrections=history is None)
        self._history = self._rescued() if history is None else history
        try:
            self._select()
        except OSError as error:
            log.warning("%s: the folder cannot be written; corrections will not be kept: %s", self.folder, error)

    @property
    def review(self) -> Review:
        """What the corrections add up to."""
        return self._history.review

    @property
    def recipe(self) -> Recipe:
        """What the track should be made from: a pose that a person gave is a box in every view as well."""
        review = self.review
        drawn = {(hint.tool, hint.view, hint.t) for hint in review.hints}
        poses = (h for fix in review.fixes for h in pose_hints(self.dream, fix.tool, fix.t, fix.T_view1_tool))
        implied = tuple(h for h in poses if (h.tool, h.view, h.t) not in drawn)
        return Recipe((*review.hints, *implied), review.tracker, review.cuts)

    @property
    def stale(self) -> bool:
        """Whether boxes, cuts or the tracker that counts have changed since the track was made.

        A pose that a person gave is in the track already, tracked again or not; one that was taken away since the
        track was made with its help is not out of it.
        """
        base, review = self._shelf.base, self.review
        if base is None:
            return False
        now = Recipe(boxes_only(review.hints), review.tracker, review.cuts)
        then = Recipe(boxes_only(base.hints), base.tracker, base.cuts)
        given = {(fix.tool, fix.t) for fix in review.fixes}
        return now.key != then.key or any((h.tool, h.t) not in given for h in base.hints if h.kind == "pose")

    @property
    def hints(self) -> tuple[Hint, ...]:
        return self.review.hints

    @property
    def tracker(self) -> str:
        """The tracker whose track counts."""
        return self.review.tracker

    @property
    def trim(self) -> tuple[int, int]:
        return self.review.trim

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    @property
    def original(self) -> Track | None:
        """What the tracker said by itself, before any correction, where that is kept; else what it said last."""
        return self._shelf.find(Recipe((), self.tracker)) or self._shelf.base

    @property
    def tracks_at_hand(self) -> tuple[Track, ...]:
        """What each tracker said by itself from the boxes that count now, where that is kept."""
        kept = (self._shelf.find(Recipe(self.recipe.hints, name)) for name in TRACKERS)
        return tuple(track for track in kept if track is not None)

    @property
    def extended_track(self) -> Track | None:
        """The track that boxes or cuts were only added to, so that only their spans need be tracked again."""
        base, recipe = self._shelf.base, self.recipe
        if base is None or base.tracker != recipe.tracker or base.cuts != recipe.cuts[: len(base.cuts)]:
            return None
        added = set(base.hints) < set(recipe.hints) or len(base.cuts) < len(recipe.cuts)
        return base if added and set(base.hints) <= set(recipe.hints) else None

    def edit(self, edit: Edit) -> bool:
        """Do an edit; return whether it changed anything.

        Raises ValueError for one that names what there is not, OSError where it could not be kept (it is done
        until closing).
        """
        self._allowed.check(edit)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        return self._go(self._history.do(edit, person(), when))

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
            self._select()

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

    def _select(self) -> None:
        """Take the track that goes with the corrections, put them in, and keep the outcome. Raises OSError."""
        self._shelf.select(self.recipe)
        base, review = self._shelf.base, self.review
        if base is None:
            return
        made_from = (base, review.fixes, review.untracked)
        if self._made is None or self._made[0] != made_from:
            self._made = made_from, corrected(*made_from)
        self.track = replace(self._made[1], corrections=(*base.corrections, *self._history.corrections))
        self._shelf.show(self.track)

    def _go(self, history: History) -> bool:
        if history == self._history:
            return False
        self._history = history
        try:
            save_history(self.folder / "edits.json", history)
        finally:
            self._select()
        return True

    def _load_history(self) -> History | None:
        """Spoilt corrections do not keep a dream from opening: None, and the file is set aside."""
        path, start = self.folder / "edits.json", Review((), (0, len(self.dream) - 1))
        try:
            return load_history(path, start, self._allowed)
        except DreamFileError as error:
            log.warning("corrections cannot be undone any more, the track keeps them: %s", error)
        try:
            path.replace(_free(path))
        except OSError as error:
            log.warning("%s: a damaged history could not be set aside: %s", path, error)
        return None

    def _rescued(self) -> History:
        """Begin a new history at what track.json says, corrections and all."""
        base = self._shelf.base
        whole = (0, len(self.dream) - 1)
        if base is None:
            return History(Review((), whole))
        recipe = recipe_of(base)
        tracker = recipe.tracker if recipe.tracker in TRACKERS else BUILT_IN
        history = History(Review(boxes_only(recipe.hints), whole, tracker, cuts=recipe.cuts))
        # the boxes of poses that are not known as such any more would make the track look outdated
        self._shelf.base = replace(base, hints=boxes_only(base.hints))
        try:
            self._shelf.rescue()
            save_history(self.folder / "edits.json", history)
        except OSError as error:
            log.warning("%s: the folder cannot be written: %s", self.folder, error)
        return history


def person() -> str:
    """Return who works at this machine, "" where it does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _free(path: Path) -> Path:
    """Return edits.damaged.json, or edits.damaged-2.json, .. where it is taken."""
    taken = (path.with_suffix(f".damaged{f'-{n}' if n > 1 else ''}.json") for n in range(1, 100))
    return next((candidate for candidate in taken if not candidate.exists()), path.with_suffix(".damaged.json"))


def _first_found(source: tuple[str, ...]) -> int:
    """Frames before a tool comes into view are no failure."""
    return next((t for t, s in enumerate(source) if s != "lost"), 0)
