"""A person's corrections as commands: what was done, in order, so that each can be undone and done again."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.text_files import read_table, to_json
from models.tracking.trackers import BUILT_IN, tracker_row
from models.types import Hint

Trim = tuple[int, int]


@dataclass(frozen=True)
class Review:
    """What the edits add up to: boxes, the first and last frame to keep (inclusive), and which tracker counts."""

    hints: tuple[Hint, ...]
    trim: Trim
    tracker: str = BUILT_IN


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


Edit = AddHint | RemoveHint | SetTrim | UseTracker


@dataclass(frozen=True)
class History:
    """All edits done, of which the first `position` count. start: the review before any edit."""

    start: Review
    edits: tuple[Edit, ...] = ()
    position: int = 0

    @property
    def review(self) -> Review:
        review = self.start
        for edit in self.edits[: self.position]:
            review = edit.apply(review)
        return review

    @property
    def can_undo(self) -> bool:
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        return self.position < len(self.edits)

    def do(self, edit: Edit) -> "History":
        """Add an edit; what was undone before it is gone. An edit that changes nothing is not kept."""
        if edit.apply(self.review) == self.review:
            return self
        edits = (*self.edits[: self.position], edit)
        return replace(self, edits=edits, position=len(edits))

    def undo(self) -> "History":
        return replace(self, position=max(0, self.position - 1))

    def redo(self) -> "History":
        return replace(self, position=min(len(self.edits), self.position + 1))


@dataclass(frozen=True)
class Allowed:
    """What edits of one dream may name."""

    tools: tuple[str, ...]
    views: tuple[str, ...]
    frames: int
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def check(self, edit: Edit) -> None:
        """Raise ValueError naming the field, its value and the valid ones."""
        if isinstance(edit, SetTrim):
            if edit.last >= self.frames:
                raise ValueError(f"trim: last frame {edit.last}; valid: 1 to {self.frames - 1}")
            return
        if isinstance(edit, UseTracker):
            tracker_row(edit.tracker)
            return
        hint = edit.hint
        for name, value, valid in (("tool", hint.tool, self.tools), ("view", hint.view, self.views)):
            if value not in valid:
                raise ValueError(f"hint: {name} {value!r} is unknown; valid: {list(valid)}")
        if hint.t >= self.frames:
            raise ValueError(f"hint: frame {hint.t}; valid: 0 to {self.frames - 1}")


def save_history(path: Path, history: History) -> None:
    """Write edits.json, whole or not at all. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    table = {"position": history.position, "edits": [_values(edit) for edit in history.edits]}
    part.write_text(to_json(table), encoding="utf-8")
    part.replace(path)


def load_history(path: Path, start: Review, allowed: Allowed) -> History:
    """Read edits.json, an empty history where there is none. Raises DreamFileError naming file and field."""
    if not path.exists():
        return History(start)
    fields = Fields(read_table(path), path)
    edits = tuple(_edit(row, allowed) for row in fields.rows("edits", "a list of edits"))
    position = fields.number("position", "how many of the edits count")
    if position not in range(len(edits) + 1):
        raise fields.wrong("position", f"{position:g}", f"0 to {len(edits)}")
    return History(start, edits, int(position))


def _place(hint: Hint) -> tuple[str, str, int]:
    return hint.tool, hint.view, hint.t


def _values(edit: Edit) -> dict[str, object]:
    if isinstance(edit, SetTrim):
        return {"edit": "trim", "first": edit.first, "last": edit.last}
    if isinstance(edit, UseTracker):
        return {"edit": "tracker", "tracker": edit.tracker}
    hint = edit.hint
    kind = "box" if isinstance(edit, AddHint) else "remove box"
    return {"edit": kind, "tool": hint.tool, "view": hint.view, "t": hint.t, "box": list(hint.box)}


def _edit(row: Fields, allowed: Allowed) -> Edit:
    kind = row.get("edit", str, "box, remove box, trim or tracker")
    try:
        if kind == "tracker":
            edit: Edit = UseTracker(row.get("tracker", str, "a tracker's name"))
        else:
            edit = _trim(row) if kind == "trim" else _box(row, kind)
        allowed.check(edit)
    except DreamFileError:
        raise
    except ValueError as error:
        raise row.wrong("", str(error)) from error
    return edit


def _trim(row: Fields) -> Edit:
    return SetTrim(_whole(row, "first"), _whole(row, "last"))


def _box(row: Fields, kind: str) -> Edit:
    x0, y0, x1, y1 = row.array("box", (4,), "[x0, y0, x1, y1] in pixels").tolist()
    hint = Hint(row.get("tool", str, "a role"), row.get("view", str, "a view"), _whole(row, "t"), (x0, y0, x1, y1))
    kinds: dict[str, type[AddHint] | type[RemoveHint]] = {"box": AddHint, "remove box": RemoveHint}
    if kind not in kinds:
        raise row.wrong("edit", repr(kind), f"one of {[*kinds, 'trim', 'tracker']}")
    return kinds[kind](hint)


def _whole(row: Fields, key: str) -> int:
    value = row.number(key, "a whole number, 0 or more")
    if value < 0 or value != int(value):
        raise row.wrong(key, f"{value:g}", "a whole number, 0 or more")
    return int(value)


def distinct(hints: Iterable[Hint]) -> tuple[Hint, ...]:
    """Return hints in one order, so that the same boxes drawn in another order are the same set."""
    return tuple(sorted(hints, key=lambda h: (h.tool, h.view, h.t, h.box)))
