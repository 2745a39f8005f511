"""Takes that were deleted: whole in their session's trash, brought back by an edit, destroyed by a wish of its
own."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.datasets.journal import Journal
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP
from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, read_note
from hardware.recording.session import Entry, Session
from models.data.dataset_index import DemoRow

TakeKey = tuple[str, int]
"""Session folder, number of the episode."""
_GONE = ".gone-"


@dataclass(frozen=True)
class TrashRow:
    """A deleted take. bytes: of all its files; deleted: ISO 8601, "" where nobody wrote it down; copy: the folder
    of a kept episode with the same recording, "" where none is known; problem: why its note cannot be read."""

    session: str
    number: int
    task: str = ""
    started: str = ""
    duration_s: float = 0.0
    bytes: int = 0
    deleted: str = ""
    copy: str = ""
    problem: str = ""

    @property
    def key(self) -> TakeKey:
        return self.session, self.number


def trash_rows(session: Session, journal: Journal, kept: Mapping[str, Sequence[DemoRow]]) -> list[TrashRow]:
    """Return what lies in a session's trash; kept: the rows of every session that is open, by their id."""
    when = {
        change.number: edit.when
        for edit in journal.edits[: journal.position]
        for change in edit.changes
        if change.after.trash and not change.before.trash
    }
    return [_row(session, entry, when, kept) for entry in session.discarded()]


def _row(
    session: Session, entry: Entry, when: Mapping[int, str], kept: Mapping[str, Sequence[DemoRow]]
) -> TrashRow:
    number, note = int(entry.folder.name[:6]), entry.note
    made = TrashRow(str(session.folder), number, bytes=_size(entry.folder), deleted=when.get(number, ""))
    if note is None:
        return TrashRow(**{**vars(made), "problem": entry.problem})
    copy = next((row.folder for row in kept.get(note.id, ()) if _same_recording(row.folder, note)), None)
    told = {"task": note.task, "started": note.started, "duration_s": note.duration_s, "copy": str(copy or "")}
    return TrashRow(**{**vars(made), **told})


def _same_recording(other: Path, note: EpisodeNote) -> bool:
    try:
        there = read_note(other / NOTE)
        whole = (other / MCAP).stat().st_size == there.mcap_bytes
    except (EpisodeFileError, OSError):
        return False
    return whole and bool(note.mcap_sha256) and there.mcap_sha256 == note.mcap_sha256


def bring_back(session: Session, folder: Path) -> None:
    """Let a take of the trash be a kept episode again, one that was discarded before it was kept too. Raises
    OSError."""
    try:
        note = read_note(folder / NOTE)
        if note.state == "recording":
            note, _ = session.recover(folder)
    except EpisodeFileError as error:
        raise OSError(str(error)) from error
    if note.state == "kept":
        session.restore(folder)
    else:
        session.keep(folder, note)


def destroy(session: Session, numbers: Iterable[int]) -> None:
    """Remove takes of the trash for ever; each goes out of sight whole before its files go. Raises OSError."""
    for number in numbers:
        folder = session.trash_folder / f"{number:06d}"
        Files().rename(folder, session.trash_folder / f"{_GONE}{folder.name}")
    for left in session.trash_folder.glob(f"{_GONE}*"):
        shutil.rmtree(left)


def _size(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(entry.stat().st_size for entry in entries if entry.is_file())
