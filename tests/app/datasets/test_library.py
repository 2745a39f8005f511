"""Edits of demos: kept beside the recording, undone over restarts, and nothing is ever lost by them."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.datasets import library as module
from app.datasets.journal import DAMAGED, JOURNAL, read_journal
from app.datasets.library import DAMAGED_ANNOTATION, Dataset, DatasetError
from app.datasets.wishes import Delete, Label, LabelChange, Merge, Restore, SetMarks, Split, Trim, Wish
from hardware.recording.note import NOTE
from hardware.recording.session import Session
from models.data.annotations import ANNOTATION, Mark, read_annotation
from models.data.dataset_index import DemoRow
from models.data.errors import DreamFileError
from tests.app.datasets.samples import notes_only


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return notes_only(tmp_path / "session", 4)


def _do(dataset: Dataset, wish: Wish) -> None:
    dataset.do(dataset.propose(wish), "anna")


def _snapshot(folder: Path) -> dict[str, bytes]:
    """Every file that is neither a history nor an index."""
    skip = {JOURNAL, "index.json", ".lock"}
    return {
        str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file() and f.name not in skip
    }


def _first(dataset: Dataset) -> DemoRow:
    return dataset.rows[0]


EDITS: list[Callable[[DemoRow], Wish]] = [
    lambda row: Trim(row.key, 0.5, 3.0),
    lambda row: Split(row.key, 2.0),
    lambda row: Label((row.key,), LabelChange(instruction="turn it back", success="no", add_tags=("late",))),
    lambda row: SetMarks(row.key, (Mark(1.0, "push"),)),
    lambda row: Merge(row.key),
    lambda row: Restore((row.key,)),
    lambda row: Delete((row.key,)),
]


def test_every_edit_is_undone_and_redone_step_by_step_over_restarts(folder: Path) -> None:
    seen = [_snapshot(folder)]
    for make in EDITS:
        dataset = Dataset(folder)
        _do(dataset, make(_first(dataset)))
        dataset.close()
        seen.append(_snapshot(folder))
    assert (folder / "trash" / "000001" / NOTE).exists()
    for before in reversed(seen[:-1]):
        dataset = Dataset(folder)
        dataset.undo()
        dataset.close()
        assert _snapshot(folder) == before
    dataset = Dataset(folder)
    assert dataset.undo_text == ""
    for after in seen[1:]:
        dataset.redo()
        assert _snapshot(folder) == after
    assert dataset.redo_text == ""
    with pytest.raises(DatasetError, match="nothing to redo"):
        dataset.redo()
    dataset.close()


def test_an_edit_shows_in_the_table_at_once_and_says_who_made_it(folder: Path) -> None:
    dataset = Dataset(folder)
    _do(dataset, Split(_first(dataset).key, 1.0))
    assert [(r.number, r.piece, r.duration_s) for r in dataset.rows][:3] == [(1, 1, 1.0), (1, 2, 3.0), (2, 1, 4.0)]
    _do(dataset, Label((dataset.rows[1].key,), LabelChange(task="scooping")))
    assert [r.task for r in dataset.rows][:3] == ["rotation", "scooping", "rotation"]
    assert dataset.undo_text == "label: task"
    assert read_journal(folder).edits[-1].who == "anna"
    dataset.close()


def test_a_bulk_edit_says_what_it_would_change_and_is_one_step_back(folder: Path) -> None:
    dataset = Dataset(folder)
    before = _snapshot(folder)
    _do(dataset, Label((dataset.rows[2].key,), LabelChange(add_tags=("dim",))))
    one = _snapshot(folder)
    proposal = dataset.propose(Label(tuple(r.key for r in dataset.rows), LabelChange(add_tags=("dim",))))
    assert (proposal.count, proposal.unchanged) == (3, 1)
    assert [(was.number, becomes.tags if becomes else None) for was, becomes in proposal.rows] == [
        (1, ("dim",)), (2, ("dim",)), (4, ("dim",)),
    ]  # fmt: skip
    assert _snapshot(folder) == one
    dataset.do(proposal)
    assert all(row.tags == ("dim",) for row in dataset.rows)
    assert dataset.undo_text == "label: add tags of 4 demos"
    dataset.undo()
    assert _snapshot(folder) == one
    dataset.undo()
    assert _snapshot(folder) == before
    dataset.close()


def test_pieces_go_one_by_one_and_the_last_takes_the_episode_to_the_trash(folder: Path) -> None:
    dataset = Dataset(folder)
    _do(dataset, Split(_first(dataset).key, 1.0))
    both = tuple(row.key for row in dataset.rows[:2])
    _do(dataset, Delete(both[:1]))
    assert [r.piece for r in dataset.rows if r.number == 1] == [2]
    dataset.undo()
    _do(dataset, Delete(both))
    assert 1 not in [r.number for r in dataset.rows]
    assert (folder / "trash" / "000001" / NOTE).exists()
    dataset.undo()
    assert tuple(row.key for row in dataset.rows[:2]) == both
    dataset.close()


def test_what_cannot_be_is_refused_and_changes_nothing(folder: Path) -> None:
    dataset = Dataset(folder)
    key = _first(dataset).key
    before = _snapshot(folder)
    for wish, words in [
        (Trim(key, 3.0, 3.0), "0.1 s or longer"),
        (Split(key, 0.0), "inside of the piece"),
        (Merge(key), "no piece comes after"),
        (Label(((key[0], 9, 1),), LabelChange(task="x")), "not there any more"),
        (Delete(((key[0], 1, 7),)), "not there any more"),
    ]:
        with pytest.raises((DatasetError, ValueError), match=words):
            _do(dataset, wish)
    with pytest.raises(ValueError, match="task"):
        LabelChange(task=" ")
    with pytest.raises(DatasetError, match="changes nothing"):
        _do(dataset, Label((key,), LabelChange(task="rotation")))
    assert _snapshot(folder) == before
    dataset.close()


def test_a_second_program_may_look_only_until_the_first_is_closed(folder: Path) -> None:
    other = Session(folder)
    other.lock()
    dataset = Dataset(folder)
    assert len(dataset.rows) == 4
    with pytest.raises(DatasetError, match="another Dreamdeck"):
        _do(dataset, Split(_first(dataset).key, 1.0))
    assert not (folder / JOURNAL).exists()
    other.close()
    _do(dataset, Split(_first(dataset).key, 1.0))
    with pytest.raises(RuntimeError, match="another Dreamdeck"):
        other.lock()
    dataset.close()
    other.lock()
    other.close()


def test_recorder_and_browser_of_one_program_write_side_by_side(folder: Path) -> None:
    recorder = Session(folder, shared=True)
    recorder.lock()
    dataset = Dataset(folder)
    _do(dataset, Delete((_first(dataset).key,)))
    assert recorder.next_number() == 5
    dataset.close()
    assert recorder.locked
    with pytest.raises(RuntimeError, match="another Dreamdeck"):
        Session(folder).lock()
    recorder.close()
    free = Session(folder)
    free.lock()
    free.close()


def test_undo_leaves_alone_what_was_changed_outside_and_names_it(folder: Path) -> None:
    dataset = Dataset(folder)
    _do(dataset, Label(tuple(r.key for r in dataset.rows), LabelChange(task="scooping")))
    path = folder / "episodes" / "000002" / ANNOTATION
    path.write_text(path.read_text().replace("scooping", "by hand"))
    with pytest.raises(DatasetError, match="session/2"):
        dataset.undo()
    assert [row.task for row in dataset.rows] == ["rotation", "scooping", "rotation", "rotation"]
    dataset.look_again()
    assert [row.task for row in dataset.rows] == ["rotation", "by hand", "rotation", "rotation"]
    dataset.close()


def test_edits_over_several_sessions_are_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        notes_only(tmp_path / name, 2)
    before = _snapshot(tmp_path)
    dataset = Dataset(tmp_path)
    _do(dataset, Label(tuple(r.key for r in dataset.rows), LabelChange(task="scooping")))
    _do(dataset, Split(dataset.rows[-1].key, 1.0))
    dataset.undo()
    dataset.undo()
    assert _snapshot(tmp_path) == before
    dataset.redo()
    assert {row.task for row in dataset.rows} == {"scooping"}
    _do(dataset, Label((dataset.rows[0].key,), LabelChange(task="other")))
    assert dataset.redo_text == ""
    dataset.close()
    again = Dataset(tmp_path)
    assert (again.undo_text, again.redo_text) == ("label: task", "")
    again.close()


def test_a_damaged_sidecar_is_set_aside_by_the_first_edit_and_never_lost(folder: Path) -> None:
    episode = folder / "episodes" / "000001"
    (episode / ANNOTATION).write_text("{broken")
    dataset = Dataset(folder)
    assert "shown as it was recorded" in _first(dataset).problem
    _do(dataset, Label((_first(dataset).key,), LabelChange(task="scooping")))
    assert (episode / DAMAGED_ANNOTATION).read_text() == "{broken"
    assert read_annotation(episode).pieces[0].labels is not None
    assert _first(dataset).problem == ""
    dataset.close()


@pytest.mark.expects_warnings
@pytest.mark.parametrize("spoil", [b"{}", b"\xff\xfe", b'{"format": 1}\n{"undo": "x"}\n', b'{"format": 1}\n[]\n'])
def test_a_damaged_history_is_told_and_set_aside_and_the_demos_stay(folder: Path, spoil: bytes) -> None:
    dataset = Dataset(folder)
    _do(dataset, Label((_first(dataset).key,), LabelChange(task="scooping")))
    dataset.close()
    (folder / JOURNAL).write_bytes(spoil + b"\n")
    dataset = Dataset(folder)
    assert JOURNAL in dataset.problems[0]
    assert _first(dataset).task == "scooping"
    _do(dataset, Label((_first(dataset).key,), LabelChange(task="other")))
    assert (folder / DAMAGED).read_bytes() == spoil + b"\n"
    dataset.undo()
    assert _first(dataset).task == "scooping"
    dataset.close()


def test_a_line_that_a_power_cut_tore_counts_as_never_written(folder: Path) -> None:
    dataset = Dataset(folder)
    _do(dataset, Label((_first(dataset).key,), LabelChange(task="scooping")))
    dataset.close()
    whole = (folder / JOURNAL).read_bytes()
    for torn in (b'{"do": "x", "chan', b"\x00\x00"):
        (folder / JOURNAL).write_bytes(whole + torn)
        dataset = Dataset(folder)
        assert dataset.undo_text == "label: task"
        dataset.undo()
        dataset.redo()
        assert torn not in (folder / JOURNAL).read_bytes()
        dataset.close()


class _Full:
    """Says that the disk is full, at the n-th write of a sidecar and at all after it."""

    def __init__(self, after: int, times: int = 1) -> None:
        self.left, self.times = after, times
        self._write = module.write_annotation

    def __call__(self, folder: Path, annotation: object) -> None:
        self.left -= 1
        if self.left < 0 and self.times > 0:
            self.times -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        self._write(folder, annotation)  # type: ignore[arg-type]


@pytest.mark.parametrize("after", range(4))
def test_a_full_disk_changes_nothing_and_the_edit_can_be_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    dataset = Dataset(folder)
    _do(dataset, Label(tuple(r.key for r in dataset.rows), LabelChange(object="box")))
    before, journal = _snapshot(folder), (folder / JOURNAL).read_bytes()
    wish = Label(tuple(r.key for r in dataset.rows), LabelChange(task="scooping"))
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_annotation", _Full(after))
        with pytest.raises(DatasetError, match="nothing was changed"):
            _do(dataset, wish)
    assert _snapshot(folder) == before
    assert (folder / JOURNAL).read_bytes() == journal
    assert {row.task for row in dataset.rows} == {"rotation"}
    _do(dataset, wish)
    assert {row.task for row in dataset.rows} == {"scooping"}
    dataset.close()


def test_a_disk_that_stays_full_half_way_is_told_and_finished_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(folder)
    _do(dataset, Label(tuple(r.key for r in dataset.rows), LabelChange(object="box")))
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_annotation", _Full(2, times=100))
        with pytest.raises(DatasetError, match="half done"):
            _do(dataset, Label(tuple(r.key for r in dataset.rows), LabelChange(task="scooping")))
        assert [row.task for row in dataset.rows] == ["scooping", "scooping", "rotation", "rotation"]
    again = Dataset(folder)
    assert {row.task for row in again.rows} == {"scooping"}
    again.undo()
    assert {row.task for row in again.rows} == {"rotation"}
    again.close()
    dataset.close()


def test_no_room_for_the_history_means_that_nothing_is_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Dataset(folder)
    before = _snapshot(folder)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(DatasetError):
            _do(dataset, Split(_first(dataset).key, 1.0))
    assert _snapshot(folder) == before
    _do(dataset, Split(_first(dataset).key, 1.0))
    dataset.close()


_VICTIM = """
import os, signal, sys
from pathlib import Path
from app.datasets import library as module
from app.datasets.library import Dataset
from app.datasets.wishes import Label, LabelChange

folder, left = Path(sys.argv[1]), [int(sys.argv[2])]
kept = module.write_annotation

def deadly(place, annotation):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    kept(place, annotation)

module.write_annotation = deadly
dataset = Dataset(folder)
dataset.do(dataset.propose(Label(tuple(r.key for r in dataset.rows), LabelChange(task="scooping"))))
"""


@pytest.mark.parametrize("writes", [0, 2])
def test_a_program_that_is_killed_half_way_leaves_an_edit_that_is_finished_and_can_be_undone(
    folder: Path, writes: int
) -> None:
    before = _snapshot(folder)
    root = Path(module.__file__).parents[2]
    victim = subprocess.run([sys.executable, "-c", _VICTIM, str(folder), str(writes)], cwd=root, check=False)
    assert victim.returncode == -signal.SIGKILL
    dataset = Dataset(folder)
    assert {row.task for row in dataset.rows} == {"scooping"}
    dataset.undo()
    assert _snapshot(folder) == before
    dataset.close()


def test_a_very_long_history_loses_its_oldest_edits_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.datasets.journal.LONGEST", 6000)
    dataset = Dataset(folder)
    for k in range(12):
        _do(dataset, Label((_first(dataset).key,), LabelChange(note=f"{k}")))
    dataset.close()
    dataset = Dataset(folder)
    _do(dataset, Label((_first(dataset).key,), LabelChange(note="last")))
    journal = read_journal(folder)
    assert 1 < len(journal.edits) < 13
    assert (folder / JOURNAL).stat().st_size < 6000
    dataset.undo()
    assert _first(dataset).note == "11"
    dataset.close()


def test_a_history_of_a_newer_version_is_refused_in_words(folder: Path) -> None:
    (folder / JOURNAL).write_text(json.dumps({"format": 2}) + "\n")
    with pytest.raises(DreamFileError, match="valid: 1"):
        read_journal(folder)


@pytest.mark.expects_warnings
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_became_of_the_history_demos_open_and_can_be_edited(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = notes_only(tmp_path_factory.mktemp("fuzz") / "session", 2)
    dataset = Dataset(folder)
    for make in EDITS[:3]:
        _do(dataset, make(_first(dataset)))
    dataset.undo()
    dataset.close()
    raw = bytearray((folder / JOURNAL).read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
    (folder / JOURNAL).write_bytes(raw)
    dataset = Dataset(folder)
    assert len(dataset.rows) == 3
    _do(dataset, Label((_first(dataset).key,), LabelChange(note="after")))
    dataset.undo()
    assert _first(dataset).note == ""
    dataset.close()
