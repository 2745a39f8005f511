"""The process of one job: `python -m app.jobs.process FOLDER MODULE:FUNCTION PAUSES LOCK`.

It holds the lock of its folder, writes progress.json, obeys control.json, and writes how it ended. Its output is
the job's log.txt.
"""

import errno
import faulthandler
import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil

from app.jobs.context import JobFunction, Paused
from app.jobs.ends import STATUS
from app.jobs.processes import keep_inherited
from app.jobs.store import JobStore, Progress
from app.jobs.types import JobError, State, Wanted
from app.worker import OUT_OF_MEMORY, Cancel
from app.workspace import Workspace
from models.data.errors import DreamFileError

LATER = 10  # of nice: what a person looks at, and arms, come first
_LOOK_S, _TELL_S, _BEAT_S = 0.25, 0.5, 5.0
_WRITE_FOR_S, _EXIT_S = 60.0, 20.0
_SURE_SHARE, _SURE_S = 0.01, 3.0
log = logging.getLogger(__name__)


class Attempt:
    """One attempt of one job, as its function sees it (app.jobs.context.JobContext), with a thread that tells and
    listens."""

    def __init__(self, store: JobStore, folder: Path, *, anywhere: bool = False) -> None:
        """anywhere: it may be ended at every moment when a pause is wanted."""
        self._store, self._folder, self._anywhere = store, folder, anywhere
        with store.locked():  # whoever started it has written that it runs, or died before
            self._state = store.state(folder)
        if self._state.state != "running":
            raise JobError(f"{folder}: it is {self._state.state}, and was started all the same")
        self._progress = replace(store.progress(folder), text="starting", left_s=None)
        self._wanted: Wanted = "run"
        self._told_to_end = False
        self._first: tuple[float, float] | None = None
        self._changed = threading.Event()
        self._mutex, self._ending = threading.Lock(), threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="job heartbeat", daemon=True)

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def workspace(self) -> Workspace:
        return Workspace(self._store.root.parent)

    @property
    def attempt(self) -> int:
        return self._state.attempt

    def report(
        self,
        fraction: float,
        text: str = "",
        *,
        left_s: float | None = None,
        values: Mapping[str, float] | None = None,
    ) -> None:
        fraction = min(max(float(fraction), 0.0), 1.0)
        with self._mutex:
            left = self._left(fraction) if left_s is None else max(0.0, left_s)
            told = self._progress.values if values is None else dict(values)
            self._progress = Progress(fraction, text, left, told)
        self._changed.set()

    def wanted(self) -> Wanted:
        return "pause" if self._told_to_end and self._wanted == "run" else self._wanted

    def cancelled(self) -> bool:
        return self._wanted == "cancel"

    def end_soon(self, *_: object) -> None:
        """The computer goes down, or a person ended the process: save, and be interrupted."""
        self._told_to_end = True

    def run(self, function: JobFunction) -> int:
        """Call the function and write how it ended; return the exit status."""
        self._thread.start()
        state, problem, result = self._outcome(function)
        # for good: where the thread ends it "anywhere", this waits for the end of the process
        self._ending.acquire()
        self._over.set()
        self._thread.join()
        return self._write(state, problem, result)

    def _outcome(self, function: JobFunction) -> tuple[State, str, Mapping[str, object]]:
        try:
            result = function(self._store.spec(self._folder).arguments, self) or {}
            json.dumps(result, allow_nan=False)
            return "done", "", result
        except Paused:
            return "paused", "", {}
        except BaseException as error:
            if self.cancelled() or isinstance(error, Cancel):
                return "cancelled", "", {}
            traceback.print_exc()
            return "failed", problem_of(error), {}

    def _write(self, state: State, problem: str = "", result: Mapping[str, object] | None = None) -> int:
        """Write how far it is and how it ended, over and over where the disk is full; return the exit status."""
        self._tell()
        deadline = time.monotonic() + _WRITE_FOR_S
        while True:
            try:
                return STATUS[self._write_end(state, problem, result or {})]
            except (
                OSError,
                JobError,
            ) as error:  # a full disk: a person may make room; the supervisor writes it else
                log.warning("%s: how it ended cannot be written: %s", self._folder, error)
                if time.monotonic() > deadline:
                    return STATUS[state]
                time.sleep(1.0)

    def _write_end(self, state: State, problem: str, result: Mapping[str, object]) -> State:
        with self._store.locked():
            wanted = self._store.control(self._folder).wanted
            if state == "paused":
                state = self._instead_of_paused(wanted)
                problem = (
                    "the computer ended it; resume goes on from what it saved" if state == "interrupted" else ""
                )
            now = time.time()
            ended = self._state.closed(state, now, exit=STATUS[state], problem=problem, result=result)
            if state == "queued":
                ended = replace(ended, queued=now, attempt=ended.attempt + 1)
            self._store.write_state(self._folder, ended)
        return state

    def _instead_of_paused(self, wanted: Wanted) -> State:
        if wanted == "cancel":
            return "cancelled"
        if wanted == "pause":
            return "paused"
        return "interrupted" if self._told_to_end else "queued"  # resumed while it was about to pause

    def _beat(self) -> None:
        told, look = time.monotonic(), 0.0
        while not self._over.wait(look):
            look = _LOOK_S
            self._wanted = self._store.control(self._folder).wanted
            now = time.monotonic()
            if now > told + (_TELL_S if self._changed.is_set() else _BEAT_S):
                told = now
                self._tell()
            if self._anywhere and self.wanted() == "pause" and self._ending.acquire(blocking=False):
                status = self._write("paused")
                _end_children()
                os._exit(status)

    def _tell(self) -> None:
        self._changed.clear()
        with self._mutex:
            progress = replace(self._progress, at=time.time())
        with suppress(OSError):  # a full disk costs the news, not the work
            self._store.write_progress(self._folder, progress)

    def _left(self, fraction: float) -> float | None:
        """Reckon from how long it took so far."""
        now = time.monotonic()
        if self._first is None or fraction < self._first[1]:
            self._first = now, fraction
        spent, done = now - self._first[0], fraction - self._first[1]
        return spent * (1 - fraction) / done if done >= _SURE_SHARE and spent >= _SURE_S else None


def problem_of(error: BaseException) -> str:
    """Return what went wrong, in words for a person, with a way out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        told = f" ({error})" if str(error) else ""
        return f"there is not enough memory{told}; {OUT_OF_MEMORY}, and try again"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({error}); make room and try again: it goes on from what it last saved"
    own = type(error).__module__.partition(".")[0] in ("app", "models", "hardware")
    if (own or isinstance(error, ValueError | OSError)) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}; its log has the details"


def function_of(run: str) -> JobFunction:
    """Return "module:function"."""
    module, _, name = run.partition(":")
    function: JobFunction = getattr(importlib.import_module(module), name)
    return function


def main(arguments: Sequence[str]) -> int:
    """Run the job of a folder; return the exit status."""
    folder, run, pauses, lock = Path(arguments[0]), arguments[1], arguments[2], int(arguments[3])
    keep_inherited(lock)
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with suppress(OSError):
        os.nice(LATER)
    try:
        attempt = Attempt(JobStore(folder.parent), folder, anywhere=pauses == "anywhere")
    except (DreamFileError, JobError, OSError) as error:
        log.error("%s: it cannot begin: %s", folder, error)
        return STATUS["failed"]
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, attempt.end_soon)
    started = time.strftime("%Y-%m-%d %H:%M:%S")
    print(f"--- attempt {attempt.attempt}, {started}, process {os.getpid()}", flush=True)
    status = attempt.run(lambda values, context: function_of(run)(values, context))
    # a thread that a library left behind must not keep the process, its lock and its GPU
    last = threading.Timer(_EXIT_S, os._exit, [status])
    last.daemon = True
    last.start()
    return status


def _end_children() -> None:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
