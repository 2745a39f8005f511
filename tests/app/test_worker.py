"""The worker process: its crash never takes the program down, and it can always be stopped."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from app.worker import Callbacks, Worker


@dataclass
class Heard:
    done: list[object] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    progress: list[tuple[float, str]] = field(default_factory=list)

    @property
    def callbacks(self) -> Callbacks:
        return Callbacks(self.done.append, self.failed.append, lambda *p: self.progress.append(p))


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


def _run(worker: Worker, job: str, *arguments: object, timeout: float = 60.0) -> Heard:
    heard = Heard()
    worker.submit(f"tests.app.jobs:{job}", *arguments, callbacks=heard.callbacks)
    _until_idle(worker, timeout)
    return heard


def _until_progress(worker: Worker, heard: Heard) -> None:
    deadline = time.monotonic() + 60.0
    while not heard.progress and time.monotonic() < deadline:
        worker.wait(0.05)
        worker.pump()
    assert heard.progress


def _until_idle(worker: Worker, timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while worker.busy and time.monotonic() < deadline:
        worker.wait(0.05)
        worker.pump()
    assert not worker.busy


def test_a_result_and_its_progress_come_back(worker: Worker) -> None:
    heard = _run(worker, "double", 21)
    assert (heard.done, heard.failed, heard.progress) == ([42], [], [(0.5, "half way")])


def test_an_error_is_a_message_and_the_worker_lives_on(worker: Worker) -> None:
    assert _run(worker, "fail").failed == ["ValueError: left.obj: units: these are millimetres"]
    assert _run(worker, "double", 1).done == [2]


def test_a_crash_is_a_message_and_the_next_job_runs(worker: Worker) -> None:
    heard = _run(worker, "die")
    assert "SIGKILL" in heard.failed[0]
    assert _run(worker, "double", 4).done == [8]


def test_cancel_ends_a_job_that_listens_and_keeps_the_process(worker: Worker) -> None:
    heard = Heard()
    worker.submit("tests.app.jobs:patient", callbacks=heard.callbacks)
    _until_progress(worker, heard)
    worker.cancel()
    _until_idle(worker)
    assert heard.failed == ["cancelled"]
    assert _run(worker, "double", 4).done == [8]


def test_cancel_ends_a_job_that_does_not_listen(worker: Worker) -> None:
    heard = Heard()
    worker.submit("tests.app.jobs:deaf", callbacks=heard.callbacks)
    _until_progress(worker, heard)
    worker.cancel()
    _until_idle(worker)
    assert heard.failed == ["cancelled"]


def test_a_second_job_is_refused_while_one_runs(worker: Worker) -> None:
    worker.submit("tests.app.jobs:patient", callbacks=Heard().callbacks)
    with pytest.raises(RuntimeError, match="runs already"):
        worker.submit("tests.app.jobs:double", 1, callbacks=Heard().callbacks)


def test_closing_in_the_middle_leaves_no_process() -> None:
    before = set(psutil.Process().children(recursive=True))
    worker = Worker()
    worker.submit("tests.app.jobs:deaf", callbacks=Heard().callbacks)
    started = set(psutil.Process().children(recursive=True)) - before
    worker.close()
    worker.close()
    assert started
    # Python's own resource tracker, started with the first process, stays
    left = [
        p for p in set(psutil.Process().children(recursive=True)) - before if "spawn_main" in " ".join(p.cmdline())
    ]
    assert not left


def test_a_job_without_enough_memory_says_what_to_do_and_the_program_lives_on(worker: Worker) -> None:
    heard = Heard()
    worker.submit("tests.app.hungry:track", callbacks=heard.callbacks)
    _until_idle(worker)
    assert "not enough memory" in heard.failed[0]
    assert "close other programs" in heard.failed[0]
    worker.close()
    assert _run(worker, "double", 4).done == [8]
