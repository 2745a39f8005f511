"""edits.jsonl of a session: every edit with what was before and after it, so that undo outlives a restart.

One line each, on the disk before the first sidecar is written: {"do": id, ..}, {"undo": id}, {"redo": id},
{"done": id} once all of it is carried out, {"forget": true} where what was undone cannot come back, {"destroyed":
[numbers]} before takes of the trash are. Of a line that a power cut left half written nothing was carried out yet.
"""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app.datasets.track_review import CORRECTIONS, EpisodeReview, review_from, review_values
from hardware.types import require
from hardware.whole_file import write_whole
from models.data.annotations import ANNOTATION, Annotation, annotation_from, annotation_values
from models.data.errors import DreamFileError
from models.data.fields import Fields

JOURNAL = "edits.jsonl"
DAMAGED = "edits.damaged.jsonl"
LONGEST = 32 * 2**20  # a longer one loses its oldest edits when it is next written
_HEADER = {"format": 1}


@dataclass(frozen=True)
class EpisodeState:
    """An episode as far as edits change it. annotation, review (of its track): None where there is no such file."""

    annotation: Annotation | None = None
    trash: bool = False
    review: EpisodeReview | None = None


@dataclass(frozen=True)
class Change:
    """What an edit does to one episode."""

    number: int
    before: EpisodeState
    after: EpisodeState

    @property
    def back(self) -> "Change":
        return Change(self.number, self.after, self.before)


@dataclass(frozen=True)
class DoneEdit:
    """An edit of one session. when: ISO 8601, UTC."""

    id: str
    text: str
    changes: tuple[Change, ...]
    who: str = ""
    when: str = ""


@dataclass(frozen=True)
class Journal:
    """The edits of a session, of which the first `position` count. unfinished: the last thing that was begun and
    not written down as done: an edit, and whether it was being taken back."""

    edits: tuple[DoneEdit, ...] = ()
    position: int = 0
    unfinished: tuple[DoneEdit, bool] | None = None

    @property
    def last(self) -> DoneEdit | None:
        """What undo takes back."""
        return self.edits[self.position - 1] if self.position else None

    @property
    def next(self) -> DoneEdit | None:
        """What redo does again."""
        return self.edits[self.position] if self.position < len(self.edits) else None

    def without(self, numbers: Collection[int]) -> "Journal":
        """Return it as if these episodes had never been edited: they are destroyed, and their numbers free."""
        left = [
            replace(edit, changes=tuple(c for c in edit.changes if c.number not in numbers)) for edit in self.edits
        ]
        position = sum(bool(edit.changes) for edit in left[: self.position])
        return replace(self, edits=tuple(edit for edit in left if edit.changes), position=position)

    def after(self, line: Mapping[str, object], edit: DoneEdit | None = None) -> "Journal":
        """Return the journal with one more line; edit: of a line "do". Raises ValueError for one that cannot be."""
        if edit is not None:
            edits = (*self.edits[: self.position], edit)
            return Journal(edits, len(edits), (edit, False))
        if line.get("forget") is True:
            return replace(self, edits=self.edits[: self.position])
        if "undo" in line:
            require(self.last is not None and self.last.id == line["undo"], "undo of what was not done last")
            return replace(self, position=self.position - 1, unfinished=_begun(self.last, True))
        if "redo" in line:
            require(self.next is not None and self.next.id == line["redo"], "redo of what was not undone last")
            return replace(self, position=self.position + 1, unfinished=_begun(self.next, False))
        if "destroyed" in line:
            return self.without(_numbers(line["destroyed"]))
        valid = "do, undo, redo, done, forget, destroyed"
        require("done" in line, f"a line of {list(line)[:3]}; valid: {valid}")
        return replace(self, unfinished=None)


def _numbers(values: object) -> Collection[int]:
    require(
        isinstance(values, list) and all(type(value) is int for value in values),
        "destroyed; valid: a list of numbers",
    )
    return values if isinstance(values, list) else ()


def _begun(edit: DoneEdit | None, back: bool) -> tuple[DoneEdit, bool] | None:
    return None if edit is None else (edit, back)


def read_journal(session: Path) -> Journal:
    """Read a session's journal, an empty one where there is none. Raises DreamFileError naming the line."""
    path = session / JOURNAL
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Journal()
    except OSError as error:
        raise DreamFileError(path, "file", f"cannot be read: {error.strerror}", "a readable file") from error
    journal = Journal()
    for number, line in enumerate(data.split(b"\n")[:-1], 1):  # what no line end follows was not finished
        where = Fields({}, path, f"line {number}")
        try:
            fields = Fields(json.loads(line), path, f"line {number}")
            if number == 1:
                require(fields.values.get("format") == 1, "format; valid: 1")
            else:
                journal = journal.after(fields.values, _edit(fields) if "do" in fields.values else None)
        except DreamFileError:
            raise
        except (ValueError, RecursionError) as error:
            raise where.wrong("", str(error)) from error
    return journal


class JournalWriter:
    """Adds lines to a journal. One at a time holds the session's lock meanwhile; everything raises OSError."""

    def __init__(self, session: Path) -> None:
        self._path = session / JOURNAL

    def add(self, line: Mapping[str, object], sync: bool = True) -> int:
        """Write a line that is on the disk when this returns; return how long the file was before. Where there is
        no room for it the file stays as it was."""
        data = json.dumps(line, allow_nan=False).encode() + b"\n"
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            size = _whole_lines(handle)
            os.ftruncate(handle, size)
            head = b"" if size else json.dumps(_HEADER).encode() + b"\n"
            try:
                _write_all(handle, head + data, size)
                if sync:
                    os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
            return size
        finally:
            os.close(handle)

    def cut(self, size: int) -> None:
        """Take back the line that `add` returned this for."""
        os.truncate(self._path, size)

    def set_aside(self) -> Path:
        """Put a damaged journal out of the way; what was edited stays."""
        aside = self._path.with_name(DAMAGED)
        os.replace(self._path, aside)
        return aside

    def shorten(self, journal: Journal) -> Journal:
        """Drop the oldest edits of a journal that grew too long."""
        if not self._path.exists() or self._path.stat().st_size <= LONGEST:
            return journal
        kept: list[bytes] = []
        room = LONGEST // 2
        for edit in reversed(journal.edits[: journal.position]):
            line = json.dumps(edit_values(edit)).encode()
            room -= len(line)
            if room < 0:
                break
            kept.append(line)
        lines = [json.dumps(_HEADER).encode(), *reversed(kept), b'{"done": "all"}']
        write_whole(self._path, b"\n".join(lines) + b"\n")
        edits = journal.edits[journal.position - len(kept) : journal.position]
        return Journal(edits, len(edits))


def edit_values(edit: DoneEdit) -> dict[str, object]:
    """Return the line "do" of an edit."""
    changes = [[c.number, _state_values(c.before), _state_values(c.after)] for c in edit.changes]
    return {"do": edit.id, "when": edit.when, "who": edit.who, "text": edit.text, "changes": changes}


def _state_values(state: EpisodeState) -> dict[str, object]:
    annotation = None if state.annotation is None else annotation_values(state.annotation)
    review = {"review": review_values(state.review)} if state.review is not None else {}
    return {"annotation": annotation, **({"trash": True} if state.trash else {}), **review}


def _edit(fields: Fields) -> DoneEdit:
    rows = fields.get("changes", list, "a list of [number, before, after]")
    texts = {key: fields.get(key, str, "a text", "") for key in ("text", "who", "when")}
    return DoneEdit(fields.get("do", str, "an id"), changes=tuple(_change(fields, row) for row in rows), **texts)


def _change(fields: Fields, row: object) -> Change:
    if not isinstance(row, list) or len(row) != 3 or not isinstance(row[0], int):
        raise fields.wrong("changes", repr(row)[:60], "[number, before, after]")
    return Change(row[0], _state(fields, row[1]), _state(fields, row[2]))


def _state(fields: Fields, values: object) -> EpisodeState:
    if not isinstance(values, Mapping):
        raise fields.wrong("changes", repr(values)[:60], "a table")
    annotation = values.get("annotation")
    read = None if annotation is None else annotation_from(annotation, Path(ANNOTATION))
    review = values.get("review")
    corrections = None if review is None else review_from(review, Path(CORRECTIONS))
    return EpisodeState(read, values.get("trash") is True, corrections)


def _whole_lines(handle: int) -> int:
    """Return where the last whole line of a file ends."""
    end = os.fstat(handle).st_size
    while end > 0:
        start = max(0, end - 65536)
        at = os.pread(handle, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _write_all(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
