"""What a person wants done to demos, as plain values: each says what becomes of an episode's annotation."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from app.datasets.journal import EpisodeState
from app.datasets.track_review import EpisodeReview
from app.dreams.edits import Edit, edit_name
from hardware.recording.note import EpisodeNote
from models.data.annotations import (
    AS_RECORDED,
    SHORTEST_S,
    Annotation,
    Mark,
    labelled,
    marked,
    merged,
    split,
    trimmed,
    without,
)
from models.data.dataset_index import DemoKey
from models.data.demo import DemoLabels
from models.data.session_demo import recorded_labels

Success = Literal["yes", "no", "unknown"]
SUCCESS: dict[Success, bool | None] = {"yes": True, "no": False, "unknown": None}
_TEXTS = ("task", "instruction", "object", "condition", "note")


@dataclass(frozen=True)
class LabelChange:
    """Which labels to change, None: as it is. Tags are added and taken away one by one."""

    task: str | None = None
    instruction: str | None = None
    object: str | None = None
    condition: str | None = None
    note: str | None = None
    success: Success | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.task is not None and not self.task.strip():
            raise ValueError("task: is empty; valid: a name, such as push-shape")

    @property
    def empty(self) -> bool:
        return all(getattr(self, field.name) in (None, ()) for field in fields(self))

    def apply(self, labels: DemoLabels) -> DemoLabels:
        texts = {name: getattr(self, name).strip() for name in _TEXTS if getattr(self, name) is not None}
        tags = [tag for tag in labels.tags if tag not in self.remove_tags]
        tags += [tag for tag in self.add_tags if tag not in tags]
        success = labels.success if self.success is None else SUCCESS[self.success]
        return replace(labels, **texts, success=success, tags=tuple(tags))


@dataclass(frozen=True)
class Trim:
    """Let a demo begin and end there [s since the episode's start]; end None: where the episode ends."""

    key: DemoKey
    start: float
    end: float | None

    text = "trim"

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        _inside(self.start, note)
        return _said(state, trimmed(_annotation(state), key[2], self.start, self.end))

    @property
    def keys(self) -> tuple[DemoKey, ...]:
        return (self.key,)


@dataclass(frozen=True)
class Split:
    """Make two demos of one at t [s since the episode's start]."""

    key: DemoKey
    t: float

    text = "split"

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        _inside(self.t, note)
        return _said(state, split(_annotation(state), key[2], self.t))

    @property
    def keys(self) -> tuple[DemoKey, ...]:
        return (self.key,)


@dataclass(frozen=True)
class Merge:
    """Join a demo with the one after it in the same episode."""

    key: DemoKey

    text = "merge"

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        return _said(state, merged(_annotation(state), key[2]))

    @property
    def keys(self) -> tuple[DemoKey, ...]:
        return (self.key,)


@dataclass(frozen=True)
class Label:
    """Change labels of one demo or of many."""

    keys: tuple[DemoKey, ...]
    change: LabelChange

    text = "label"

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        annotation = _annotation(state)
        now = annotation.piece(key[2]).labels or recorded_labels(note)
        after = self.change.apply(now)
        return state if after == now else _said(state, labelled(annotation, key[2], after))


@dataclass(frozen=True)
class Restore:
    """Let demos be as they were recorded: whole, with the labels of then."""

    keys: tuple[DemoKey, ...]

    text = "as recorded"

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        return replace(state, annotation=None)


@dataclass(frozen=True)
class Delete:
    """Leave demos out: one piece of several is no piece any more, a whole episode goes to the trash."""

    keys: tuple[DemoKey, ...]

    text = "delete"

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        annotation = _annotation(state)
        if len(annotation.pieces) > 1:
            return _said(state, without(annotation, key[2]))
        annotation.piece(key[2])
        return replace(state, trash=True)


@dataclass(frozen=True)
class SetMarks:
    """Set the step marks of a demo's episode [s since the episode's start]."""

    key: DemoKey
    marks: tuple[Mark, ...]

    text = "step marks"

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        return _said(state, marked(_annotation(state), self.marks))

    @property
    def keys(self) -> tuple[DemoKey, ...]:
        return (self.key,)


@dataclass(frozen=True)
class Correct:
    """Correct the track of a demo's episode; frames are the track's. who, when (ISO 8601): for its provenance."""

    key: DemoKey
    edits: tuple[Edit, ...]
    who: str = ""
    when: str = ""

    def apply(self, state: EpisodeState, key: DemoKey, note: EpisodeNote) -> EpisodeState:
        before = state.review or EpisodeReview()
        after = before
        for edit in self.edits:
            after = after.after(edit, self.who, self.when)
        return state if after == before else replace(state, review=after)

    @property
    def text(self) -> str:
        return f"track: {edit_name(self.edits[0])}"

    @property
    def keys(self) -> tuple[DemoKey, ...]:
        return (self.key,)


Wish = Trim | Split | Merge | Label | Restore | Delete | SetMarks | Correct


def describe(wish: Wish) -> str:
    """Return what an edit is called in menus and messages."""
    count = len(wish.keys)
    what = f"label: {', '.join(_changed(wish.change))}" if isinstance(wish, Label) else wish.text
    return what if count == 1 else f"{what} of {count} demos"


def _changed(change: LabelChange) -> Sequence[str]:
    names = [
        field.name.replace("_", " ") for field in fields(change) if getattr(change, field.name) not in (None, ())
    ]
    return names or ["nothing"]


def _inside(t: float, note: EpisodeNote) -> None:
    last = note.duration_s - SHORTEST_S
    if t > last:
        raise ValueError(f"{t:.2f} s: the episode ends at {note.duration_s:.2f} s; valid: up to {last:.2f} s")


def _annotation(state: EpisodeState) -> Annotation:
    return state.annotation or AS_RECORDED


def _said(state: EpisodeState, annotation: Annotation) -> EpisodeState:
    return replace(state, annotation=annotation)
