"""The jobs of a workspace as a window needs them: read and changed by a thread, never waited for."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from app.events import Listener, Listeners
from app.jobs.jobs import Jobs
from app.jobs.types import JobError, JobRecord, JobSpec, Machine, Slots

Topic = Literal["jobs", "message"]
Mood = Literal["info", "warning"]


@dataclass(frozen=True)
class _Seen:
    records: tuple[JobRecord, ...]
    machine: Machine
    slots: Slots


class JobsDesk:
    """Owned by one thread, which calls `pump` about every 30 ms; all that touches the disk runs in another.

    Read: `records` (the newest job first), `machine` and `slots` (None until first read), `message` and its `mood`.
    Listeners hear "jobs" when one of the first three changed, "message" when there is a new message.
    """

    def __init__(self, jobs: Jobs, *, every_s: float = 0.5) -> None:
        """every_s: how often the jobs are looked at."""
        self.jobs, self._every_s = jobs, every_s
        self._listeners = Listeners()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jobs")
        self._look: Future[_Seen] | None = None
        self._next_look = float("-inf")
        self._deeds: list[Future[str]] = []
        self.records: tuple[JobRecord, ...] = ()
        self.machine: Machine | None = None
        self.slots: Slots | None = None
        self.message = ""
        self.mood: Mood = "info"

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    def record(self, id: str) -> JobRecord | None:
        """Return a job as it was last seen."""
        return next((record for record in self.records if record.id == id), None)

    def submit(self, *specs: JobSpec) -> None:
        """Queue jobs."""
        self._do(lambda: f"queued as {', '.join(self.jobs.submit_all(specs))}")

    def pause(self, id: str) -> None:
        self._do(lambda: self.jobs.pause(id))

    def resume(self, id: str) -> None:
        self._do(lambda: self.jobs.resume(id))

    def retry(self, id: str) -> None:
        self._do(lambda: self.jobs.retry(id))

    def cancel(self, id: str, *, now: bool = False) -> None:
        self._do(lambda: self.jobs.cancel(id, now=now))

    def remove(self, id: str) -> None:
        self._do(lambda: self.jobs.remove(id))

    def set_slots(self, slots: Slots) -> None:
        self._do(lambda: self.jobs.set_slots(slots))

    def pump(self) -> None:
        """Take in what the thread did, and let it look again when it is time. Never blocks."""
        while self._deeds and self._deeds[0].done():
            self._tell(self._deeds.pop(0))
            self._next_look = float("-inf")
        if self._look is not None and self._look.done():
            self._take(self._look)
            self._look = None
        if self._look is None and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self._every_s
            self._look = self._thread.submit(self._see)

    def close(self) -> None:
        """End the thread; the jobs go on. Safe to call twice."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _do(self, deed: Callable[[], str | None]) -> None:
        self._deeds.append(self._thread.submit(lambda: deed() or ""))

    def _see(self) -> _Seen:
        self.jobs.wake()
        return _Seen(self.jobs.records(), self.jobs.machine(), self.jobs.slots())

    def _take(self, look: Future[_Seen]) -> None:
        try:
            seen = look.result()
        except (JobError, OSError) as error:
            if self.message != str(error):
                self._say(str(error), "warning")
            return
        if (seen.records, seen.machine, seen.slots) != (self.records, self.machine, self.slots):
            self.records, self.machine, self.slots = seen.records, seen.machine, seen.slots
            self._listeners.tell("jobs")

    def _tell(self, deed: Future[str]) -> None:
        try:
            said = deed.result()
        except (JobError, OSError) as error:
            self._say(str(error), "warning")
            return
        if said:
            self._say(said, "info")

    def _say(self, message: str, mood: Mood) -> None:
        self.message, self.mood = message, mood
        self._listeners.tell("message")
