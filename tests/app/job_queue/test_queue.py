"""The queue: who waits, who runs, and what damaged files do to it. Jobs run in a backend without processes."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.jobs.ends import outcome
from app.jobs.jobs import Jobs
from app.jobs.store import CONTROL, SPEC, STATE, JobState, JobStore
from app.jobs.supervisor import Supervisor
from app.jobs.types import JobError, JobSpec, Slots
from app.workspace import Workspace
from tests.app.job_queue.elsewhere import Elsewhere
from tests.app.job_queue.waiting import counting
from tests.app.job_queue.work import KINDS, TABLE


@pytest.fixture
def place() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
def jobs(workspace: Workspace, place: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    made = Jobs(workspace, table=TABLE, backend=place)
    monkeypatch.setattr(made, "wake", lambda: None)
    return made


def _supervisor(workspace: Workspace, place: Elsewhere) -> Supervisor:
    return Supervisor(JobStore(workspace.jobs), KINDS, lambda: None, place)


def _end(workspace: Workspace, place: Elsewhere, id: str, state: JobState) -> None:
    folder = workspace.jobs / id
    JobStore(workspace.jobs).write_state(folder, state)
    del place.running[folder]


def test_fifty_queued_jobs_run_in_their_order_two_at_a_time(
    jobs: Jobs, workspace: Workspace, place: Elsewhere
) -> None:
    ids = jobs.submit_all([counting() for _ in range(50)])
    supervisor = _supervisor(workspace, place)
    while supervisor.tick():
        assert len(place.running) <= 2
        for folder in tuple(place.running):
            _end(workspace, place, folder.name, JobState("done"))
    assert place.started == ids
    assert [record.state for record in jobs.records()] == ["done"] * 50


def test_a_job_that_waits_for_a_gpu_does_not_hold_up_one_that_needs_none(workspace: Workspace) -> None:
    place = Elsewhere(gpus=2)
    jobs = Jobs(workspace, table=TABLE, backend=place)
    jobs.wake = lambda: None  # type: ignore[method-assign]
    jobs.submit_all([replace(counting(), needs_gpu=True) for _ in range(3)] + [counting()])
    _supervisor(workspace, place).tick()
    assert place.started == ["0001", "0002", "0004"]
    assert list(place.running.values()) == ["0", "1", ""]


def test_a_job_that_needs_a_gpu_is_refused_where_there_is_none(jobs: Jobs) -> None:
    with pytest.raises(JobError, match="no GPU here"):
        jobs.submit(replace(counting(), needs_gpu=True))
    jobs.set_slots(Slots(gpu=1, cpu=1))
    jobs.submit(replace(counting(), needs_gpu=True))


def test_two_jobs_never_write_to_the_same_place_at_once(
    jobs: Jobs, workspace: Workspace, place: Elsewhere, tmp_path: Path
) -> None:
    jobs.submit_all([counting(out=str(tmp_path / "a")), counting(out=str(tmp_path / "a"))])
    supervisor = _supervisor(workspace, place)
    supervisor.tick()
    supervisor.tick()
    assert place.started == ["0001"]
    _end(workspace, place, "0001", JobState("done"))
    supervisor.tick()
    assert place.started == ["0001", "0002"]


def test_damaged_files_of_one_job_cost_that_job_alone(jobs: Jobs, workspace: Workspace, place: Elsewhere) -> None:
    jobs.submit_all([counting() for _ in range(6)])
    _, spec, state, gone, empty, good = (workspace.jobs / f"{k:04d}" for k in range(1, 7))
    (spec / SPEC).write_text('{"kind": 3')
    (state / STATE).write_bytes(b"\x00" * 40)
    (gone / STATE).unlink()
    (empty / SPEC).write_text("{}")
    (good / CONTROL).write_text("[")
    (workspace.jobs / "notes.txt").write_text("not a job")
    (workspace.jobs / "0099").mkdir()
    found = {record.id: record for record in jobs.records()}
    assert [found[id].state for id in sorted(found)] == [
        "queued", "failed", "interrupted", "interrupted", "failed", "queued", "failed",
    ]  # fmt: skip
    assert "spec.json" in found["0002"].problem
    assert "state.json" in found["0003"].problem
    _supervisor(workspace, place).tick()
    assert place.started == ["0001", "0006"]
    jobs.resume("0003")
    assert (jobs.record("3").state, jobs.record("3").attempt) == ("queued", 2)
    with pytest.raises(JobError, match="can only be removed"):
        jobs.retry("0002")
    for id in ("0002", "0005", "0099"):
        jobs.remove(id)
    assert len(jobs.records()) == 4


def test_a_full_disk_loses_no_job(
    jobs: Jobs, workspace: Workspace, place: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = jobs.submit(counting())
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(*_: object) -> None:
        raise full

    with monkeypatch.context() as patch:
        patch.setattr("app.jobs.store.write_whole", write)
        with pytest.raises(OSError, match="No space"):
            jobs.submit(counting())
        with pytest.raises(OSError, match="No space"):
            _supervisor(workspace, place).tick()
    assert place.started == place.killed_names == [id]
    place.started.clear()
    place.refuses = full
    with pytest.raises(OSError, match="No space"):
        _supervisor(workspace, place).tick()
    (record,) = jobs.records()
    assert (record.id, record.state) == (id, "queued")
    assert "tried again" in record.problem
    assert sorted(path.name for path in workspace.jobs.iterdir() if path.name.startswith(".new")) == []
    place.refuses = None
    _supervisor(workspace, place).tick()
    assert place.started == [id]


def test_a_supervisor_that_was_gone_finds_what_ended_meanwhile(
    jobs: Jobs, workspace: Workspace, place: Elsewhere
) -> None:
    jobs.submit_all([counting(), counting()])
    _supervisor(workspace, place).tick()
    place.running.clear()
    assert {record.state for record in jobs.records()} == {"interrupted"}
    jobs.cancel("1")
    assert not _supervisor(workspace, place).tick()
    assert [record.state for record in jobs.records()] == ["interrupted", "cancelled"]
    assert JobStore(workspace.jobs).state(workspace.jobs / "0002").state == "interrupted"


def test_cancelling_kills_at_once_or_after_the_time_to_tidy_up(
    jobs: Jobs, workspace: Workspace, place: Elsewhere
) -> None:
    jobs.submit_all([counting(), counting()])
    supervisor = _supervisor(workspace, place)
    supervisor.tick()
    jobs.cancel("1")
    jobs.cancel("2", now=True)
    supervisor.tick()
    assert place.killed_names == ["0002"]
    supervisor.tick()
    assert [record.state for record in jobs.records()] == ["cancelled", "running"]
    assert jobs.record("1").wanted == "cancel"


def test_what_a_person_asks_is_refused_in_words_where_it_makes_no_sense(jobs: Jobs, workspace: Workspace) -> None:
    id = jobs.submit(counting())
    for deed, words in (
        (lambda: jobs.record("8"), "valid: 0001"),
        (lambda: jobs.record("../x"), "is not there"),
        (lambda: jobs.resume(id), "it is queued and cannot be resumed"),
        (lambda: jobs.retry(id), "cannot be tried again"),
        (lambda: jobs.submit(JobSpec("dance", "Dance")), "valid: \\['count'"),
        (lambda: jobs.submit(JobSpec("count", "Count", {"pace": 3})), "arguments.pace: unknown; valid"),
        (lambda: jobs.submit(counting(True)), "arguments.steps: True; valid"),
        (lambda: jobs.submit(counting(out="there")), "an absolute path"),
        (lambda: JobSpec("count", "two\nlines"), "title"),
        (lambda: JobSpec("count", "Count", {"at": float("nan")}), "arguments"),
        (lambda: Slots(1, 65), "cpu: 65; valid: 0 to 64"),
    ):
        with pytest.raises(JobError, match=words):
            deed()
    assert len(jobs.records()) == 1


def test_a_queued_job_can_be_held_back_and_begins_its_first_attempt_later(
    jobs: Jobs, workspace: Workspace, place: Elsewhere
) -> None:
    first, second = jobs.submit_all([counting(), counting()])
    jobs.pause(first)
    supervisor = _supervisor(workspace, place)
    supervisor.tick()
    assert place.started == [second]
    jobs.resume(first)
    supervisor.tick()
    assert place.started == [second, first]
    assert jobs.record(first).attempt == 1


def test_a_clone_takes_changes_and_says_whose_it_is(jobs: Jobs, tmp_path: Path) -> None:
    id = jobs.submit(counting(5, 0.5, out=str(tmp_path / "a")))
    spec = jobs.clone(id, {"steps": 7, "step_s": None})
    assert spec.arguments == {"steps": 7, "out": str(tmp_path / "a")}
    assert (spec.cloned_from, spec.out, spec.title) == (id, tmp_path / "a", "Count to 5")


def test_the_number_of_a_removed_job_is_not_given_again(jobs: Jobs) -> None:
    jobs.submit_all([counting(), counting()])
    jobs.cancel("2")
    jobs.remove("2")
    assert jobs.submit(counting()) == "0003"


@pytest.mark.parametrize(
    ("status", "cancelled", "state"),
    [
        (None, False, "interrupted"),
        (None, True, "cancelled"),
        (0, False, "done"),
        (1, False, "failed"),
        (11, False, "paused"),
        (-15, False, "interrupted"),
        (-11, False, "failed"),
        (-60, False, "failed"),
    ],
)
def test_every_end_of_a_process_has_a_name(status: int | None, cancelled: bool, state: str) -> None:
    assert outcome(status, cancelled)[0] == state
