"""The jobs of a workspace: what a person, the window and the verbs do with them."""

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.crash import tail
from app.jobs.backend import Backend, LocalBackend
from app.jobs.kinds import TABLE, KindRow, kind_row, kinds_of
from app.jobs.look import UNREADABLE, Looks, look, state_of
from app.jobs.processes import held, start_holding
from app.jobs.slots import read_slots, write_slots
from app.jobs.store import LOG, SUPERVISOR_LOCK, SUPERVISOR_LOG, Control, JobStore
from app.jobs.types import JobError, JobRecord, JobSpec, Machine, Slots, State
from app.workspace import Workspace

_AGAIN_S = 10.0


class Jobs:
    """May be used from several threads; several of them, in windows and verbs, may be open on one workspace.

    Everything is on the disk (app/jobs/store.py), so all of them see the same. Jobs run whether anybody looks or
    not: a supervisor process (app/jobs/supervisor.py) starts what is queued; it is started here where it is needed.
    What is refused raises JobError with a sentence for a person; a disk that does not write raises OSError.
    """

    def __init__(self, workspace: Workspace, *, table: str = TABLE, backend: Backend | None = None) -> None:
        """table: "module:NAME" of the kinds; backend: where they run, this machine by default."""
        self.kinds: Mapping[str, KindRow] = kinds_of(table)
        self._table = table
        self._store = JobStore(workspace.jobs)
        self._backend = backend or LocalBackend()
        self._looks = Looks(self._store, self._backend)
        self._mutex = threading.Lock()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._not_before = float("-inf")

    # look

    def records(self) -> tuple[JobRecord, ...]:
        """All jobs, the newest first. What is wrong with one of them is told in its record."""
        with self._mutex:
            return self._looks.all()

    def record(self, id: str) -> JobRecord:
        """Return one job; "7" is "0007"."""
        with self._mutex:
            return self._looks.at(self._store.folder(id))

    def log_tail(self, id: str, lines: int = 200) -> str:
        """Return the last lines that it printed."""
        return tail(self._store.folder(id) / LOG, lines)

    def machine(self) -> Machine:
        """What the machine has and how busy it is; the first answer knows no CPU figure yet."""
        with self._mutex:
            return self._backend.machine()

    def slots(self) -> Slots:
        """How many jobs run at once: as chosen, else one for each GPU and one for every four cores."""
        return read_slots(self._store.root, self._backend.machine)

    # do

    def submit(self, spec: JobSpec) -> str:
        """Queue a job and return its id."""
        return self.submit_all([spec])[0]

    def submit_all(self, specs: Sequence[JobSpec]) -> list[str]:
        """Queue several jobs in this order, or none of them where one is refused; return their ids."""
        for spec in specs:
            kind_row(self.kinds, spec.kind).check(spec)
        if any(spec.needs_gpu for spec in specs):
            self._require_gpu()
        with self._store.locked():
            ids = [self._store.add(spec, time.time()) for spec in specs]
        self.wake()
        return ids

    def pause(self, id: str) -> None:
        """A queued job waits until it is resumed. A running one goes on to its next safe point, where it saves all
        it needs, ends its process and gives its slot to the next."""
        folder = self._store.folder(id)
        with self._store.locked():
            record = look(self._store, self._backend, folder)
            if record.state == "queued":
                self._write(folder, "paused")
            elif record.state == "running":
                self._require_pauses(record)
                self._store.write_control(folder, Control("pause"))
            elif record.state != "paused":
                raise _wrong(record, "paused", "one that is queued or running")
        self.wake()

    def resume(self, id: str) -> None:
        """Queue a paused or interrupted job again: it goes on from what it saved. One about to pause simply goes
        on."""
        self._again(id, ("paused", "interrupted"), "resumed", "one that is paused or interrupted")

    def retry(self, id: str) -> None:
        """Queue a failed, cancelled or interrupted job again; it goes on from what it saved where there is
        something.

        To begin anew elsewhere, submit a `clone` with another `out`.
        """
        self._again(id, ("failed", "cancelled", "interrupted"), "tried again", "one that failed or was cancelled")

    def cancel(self, id: str, *, now: bool = False) -> None:
        """End a job. A running one may tidy up for a while (KindRow.grace_s); now: its processes are killed."""
        folder = self._store.folder(id)
        with self._store.locked():
            record = look(self._store, self._backend, folder)
            if record.state == "running":
                self._store.write_control(folder, Control("cancel", now))
            elif record.state in ("done", "failed"):
                raise _wrong(record, "cancelled", "one that is not over")
            elif record.state != "cancelled":
                self._write(folder, "cancelled")
        self.wake()

    def clone(self, id: str, changes: Mapping[str, object] | None = None, *, title: str = "") -> JobSpec:
        """Return the spec of a job with some arguments changed (None: taken out), to be looked at and submitted."""
        record = _readable(self.record(id))
        wanted = {**record.spec.arguments, **(changes or {})}
        kept = {name: value for name, value in wanted.items() if value is not None}
        return replace(record.spec, arguments=kept, title=title or record.spec.title, cloned_from=record.id)

    def remove(self, id: str) -> None:
        """Take a job that does not run out of the list, its log too. What it made stays."""
        folder = self._store.folder(id)
        with self._store.locked():
            record = look(self._store, self._backend, folder)
            if record.state == "running" or (record.spec.kind == UNREADABLE and self._backend.alive(folder)):
                raise _wrong(record, "removed", "one that does not run; cancel it first")
            self._store.remove(folder)

    def set_slots(self, slots: Slots) -> None:
        """Choose how many jobs run at once, from now on and for every window; those that run go on."""
        write_slots(self._store.root, slots)
        self.wake()

    def wake(self) -> None:
        """Start the supervisor where there is work and none runs. Cheap: whoever looks may call it as often."""
        with self._mutex:
            lock = self._store.root / SUPERVISOR_LOCK
            if held(lock) or not self._has_work():
                return
            # one that cannot live is not started all the time
            failed = self._supervisor is not None and self._supervisor.poll() not in (None, 0)
            if failed and time.monotonic() < self._not_before:
                return
            self._not_before = time.monotonic() + _AGAIN_S
            arguments = [str(self._store.root), self._table]
            log = self._store.root / SUPERVISOR_LOG
            self._supervisor = start_holding(lock, "app.jobs.supervisor", arguments, log, {}, wait_s=0.2)

    # inside

    def _again(self, id: str, states: Sequence[State], what: str, valid: str) -> None:
        folder = self._store.folder(id)
        if _readable(self.record(id)).spec.needs_gpu:
            self._require_gpu()
        with self._store.locked():
            record = look(self._store, self._backend, folder)
            about_to_pause = record.state == "running" and record.wanted == "pause" and "paused" in states
            if not about_to_pause and record.state not in states:
                raise _wrong(record, what, valid)
            self._store.write_control(folder, Control())
            if not about_to_pause:
                # one that waited all the time and was paused begins its first attempt
                again = record.state != "paused" or record.started is not None
                self._write(folder, "queued", attempts=int(again))
        self.wake()

    def _write(self, folder: Path, state: State, *, attempts: int = 0) -> None:
        """Change a job without a process. Under the lock."""
        before = state_of(self._store, self._backend, folder)[0]
        self._store.write_state(folder, replace(
            before, state=state, attempt=before.attempt + attempts, problem="", exit=None,
            queued=time.time() if state == "queued" else before.queued,
        ))  # fmt: skip

    def _has_work(self) -> bool:
        return any(self._looks.at(self._store.root / id).state in ("queued", "running") for id in self._store.ids())

    def _require_gpu(self) -> None:
        if self.slots().gpu == 0:
            raise JobError(
                "job: needs_gpu: there is no GPU here (nvidia-smi finds none); valid: false, or a GPU slot"
            )

    def _require_pauses(self, record: JobRecord) -> None:
        row = self.kinds.get(record.spec.kind)
        if row is None or row.pauses == "never":
            raise JobError(f"job {record.id}: a job of kind {record.spec.kind!r} cannot be paused; valid: cancel")


def _readable(record: JobRecord) -> JobRecord:
    if record.spec.kind == UNREADABLE:
        raise JobError(f"job {record.id}: {record.problem}; it can only be removed")
    return record


def _wrong(record: JobRecord, what: str, valid: str) -> JobError:
    return JobError(f"job {record.id}: it is {record.state} and cannot be {what}; valid: {valid}")
