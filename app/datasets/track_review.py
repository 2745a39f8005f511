"""What a person corrected in an episode's track, beside it, and what becomes of the track by it.

    EPISODE/corrections.json    {"format": 1, "hints": [..], "cuts": [..], "poses": [..], "untracked": [..],
                                "made": [..]}
    EPISODE/tracks/KEY.json     what the tracker said by itself, for each set of boxes and cuts
    EPISODE/track.json          that of the boxes and cuts that count, with given poses and marks put in

Frames are those of the track. Undo is the journal's: it puts corrections.json back, and the track follows.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.dreams.edits import Edit, Entry, Review, correction_of
from app.dreams.track_shelf import Recipe, recipe_of
from hardware.geometry import Array
from hardware.whole_file import write_whole
from models.corrections import corrected, spans
from models.data.episode_track import TRACK, episode_track_document
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.poses_file import (
    cut_values,
    fix_values,
    hint_values,
    read_correction,
    read_cut,
    read_fix,
    read_hint,
    read_poses,
    track_values,
)
from models.data.text_files import read_table, to_json
from models.types import Correction, Dream, Track

CORRECTIONS, TRACKS = "corrections.json", "tracks"
DAMAGED = "corrections.damaged.json"
FORMAT = 1
_WHOLE = (0, 1)  # demos are cut by their annotation
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EpisodeReview:
    """review: what the corrections add up to; made: who did what when, oldest first."""

    review: Review = field(default_factory=lambda: Review((), _WHOLE))
    made: tuple[Correction, ...] = ()

    def after(self, edit: Edit, who: str = "", when: str = "") -> "EpisodeReview":
        """Return it after one more correction; the same where that changes nothing."""
        review, made = edit.apply(self.review), correction_of(Entry(edit, who, when))
        if review == self.review or made is None:
            return self
        return EpisodeReview(review, (*self.made, made))

    def recipe(self, tracker: str) -> Recipe:
        """Return what the track should be made from."""
        return Recipe(self.review.hints, tracker, self.review.cuts)


def read_review(episode: Path) -> EpisodeReview | None:
    """Return the corrections of an episode, None where there are none. Raises DreamFileError."""
    path = episode / CORRECTIONS
    return review_from(read_table(path), path) if path.exists() else None


def write_review(episode: Path, review: EpisodeReview | None) -> None:
    """Write the corrections, None: take them away; a damaged file is set aside. Raises OSError."""
    path = episode / CORRECTIONS
    try:
        read_review(episode)
    except DreamFileError:
        os.replace(path, episode / DAMAGED)
    if review is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(path, to_json(review_values(review)))


def review_values(review: EpisodeReview) -> dict[str, object]:
    """Return corrections as JSON values."""
    marked = [
        {"tool": tool, "first": first, "last": last}
        for tool in sorted({tool for tool, _ in review.review.untracked})
        for first, last in spans({t for name, t in review.review.untracked if name == tool})
    ]
    return {
        "format": FORMAT,
        "hints": [hint_values(hint) for hint in review.review.hints],
        "cuts": [cut_values(cut) for cut in review.review.cuts],
        "poses": [fix_values(fix) for fix in review.review.fixes],
        "untracked": marked,
        "made": [vars(correction) for correction in review.made],
    }


def review_from(values: object, path: Path) -> EpisodeReview:
    """Return corrections from JSON values that stood in that file. Raises DreamFileError."""
    fields = Fields(values, path)
    if fields.values.get("format") != FORMAT:
        raise fields.wrong("format", repr(fields.values.get("format")), f"{FORMAT}; is this program too old?")
    try:
        marked = [
            (row.get("tool", str, "a tool's role"), t)
            for row in fields.rows("untracked", "a list of {tool, first, last}")
            for t in range(_frame(row, "first"), _frame(row, "last") + 1)
        ]
        given = fields.rows("poses", "a list of poses") if "poses" in fields.values else []
        review = Review(
            tuple(read_hint(row) for row in fields.rows("hints", "a list of hints")),
            _WHOLE,
            fixes=tuple(read_fix(row) for row in given),
            cuts=tuple(read_cut(row) for row in fields.rows("cuts", "a list of cuts")),
            untracked=frozenset(marked),
        )
        return EpisodeReview(review, tuple(read_correction(row) for row in fields.rows("made", "a list")))
    except DreamFileError:
        raise
    except ValueError as error:
        raise fields.wrong("", str(error)) from error


def _frame(row: Fields, key: str) -> int:
    value = row.number(key, "a frame's number")
    if not 0 <= value < 10_000 or value != int(value):
        raise row.wrong(key, f"{value:g}", "a whole number from 0 on")
    return int(value)


# the track


def is_stale(track: Track, review: EpisodeReview) -> bool:
    """Return whether boxes or cuts have changed since a track was made."""
    return recipe_of(track).key != review.recipe(track.tracker).key


def follow_review(episode: Path) -> None:
    """Let track.json be what the tracker said of the boxes that count, where that is kept, with the marks put in.

    Where it is not kept the last one stays, until the episode is tracked again. Raises DreamFileError, OSError.
    """
    path = episode / TRACK
    if not path.exists():
        return
    review, shown = read_review(episode) or EpisodeReview(), read_poses(path)
    own = _kept(episode, recipe_of(shown))
    if not own.exists():
        own.parent.mkdir(exist_ok=True)
        write_whole(own, path.read_bytes())
    wanted = _kept(episode, review.recipe(shown.tracker))
    _show(episode, wanted if wanted.exists() else own, review)


def put_track(
    episode: Path, track: Track, dream: Dream, times: Array, provenance: Mapping[str, object], again: bool
) -> None:
    """Keep a track that was just made of an episode. again: of the same clip and tools as those that are kept.

    Raises OSError, ValueError.
    """
    document = episode_track_document(track, dream, times, provenance)
    review = read_review(episode)
    if not again:
        for old in (episode / TRACKS).glob("*.json"):
            old.unlink()
    if review is None:
        write_whole(episode / TRACK, to_json(document))
        return
    own = _kept(episode, recipe_of(track))
    own.parent.mkdir(exist_ok=True)
    write_whole(own, to_json(document))
    wanted = _kept(episode, review.recipe(track.tracker))  # it may have been corrected while it was tracked
    _show(episode, wanted if wanted.exists() else own, review)


def extended_track(episode: Path, review: EpisodeReview) -> Track | None:
    """Return the tracker's own track that boxes or cuts were only added to, so that only their spans need be
    tracked again; None where everything has to be. Raises DreamFileError."""
    if not (episode / TRACK).exists():
        return None
    shown = read_poses(episode / TRACK)
    own = _kept(episode, recipe_of(shown))
    base = read_poses(own) if own.exists() else shown
    hints, cuts = review.review.hints, review.review.cuts
    return base if set(base.hints) <= set(hints) and base.cuts == cuts[: len(base.cuts)] else None


def _kept(episode: Path, recipe: Recipe) -> Path:
    return episode / TRACKS / f"{recipe.key}.json"


def _show(episode: Path, source: Path, review: EpisodeReview) -> None:
    base = read_poses(source)
    track = replace(corrected(base, review.review.fixes, review.review.untracked), corrections=review.made)
    write_whole(episode / TRACK, to_json({**read_table(source), **track_values(track)}))
