"""Exports and imports without Qt: looked at, then carried out by a process of their own; what a crash left is
known."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from app.datasets.exchange_orders import Order, Outlook, remember, remembered
from app.events import Listener, Listeners
from app.worker import Callbacks, Worker

Topic = Literal["outlook", "progress", "done", "failed", "unfinished"]
JOBS = "app.datasets.exchange_jobs"
log = logging.getLogger(__name__)


class ExchangeDesk:
    """One exchange at a time. Owned by one thread, which calls `pump` about every 30 ms.

    Read: `outlook` of `order` (None while it is looked at), `running` (None: nothing), `fraction`, `text`, `left_s`
    [s] of it, `unfinished` (what a crash or a full disk left half done), and after "done" or "failed": `ended`,
    with its `facts` or its `problem` ("" after a cancel).
    """

    def __init__(self, memory: Path, *, jobs: str = JOBS) -> None:
        """memory: the file that says what runs, for the next start."""
        self._memory, self._jobs = memory, jobs
        self._worker, self._listeners = Worker(), Listeners()
        self._looked_at: Order | None = None  # what the worker looks at now
        self._clearing: Order | None = None  # of what its remains are to be taken away
        self._begun = 0.0
        self.order: Order | None = None
        self.outlook: Outlook | None = None
        self.running: Order | None = None
        self.fraction, self.text = 0.0, ""
        self.left_s: float | None = None
        self.ended: Order | None = None
        self.facts: Mapping[str, object] = {}
        self.problem = ""
        self.unfinished = remembered(memory)

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
        """Carry an order out. Raises RuntimeError while another one runs."""
        if self.running is not None:
            raise RuntimeError(f"wait for the other one: {self.running.text}")
        self.running, self.fraction, self.text, self.left_s = order, 0.0, "starting", None
        if self._looked_at is not None:
            self._worker.cancel()
        self._remember(order)
        self._next()
        self._listeners.tell("progress")

    def cancel(self) -> None:
        """Give up what runs: nothing is left of it."""
        if self.running is not None:
            self._worker.cancel()

    def give_up(self) -> None:
        """Take away what a crash left half done."""
        self._clearing = self.unfinished
        self._next()

    def pump(self) -> None:
        """Take in what came. Never blocks."""
        self._worker.pump()
        # not from a callback: the worker may be about to end a process that did not listen
        self._next()

    def wait(self, timeout_s: float) -> bool:
        """Pump until nothing is left to do; False when it took longer. Without a window only."""
        deadline = time.monotonic() + timeout_s
        while (self._worker.busy or self._wanted) and time.monotonic() < deadline:
            self._worker.wait(0.05)
            self.pump()
        return not self._worker.busy

    def close(self) -> None:
        """End the process; what runs is left half done, and known at the next start. Safe to call twice."""
        self._worker.close()

    @property
    def _wanted(self) -> bool:
        started = self.running is not None and not self._begun
        unknown = self.order is not None and self.outlook is None
        return self._clearing is not None or started or unknown

    def _next(self) -> None:
        if self._worker.busy or not self._wanted:
            return
        if self._clearing is not None:
            self._submit("give_up", self._clearing, Callbacks(self._gone, self._stays, lambda *_: None))
        elif self.running is not None:
            self._begun = time.monotonic()
            self._submit("carry_out", self.running, Callbacks(self._done, self._failed, self._progress))
        elif self.order is not None:
            self._looked_at = self.order
            self._submit("look", self.order, Callbacks(self._looked, self._not_looked, lambda *_: None))

    def _submit(self, job: str, order: Order, callbacks: Callbacks) -> None:
        self._worker.submit(f"{self._jobs}:{job}", order, callbacks=callbacks)

    def _looked(self, found: Outlook) -> None:
        looked_at, self._looked_at = self._looked_at, None
        if self.order == looked_at:
            self.outlook = found
            self._listeners.tell("outlook")

    def _not_looked(self, reason: str) -> None:
        if reason != "cancelled":
            self._looked(Outlook(refusal=reason))
        self._looked_at = None

    def _progress(self, fraction: float, text: str) -> None:
        spent = time.monotonic() - self._begun
        self.fraction, self.text = fraction, text
        self.left_s = spent * (1 - fraction) / fraction if fraction > 0.1 and spent > 2 else None
        self._listeners.tell("progress")

    def _done(self, facts: Mapping[str, object]) -> None:
        self._end(facts=facts)
        self._remember(None)
        self._listeners.tell("done")

    def _failed(self, reason: str) -> None:
        order, cancelled = self.running, reason == "cancelled"
        self._end(problem="" if cancelled else reason)
        if order is None or not order.part.is_dir():
            self._remember(None)
        elif cancelled:  # it did not listen, and was ended in the midst
            self._clearing = order
        else:
            self.unfinished = order
            self._listeners.tell("unfinished")
        self._listeners.tell("failed")

    def _end(self, facts: Mapping[str, object] | None = None, problem: str = "") -> None:
        self.ended, self.running, self._begun = self.running, None, 0.0
        self.facts, self.problem, self.outlook = facts or {}, problem, None
        self._listeners.tell("progress")

    def _gone(self, _part: Path) -> None:
        self._clearing = None
        self._remember(None)

    def _stays(self, why: str) -> None:
        self.ended, self._clearing, self.problem = self._clearing, None, why
        self._listeners.tell("failed")

    def _remember(self, order: Order | None) -> None:
        try:
            remember(self._memory, order)
        except OSError as error:
            log.info(
                "%s is not kept: %s", self._memory, error
            )  # a crash would then leave a part that nobody knows of
        if order is None or order == self.unfinished:
            self.unfinished = None
            self._listeners.tell("unfinished")
