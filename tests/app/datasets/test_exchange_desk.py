"""Exports and imports from the window: what would come of it is said first, and a crash loses nothing."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.datasets.exchange_desk import ExchangeDesk
from app.datasets.exchange_orders import ExportOptions, ExportOrder, ImportOrder, order_of, spec_of
from app.datasets.exchange_outlook import outlook
from app.datasets.exchange_part import PLAN
from app.datasets.library import Dataset
from app.datasets.wishes import Split
from app.jobs import kinds
from app.jobs.desk import JobsDesk
from app.jobs.jobs import Jobs
from app.jobs.store import JobState, JobStore
from app.jobs.types import JobSpec
from app.workspace import open_workspace
from models.data.exchange_sources import open_demos
from models.data.session_demo import open_session_demos
from tests.app.datasets import deaf_exchange
from tests.models.data.sessions import new_session

LONGEST_S = 180.0  # a busy machine takes long to start a process


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_session(tmp_path_factory.mktemp("recorded") / "session", episodes=2, count=24)


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "session"))


@contextmanager
def opened(tmp_path: Path, table: str = kinds.TABLE) -> Iterator[tuple[ExchangeDesk, JobsDesk]]:
    jobs = JobsDesk(Jobs(open_workspace(tmp_path / "workspace"), table=table), every_s=0.1)
    desk = ExchangeDesk(jobs)
    try:
        yield desk, jobs
    finally:
        desk.close()
        jobs.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ExchangeDesk]:
    with opened(tmp_path) as (made, _):
        yield made


def until(desk: ExchangeDesk, jobs: JobsDesk, there: Callable[[], object]) -> None:
    end = time.monotonic() + LONGEST_S
    while not there():
        assert time.monotonic() < end, (jobs.message, desk.problem, jobs.records)
        jobs.pump()
        desk.pump()
        time.sleep(0.01)


def _order(session: Path, out: Path, form: str = "lerobot") -> ExportOrder:
    dataset = Dataset(session)
    keys = tuple(row.key for row in dataset.rows)
    dataset.close()
    return ExportOrder(keys, out, form)


def _look(order: ExportOrder | ImportOrder) -> tuple[str, str, str]:
    found = outlook(order, lambda share, text: None, lambda: False)
    return " | ".join(found.kept), " | ".join(found.lost), found.refusal


def test_what_an_export_keeps_and_loses_is_said_before_it_is_done(session: Path, tmp_path: Path) -> None:
    kept, lost, refusal = _look(_order(session, tmp_path / "out"))
    assert "Videos: top, side, 30 rows a second" in kept
    assert "force" in kept
    assert "masks" in lost.lower()
    assert refusal == ""
    kept, lost, _ = _look(_order(session, tmp_path / "out", "umi"))
    assert "opening grip" in kept
    assert "force" in lost
    kept, lost, _ = _look(_order(session, tmp_path / "out", "mcap"))
    assert "Step marks" in lost
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_done_is_said_before_it_is_tried(session: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x").touch()
    assert "something already" in _look(_order(session, tmp_path / "there"))[2]
    assert "no demo is chosen" in _look(ExportOrder((), tmp_path / "out"))[2]
    gone = ExportOrder(((str(session), 1, 7),), tmp_path / "out")
    assert "part 7 is not there any more" in _look(gone)[2]
    assert "none that can be read" in _look(ImportOrder(session / "session.json", tmp_path / "in"))[2]
    assert "2 demos are in session already" in _look(ImportOrder(session, session))[2]


def test_chosen_parts_are_exported_and_a_second_try_is_refused(
    session: Path, tmp_path: Path, desk: ExchangeDesk
) -> None:
    dataset = Dataset(session)
    dataset.do(dataset.propose(Split(dataset.rows[0].key, 0.4)))
    keys = (dataset.rows[1].key, dataset.rows[2].key)
    dataset.close()
    order, told = ExportOrder(keys, tmp_path / "out", "mcap"), list[str]()
    desk.on_change(told.append)
    desk.look(order)
    assert desk.wait(120)
    assert desk.outlook is not None
    assert (desk.outlook.demos, desk.outlook.refusal) == (2, "")
    desk.start(order)
    with pytest.raises(RuntimeError, match="Export to out"):
        desk.start(order)
    assert desk.wait(LONGEST_S)
    assert (desk.facts["episodes"], desk.problem, desk.unfinished) == (2, "", None)
    assert sorted(p.name for p in order.out.iterdir()) == ["000001.mcap", "000002.mcap"]
    assert {"outlook", "progress", "done"} <= set(told)
    assert desk.outlook is not None
    assert "something already" in desk.outlook.refusal


@pytest.mark.parametrize("gives_up", [True, False])
def test_what_a_crash_left_is_known_at_the_next_start_and_gone_on_with_or_thrown_away(
    session: Path, tmp_path: Path, gives_up: bool
) -> None:
    order, workspace = _order(session, tmp_path / "out", "mcap"), open_workspace(tmp_path / "workspace")
    queued, store = Jobs(workspace), JobStore(workspace.jobs)
    queued.wake = lambda: None  # type: ignore[method-assign]
    folder = store.folder(queued.submit(spec_of(order)))
    store.write_state(folder, JobState("running", started=time.time()))  # its process is not there any more
    order.part.mkdir()
    (order.part / PLAN).write_text("{}")
    with opened(tmp_path) as (desk, jobs):
        until(desk, jobs, lambda: desk.unfinished == order)
        if gives_up:
            desk.give_up()
        else:
            desk.go_on()
        until(desk, jobs, lambda: desk.unfinished is None and not order.part.exists())
        until(desk, jobs, lambda: jobs.records[0].state == ("cancelled" if gives_up else "done"))
    assert order.out.exists() is not gives_up


def test_a_cancelled_export_leaves_nothing_even_where_it_does_not_listen(session: Path, tmp_path: Path) -> None:
    with opened(tmp_path, deaf_exchange.TABLE) as (desk, jobs):
        order = _order(session, tmp_path / "out")
        desk.start(order)
        until(desk, jobs, lambda: desk.record is not None and desk.record.text == "half way")
        assert order.part.is_dir()
        desk.cancel()
        assert desk.wait(LONGEST_S)
        assert (desk.problem, desk.running, desk.unfinished) == ("", None, None)
        assert not order.part.exists()


def test_an_export_goes_on_when_the_window_is_closed_and_the_next_one_sees_it(
    session: Path, tmp_path: Path
) -> None:
    order = _order(session, tmp_path / "out", "mcap")
    with opened(tmp_path) as (desk, jobs):
        desk.start(order)
        until(desk, jobs, lambda: jobs.records)
    with opened(tmp_path) as (desk, jobs):
        until(desk, jobs, lambda: jobs.records and jobs.records[0].state == "done")
    assert order.out.is_dir()


def test_an_import_into_a_new_session_brings_the_same_demos(
    session: Path, tmp_path: Path, desk: ExchangeDesk
) -> None:
    desk.start(ImportOrder(session, tmp_path / "copy"))
    assert desk.wait(LONGEST_S)
    assert desk.facts == {"episodes": 2, "there already": 0}
    assert [d.id for d in open_demos(tmp_path / "copy")] == [d.id for d in open_session_demos(session)]


def test_an_order_is_the_same_as_a_job(tmp_path: Path) -> None:
    for order in (
        ExportOrder(((str(tmp_path / "a:b"), 3, 2),), tmp_path / "out", "umi", ExportOptions(7.5, "ur5e")),
        ImportOrder(tmp_path / "x.hdf5", tmp_path / "out", 20.0),
    ):
        assert order_of(spec_of(order)) == order
    with pytest.raises(ValueError, match="SESSION:NUMBER:PIECE"):
        order_of(JobSpec("export", "Export", {"out": "/out", "format": "umi", "demos": ["/s:1"]}))
