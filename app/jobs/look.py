"""One look at a job's folder: what its files and its process say together."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.jobs.backend import Backend
from app.jobs.ends import closed
from app.jobs.store import CONTROL, PROGRESS, SPEC, STATE, JobState, JobStore
from app.jobs.types import JobRecord, JobSpec
from models.data.errors import DreamFileError

UNREADABLE = "unreadable"
Signature = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True)
class _Kept:
    signature: Signature
    record: JobRecord


class Looks:
    """Looks at jobs; files that did not change are not read again."""

    def __init__(self, store: JobStore, backend: Backend) -> None:
        self._store, self._backend = store, backend
        self._kept: dict[Path, _Kept] = {}

    def all(self) -> tuple[JobRecord, ...]:
        """The newest first; a folder that went away meanwhile is left out."""
        folders = [self._store.root / id for id in self._store.ids()]
        for gone in self._kept.keys() - set(folders):
            del self._kept[gone]
        return tuple(self.at(folder) for folder in reversed(folders))

    def at(self, folder: Path) -> JobRecord:
        """Never raises: what cannot be read is told in the record."""
        now = signature(folder)
        kept = self._kept.get(folder)
        if kept is not None and kept.signature == now and kept.record.state != "running":
            return kept.record
        record = look(self._store, self._backend, folder)
        self._kept[folder] = _Kept(now, record)
        return record


def look(store: JobStore, backend: Backend, folder: Path) -> JobRecord:
    """Read a job's folder. Never raises."""
    try:
        spec = store.spec(folder)
    except DreamFileError as error:
        spec = JobSpec(UNREADABLE, f"job {folder.name}")
        return JobRecord(folder.name, folder, spec, "failed", problem=str(error))
    state, alive = state_of(store, backend, folder)
    progress, control = store.progress(folder), store.control(folder)
    running, now = state.state == "running", time.time()
    started = state.started or now
    pid = state.handle.get("pid")
    return JobRecord(
        folder.name,
        folder,
        spec,
        state.state,
        wanted=control.wanted if running else "run",
        attempt=state.attempt,
        fraction=1.0 if state.state == "done" else progress.fraction,
        text=progress.text if running else "",
        left_s=progress.left_s if running else None,
        values=progress.values,
        queued=state.queued,
        started=state.started,
        ended=state.ended,
        spent_s=state.spent_s + (max(0.0, now - started) if running else 0.0),
        silent_s=max(0.0, now - max(progress.at, started)) if running else 0.0,
        pid=pid if alive and isinstance(pid, int) else None,
        gpu=str(state.handle.get("gpu", "")) if running else "",
        exit=state.exit,
        problem=state.problem,
        result=state.result,
        usage=backend.usage(state.handle) if running else None,
    )


def state_of(store: JobStore, backend: Backend, folder: Path) -> tuple[JobState, bool]:
    """Return how a job stands, and whether its process lives. A running one without a process is interrupted; where
    the file is damaged the process tells."""
    try:
        state = store.state(folder)
    except DreamFileError as error:
        alive = backend.alive(folder)
        return JobState("running" if alive else "interrupted", problem=str(error)), alive
    if state.state != "running":
        return state, False
    if backend.alive(folder):
        return state, True
    with suppress(DreamFileError):
        state = store.state(folder)  # once more: it may have written its end between the two looks
    return (closed(store, folder, state, None) if state.state == "running" else state), False


def signature(folder: Path, names: Sequence[str] = (SPEC, STATE, CONTROL, PROGRESS)) -> Signature:
    """Return what tells whether files of a job were written anew."""
    return tuple(_stat(folder / name) for name in names)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
