"""The table of demos says what the files say, and reads only those that changed."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.recording.note import NOTE
from models.data import dataset_index
from models.data.annotations import AS_RECORDED, labelled, split, write_annotation
from models.data.dataset_index import INDEX, session_rows
from models.data.demo import DemoLabels
from models.data.episode_track import TRACK
from tests.app.datasets.samples import note, notes_only


def test_a_row_says_what_note_and_annotation_say(tmp_path: Path) -> None:
    session = notes_only(tmp_path / "s", 3)
    folder = session / "episodes" / "000003"
    write_annotation(
        folder, labelled(split(AS_RECORDED, 1, 1.5), 2, DemoLabels("other", tags=("a",), success=True))
    )
    (folder / TRACK).write_text("{}")
    first, _, third, piece = session_rows(session)
    assert (first.number, first.task, first.object, first.success, first.level) == (1, "rotation", "cube", None, "")
    assert not first.edited
    assert (third.duration_s, third.pieces, third.level, third.edited, third.tracked) == (
        1.5,
        2,
        "mark",
        True,
        True,
    )
    assert (piece.task, piece.tags, piece.success, piece.start, piece.duration_s) == (
        "other",
        ("a",),
        True,
        1.5,
        2.5,
    )
    assert piece.id == "id3.2"
    assert piece.folder == folder


def test_the_second_time_only_what_changed_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = notes_only(tmp_path / "s", 6)
    before = session_rows(session)
    read: list[str] = []
    kept = dataset_index.episode_rows
    monkeypatch.setattr(dataset_index, "episode_rows", lambda folder: read.append(folder.name) or kept(folder))
    assert session_rows(session) == before
    assert read == []
    (session / "episodes" / "000002" / NOTE).write_text(note(2, task="scooping", duration_s=5.0).text())
    write_annotation(session / "episodes" / "000005", AS_RECORDED)
    (session / "episodes" / "000006").rename(session / "trash" / "000006")
    after = session_rows(session)
    assert read == ["000002", "000005"]
    assert [row.number for row in after] == [1, 2, 3, 4, 5]
    assert after[1].task == "scooping"
    assert session_rows(session) == after


def test_a_damaged_episode_is_a_row_that_says_so(tmp_path: Path) -> None:
    session = notes_only(tmp_path / "s", 2)
    (session / "episodes" / "000001" / NOTE).write_text("{")
    (session / "episodes" / "000002" / "annotation.json").write_text("[]")
    broken, shown = session_rows(session)
    assert NOTE in broken.problem
    assert "shown as it was recorded" in shown.problem
    assert shown.task == "rotation"


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_the_index_the_rows_are_those_of_the_files(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    session = notes_only(tmp_path_factory.mktemp("index") / "s", 2)
    rows = session_rows(session)
    text = (session / INDEX).read_text()
    values = json.loads(text)
    values["episodes"][0][2][0][data.draw(st.integers(0, 18))] = data.draw(
        st.none() | st.integers() | st.lists(st.integers(), max_size=2)
    )
    if data.draw(st.booleans()):
        values["episodes"][0][1][0] = 0
    cut = text[: data.draw(st.integers(0, len(text)))]
    (session / INDEX).write_text(data.draw(st.sampled_from([cut, json.dumps(values)])))
    found = session_rows(session)
    assert [row.number for row in found] == [1, 2]
    assert found[1] == rows[1]


def test_an_index_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = notes_only(tmp_path / "s", 2)

    def full(path: Path, data: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dataset_index, "write_whole", full)
    assert len(session_rows(session)) == 2
    assert not (session / INDEX).exists()
    assert os.listdir(session / "episodes" / "000001") == [NOTE]
