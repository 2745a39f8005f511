"""What the kinds of jobs do, and that their table can be trusted."""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from app.cli import main
from app.datasets.tracking import TrackedTool, TrackOrder
from app.jobs import track_demos
from app.jobs.context import Paused
from app.jobs.jobs import Jobs
from app.jobs.kinds import KINDS
from app.jobs.track_demos import NotAllTracked
from app.jobs.types import JobSpec
from app.worker import Cancel
from app.workspace import Workspace
from models.data.exchange_sources import open_demos
from tests.app.job_queue.context import Context
from tests.app.job_queue.waiting import ended, until
from tests.app.jobs import track_or_fail
from tests.models.data.recorded import record


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recorded") / "session", 3, 0.4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_function(kind: str) -> None:
    module, _, name = KINDS[kind].run.partition(":")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_demos_are_tracked_one_by_one_paused_between_and_what_is_done_is_not_done_again(
    session: Path, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def track(order: TrackOrder, report: object, cancelled: object) -> dict[str, TrackedTool]:
        seen.append(order.episode.name)
        return track_or_fail(order, report, cancelled)  # type: ignore[arg-type]

    monkeypatch.setattr(track_demos, "track_episode", track)
    arguments = {"dataset": str(session), "tools": {"tool": "pusher"}}
    with pytest.raises(Paused):
        track_demos.run(arguments, Context(workspace, tmp_path, after=1, then="pause"))
    assert seen == ["000001"]
    with pytest.raises(Cancel):
        track_demos.run(arguments, Context(workspace, tmp_path, after=0, then="cancel"))
    context = Context(workspace, tmp_path)
    with pytest.raises(NotAllTracked, match=r"1 of 3 episodes could not be tracked; 000002: .*cameras"):
        track_demos.run(arguments, context)
    assert seen == ["000001", "000002", "000003"]
    assert [round(fraction, 2) for fraction, _ in context.told] == [0.5, 0.83, 1.0]
    assert context.told[0][1] == "episode 2 of 3, 000002: half way"


def test_an_export_is_paused_and_goes_on_as_a_job(session: Path, workspace: Workspace, tmp_path: Path) -> None:
    jobs = Jobs(workspace)
    arguments = {"source": str(session), "out": str(tmp_path / "out"), "format": "lerobot"}
    id = jobs.submit(JobSpec("export", "Export", arguments))
    until(jobs, id, lambda record: record.pid is not None)
    jobs.pause(id)
    if until(jobs, id, ended).state == "paused":
        jobs.resume(id)
    assert until(jobs, id, ended).state == "done"
    assert len(list(open_demos(tmp_path / "out"))) == 3


def test_the_verb_queues_waits_shows_and_removes(
    session: Path, workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        status = main(["--workspace", str(workspace.root), "jobs", *words])
        found = capsys.readouterr()
        return status, found.out, found.err

    assert call("list")[:2] == (0, "no jobs\n")
    status, _, refused = call("add", "export", f"source={session}", "out=made")
    assert status == 3
    assert "arguments.format: missing; valid: lerobot" in refused
    assert call("add", "export", f"source={session}", "out=made", "format=mcap", "--title", "All of it")[0] == 0
    status, out, _ = call("wait", "1", "--json")
    assert status == 0
    assert '"state": "done"' in out
    assert (tmp_path / "made").is_dir()
    status, out, _ = call("show", "1")
    assert "export: All of it" in out
    assert "--- attempt 1" in out
    assert call("clone", "1", "out=made")[0] == 0
    assert call("wait")[0] == 3
    assert "there is something already" in call("list")[1]
    status, _, refused = call("pause", "2")
    assert status == 3
    assert "job 0002: it is failed and cannot be paused" in refused
    assert call("remove", "2")[:2] == (0, "0002 removed\n")
    assert call("slots", "--gpu", "0", "--cpu", "3")[1] == "0 with a GPU, 3 without\n"
    assert call("slots", "--cpu", "99")[0] == 3
    assert call("show", "9")[0] == 3
