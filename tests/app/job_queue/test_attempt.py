"""One attempt of a job, in this process: what it tells, hears, and writes when it ends."""

import errno
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.jobs import process
from app.jobs.context import JobContext, Paused
from app.jobs.process import STATUS, Attempt, problem_of
from app.jobs.store import Control, JobState, JobStore
from app.jobs.types import JobSpec, Wanted
from app.ledger import LedgerError


class Tight(JobStore):
    """A store on a disk that is full for a while."""

    refusals = 0

    def write_state(self, folder: Path, state: JobState) -> None:
        if self.refusals:
            self.refusals -= 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write_state(folder, state)


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return Tight(tmp_path / "jobs")


def _attempt(store: JobStore) -> Attempt:
    with store.locked():
        folder = store.root / store.add(JobSpec("count", "Count", {"steps": 3}), 0.0)
        store.write_state(folder, replace(store.state(folder), state="running", started=time.time()))
    return Attempt(store, folder)


@pytest.mark.expects_warnings
def test_how_it_ended_is_written_once_the_disk_has_room_again(
    store: Tight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "time", _Quick())
    attempt = _attempt(store)
    store.refusals = 3
    assert attempt.run(lambda values, job: {"steps": values["steps"]}) == STATUS["done"]
    state = store.state(attempt.folder)
    assert (state.state, state.result) == ("done", {"steps": 3})


class _Quick:
    monotonic, time = staticmethod(time.monotonic), staticmethod(time.time)

    @staticmethod
    def sleep(_: float) -> None:
        return


@pytest.mark.parametrize(("then", "state"), [("pause", "paused"), ("run", "queued"), ("cancel", "cancelled")])
def test_a_pause_that_is_taken_back_in_the_last_moment_is_heard(store: Tight, then: Wanted, state: str) -> None:
    attempt = _attempt(store)
    store.write_control(attempt.folder, Control("pause"))

    def work(_: Mapping[str, object], job: JobContext) -> None:
        while job.wanted() != "pause":
            time.sleep(0.01)
        store.write_control(attempt.folder, Control(then))
        raise Paused

    attempt.run(work)
    found = store.state(attempt.folder)
    assert found.state == state
    assert found.attempt == (2 if state == "queued" else 1)


def test_a_result_that_no_file_can_hold_is_a_failure_not_a_silence(
    store: Tight, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt = _attempt(store)
    attempt.run(lambda values, job: {"made": object()})
    assert store.state(attempt.folder).state == "failed"
    assert "Traceback" in capsys.readouterr().err


def test_time_left_is_reckoned_from_what_is_done(store: Tight, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(process, "time", clock)
    attempt = _attempt(store)
    attempt.report(0.5)  # it goes on half way
    clock.now += 10.0
    attempt.report(0.75)
    attempt._tell()
    assert store.progress(attempt.folder).left_s == pytest.approx(10.0)
    attempt.report(0.8, left_s=3.0)
    attempt._tell()
    assert store.progress(attempt.folder).left_s == 3.0


class _Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now

    time = staticmethod(time.time)


def test_problems_have_a_way_out() -> None:
    class OutOfMemoryError(RuntimeError):
        """As PyTorch names it."""

    assert "memory" in problem_of(OutOfMemoryError("CUDA out of memory"))
    assert "make room" in problem_of(OSError(errno.ENOSPC, "No space left on device"))
    assert problem_of(LedgerError("the ledger is locked")) == "the ledger is locked"
    assert problem_of(KeyError("fps")) == "KeyError: 'fps'; its log has the details"
