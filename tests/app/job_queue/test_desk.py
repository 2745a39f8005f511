"""The jobs as a window sees them: news without waiting, and refusals in words."""

import time
from collections.abc import Callable, Iterator

import pytest

from app.jobs.desk import JobsDesk
from app.jobs.jobs import Jobs
from app.jobs.types import JobSpec, Slots
from app.verbs.options import closing
from app.workspace import Workspace
from tests.app.job_queue.elsewhere import Elsewhere
from tests.app.job_queue.waiting import counting
from tests.app.job_queue.work import TABLE


@pytest.fixture
def desk(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobsDesk]:
    jobs = Jobs(workspace, table=TABLE, backend=Elsewhere())
    monkeypatch.setattr(jobs, "wake", lambda: None)
    with closing(JobsDesk(jobs, every_s=0.05)) as made:
        yield made


def _pump(desk: JobsDesk, fulfilled: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not fulfilled():
        assert time.monotonic() < deadline, desk.message
        desk.pump()
        time.sleep(0.01)


def test_what_is_submitted_is_seen_and_what_is_refused_is_told(desk: JobsDesk) -> None:
    told: list[str] = []
    desk.on_change(told.append)
    desk.submit(counting(), counting())
    _pump(desk, lambda: len(desk.records) == 2)
    assert (desk.message, desk.mood) == ("queued as 0001, 0002", "info")
    assert desk.slots == Slots(gpu=0, cpu=2)
    desk.pause("0002")
    _pump(desk, lambda: desk.records[0].state == "paused")
    desk.retry("0002")
    _pump(desk, lambda: "cannot be tried again" in desk.message)
    assert desk.mood == "warning"
    desk.submit(counting(), JobSpec("dance", "Dance"))
    _pump(desk, lambda: "dance" in desk.message)
    assert len(desk.records) == 2
    assert {"jobs", "message"} == set(told)


def test_another_windows_jobs_are_seen(desk: JobsDesk, workspace: Workspace) -> None:
    _pump(desk, lambda: desk.slots is not None)
    other = Jobs(workspace, table=TABLE, backend=Elsewhere())
    other.wake = lambda: None  # type: ignore[method-assign]
    other.submit(counting())
    _pump(desk, lambda: desk.record("0001") is not None)
    other.remove("1")
    _pump(desk, lambda: desk.record("0001") is None)
