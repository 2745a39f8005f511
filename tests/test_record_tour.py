"""What a demonstrator does first: two tasks recorded on the default rig with the keyboard alone."""

from pathlib import Path

import pytest

from hardware.recording.mcap_log import open_episode
from hardware.recording.session import Session
from tests.record_tour import TASKS, take_short_tour

pytestmark = pytest.mark.alone


def test_takes_of_two_tasks_are_recorded_by_keyboard_and_can_be_read(tmp_path: Path) -> None:
    take_short_tour(tmp_path)
    (day,) = (tmp_path / "recordings").iterdir()
    kept = Session(day).kept()
    assert [entry.note.task for entry in kept if entry.note is not None] == list(TASKS)
    for entry in kept:
        assert entry.note is not None
        assert entry.note.instruction
        assert (entry.folder / "scene_top.png").is_file()
        with open_episode(entry.folder) as reader:
            assert reader.cameras == ("top", "side")
            assert len(list(reader.frames("top"))) == entry.note.samples["top"] > 2
