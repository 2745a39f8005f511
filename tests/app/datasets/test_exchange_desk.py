"""Exports and imports from the window: what would come of it is said first, and a crash loses nothing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.datasets.exchange_desk import ExchangeDesk
from app.datasets.exchange_orders import ExportOptions, ExportOrder, ImportOrder, remember, remembered
from app.datasets.exchange_outlook import outlook
from app.datasets.exchange_part import PLAN
from app.datasets.library import Dataset
from app.datasets.wishes import Split
from models.data.exchange_sources import open_demos
from models.data.session_demo import open_session_demos
from tests.models.data.sessions import new_session


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_session(tmp_path_factory.mktemp("recorded") / "session", episodes=2, count=24)


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "session"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ExchangeDesk]:
    made = ExchangeDesk(tmp_path / "exchange.json")
    yield made
    made.close()


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
    assert desk.wait(60)
    assert desk.outlook is not None
    assert (desk.outlook.demos, desk.outlook.refusal) == (2, "")
    desk.start(order)
    assert remembered_values(tmp_path)["out"] == str(order.out)
    assert desk.wait(60)
    assert (desk.facts["episodes"], desk.problem, desk.unfinished) == (2, "", None)
    assert sorted(p.name for p in order.out.iterdir()) == ["000001.mcap", "000002.mcap"]
    assert not (tmp_path / "exchange.json").exists()
    assert {"outlook", "progress", "done"} <= set(told)
    assert desk.outlook is not None
    assert "something already" in desk.outlook.refusal


def remembered_values(tmp_path: Path) -> dict[str, object]:
    values: dict[str, object] = json.loads((tmp_path / "exchange.json").read_text())
    return values


def test_what_a_crash_left_is_known_at_the_next_start_and_gone_on_with_or_thrown_away(
    session: Path, tmp_path: Path
) -> None:
    order = _order(session, tmp_path / "out", "mcap")
    remember(tmp_path / "exchange.json", order)
    assert remembered(tmp_path / "exchange.json") is None  # nothing was written yet
    for gives_up in (True, False):
        order.part.mkdir()
        (order.part / PLAN).write_text("{}")
        remember(tmp_path / "exchange.json", order)
        desk = ExchangeDesk(tmp_path / "exchange.json")
        try:
            assert desk.unfinished == order
            if gives_up:
                desk.give_up()
            else:
                desk.start(order)
            assert desk.wait(60)
            assert desk.unfinished is None
        finally:
            desk.close()
        assert not order.part.exists()
        assert order.out.exists() is not gives_up


def test_a_cancelled_export_leaves_nothing_even_where_it_does_not_listen(session: Path, tmp_path: Path) -> None:
    desk = ExchangeDesk(tmp_path / "exchange.json", jobs="tests.app.datasets.deaf_exchange")
    try:
        order = _order(session, tmp_path / "out")
        desk.start(order)
        while desk.text != "half way":
            desk.pump()
        assert order.part.is_dir()
        desk.cancel()
        assert desk.wait(30)
        assert (desk.problem, desk.running, desk.unfinished) == ("", None, None)
        assert not order.part.exists()
    finally:
        desk.close()


def test_an_import_into_a_new_session_brings_the_same_demos(
    session: Path, tmp_path: Path, desk: ExchangeDesk
) -> None:
    desk.start(ImportOrder(session, tmp_path / "copy"))
    assert desk.wait(60)
    assert desk.facts == {"episodes": 2, "there_already": 0}
    assert [d.id for d in open_demos(tmp_path / "copy")] == [d.id for d in open_session_demos(session)]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"out": 7}', '{"kind": "export", "out": "/x", "form": "zip", "options": {}, "demos": []}']
)
def test_a_damaged_memory_of_what_ran_does_no_harm(tmp_path: Path, text: str) -> None:
    (tmp_path / "exchange.json").write_text(text)
    assert remembered(tmp_path / "exchange.json") is None


def test_an_order_is_the_same_after_a_restart(tmp_path: Path) -> None:
    for order in (
        ExportOrder((("s", 3, 2),), tmp_path / "out", "umi", ExportOptions(7.5, "ur5e")),
        ImportOrder(tmp_path / "x.hdf5", tmp_path / "out", 20.0),
    ):
        order.part.mkdir(parents=True)
        remember(tmp_path / "exchange.json", order)
        assert remembered(tmp_path / "exchange.json") == order
