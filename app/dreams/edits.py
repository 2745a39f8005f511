"""A person's corrections as commands: what was done, in order, so that each can be undone and done again."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from models.tracking.trackers import BUILT_IN, tracker_row
from models.types import Correction, Cut, Hint, PoseFix

Trim = tuple[int, int]
Place = tuple[str, int]
"""A tool and a frame."""


@dataclass(frozen=True)
class Review:
    """What the edits add up to.

    hints: boxes; trim: the first and last frame to keep (inclusive); tracker: whose track counts; fixes: poses
    that a person gave; untracked: frames of tools whose tracked pose is not to be believed; cuts: where tracks
    begin anew.
    """

    hints: tuple[Hint, ...]
    trim: Trim
    tracker: str = BUILT_IN
    fixes: tuple[PoseFix, ...] = ()
    untracked: frozenset[Place] = frozenset()
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True)
class AddHint:
    """Draw a box; it takes the place of one for the same tool, view and frame."""

    hint: Hint

    def apply(self, review: Review) -> Review:
        return replace(review, hints=(*(h for h in review.hints if _place(h) != _place(self.hint)), self.hint))


@dataclass(frozen=True)
class RemoveHint:
    """Take a box away."""

    hint: Hint

    def apply(self, review: Review) -> Review:
        return replace(review, hints=tuple(h for h in review.hints if h != self.hint))


@dataclass(frozen=True)
class SetTrim:
    """Keep frames first..last, inclusive."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.last:
            raise ValueError(
                f"trim: {self.first}..{self.last} keeps fewer than two frames; valid: 0 <= first < last"
            )

    def apply(self, review: Review) -> Review:
        return replace(review, trim=(self.first, self.last))


@dataclass(frozen=True)
class UseTracker:
    """Let the track of this tracker count."""

    tracker: str

    def apply(self, review: Review) -> Review:
        return replace(review, tracker=self.tracker)


@dataclass(frozen=True)
class SetPose:
    """Give a tool a pose in a frame, in place of one given before; a mark on that frame goes."""

    fix: PoseFix

    def apply(self, review: Review) -> Review:
        place = (self.fix.tool, self.fix.t)
        others = tuple(f for f in review.fixes if (f.tool, f.t) != place)
        return replace(review, fixes=(*others, self.fix), untracked=review.untracked - {place})


@dataclass(frozen=True)
class RemovePose:
    """Take a given pose away."""

    fix: PoseFix

    def apply(self, review: Review) -> Review:
        return replace(review, fixes=tuple(f for f in review.fixes if f != self.fix))


@dataclass(frozen=True)
class MarkSpan:
    """Mark frames first..last (inclusive) of a tool untracked, or take the mark away; given poses there go."""

    tool: str
    first: int
    last: int
    untracked: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise ValueError(f"span: {self.first}..{self.last} holds no frame; valid: 0 <= first <= last")

    def apply(self, review: Review) -> Review:
        places = {(self.tool, t) for t in range(self.first, self.last + 1)}
        if not self.untracked:
            return replace(review, untracked=review.untracked - places)
        fixes = tuple(f for f in review.fixes if (f.tool, f.t) not in places)
        return replace(review, fixes=fixes, untracked=review.untracked | places)


@dataclass(frozen=True)
class AddCut:
    """Let a track begin anew somewhere; it takes the place of a cut of the same tool and frame."""

    cut: Cut

    def apply(self, review: Review) -> Review:
        others = tuple(c for c in review.cuts if (c.tool, c.t) != (self.cut.tool, self.cut.t))
        return replace(review, cuts=(*others, self.cut))


@dataclass(frozen=True)
class RemoveCut:
    """Take a cut away."""

    cut: Cut

    def apply(self, review: Review) -> Review:
        return replace(review, cuts=tuple(c for c in review.cuts if c != self.cut))


Edit = AddHint | RemoveHint | SetTrim | UseTracker | SetPose | RemovePose | MarkSpan | AddCut | RemoveCut


@dataclass(frozen=True)
class Entry:
    """An edit, and who made it when (ISO 8601; "" where it was not written down)."""

    edit: Edit
    who: str = ""
    when: str = ""


@dataclass(frozen=True)
class History:
    """All edits done, of which the first `position` count. start: the review before any edit."""

    start: Review
    entries: tuple[Entry, ...] = ()
    position: int = 0

    @property
    def review(self) -> Review:
        review = self.start
        for entry in self.entries[: self.position]:
            review = entry.edit.apply(review)
        return review

    @property
    def can_undo(self) -> bool:
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        return self.position < len(self.entries)

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """Who corrected what, oldest first; what was undone does not count."""
        made = (correction_of(entry) for entry in self.entries[: self.position])
        return tuple(correction for correction in made if correction is not None)

    def do(self, edit: Edit, who: str = "", when: str = "") -> "History":
        """Add an edit; what was undone before it is gone. An edit that changes nothing is not kept."""
        if edit.apply(self.review) == self.review:
            return self
        entries = (*self.entries[: self.position], Entry(edit, who, when))
        return replace(self, entries=entries, position=len(entries))

    def undo(self) -> "History":
        return replace(self, position=max(0, self.position - 1))

    def redo(self) -> "History":
        return replace(self, position=min(len(self.entries), self.position + 1))


@dataclass(frozen=True)
class Allowed:
    """What edits of one dream may name."""

    tools: tuple[str, ...]
    views: tuple[str, ...]
    frames: int
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def check(self, edit: Edit) -> None:
        """Raise ValueError naming the field, its value and the valid ones."""
        if isinstance(edit, UseTracker):
            tracker_row(edit.tracker)
        elif isinstance(edit, SetTrim):
            if edit.last >= self.frames:
                raise ValueError(f"trim: last frame {edit.last}; valid: 1 to {self.frames - 1}")
        else:
            self._check_place(edit)

    def _check_place(self, edit: Edit) -> None:
        correction = correction_of(Entry(edit))
        if correction is None:
            return
        word = "hint" if isinstance(edit, AddHint | RemoveHint) else correction.what
        named = [("tool", correction.tool, self.tools)]
        named += [("view", correction.view, self.views)] if isinstance(edit, AddHint | RemoveHint) else []
        for name, value, valid in named:
            if value not in valid:
                raise ValueError(f"{word}: {name} {value!r} is unknown; valid: {list(valid)}")
        if correction.last >= self.frames:
            raise ValueError(f"{word}: frame {correction.last}; valid: 0 to {self.frames - 1}")


def correction_of(entry: Entry) -> Correction | None:
    """Return what an edit did to a track; None where it did nothing to it."""
    edit = entry.edit
    if isinstance(edit, SetTrim | UseTracker):
        return None
    if isinstance(edit, MarkSpan):
        what, tool, first, last, view = edit_name(edit), edit.tool, edit.first, edit.last, ""
    elif isinstance(edit, AddHint | RemoveHint):
        what, tool, first, last, view = edit_name(edit), edit.hint.tool, edit.hint.t, edit.hint.t, edit.hint.view
    else:
        at = edit.cut if isinstance(edit, AddCut | RemoveCut) else edit.fix
        what, tool, first, last, view = edit_name(edit), at.tool, at.t, at.t, ""
    return Correction(what, tool, first, last, view, entry.who, entry.when)


def edit_name(edit: Edit) -> str:
    """Return what an edit is called in files and in the provenance."""
    if isinstance(edit, AddHint):
        return "copied box" if edit.hint.kind == "copied" else "box"
    if isinstance(edit, MarkSpan):
        return "untracked" if edit.untracked else "tracked again"
    if isinstance(edit, AddCut | RemoveCut):
        return edit.cut.kind if isinstance(edit, AddCut) else f"remove {edit.cut.kind}"
    names: dict[type, str] = {
        RemoveHint: "remove box",
        SetTrim: "trim",
        UseTracker: "tracker",
        SetPose: "pose",
        RemovePose: "remove pose",
    }
    return names[type(edit)]


def _place(hint: Hint) -> tuple[str, str, int]:
    return hint.tool, hint.view, hint.t


def distinct(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """Return hints in one order, so that the same boxes drawn in another order are the same set."""
    return tuple(sorted(hints, key=lambda h: (h.tool, h.view, h.t, h.box)))
