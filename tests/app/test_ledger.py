"""The ledger: every object can be asked where it came from, and nothing that was confirmed is lost."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.ledger as ledgers
from app.ledger import Ledger, LedgerError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path)
    yield ledger
    ledger.close()


def _run(ledger: Ledger) -> list[str]:
    dream = ledger.add("dream", "001", {"placement": "assumed"})
    track = ledger.add("track", "001", {}, parents=[dream])
    plan = ledger.add("plan", "001", {}, parents=[track])
    approval = ledger.add("approval", "001", {"person": "Ada"}, parents=[plan])
    execution = ledger.add("execution", "001", {}, parents=[plan, approval])
    return [dream, track, plan, approval, execution, ledger.add("outcome", "001", {}, parents=[execution])]


def test_an_outcome_tells_everything_it_came_from(ledger: Ledger) -> None:
    ids = _run(ledger)
    _run(ledger)
    assert [entry.id for entry in ledger.chain(ids[-1])] == ids[::-1]
    assert [entry.kind for entry in ledger.chain(ids[2])] == ["plan", "track", "dream"]
    assert [entry.id for entry in ledger.descendants(ids[0])] == ids[1:]
    assert set(ledger.get(ids[4]).parents) == {ids[2], ids[3]}


def test_it_is_all_there_after_a_restart(path: Path) -> None:
    first = Ledger(path)
    ids = _run(first)
    first.close()
    second = Ledger(path)
    assert second.get(ids[3]).record == {"person": "Ada"}
    assert len(second.entries("outcome")) == 1
    second.close()


def test_the_same_object_twice_is_one(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.add("dream", "001", {}, id="dream-1")
    assert len(ledger.entries("dream")) == 1


def test_what_has_no_known_origin_is_not_written(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="parent 'nobody'"):
        ledger.add("track", "001", {}, parents=["nobody"])
    assert ledger.entries("track") == ()
    with pytest.raises(ValueError, match="kind 'wish'"):
        ledger.add("wish", "001", {})  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="nobody"):
        ledger.get("nobody")


@given(record=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()))
def test_any_note_comes_back(tmp_path_factory: pytest.TempPathFactory, record: dict[str, object]) -> None:
    try:
        text_is_storable = "".join(map(str, [*record, *record.values()])).encode("utf-8") is not None
    except UnicodeEncodeError:
        text_is_storable = False
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite")
    try:
        if text_is_storable:
            assert ledger.get(ledger.add("outcome", "note", record)).record == record
    finally:
        ledger.close()


def test_two_programs_and_many_threads_write_at_once(path: Path) -> None:
    ledgers_open = [Ledger(path), Ledger(path)]

    def write(ledger: Ledger) -> None:
        for _ in range(10):
            ledger.add("dream", "d", {})

    threads = [threading.Thread(target=write, args=(ledgers_open[i % 2],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledgers_open[0].entries("dream")) == 40
    for ledger in ledgers_open:
        ledger.close()


def test_a_locked_ledger_says_so_and_keeps_what_it_has(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "BUSY_TIMEOUT_S", 0.1)
    ledger = Ledger(path)
    kept = ledger.add("dream", "001", {})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin exclusive")
    with pytest.raises(LedgerError, match="another program has held it"):
        ledger.add("dream", "002", {})
    other.execute("rollback")
    other.close()
    assert [entry.id for entry in ledger.entries("dream")] == [kept]
    assert ledger.add("dream", "002", {})
    ledger.close()


def test_a_full_disk_says_so_and_keeps_what_it_has(ledger: Ledger) -> None:
    kept = ledger.add("dream", "001", {})
    (pages,) = ledger._db.execute("pragma page_count").fetchone()
    ledger._db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(LedgerError, match="free some room"):
        ledger.add("dream", "002", {"note": "x" * 100_000})
    assert [entry.id for entry in ledger.entries("dream")] == [kept]


@pytest.mark.parametrize("junk", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_refused_and_left_alone(path: Path, junk: bytes) -> None:
    path.write_bytes(junk)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite"):
        Ledger(path)
    assert path.read_bytes() == junk


def test_a_newer_ledger_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(LedgerError, match="newer version"):
        Ledger(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="check that the folder is there"):
        Ledger(tmp_path / "nowhere" / "ledger.sqlite")
