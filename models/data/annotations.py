"""What a person said of a recorded episode afterwards: `annotation.json` beside it. The recording is never touched.

    {"format": 1, "next_key": 3, "pieces": [{"key": 1, "start": 0.4, "end": 6.2, "labels": {..}}], "marks": [..]}

Times are seconds since the episode's start. No file: one piece, as long as the episode, labelled as recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hardware.types import require
from hardware.whole_file import write_whole
from models.data.demo import DemoLabels
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.text_files import read_table, to_json

ANNOTATION = "annotation.json"
FORMAT = 1
SHORTEST_S = 0.1
MAX_PIECES, MAX_MARKS = 1000, 10_000
_OWN = ("format", "pieces", "marks", "next_key")


@dataclass(frozen=True)
class Piece:
    """A part of an episode that is a demo of its own.

    key: its number, which stays its own for ever; start, end [s]; end None: where the episode ends; labels: None as
    they were recorded.
    """

    key: int = 1
    start: float = 0.0
    end: float | None = None
    labels: DemoLabels | None = None

    def __post_init__(self) -> None:
        require(self.key >= 1, f"piece: key {self.key}; valid: 1 or more")
        require(0 <= self.start < 1e6, f"piece {self.key}: start {self.start:g} s; valid: 0 or more")
        longest = self.end is None or (self.start + SHORTEST_S <= self.end + 1e-9 and self.end < 1e6)
        require(longest, f"piece {self.key}: {self.start:g} to {self.end} s; valid: {SHORTEST_S:g} s or longer")


@dataclass(frozen=True)
class Mark:
    """Where a step of the task begins. by: "person", or the name of what found it."""

    t: float
    name: str = ""
    by: str = "person"

    def __post_init__(self) -> None:
        require(0 <= self.t < 1e6, f"mark: {self.t:g} s; valid: 0 or more")


@dataclass(frozen=True)
class Annotation:
    """All that was said of one episode: pieces by time, one or more, none reaching into another; marks by time.

    next_key: of the next piece; extra: what a newer version or another program keeps there, JSON values.
    """

    pieces: tuple[Piece, ...] = (Piece(),)
    marks: tuple[Mark, ...] = ()
    next_key: int = 2
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(0 < len(self.pieces) <= MAX_PIECES, f"pieces: {len(self.pieces)}; valid: 1 to {MAX_PIECES}")
        require(len(self.marks) <= MAX_MARKS, f"marks: {len(self.marks)}; valid: up to {MAX_MARKS}")
        keys = [piece.key for piece in self.pieces]
        require(len(set(keys)) == len(keys), f"pieces: keys {keys}; valid: each once")
        require(self.next_key > max(keys), f"next_key: {self.next_key}; valid: more than {max(keys)}")
        for before, after in zip(self.pieces, self.pieces[1:], strict=False):
            apart = before.end is not None and before.end <= after.start + 1e-9
            require(apart, f"pieces: {after.key} begins before {before.key} ends; valid: one after another")
        times = [mark.t for mark in self.marks]
        require(times == sorted(times), "marks: in no order; valid: by rising times")

    def piece(self, key: int) -> Piece:
        """Raises ValueError for a piece that there is not."""
        for piece in self.pieces:
            if piece.key == key:
                return piece
        raise ValueError(f"piece: there is no {key}; valid: {[piece.key for piece in self.pieces]}")


AS_RECORDED = Annotation()


def trimmed(annotation: Annotation, key: int, start: float, end: float | None) -> Annotation:
    """Let a piece begin and end there [s]; what lies outside is left out, and comes back when it is trimmed anew.

    Raises ValueError where it is too short or reaches into a neighbour.
    """
    return _replaced(annotation, key, replace(annotation.piece(key), start=start, end=end))


def split(annotation: Annotation, key: int, t: float) -> Annotation:
    """Make two pieces of one at t [s]; the first keeps its key, both its labels. Raises ValueError."""
    piece = annotation.piece(key)
    inside = piece.start + SHORTEST_S <= t and (piece.end is None or t <= piece.end - SHORTEST_S)
    require(inside, f"split: {t:.2f} s; valid: inside of the piece, {SHORTEST_S:g} s from its ends")
    halves = (replace(piece, end=t), replace(piece, key=annotation.next_key, start=t))
    return _replaced(annotation, key, *halves, next_key=annotation.next_key + 1)


def merged(annotation: Annotation, key: int, labels: DemoLabels | None = None) -> Annotation:
    """Join a piece with the one after it, what lies between them too; the first one's key and labels stay, unless
    other labels are given. Raises ValueError where there is none after it."""
    at = annotation.pieces.index(annotation.piece(key))
    require(at + 1 < len(annotation.pieces), f"merge: no piece comes after {key}")
    first, second = annotation.pieces[at : at + 2]
    whole = replace(first, end=second.end, labels=labels or first.labels)
    return replace(annotation, pieces=(*annotation.pieces[:at], whole, *annotation.pieces[at + 2 :]))


def without(annotation: Annotation, key: int) -> Annotation:
    """Leave a piece out; the recording stays whole. Raises ValueError for the only one: an episode goes as a whole,
    to its session's trash."""
    annotation.piece(key)
    require(len(annotation.pieces) > 1, "delete: it is the only piece; the episode goes to the trash instead")
    return replace(annotation, pieces=tuple(p for p in annotation.pieces if p.key != key))


def labelled(annotation: Annotation, key: int, labels: DemoLabels | None) -> Annotation:
    """Give a piece labels, None: those that were recorded."""
    return _replaced(annotation, key, replace(annotation.piece(key), labels=labels))


def marked(annotation: Annotation, marks: Sequence[Mark]) -> Annotation:
    """Set all step marks."""
    return replace(annotation, marks=tuple(sorted(marks, key=lambda mark: mark.t)))


def _replaced(annotation: Annotation, key: int, *pieces: Piece, next_key: int = 0) -> Annotation:
    at = annotation.pieces.index(annotation.piece(key))
    now = (*annotation.pieces[:at], *pieces, *annotation.pieces[at + 1 :])
    return replace(annotation, pieces=now, next_key=next_key or annotation.next_key)


# the file


def read_annotation(episode: Path) -> Annotation:
    """Read the annotation of an episode's folder, `AS_RECORDED` where there is none.

    Raises DreamFileError naming file, field, value and what is valid.
    """
    path = episode / ANNOTATION
    return annotation_from(read_table(path), path) if path.exists() else AS_RECORDED


def write_annotation(episode: Path, annotation: Annotation) -> None:
    """Write it beside the episode, on the disk whole or not at all. Raises OSError."""
    write_whole(episode / ANNOTATION, to_json(annotation_values(annotation)))


def annotation_values(annotation: Annotation) -> dict[str, object]:
    """Return it as JSON values."""
    return {
        **annotation.extra,
        "format": FORMAT,
        "next_key": annotation.next_key,
        "pieces": [
            {"key": p.key, "start": p.start, "end": p.end, "labels": None if p.labels is None else vars(p.labels)}
            for p in annotation.pieces
        ],
        "marks": [vars(mark) for mark in annotation.marks],
    }


def annotation_from(values: object, path: Path) -> Annotation:
    """Return an annotation from JSON values that stood in that file. Raises DreamFileError."""
    fields = Fields(values, path)
    if fields.values.get("format") != FORMAT:
        raise fields.wrong("format", repr(fields.values.get("format")), f"{FORMAT}; is this program too old?")
    try:
        pieces = tuple(_piece(row) for row in fields.rows("pieces", "a list of pieces"))
        marks = (
            tuple(_mark(row) for row in fields.rows("marks", "a list of marks")) if _has(fields, "marks") else ()
        )
        after = max((piece.key for piece in pieces), default=0) + 1
        next_key = _whole(fields, "next_key", after)
        extra = {key: value for key, value in fields.values.items() if key not in _OWN}
        return Annotation(pieces, marks, next_key, extra)
    except DreamFileError:
        raise
    except ValueError as error:
        raise fields.wrong("", str(error)) from error


def _piece(row: Fields) -> Piece:
    start = row.number("start", "seconds since the episode's start", 0.0)
    end = row.number("end", "seconds since the episode's start, or null") if _has(row, "end") else None
    labels = _labels(row.table("labels", "a table of labels, or null")) if _has(row, "labels") else None
    return Piece(_whole(row, "key"), start, end, labels)


def _labels(row: Fields) -> DemoLabels:
    texts = {key: _text(row, key) for key in ("task", "instruction", "object", "condition", "note")}
    success = row.get("success", bool, "true, false or null") if _has(row, "success") else None
    tags = row.get("tags", list, "a list of texts", [])
    if not all(isinstance(tag, str) and _is_text(tag) for tag in tags):
        raise row.wrong("tags", repr(tags)[:80], "a list of texts")
    return DemoLabels(**texts, success=success, tags=tuple(tags))


def _mark(row: Fields) -> Mark:
    t = row.number("t", "seconds since the episode's start")
    return Mark(t, _text(row, "name"), _text(row, "by") or "person")


def _text(row: Fields, key: str) -> str:
    value = row.get(key, str, "a text", "")
    if not _is_text(value):
        raise row.wrong(key, "holds half a character", "a text")
    return value


def _is_text(value: str) -> bool:
    # JSON can hold one half of a surrogate pair, a file of text cannot
    return not any("\ud800" <= c <= "\udfff" for c in value)


def _has(row: Fields, key: str) -> bool:
    return row.values.get(key) is not None


def _whole(row: Fields, key: str, default: float | None = None) -> int:
    value = row.number(key, "a whole number, 1 or more", default)
    if value < 1 or value != int(value) or value > 2**31:
        raise row.wrong(key, f"{value:g}", "a whole number, 1 or more")
    return int(value)
