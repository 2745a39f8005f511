"""A session on the disk: a folder of episodes that are kept, still open, or in the trash, and one who writes.

    SESSION/session.json            what it is
    SESSION/episodes/000007/        a kept episode: episode.mcap, episode.json, scene_CAMERA.png
    SESSION/episodes/000008.part/   one that is being recorded or looked at, or was left behind by a crash
    SESSION/trash/000006/           one that was discarded

An episode changes its place by one rename, so it is whole in one place at any instant.
"""

import contextlib
import datetime
import fcntl
import json
import os
import re
import shutil
import threading
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP, EpisodeReader, open_episode
from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, read_note
from hardware.recording.recover import Recovered, recover

SESSION = "session.json"
_PART, _ASIDE, _LOCK = ".part", ".aside-", ".lock"
_NAME = re.compile(r"\d{6}(\.part)?")


class SessionBusy(RuntimeError):
    """Somebody else records into this session. The message says who."""


@dataclass(frozen=True)
class Entry:
    """An episode's folder and its note; problem: why the note cannot be read, then note is None."""

    folder: Path
    note: EpisodeNote | None
    problem: str = ""


class _SharedLocks:
    """How many sessions of this program hold each lock that they share. Any thread."""

    def __init__(self) -> None:
        self._users: dict[int, int] = {}
        self._guard = threading.Lock()

    def begin(self, handle: int) -> None:
        with self._guard:
            self._users[handle] = 1

    def join(self, path: Path) -> int | None:
        """Return the lock's handle where this program holds it already."""
        with self._guard:
            for handle in self._users:
                if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                    self._users[handle] += 1
                    return handle
        return None

    def leave(self, handle: int) -> bool:
        """Return whether this was the last one."""
        with self._guard:
            self._users[handle] -= 1
            return self._users[handle] == 0 and self._users.pop(handle) == 0


_SHARED = _SharedLocks()


class Session:
    """A session's folder. Reading needs nothing; everything that writes needs `lock` first and raises OSError."""

    def __init__(self, folder: Path, files: Files | None = None, *, shared: bool = False) -> None:
        """shared: those of one program that say so write side by side, as recorder and browser do."""
        self.folder = folder
        self._files = files or Files()
        self._shared = shared
        self._lock = -1

    @property
    def episodes_folder(self) -> Path:
        return self.folder / "episodes"

    @property
    def trash_folder(self) -> Path:
        return self.folder / "trash"

    @property
    def locked(self) -> bool:
        """Whether this object may write."""
        return self._lock >= 0

    def lock(self) -> None:
        """Make the folder where it is missing, and become its only writer. Raises SessionBusy, OSError."""
        if self.locked:
            return
        for folder in (self.folder, self.episodes_folder, self.trash_folder):
            if not folder.is_dir():
                self._files.make_folder(folder)
        if self._shared and (handle := _SHARED.join(self.folder / _LOCK)) is not None:
            self._lock = handle
            return
        handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            who = os.pread(handle, 20, 0).decode(errors="replace").strip()
            os.close(handle)
            raise SessionBusy(
                f"{self.folder}: another Dreamdeck (process {who or 'unknown'}) records into it; close that one, "
                "or choose another session. Looking at it is possible meanwhile"
            ) from error
        with contextlib.suppress(OSError):  # a full disk: who holds it is a courtesy
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        self._lock = handle
        if self._shared:
            _SHARED.begin(handle)
        for left in self.episodes_folder.glob(f"{_ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)
        if not (self.folder / SESSION).exists():
            text = json.dumps({"format": 1, "created": _now()}) + "\n"
            self._files.write_whole(self.folder / SESSION, text)
            self._files.sync_folder(self.folder)

    def close(self) -> None:
        """Let others write. Safe to call twice."""
        if self.locked:
            if not self._shared or _SHARED.leave(self._lock):
                os.close(self._lock)
            self._lock = -1

    # read

    def kept(self) -> tuple[Entry, ...]:
        """The episodes that are saved, by number."""
        return self._entries(self.episodes_folder, part=False)

    def unfinished(self) -> tuple[Entry, ...]:
        """Episodes that were neither kept nor discarded."""
        return self._entries(self.episodes_folder, part=True)

    def discarded(self) -> tuple[Entry, ...]:
        return self._entries(self.trash_folder, part=False)

    # write

    def begin(self, note: EpisodeNote) -> tuple[Path, EpisodeNote]:
        """Make the folder of a new episode, its number and id given here; return it and the note as written."""
        self._require()
        note = replace(
            note, id=note.id or uuid.uuid4().hex, number=self.next_number(), started=note.started or _now()
        )
        folder = self.episodes_folder / f"{note.number:06d}{_PART}"
        folder.mkdir()
        self.write_note(folder, note)
        self._files.sync_folder(self.episodes_folder)
        return folder, note

    def next_number(self) -> int:
        """One more than any episode here ever had."""
        folders = [*_folders(self.episodes_folder), *_folders(self.trash_folder)]
        return max((int(folder.name[:6]) for folder in folders), default=0) + 1

    def write_note(self, folder: Path, note: EpisodeNote) -> None:
        self._require()
        self._files.write_whole(folder / NOTE, note.text())
        self._files.sync_folder(folder)

    def write_scene(self, folder: Path, name: str, png: bytes) -> None:
        """Put a picture of the bare scene beside the episode; the note's `scene` names it."""
        self._require()
        self._files.write_whole(folder / name, png)

    def aside(self, name: str) -> Path:
        """Make a folder where an episode can be put together unseen, for `adopt`; `lock` takes old ones away."""
        self._require()
        folder = self.episodes_folder / f"{_ASIDE}{name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def adopt(self, folder: Path, note: EpisodeNote) -> EpisodeNote:
        """Save an episode from a folder made by `aside` under the next number; return its note."""
        self._require()
        note = replace(note, number=self.next_number(), started=note.started or _now(), state="kept")
        self.write_note(folder, note)
        self._files.rename(folder, self.episodes_folder / f"{note.number:06d}")
        return note

    def keep(self, folder: Path, note: EpisodeNote) -> Path:
        """Save an episode whose MCAP file is finished; when this returns, a power cut cannot take it."""
        self.write_note(folder, replace(note, state="kept"))
        target = self.episodes_folder / folder.name[:6]
        self._files.rename(folder, target)
        return target

    def discard(self, folder: Path) -> Path:
        """Put an episode into the trash; return where it is now."""
        self._require()
        target = self.trash_folder / folder.name[:6]
        self._files.rename(folder, target)
        return target

    def restore(self, folder: Path) -> Path:
        """Bring an episode back from the trash to where it was; return its folder."""
        self._require()
        entry = _entry(folder)
        kept = entry.note is not None and entry.note.state == "kept"
        target = self.episodes_folder / (folder.name[:6] + ("" if kept else _PART))
        self._files.rename(folder, target)
        return target

    def recover(self, folder: Path) -> tuple[EpisodeNote, Recovered]:
        """Make an unfinished episode readable up to its last sync and bring its note up to that.

        Raises EpisodeFileError where nothing of it can be read.
        """
        self._require()
        found = recover(folder / MCAP, self._files)
        entry = _entry(folder)
        note = entry.note or EpisodeNote(id=uuid.uuid4().hex, number=int(folder.name[:6]), task="")
        if found.was_whole and note.state != "recording":
            return note, found
        with open_episode(folder) as reader:
            note = described(note, reader, found.sha256, found.bytes)
        note = replace(note, state="recorded", recovered=True)
        self.write_note(folder, note)
        return note, found

    def _require(self) -> None:
        if not self.locked:
            raise SessionBusy(f"{self.folder}: it is open for reading only; lock it to record")

    def _entries(self, folder: Path, *, part: bool) -> tuple[Entry, ...]:
        return tuple(_entry(f) for f in _folders(folder) if f.name.endswith(_PART) == part)


def described(note: EpisodeNote, reader: EpisodeReader, sha256: str, size: int) -> EpisodeNote:
    """Return the note with what the recording itself says."""
    flaws: dict[str, dict[str, int]] = {}
    for flaw in reader.flaws():
        by = flaws.setdefault(flaw.stream, {})
        by[flaw.kind] = by.get(flaw.kind, 0) + flaw.count
    start, end = reader.span
    return replace(
        note,
        duration_s=round(end - start, 6),
        clock="virtual" if reader.clock.virtual else "host",
        streams=tuple(reader.streams),
        samples={name: reader.count(name) for name in reader.streams},
        flaws=flaws,
        mcap_sha256=sha256,
        mcap_bytes=size,
    )


def open_session(folder: Path) -> Session:
    """Open a session for reading. Raises EpisodeFileError where the folder is none."""
    if not (folder / "episodes").is_dir():
        raise EpisodeFileError(f"{folder}: it is no session; valid: a folder with a folder `episodes` in it")
    return Session(folder)


def is_session(folder: Path) -> bool:
    return (folder / "episodes").is_dir() and (folder / SESSION).is_file()


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.iterdir() if f.is_dir() and _NAME.fullmatch(f.name))


def _entry(folder: Path) -> Entry:
    try:
        return Entry(folder, read_note(folder / NOTE))
    except EpisodeFileError as error:
        return Entry(folder, None, str(error))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
