"""The trash: nothing in it is lost before somebody says so, and what is destroyed leaves nothing behind."""

import os
import shutil
from pathlib import Path

import pytest

from app.datasets import trash as module
from app.datasets.journal import read_journal
from app.datasets.library import Dataset, DatasetError
from app.datasets.wishes import Delete, Label, LabelChange, Restore
from hardware.recording.mcap_log import MCAP
from hardware.recording.note import NOTE, EpisodeNote, read_note
from hardware.recording.session import Session
from models.data.annotations import ANNOTATION
from tests.app.datasets.samples import notes_only
from tests.models.data.sessions import new_session, write_episode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return notes_only(tmp_path / "session", 4)


def _deleted(folder: Path, *numbers: int) -> Dataset:
    dataset = Dataset(folder)
    for number in numbers:
        row = next(row for row in dataset.rows if row.number == number)
        dataset.do(dataset.propose(Delete((row.key,))), "anna")
    return dataset


def test_what_was_deleted_is_listed_and_brought_back_by_an_edit_that_can_be_undone(folder: Path) -> None:
    dataset = _deleted(folder, 2, 3)
    assert [(row.number, row.task, bool(row.deleted), row.copy) for row in dataset.trash()] == [
        (2, "rotation", True, ""),
        (3, "rotation", True, ""),
    ]
    dataset.do(dataset.bring_back([(str(folder), 2)]), "anna")
    assert [row.number for row in dataset.rows] == [1, 2, 4]
    assert dataset.undo() == "bring back"
    assert [row.number for row in dataset.trash()] == [2, 3]
    dataset.redo()
    dataset.close()
    assert [row.number for row in Dataset(folder).rows] == [1, 2, 4]


def test_what_is_destroyed_is_gone_with_its_edits_and_its_number_is_free_for_another(folder: Path) -> None:
    dataset = Dataset(folder)
    first = dataset.rows[3].key
    dataset.do(dataset.propose(Label((first, dataset.rows[0].key), LabelChange(note="both"))))
    dataset.do(dataset.propose(Restore((first,))))
    dataset.do(dataset.propose(Delete((first,))))
    dataset.destroy([(str(folder), 4)])
    assert dataset.trash() == ()
    assert list((folder / "trash").iterdir()) == []
    assert dataset.undo_text == "label: note of 2 demos"
    dataset.close()
    episode = folder / "episodes" / "000004"  # what the recorder gives the number to next
    episode.mkdir()
    (episode / NOTE).write_text(EpisodeNote("other", 4, "rotation", "kept", duration_s=4.0).text())
    dataset = Dataset(folder)
    dataset.undo()
    assert dataset.undo_text == ""
    assert not (episode / ANNOTATION).exists()
    assert dataset.rows[0].note == ""
    dataset.close()


def test_only_what_lies_in_the_trash_can_be_destroyed(folder: Path) -> None:
    dataset = _deleted(folder, 2)
    for take in ((str(folder), 1), (str(folder), 9), (str(folder / "other"), 2)):
        with pytest.raises(DatasetError, match="not in the trash"):
            dataset.destroy([(str(folder), 2), take])
    assert [row.number for row in dataset.trash()] == [2]
    dataset.close()


def test_a_crash_while_destroying_shows_no_half_take_and_the_next_time_clears_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = _deleted(folder, 2, 3)

    def crash(_: Path) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(module.shutil, "rmtree", crash)
        with pytest.raises(DatasetError, match="the power went"):
            dataset.destroy([(str(folder), 2)])
    dataset.close()
    dataset = Dataset(folder)
    assert [row.number for row in dataset.trash()] == [3]
    dataset.destroy([(str(folder), 3)])
    assert os.listdir(folder / "trash") == []
    assert read_journal(folder).edits == ()
    dataset.close()


def test_a_copy_elsewhere_is_named_only_where_it_is_the_same_recording(tmp_path: Path) -> None:
    one = new_session(tmp_path / "one", count=4)
    shutil.copytree(one, tmp_path / "two")
    dataset = Dataset(tmp_path)
    dataset.do(dataset.propose(Delete((dataset.rows[0].key,))))
    (row,) = dataset.trash()
    assert row.copy == str(tmp_path / "two" / "episodes" / "000001")
    assert row.bytes > (one / "trash" / "000001" / MCAP).stat().st_size
    copy = tmp_path / "two" / "episodes" / "000001" / MCAP
    copy.write_bytes(copy.read_bytes()[:-1])
    assert dataset.trash()[0].copy == ""
    dataset.close()


def test_a_take_that_was_discarded_when_it_was_recorded_comes_back_as_a_kept_one(tmp_path: Path) -> None:
    session = Session(new_session(tmp_path / "session", count=4))
    session.lock()
    part, _ = session.begin(EpisodeNote("", 0, "rotation"))
    write_episode(part, 4)
    session.discard(part)
    session.close()
    dataset = Dataset(session.folder)
    (row,) = dataset.trash()
    dataset.do(dataset.bring_back([row.key]))
    assert [r.number for r in dataset.rows] == [1, 2]
    assert read_note(session.episodes_folder / "000002" / NOTE).state == "kept"
    dataset.undo()
    assert [r.number for r in dataset.rows] == [1]
    dataset.close()
