"""Exports and imports without Qt: looked at in a worker process, carried out by jobs that outlive the window."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from app.datasets.exchange_orders import KINDS, Order, Outlook, order_of, spec_of
from app.events import Listener, Listeners
from app.jobs.desk import JobsDesk
from app.jobs.kinds import kind_row
from app.jobs.types import JobRecord, JobSpec
from app.worker import Callbacks, Worker

Topic = Literal["outlook", "progress", "done", "failed", "unfinished"]
LOOKS = "app.datasets.exchange_looks"


class ExchangeDesk:
    """One exchange at a time. Owned by one thread, which calls `pump` about every 30 ms, and that of the jobs too.

    Read: `outlook` of `order` (None while it is looked at), `running` (None: nothing) and `record`, its job once it
    is queued, `unfinished` (what was stopped half way), and after "done" or "failed": `ended`, with its `facts` or
    its `problem` ("" after a cancel).
    """

    def __init__(self, jobs: JobsDesk, *, looks: str = LOOKS) -> None:
        self._jobs, self._looks = jobs, looks
        self._worker, self._listeners = Worker(), Listeners()
        self._looked_at: Order | None = None  # what the worker looks at now
        self._clearing: Order | None = None  # of what its remains are to be taken away
        self._half_done: JobRecord | None = None
        self._asked: JobSpec | None = None
        self._before: set[str] = set()  # jobs that were there when it was asked for
        self.order: Order | None = None
        self.outlook: Outlook | None = None
        self.running: Order | None = None
        self.record: JobRecord | None = None
        self.ended: Order | None = None
        self.facts: Mapping[str, object] = {}
        self.problem = ""
        self.unfinished: Order | None = None
        self._forget = jobs.on_change(self._jobs_changed)
        self._jobs_changed("jobs")

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change; returns what ends it."""
        return self._listeners.add(listener)

    def look(self, order: Order | None) -> None:
        """Find out what an order would do; the last one that was asked for counts. None: no matter any more."""
        self.order, self.outlook = order, None
        if self._looked_at is not None:
            self._worker.cancel()
        self._next()

    def start(self, order: Order) -> None:
        """Queue a job for an order. Raises RuntimeError while another one runs, JobError."""
        if self.running is not None:
            raise RuntimeError(f"wait for the other one: {self.running.text}")
        spec = spec_of(order)
        kind_row(self._jobs.jobs.kinds, spec.kind).check(spec)
        self._asked, self._before = spec, {record.id for record in self._jobs.records}
        self._jobs.submit(spec)
        self.running = order
        self._listeners.tell("progress")

    def cancel(self) -> None:
        """Give up what runs: nothing is left of it."""
        if self.record is not None:
            self._jobs.cancel(self.record.id)

    def go_on(self) -> None:
        """Let what was stopped half way go on."""
        record = self._half_done
        if record is not None and self.running is None:
            again = self._jobs.retry if record.state == "failed" else self._jobs.resume
            again(record.id)

    def give_up(self) -> None:
        """Take away what was stopped half way."""
        if self._half_done is not None and self._half_done.state != "failed":
            self._jobs.cancel(self._half_done.id)
        self._clearing = self.unfinished
        self._next()

    def pump(self) -> None:
        """Take in what came. Never blocks."""
        self._worker.pump()
        # not from a callback: the worker may be about to end a process that did not listen
        self._next()

    def wait(self, timeout_s: float) -> bool:
        """Pump, the jobs too, until nothing is left to do; False when it took longer. Without a window only."""
        deadline = time.monotonic() + timeout_s
        while (self._worker.busy or self._wanted or self.running is not None) and time.monotonic() < deadline:
            self._worker.wait(0.05)
            time.sleep(0.01)
            self._jobs.pump()
            self.pump()
        return not self._worker.busy and self.running is None

    def close(self) -> None:
        """End the process that looks; what runs goes on. Safe to call twice."""
        self._forget()
        self._worker.close()

    # looked at

    @property
    def _wanted(self) -> bool:
        return self._clearing is not None or (self.order is not None and self.outlook is None)

    def _next(self) -> None:
        if self._worker.busy or not self._wanted:
            return
        if self._clearing is not None:
            self._submit("give_up", self._clearing, Callbacks(self._gone, self._stays, lambda *_: None))
        elif self.order is not None:
            self._looked_at = self.order
            self._submit("look", self.order, Callbacks(self._looked, self._not_looked, lambda *_: None))

    def _submit(self, look: str, order: Order, callbacks: Callbacks) -> None:
        self._worker.submit(f"{self._looks}:{look}", order, callbacks=callbacks)

    def _looked(self, found: Outlook) -> None:
        looked_at, self._looked_at = self._looked_at, None
        if self.order == looked_at:
            self.outlook = found
            self._listeners.tell("outlook")

    def _not_looked(self, reason: str) -> None:
        if reason != "cancelled":
            self._looked(Outlook(refusal=reason))
        self._looked_at = None

    def _gone(self, _part: Path) -> None:
        self._clearing = None
        self._look_for_half_done()

    def _stays(self, why: str) -> None:
        self.ended, self._clearing, self.problem = self._clearing, None, why
        self._listeners.tell("failed")

    # carried out

    def _jobs_changed(self, topic: str) -> None:
        if topic == "message":
            if self._jobs.mood == "warning" and self.record is None and self.running is not None:
                self._end(problem=self._jobs.message)  # it could not be queued
            return
        known, records = self.record, [r for r in self._jobs.records if r.spec.kind in KINDS]
        if known is None:
            asked = (r for r in records if r.spec == self._asked and r.id not in self._before)
            others = (r for r in reversed(records) if r.state in ("queued", "running"))
            self.record = next(asked, None) or next(others, None)
        else:
            self.record = next((r for r in records if r.id == known.id), None)
        if self.record is None and known is not None:
            self._end()
        elif self.record is not None:
            self._follow(self.record)
        self._look_for_half_done()

    def _follow(self, record: JobRecord) -> None:
        self.running = order_of(record.spec)
        if record.state in ("queued", "running"):
            self._listeners.tell("progress")
        elif record.state == "done":
            self._end(facts=record.result)
        else:
            self._end(problem=record.problem if record.state in ("failed", "interrupted") else "")

    def _end(self, facts: Mapping[str, object] | None = None, problem: str = "") -> None:
        cancelled = self.record is not None and self.record.state == "cancelled"
        self.ended, self.running, self.record, self._asked = self.running, None, None, None
        self.facts, self.problem, self.outlook = facts or {}, problem, None
        if cancelled and self.ended is not None and self.ended.part.is_dir():
            self._clearing = self.ended  # it did not listen, and was ended in the midst
        self._listeners.tell("progress")
        self._listeners.tell("done" if facts is not None else "failed")

    def _look_for_half_done(self) -> None:
        """Look what was stopped, or failed, and left something to go on with."""
        stopped = (
            record
            for record in self._jobs.records
            if record.spec.kind in KINDS and record.state in ("paused", "interrupted", "failed")
        )
        found = next((record for record in stopped if order_of(record.spec).part.is_dir()), None)
        order = order_of(found.spec) if found is not None else None
        self._half_done = found
        if order != self.unfinished:
            self.unfinished = order
            self._listeners.tell("unfinished")
