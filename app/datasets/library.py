"""Demos of one session or of many, edited without touching a recording; undo goes over restarts.

Truth lies in the session folders (docs/datasets.md): which folder an episode stands in, its note, its annotation.
Of every edit the session's journal says first what was and what shall be; then the files follow. What a crash left
half done is finished when the session is opened next.
"""

import contextlib
import datetime
import errno
import logging
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.datasets.journal import (
    Change,
    DoneEdit,
    EpisodeState,
    Journal,
    JournalWriter,
    edit_values,
    read_journal,
)
from app.datasets.track_review import EpisodeReview, follow_review, read_review, write_review
from app.datasets.trash import TakeKey, TrashRow, bring_back, destroy, trash_rows
from app.datasets.wishes import Wish, describe
from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, read_note
from hardware.recording.session import Session, SessionBusy
from models.data.annotations import ANNOTATION, AS_RECORDED, Annotation, read_annotation, write_annotation
from models.data.dataset_index import DemoKey, DemoRow, Report, episode_rows, rows_of, session_rows
from models.data.errors import DreamFileError
from models.data.masks import ObjectMask, write_masks
from models.data.session_demo import sessions_in

DAMAGED_ANNOTATION = "annotation.damaged.json"
log = logging.getLogger(__name__)


class DatasetError(RuntimeError):
    """An edit was refused, or done in part. The message says what became of it and what to do."""


@dataclass(frozen=True)
class Proposal:
    """An edit as it would be: changes by session folder. rows: of the demos concerned, before and after, for a
    preview; unchanged: how many of the demos it would leave as they are."""

    text: str
    changes: Mapping[str, tuple[Change, ...]]
    rows: tuple[tuple[DemoRow, DemoRow | None], ...]
    unchanged: int = 0

    @property
    def count(self) -> int:
        """How many episodes it changes."""
        return sum(len(changes) for changes in self.changes.values())


class Dataset:
    """Reading needs nothing; the first edit makes this the only writer of the sessions that it changes, until
    `close`. One thread at a time.

    Read: `rows` (by session, number and time), `problems` (sessions that cannot be read).
    """

    def __init__(self, folder: Path, report: Report = lambda done, of: None) -> None:
        """folder: a session, or a folder of sessions. Raises EpisodeFileError for neither."""
        self.folder = folder
        self._sessions: dict[str, Session] = {}
        self._journals: dict[str, Journal] = {}
        self._by_episode: dict[tuple[str, int], tuple[DemoRow, ...]] = {}
        self.problems: list[str] = []
        for path in sessions_in(folder):
            self._open(path, report)

    @property
    def rows(self) -> tuple[DemoRow, ...]:
        return tuple(row for key in sorted(self._by_episode) for row in self._by_episode[key])

    @property
    def sessions(self) -> tuple[str, ...]:
        return tuple(self._sessions)

    @property
    def undo_text(self) -> str:
        """What undo would take back, "" for nothing."""
        last = max(self._tops(lambda journal: journal.last), key=lambda edit: edit.when, default=None)
        return last.text if last is not None else ""

    @property
    def redo_text(self) -> str:
        """What redo would do again, "" for nothing."""
        following = min(self._tops(lambda journal: journal.next), key=lambda edit: edit.when, default=None)
        return following.text if following is not None else ""

    def row(self, key: DemoKey) -> DemoRow:
        """Raises DatasetError for a demo that is not there any more."""
        for row in self._by_episode.get(key[:2], ()):
            if row.piece == key[2]:
                return row
        raise DatasetError(f"episode {key[1]} of {Path(key[0]).name}: it is not there any more; look again")

    def close(self) -> None:
        """Let others write. Safe to call twice."""
        for session in self._sessions.values():
            session.close()

    def look_again(self, report: Report = lambda done, of: None) -> None:
        """Read what was recorded or changed by others since."""
        self.problems = []
        known, self._sessions, self._journals, self._by_episode = self._sessions, {}, {}, {}
        for path in sessions_in(self.folder):
            self._open(path, report, known.get(str(path)))
        for key in known.keys() - self._sessions.keys():
            known[key].close()

    def read_again(self, episode: Path) -> None:
        """Read one episode that changed: it was tracked."""
        session, number = str(episode.parent.parent), int(episode.name)
        if (session, number) in self._by_episode and episode.is_dir():
            self._by_episode[session, number] = episode_rows(episode)

    # the trash

    def trash(self) -> tuple[TrashRow, ...]:
        """Read what was deleted. Raises DatasetError."""
        kept: dict[str, list[DemoRow]] = {}
        for row in self.rows:
            kept.setdefault(row.id, []).append(row)
        found: list[TrashRow] = []
        for key, session in self._sessions.items():
            with _told(session.folder):
                found += trash_rows(session, self._journals[key], kept)
        return tuple(found)

    def bring_back(self, takes: Sequence[TakeKey]) -> Proposal:
        """Return the edit that takes deleted takes out of the trash. Raises DatasetError."""
        changes: dict[str, tuple[Change, ...]] = {}
        for session, number in dict.fromkeys(takes):
            state = self._in_trash(session, number)
            changes[session] = (*changes.get(session, ()), Change(number, state, replace(state, trash=False)))
        return Proposal("bring back" + (f" {len(takes)} takes" if len(takes) > 1 else ""), changes, ())

    def destroy(self, takes: Sequence[TakeKey]) -> None:
        """Remove deleted takes for ever; their edits go out of the history. Raises DatasetError."""
        numbers: dict[str, list[int]] = {}
        for session, number in dict.fromkeys(takes):
            self._in_trash(session, number)
            numbers.setdefault(session, []).append(number)
        self._lock(numbers)
        for session, gone in numbers.items():
            with _told(Path(session)):
                JournalWriter(Path(session)).add({"destroyed": gone})
                self._journals[session] = self._journals[session].without(gone)
                destroy(self._sessions[session], gone)

    def release(self, session: Path) -> None:
        """Let another program write to a session until the next edit here."""
        if (found := self._sessions.get(str(session))) is not None:
            found.close()

    def keep_masks(self, episode: Path, masks: Sequence[ObjectMask]) -> None:
        """Write the masks of an episode; their strokes are their own history. Raises DatasetError."""
        self._lock([str(episode.parents[1])])
        with _told(episode):
            write_masks(episode, masks)

    # edits

    def propose(self, wish: Wish) -> Proposal:
        """Say what an edit would change, as the files are now. Raises DatasetError, ValueError saying why not."""
        rows = [self.row(key) for key in dict.fromkeys(wish.keys)]
        episodes = {row.key[:2]: row for row in rows}
        notes = {episode: _note_of(row.folder) for episode, row in episodes.items()}
        before = {episode: self._state(row) for episode, row in episodes.items()}
        after = dict(before)
        for row in rows:
            episode = row.key[:2]
            after[episode] = wish.apply(after[episode], row.key, notes[episode])
        changes: dict[str, tuple[Change, ...]] = {}
        for (session, number), state in before.items():
            if state != after[session, number]:
                changes[session] = (*changes.get(session, ()), Change(number, state, after[session, number]))
        shown = [self._preview(row, notes[row.key[:2]], after[row.key[:2]]) for row in rows]
        differ = tuple((was, becomes) for was, becomes in shown if was != becomes)
        return Proposal(describe(wish), changes, differ, len(shown) - len(differ))

    def do(self, proposal: Proposal, who: str = "", report: Report = lambda done, of: None) -> None:
        """Carry an edit out. Raises DatasetError: refused, and nothing was changed; or why not all of it was."""
        if not proposal.changes:
            raise DatasetError(f"{proposal.text}: it changes nothing")
        self._lock(proposal.changes)
        for session in self._sessions:
            if session not in proposal.changes and self._journals[session].next is not None:
                self._forget(session)
        id, when = uuid.uuid4().hex, _now()
        edits = {s: DoneEdit(id, proposal.text, changes, who, when) for s, changes in proposal.changes.items()}
        for session, edit in edits.items():
            self._require_unchanged(session, edit.changes)
        self._carry_out({s: (edit, edit.changes, edit_values(edit)) for s, edit in edits.items()}, report)

    def undo(self, report: Report = lambda done, of: None) -> str:
        """Take the newest edit back; return what it was. Raises DatasetError."""
        last = max(self._tops(lambda journal: journal.last), key=lambda edit: edit.when, default=None)
        if last is None:
            raise DatasetError("there is nothing to undo")
        self._again(last, True, report)
        return last.text

    def redo(self, report: Report = lambda done, of: None) -> str:
        """Do again what was undone last; return what it was. Raises DatasetError."""
        following = min(self._tops(lambda journal: journal.next), key=lambda edit: edit.when, default=None)
        if following is None:
            raise DatasetError("there is nothing to redo")
        self._again(following, False, report)
        return following.text

    def _again(self, edit: DoneEdit, back: bool, report: Report) -> None:
        word = "undo" if back else "redo"
        mine = self._having(edit, back)
        self._lock(mine)
        if self._having(edit, back) != mine:
            raise DatasetError(f"{word}: another program edited meanwhile; look again")
        work: dict[str, tuple[DoneEdit, tuple[Change, ...], Mapping[str, object]]] = {}
        left: list[str] = []
        for session, found in mine.items():
            changes = tuple(change.back for change in reversed(found.changes)) if back else found.changes
            fits = [c for c in changes if self._found(session, c.number) == c.before]
            left += [f"{Path(session).name}/{c.number}" for c in changes if c not in fits]
            work[session] = (found, tuple(fits), {word: edit.id, "when": _now()})
        self._carry_out(work, report)
        if left:
            raise DatasetError(
                f"{word} {edit.text}: left as they are, because they were changed outside of this history: "
                f"episodes {', '.join(left[:8])}{' ..' if len(left) > 8 else ''}"
            )

    # inside

    def _having(self, edit: DoneEdit, back: bool) -> dict[str, DoneEdit]:
        """The sessions in which an edit is the one to undo, or to redo."""
        top = {s: journal.last if back else journal.next for s, journal in self._journals.items()}
        return {s: found for s, found in top.items() if found is not None and found.id == edit.id}

    def _open(self, path: Path, report: Report, session: Session | None = None) -> None:
        key = str(path)
        try:
            rows = session_rows(path, report)
        except OSError as error:
            self.problems.append(f"{path}: it cannot be read ({error.strerror}); it is left out")
            return
        self._sessions[key] = session or Session(path, shared=True)
        for row in rows:
            episode = (key, row.number)
            self._by_episode[episode] = (*self._by_episode.get(episode, ()), row)
        try:
            self._journals[key] = read_journal(path)
        except DreamFileError as error:
            self._journals[key] = Journal()
            self.problems.append(f"{error}; the demos are as they were edited, what came before cannot be undone")
        unfinished = self._journals[key].unfinished
        if unfinished is not None:
            with contextlib.suppress(DatasetError):  # who is editing now finishes it himself
                self._lock([key])
                self._read_again(key, unfinished[0].changes)

    def _tops(self, which: Callable[[Journal], DoneEdit | None]) -> list[DoneEdit]:
        return [edit for journal in self._journals.values() if (edit := which(journal)) is not None]

    def _lock(self, sessions: Iterable[str]) -> None:
        """Become the writer; finish what a crash left half done. Raises DatasetError."""
        for key in sessions:
            session = self._sessions[key]
            if session.locked:
                continue
            with _told(session.folder):
                session.lock()
                try:
                    self._take_over(key)
                except BaseException:
                    session.close()
                    raise

    def _take_over(self, key: str) -> None:
        folder = self._sessions[key].folder
        writer = JournalWriter(folder)
        try:
            journal = read_journal(folder)
        except DreamFileError as error:
            log.warning("%s; set aside as %s", error, writer.set_aside().name)
            journal = Journal()
        if journal.unfinished is not None:
            edit, back = journal.unfinished
            for change in reversed(edit.changes) if back else edit.changes:
                wanted = change.back if back else change
                if self._found(key, wanted.number) == wanted.before:
                    self._put(key, wanted)
            writer.add({"done": edit.id}, sync=False)
            journal = replace(journal, unfinished=None)
        self._journals[key] = writer.shorten(journal)

    def _forget(self, key: str) -> None:
        """What was undone before an edit elsewhere cannot be done again."""
        with contextlib.suppress(DatasetError):
            self._lock([key])
            with _told(Path(key)):
                JournalWriter(Path(key)).add({"forget": True})
                self._journals[key] = self._journals[key].after({"forget": True})

    def _require_unchanged(self, session: str, changes: Sequence[Change]) -> None:
        for change in changes:
            if self._found(session, change.number) != change.before:
                raise DatasetError(
                    f"episode {change.number} of {Path(session).name} was changed meanwhile; look again"
                )

    def _carry_out(
        self, work: Mapping[str, tuple[DoneEdit, tuple[Change, ...], Mapping[str, object]]], report: Report
    ) -> None:
        """Write the journals, then the files; where a file cannot be written, put back what was."""
        total, done = sum(len(changes) for _, changes, _ in work.values()), 0
        sizes: dict[str, int] = {}
        put: list[tuple[str, Change]] = []
        try:
            for session, (_, _, line) in work.items():
                sizes[session] = JournalWriter(Path(session)).add(line)
            for session, (_, changes, _) in work.items():
                for change in changes:
                    report(done, total)
                    put.append((session, change))
                    self._put(session, change)
                    done += 1
        except OSError as error:
            self._put_back(put, sizes, error)
        report(total, total)
        for session, (edit, changes, line) in work.items():
            journal = self._journals[session].after(line, edit if "do" in line else None)
            with contextlib.suppress(OSError):  # without this line the next start looks whether all was done
                JournalWriter(Path(session)).add({"done": edit.id}, sync=False)
            self._journals[session] = replace(journal, unfinished=None)
            self._read_again(session, changes)

    def _put_back(self, put: Sequence[tuple[str, Change]], sizes: Mapping[str, int], error: OSError) -> None:
        problem = f"it could not be written ({error.strerror or error})"
        try:
            for session, change in reversed(put):
                self._put(session, change.back)
            for session, size in sizes.items():
                JournalWriter(Path(session)).cut(size)
        except OSError as again:
            for session in sizes:
                self._sessions[session].close()  # the next edit reads the journal and finishes this one
                self._read_again(session, [change for s, change in put if s == session])
            raise DatasetError(f"{problem}, and is half done: make room; the next edit finishes it") from again
        raise DatasetError(f"{problem}; nothing was changed: make room and try again") from error

    def _put(self, key: str, change: Change) -> None:
        """Bring one episode into the state after a change. Raises OSError."""
        session = self._sessions[key]
        folder = _place(session, change.number)
        if change.after.annotation != _read(folder):
            _write(folder, change.after.annotation)
        if change.after.review != _review(folder):
            write_review(folder, change.after.review)
            try:
                follow_review(folder)
            except DreamFileError as error:
                log.warning("%s; the corrections wait until it is tracked anew", error)
        in_trash = folder.parent == session.trash_folder
        if change.after.trash and not in_trash:
            session.discard(folder)
        elif in_trash and not change.after.trash:
            bring_back(session, folder)

    def _found(self, key: str, number: int) -> EpisodeState | None:
        session = self._sessions[key]
        try:
            folder = _place(session, number)
            return EpisodeState(_read(folder), folder.parent == session.trash_folder, _review(folder))
        except OSError:
            return None

    def _read_again(self, key: str, changes: Iterable[Change]) -> None:
        session = self._sessions[key]
        for change in changes:
            folder = session.episodes_folder / f"{change.number:06d}"
            if folder.is_dir():
                self._by_episode[key, change.number] = episode_rows(folder)
            else:
                self._by_episode.pop((key, change.number), None)

    def _state(self, row: DemoRow) -> EpisodeState:
        if not row.folder.is_dir():
            raise DatasetError(f"{row.folder}: it is not there any more; look again")
        return EpisodeState(_read(row.folder), review=_review(row.folder))

    def _in_trash(self, session: str, number: int) -> EpisodeState:
        state = self._found(session, number) if session in self._sessions else None
        if state is None or not state.trash:
            raise DatasetError(
                f"take {number} of {Path(session).name}: it is not in the trash any more; look again"
            )
        return state

    def _preview(self, row: DemoRow, note: EpisodeNote, after: EpisodeState) -> tuple[DemoRow, DemoRow | None]:
        found = () if after.trash else rows_of(row.folder, note, after.annotation or AS_RECORDED)
        becomes = next((r for r in found if r.piece == row.piece), None)
        return row, becomes and replace(becomes, edited=row.edited, tracked=row.tracked, problem=row.problem)


def _place(session: Session, number: int) -> Path:
    """Return the folder of an episode, kept or in the trash. Raises FileNotFoundError."""
    for parent in (session.episodes_folder, session.trash_folder):
        folder = parent / f"{number:06d}"
        if folder.is_dir():
            return folder
    raise FileNotFoundError(errno.ENOENT, "there is no such episode", str(session.folder / f"{number:06d}"))


def _read(folder: Path) -> Annotation | None:
    """Return the annotation in an episode's folder; one that is damaged counts as none, as it is shown."""
    try:
        return read_annotation(folder) if (folder / ANNOTATION).exists() else None
    except DreamFileError:
        return None


def _review(folder: Path) -> EpisodeReview | None:
    try:
        return read_review(folder)
    except DreamFileError:
        return None


def _write(folder: Path, annotation: Annotation | None) -> None:
    path = folder / ANNOTATION
    if path.exists() and _read(folder) is None:
        os.replace(path, folder / DAMAGED_ANNOTATION)
    if annotation is not None:
        write_annotation(folder, annotation)
    else:
        path.unlink(missing_ok=True)


def _note_of(folder: Path) -> EpisodeNote:
    try:
        return read_note(folder / NOTE)
    except EpisodeFileError as error:
        raise DatasetError(f"it cannot be edited: {error}") from error


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except SessionBusy as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise DatasetError(f"{folder}: it cannot be written ({error.strerror or error}); look only") from error
