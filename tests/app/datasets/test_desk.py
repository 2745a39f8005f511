"""The browser's desk: nothing blocks, everything comes in by pump, and what is refused is told."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.datasets.desk import DatasetDesk
from app.datasets.filter import Order
from app.datasets.library import DatasetError
from app.datasets.wishes import Delete, Label, LabelChange, Split
from hardware.recording.session import Session
from tests.app.datasets.samples import notes_only


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return notes_only(tmp_path / "session", 6)


@pytest.fixture
def desk(folder: Path) -> Iterator[DatasetDesk]:
    made = DatasetDesk(lambda: "anna")
    made.open(folder)
    wait(made, lambda: bool(made.rows))
    yield made
    made.close()


def wait(desk: DatasetDesk, there: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not there() or desk.work is not None:
        desk.pump()
        assert time.monotonic() < end, desk.message
        time.sleep(0.005)


def _idle(desk: DatasetDesk) -> None:
    wait(desk, lambda: True)


def test_what_is_filtered_and_sorted_stays_so_over_edits(desk: DatasetDesk) -> None:
    desk.look_for("number:2-4")
    desk.sort(Order("number", descending=True))
    assert [row.number for row in desk.shown] == [4, 3, 2]
    desk.edit(Split(desk.shown[0].key, 1.0))
    _idle(desk)
    assert [(row.number, row.piece) for row in desk.shown] == [(4, 2), (4, 1), (3, 1), (2, 1)]
    assert desk.undo_text == "split"
    desk.undo()
    _idle(desk)
    assert len(desk.shown) == 3
    assert desk.redo_text == "split"


def test_a_filter_that_cannot_be_understood_leaves_the_table_and_says_why(desk: DatasetDesk) -> None:
    desk.look_for("number:<=2")
    desk.look_for("colour:red")
    assert len(desk.shown) == 2
    assert "colour" in desk.problem
    desk.look_for("")
    assert (len(desk.shown), desk.problem) == (6, "")


def test_a_bulk_edit_waits_for_a_yes(desk: DatasetDesk) -> None:
    wish = Label(tuple(row.key for row in desk.rows), LabelChange(task="scooping"))
    desk.propose(wish)
    wait(desk, lambda: desk.proposal is not None)
    assert {row.task for row in desk.rows} == {"rotation"}
    desk.refuse()
    with pytest.raises(DatasetError, match="nothing was proposed"):
        desk.accept()
    desk.propose(wish)
    wait(desk, lambda: desk.proposal is not None)
    desk.accept()
    _idle(desk)
    assert {row.task for row in desk.rows} == {"scooping"}
    assert desk.proposal is None


def test_one_thing_at_a_time(desk: DatasetDesk) -> None:
    desk.edit(Split(desk.rows[0].key, 1.0))
    with pytest.raises(DatasetError, match="wait"):
        desk.edit(Split(desk.rows[1].key, 1.0))
    _idle(desk)


def test_what_is_refused_is_told_and_the_desk_goes_on(desk: DatasetDesk, folder: Path) -> None:
    other = Session(folder)
    other.lock()
    desk.edit(Split(desk.rows[0].key, 1.0))
    wait(desk, lambda: "another Dreamdeck" in desk.message)
    assert desk.mood == "warning"
    other.close()
    desk.edit(Delete((desk.rows[0].key,)))
    _idle(desk)
    assert [row.number for row in desk.rows] == [2, 3, 4, 5, 6]


def test_what_was_recorded_meanwhile_comes_in_when_it_is_looked_for_again(desk: DatasetDesk, folder: Path) -> None:
    (folder / "episodes" / "000006").rename(folder / "trash" / "000006")
    desk.look_again()
    wait(desk, lambda: len(desk.rows) == 5)


def test_a_folder_without_a_session_is_refused_in_words(tmp_path: Path) -> None:
    desk = DatasetDesk()
    with pytest.raises(DatasetError, match="open some demos first"):
        desk.undo()
    desk.open(tmp_path)
    wait(desk, lambda: bool(desk.message))
    assert "no session" in desk.message
    desk.close()
    desk.close()
