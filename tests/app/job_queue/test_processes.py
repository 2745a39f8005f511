"""Jobs as processes of their own: they outlive who started them, and every end of theirs is told."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from app.jobs.jobs import Jobs
from app.jobs.processes import held
from app.jobs.store import SUPERVISOR_LOCK, SUPERVISOR_LOG
from app.jobs.types import JobSpec, Slots
from app.workspace import Workspace
from tests.app.job_queue.waiting import counting, ended, settled, until
from tests.app.job_queue.work import TABLE

SUBMIT = """
import sys
from pathlib import Path
from app.jobs.jobs import Jobs
from app.workspace import open_workspace
from tests.app.job_queue.waiting import counting
from tests.app.job_queue.work import TABLE
jobs = Jobs(open_workspace(Path(sys.argv[1])), table=TABLE)
jobs.submit_all([counting(int(sys.argv[2]), float(sys.argv[3]), out=sys.argv[4]) for _ in range(int(sys.argv[5]))])
"""
ROOT = Path(__file__).parents[3]


def _submit_elsewhere(workspace: Workspace, *arguments: object) -> "subprocess.Popen[bytes]":
    """Submit jobs as a window would that is closed right after."""
    words = [sys.executable, "-c", SUBMIT, str(workspace.root), *map(str, arguments)]
    return subprocess.Popen(words, cwd=ROOT)


def _supervisors(workspace: Workspace) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "app.jobs.supervisor" in words and str(workspace.jobs) in words:
            found.append(process)
    return found


def test_a_job_outlives_the_window_that_started_it_and_can_be_paused_and_resumed_by_another(
    workspace: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "attempts"
    assert _submit_elsewhere(workspace, 40, 0.05, out, 1).wait() == 0
    jobs = Jobs(workspace, table=TABLE)
    running = until(jobs, "1", lambda record: record.values.get("step", 0) > 2)
    assert running.pid is not None
    assert os.getsid(running.pid) == running.pid
    assert running.usage is not None
    assert running.usage.memory > 2**20
    jobs.pause("1")
    paused = until(jobs, "1", ended)
    assert paused.state == "paused"
    assert 0 < paused.fraction < 1
    assert paused.pid is None
    jobs.resume("1")
    done = until(jobs, "1", ended)
    assert (done.state, done.result, done.fraction, done.exit) == ("done", {"counted": 40}, 1.0, 0)
    assert done.spent_s > 0.5
    lines = out.read_text().splitlines()
    assert lines[0] == "0001 attempt 1 from 0"
    assert lines[1].startswith("0001 attempt 2 from ")
    assert not lines[1].endswith(" 0")
    assert jobs.log_tail("1").count("--- attempt") == 2


def test_a_killed_job_says_interrupted_and_goes_on_from_what_it_saved(jobs: Jobs, tmp_path: Path) -> None:
    id = jobs.submit(counting(40, 0.05, out=str(tmp_path / "attempts")))
    running = until(jobs, id, lambda record: record.values.get("step", 0) > 2)
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    killed = until(jobs, id, settled)
    assert (killed.state, killed.exit) == ("interrupted", -signal.SIGKILL)
    assert "memory" in killed.problem
    jobs.resume(id)
    assert until(jobs, id, ended).state == "done"
    last = (tmp_path / "attempts").read_text().splitlines()[-1]
    assert last.startswith(f"{id} attempt 2 from ")
    assert not last.endswith(" 0")


def test_a_job_goes_on_where_its_supervisor_is_killed_and_the_next_one_goes_on_with_the_queue(
    jobs: Jobs, workspace: Workspace
) -> None:
    first, second = jobs.submit_all([counting(30, 0.05), counting()])
    pid = until(jobs, first, lambda record: record.pid is not None).pid
    (supervisor,) = _supervisors(workspace)
    supervisor.kill()
    supervisor.wait(30)
    still = jobs.record(first)
    assert (still.state, still.pid) == ("running", pid)
    jobs.wake()
    assert until(jobs, first, ended).state == "done"
    assert until(jobs, second, ended).state == "done"
    assert jobs.record(first).attempt == 1


def test_several_programs_on_one_workspace_start_no_job_twice(workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "attempts"
    jobs = Jobs(workspace, table=TABLE)
    jobs.set_slots(Slots(gpu=0, cpu=3))
    programs = [_submit_elsewhere(workspace, 1, 0.0, tmp_path / f"attempts-{k}", 2) for k in range(2)]
    jobs.submit(counting(out=str(out)))
    assert all(program.wait() == 0 for program in programs)
    for record in jobs.records():
        assert until(jobs, record.id, ended).state == "done"
    started = [line.split()[0] for file in tmp_path.glob("attempts*") for line in file.read_text().splitlines()]
    assert sorted(started) == [f"{k:04d}" for k in range(1, 6)]
    assert len(_supervisors(workspace)) <= 1


def test_the_supervisor_ends_when_nothing_is_left_to_do_and_comes_back_when_there_is(
    jobs: Jobs, workspace: Workspace
) -> None:
    lock = workspace.jobs / SUPERVISOR_LOCK
    for _ in range(2):
        id = jobs.submit(counting())
        assert until(jobs, id, lambda record: ended(record) and not held(lock)).state == "done"
    assert (workspace.jobs / SUPERVISOR_LOG).read_text() == ""


def test_a_job_that_fails_says_why(jobs: Jobs) -> None:
    jobs.set_slots(Slots(gpu=0, cpu=3))
    ids = jobs.submit_all([JobSpec(kind, kind) for kind in ("fail", "want_memory", "crash")])
    for id, words, logged in zip(
        ids,
        ("left.obj: units: these are millimetres", "not enough memory", "SIGSEGV"),
        ("so far so good", "Traceback", "Segmentation fault"),
        strict=True,
    ):
        record = until(jobs, id, settled)
        assert record.state == "failed"
        assert words in record.problem
        assert logged in jobs.log_tail(id)


def test_what_a_killed_job_left_running_is_ended(jobs: Jobs, tmp_path: Path) -> None:
    id = jobs.submit(JobSpec("leave_a_child", "Leave a child", {"out": str(tmp_path / "child")}))
    assert until(jobs, id, settled).state == "interrupted"
    child = int((tmp_path / "child").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_job_that_does_not_listen_is_killed_by_a_cancel_and_one_that_may_stop_anywhere_by_a_pause(
    jobs: Jobs,
) -> None:
    deaf = jobs.submit(JobSpec("deaf", "Deaf"))
    until(jobs, deaf, lambda record: record.text == "waiting")
    jobs.cancel(deaf)
    assert until(jobs, deaf, ended).state == "cancelled"
    anywhere = jobs.submit(JobSpec("anywhere", "Anywhere"))
    until(jobs, anywhere, lambda record: record.text == "waiting")
    jobs.pause(anywhere)
    assert until(jobs, anywhere, ended).state == "paused"


def test_a_job_whose_process_is_told_to_end_saves_and_is_interrupted(jobs: Jobs) -> None:
    id = jobs.submit(counting(100, 0.05))
    pid = until(jobs, id, lambda record: record.values.get("step", 0) > 1).pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    record = until(jobs, id, ended)
    assert record.state == "interrupted"
    assert "resume" in record.problem
    assert (record.folder / "step.txt").exists()
