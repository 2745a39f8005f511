"""The supervisor of a workspace's queue: `python -m app.jobs.supervisor JOBS TABLE LOCK`.

One small process, started where there is work (`Jobs.wake`), ended when there is none. It starts what is queued,
ends what does not listen to a cancel, and writes how a job ended that could not say it. Jobs outlive it; the next
one finds them again.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.jobs.backend import ANY_GPU, Backend, Handle, LocalBackend
from app.jobs.ends import closed
from app.jobs.kinds import KindRow, kind_row, kinds_of
from app.jobs.look import Signature, signature, state_of
from app.jobs.processes import keep_inherited
from app.jobs.slots import read_slots
from app.jobs.store import STATE, JobState, JobStore
from app.jobs.types import JobError, JobSpec, Machine
from models.data.errors import DreamFileError

EVERY_S, AFTER_TROUBLE_S = 0.5, 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Job:
    folder: Path
    spec: JobSpec
    state: JobState


class Supervisor:
    """Owned by one thread, which calls `tick` every half second."""

    def __init__(
        self,
        store: JobStore,
        kinds: Mapping[str, KindRow],
        release: Callable[[], None],
        backend: Backend | None = None,
    ) -> None:
        """release(): let go of being the supervisor."""
        self._store, self._kinds, self._release = store, kinds, release
        self._backend = backend or LocalBackend()
        self._started: dict[Path, Handle] = {}  # by this very process; until it is known how they ended
        self._ended: dict[Path, int] = {}
        self._cancelled: dict[Path, float] = {}
        self._idle: dict[Path, Signature] = {}  # neither queued nor running, as of this file

    def tick(self) -> bool:
        """Do what there is to do; False when nothing is queued or runs, and it let go. Raises JobError, OSError."""
        if not self._store.root.is_dir():
            self._release()
            return False
        with self._store.locked():
            self._reap()
            jobs = self._jobs()
            running = [job for job in jobs if job.state.state == "running" and self._runs(job)]
            queued = [job for job in jobs if job.state.state == "queued"]
            if running or queued or self._started:
                self._start(sorted(queued, key=lambda job: job.state.queued or 0.0), running)
                return True
            # under the lock: who submits a job after this finds no supervisor, and starts one
            self._release()
            return False

    def _reap(self) -> None:
        for folder, handle in tuple(self._started.items()):
            status = self._backend.exit_status(handle)
            if status is not None:
                self._ended[folder] = status
                del self._started[folder]

    def _jobs(self) -> list[_Job]:
        """Those that are queued, or run by their file."""
        folders = [self._store.root / id for id in self._store.ids()]
        return [job for folder in folders if (job := self._job(folder)) is not None]

    def _job(self, folder: Path) -> _Job | None:
        changed = signature(folder, (STATE,))
        if self._idle.get(folder) == changed:
            return None
        try:
            spec = self._store.spec(folder)
        except DreamFileError:
            return None  # its record says what is wrong with it
        try:
            state = self._store.state(folder)
        except DreamFileError:
            state, _ = state_of(self._store, self._backend, folder)
        if state.state in ("queued", "running"):
            return _Job(folder, spec, state)
        self._idle[folder] = changed
        return None

    # what runs

    def _runs(self, job: _Job) -> bool:
        """Look after a job that runs by its file; False where its process is gone, and how is written."""
        if job.folder not in self._started and not self._backend.alive(job.folder):
            self._settle(job)
            return False
        control = self._store.control(job.folder)
        if control.wanted != "cancel":
            self._cancelled.pop(job.folder, None)
            return True
        row = self._kinds.get(job.spec.kind)
        since = self._cancelled.setdefault(job.folder, time.monotonic())
        if control.now or row is None or time.monotonic() > since + row.grace_s:
            self._backend.kill(job.state.handle)
        return True

    def _settle(self, job: _Job) -> None:
        status = self._ended.get(job.folder)
        at = time.time() if status is not None else None
        self._store.write_state(job.folder, closed(self._store, job.folder, job.state, at, status))
        self._ended.pop(job.folder, None)
        self._cancelled.pop(job.folder, None)

    # what waits

    def _start(self, queued: Sequence[_Job], running: Sequence[_Job]) -> None:
        if not queued:
            return
        machine = self._backend.machine()
        slots = read_slots(self._store.root, lambda: machine)
        on_gpu = [str(job.state.handle.get("gpu", "")) for job in running if job.spec.needs_gpu]
        free = {True: slots.gpu - len(on_gpu), False: slots.cpu - (len(running) - len(on_gpu))}
        outs = {job.spec.out for job in running} - {None}
        for job in queued:
            waits = free[job.spec.needs_gpu] <= 0 or job.spec.out in outs
            if waits or self._backend.alive(job.folder):  # its last process is just leaving
                continue
            gpu = _least_used(machine, on_gpu) if job.spec.needs_gpu else ""
            if self._start_one(job, gpu):
                free[job.spec.needs_gpu] -= 1
                on_gpu += [gpu] if job.spec.needs_gpu else []
                outs |= {job.spec.out} - {None}

    def _start_one(self, job: _Job, gpu: str) -> bool:
        """Start a job; one that cannot run any more fails, one that cannot be started now waits and says why."""
        try:
            row = kind_row(self._kinds, job.spec.kind)
            row.check(job.spec)
        except JobError as error:
            self._store.write_state(job.folder, replace(job.state, state="failed", problem=str(error)))
            return False
        try:
            handle = self._backend.start(job.folder, row, gpu)
        except OSError as error:
            waits = replace(job.state, problem=f"it cannot be started now: {error}; it is tried again")
            self._store.write_state(job.folder, waits)
            raise
        if handle is None:
            return False
        self._started[job.folder] = handle
        self._ended.pop(job.folder, None)
        # only now, when it holds its lock: a job that runs by its file and holds none is taken for killed. It waits
        # for the lock of the queue before it reads this
        began = replace(
            job.state, state="running", started=time.time(), ended=None, problem="", exit=None, handle=handle
        )
        try:
            self._store.write_state(job.folder, began)
        except OSError:
            self._backend.kill(handle)
            raise
        return True


def _least_used(machine: Machine, used: Sequence[str]) -> str:
    indices = [gpu.index for gpu in machine.gpus]
    return min(indices, key=used.count) if indices else ANY_GPU


def main(arguments: Sequence[str]) -> int:
    """Supervise until nothing is left to do."""
    root, table, lock = Path(arguments[0]), arguments[1], int(arguments[2])
    keep_inherited(lock)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    supervisor = Supervisor(JobStore(root), kinds_of(table), lambda: os.close(lock))
    while True:
        pause = EVERY_S
        try:
            if not supervisor.tick():
                return 0
        except (JobError, OSError) as error:
            log.warning("%s: %s", root, error)
            pause = AFTER_TROUBLE_S
        with suppress(KeyboardInterrupt):
            time.sleep(pause)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
