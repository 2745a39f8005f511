"""The worker process for dreams and tracks: its own interpreter, so that a crash there never takes the window down.

The worker is spawned, talks over one pipe, and is the child of one owner, in whose thread every callback is called.
What travels is pickled, between two processes that this program started on this machine (DESIGN, where it runs).
"""

import importlib
import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Event
from typing import Any

Report = Callable[[float, str], None]
Cancelled = Callable[[], bool]
# "module:function", so that what a job imports is imported by the worker alone. The function gets its arguments,
# then a Report (fraction 0..1, text) and a Cancelled.
Job = str
CANCEL_GRACE_S = 2.0
OUT_OF_MEMORY = "if memory is short, close other programs or take a shorter clip"


class Cancel(Exception):
    """Raised inside a job to end it after a cancel."""


@dataclass(frozen=True)
class Callbacks:
    """What the owner wants to hear. done(result); failed(message for a person); progress(fraction, text)."""

    done: Callable[[Any], None]
    failed: Callable[[str], None]
    progress: Report


class Worker:
    """One process, one job at a time. Every method is for the owner's thread; callbacks come from `pump`."""

    def __init__(self, cancel_grace_s: float = CANCEL_GRACE_S) -> None:
        """cancel_grace_s: how long a job that is cancelled may tidy up before its process is ended [s]."""
        self._cancel_grace_s = cancel_grace_s
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._cancel: Event = self._context.Event()
        self._callbacks: Callbacks | None = None
        self._cancelled_at: float | None = None

    @property
    def busy(self) -> bool:
        return self._callbacks is not None

    def start(self) -> None:
        """Start the process now, so that the first job need not wait for it."""
        if self._process is not None and self._process.is_alive():
            return
        self._end()
        ours, theirs = self._context.Pipe()
        self._cancel = self._context.Event()
        self._process = self._context.Process(
            target=_serve, args=(theirs, self._cancel), name="dreamdeck-worker", daemon=True
        )
        self._process.start()
        theirs.close()
        self._pipe = ours

    def submit(self, job: Job, *arguments: object, callbacks: Callbacks) -> None:
        """Start a job. Arguments should be small (paths rather than videos): they are sent from this thread.

        Raises RuntimeError while another one runs.
        """
        if self.busy:
            raise RuntimeError("worker: a job runs already; cancel it or wait for it")
        self.start()
        self._cancel.clear()
        self._cancelled_at = None
        self._callbacks = callbacks
        try:
            self._require_pipe().send((job, arguments))
        except OSError:
            self._crashed()

    def cancel(self) -> None:
        """Ask the job to end; one that does not listen is ended with its process after a grace time."""
        if self.busy and self._cancelled_at is None:
            self._cancel.set()
            self._cancelled_at = time.monotonic()

    def pump(self) -> None:
        """Deliver what the worker said. Never blocks."""
        while self.busy and self._pipe is not None:
            try:
                if not self._pipe.poll():
                    break
                self._deliver(*self._pipe.recv())
            except (EOFError, OSError):
                self._crashed()
        patience = self._cancel_grace_s
        if self.busy and self._cancelled_at is not None and time.monotonic() > self._cancelled_at + patience:
            self._finish().failed("cancelled")
            self._end()

    def wait(self, timeout: float) -> None:
        """Block until the worker says something or `timeout` [s] is over; `pump` delivers it."""
        if self._pipe is not None and self.busy:
            wait([self._pipe], timeout)

    def close(self) -> None:
        """End the process. Safe to call twice."""
        self._callbacks = None
        self._end()

    def _deliver(self, what: str, value: object) -> None:
        if self._callbacks is None:
            return
        if what == "progress" and isinstance(value, tuple):
            self._callbacks.progress(*value)
        elif what == "done":
            self._finish().done(value)
        elif what == "failed":
            self._finish().failed(str(value))

    def _finish(self) -> Callbacks:
        callbacks, self._callbacks = self._callbacks, None
        if callbacks is None:
            raise RuntimeError("worker: no job runs")
        return callbacks

    def _crashed(self) -> None:
        code = None
        if self._process is not None:
            self._process.join(1.0)
            code = self._process.exitcode
        self._end()
        reason = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        # what Linux does to the largest process when memory runs out
        hint = f" {OUT_OF_MEMORY}, or" if code == -signal.SIGKILL else ""
        self._finish().failed(
            f"the worker process ended unexpectedly ({reason});{hint} try again, it is started afresh"
        )

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.terminate()
            self._process.join(2.0)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()
            self._process = None

    def _require_pipe(self) -> Connection:
        if self._pipe is None:
            raise RuntimeError("worker: it is not started")
        return self._pipe


def _serve(pipe: Connection, cancel: Event) -> None:
    """The worker's main loop: jobs in, progress and results out, until the owner is gone."""
    # Ctrl+C in a terminal reaches the whole group: the owner decides, by cancelling or closing
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            job, arguments = pipe.recv()
            pipe.send(_run(job, arguments, pipe, cancel))
        except (EOFError, OSError):
            return


def _run(job: Job, arguments: tuple[object, ...], pipe: Connection, cancel: Event) -> tuple[str, object]:
    def report(fraction: float, text: str = "") -> None:
        pipe.send(("progress", (float(fraction), text)))

    try:
        module, _, name = job.partition(":")
        return "done", getattr(importlib.import_module(module), name)(*arguments, report, cancel.is_set)
    except Cancel:
        return "failed", "cancelled"
    except (BrokenPipeError, ConnectionError):
        raise
    except MemoryError:
        return "failed", f"there is not enough memory for this; {OUT_OF_MEMORY}, and try again"
    except Exception as error:
        return "failed", "cancelled" if cancel.is_set() else f"{type(error).__name__}: {error}"
