"""Whether the tools of a take can be tracked: said later, wherever the take is by then."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.recording.checks import TOOL_TRACKING
from app.recording.simulated import open_stage, record_table
from app.recording.take_tools import ToolLook, held_details, held_tools
from app.recording.tool_look_job import untracked, verdict
from hardware.recording.note import EpisodeNote, Verdict, read_note
from hardware.recording.session import Session
from hardware.rig import load_rig
from tests.hardware.world.rendering import elsewhere

BRUSH = {"tool": "brush"}


def stage_and_record(folder: Path) -> tuple[Path, EpisodeNote]:
    """Record the first table of sweeping in pictures that a tracker can work with."""
    open_stage(load_rig("sim"), (384, 224))
    folder.mkdir()
    return record_table("sweeping", 1, folder)[0]


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EpisodeNote]:
    """A session with one kept take of a brush at work."""
    root = tmp_path_factory.mktemp("take")
    ((made, note),) = elsewhere(stage_and_record, ((root / "made",), {}))
    session = Session(root / "session")
    session.lock()
    part, _ = session.begin(replace(note, state="recording", number=1))
    for file in made.iterdir():
        file.rename(part / file.name)
    session.keep(part, replace(note, number=1))
    session.close()
    return root / "session", replace(note, number=1)


def test_what_a_take_is_shown_with_stands_in_its_note() -> None:
    tools = {"left": "rotation_gripper_left", "right": "rotation_gripper_right"}
    note = EpisodeNote("a", 1, "rotation", details={"rig": "sim", **held_details(tools)})
    assert held_tools(note) == tools
    assert held_tools(EpisodeNote("b", 2, "rotation")) == {}


@pytest.mark.parametrize(("seen", "level"), [(5, None), (3, None), (2, "mark"), (0, "bad")])
def test_a_tool_that_is_missed_in_most_pictures_is_told_with_their_places(seen: int, level: str | None) -> None:
    strengths = (0.9,) * seen + (0.1,) * (5 - seen)
    found = verdict("tool", "brush", strengths, (1.0, 2.0, 3.0, 4.0, 5.0))
    assert (found.level if found else None) == level
    if found is not None:
        assert found.check == TOOL_TRACKING
        assert len(found.spans) == 5 - seen
        assert f"{seen} of 5" in found.text


def nothing() -> bool:
    return False


@pytest.mark.slow
def test_the_tool_in_the_hand_is_found_and_another_one_is_not(take: tuple[Path, EpisodeNote]) -> None:
    session, _ = take
    assert untracked(session, 1, BRUSH, nothing) == ()
    (missed,) = untracked(session, 1, {"tool": "scooper"}, nothing)
    assert missed.check == TOOL_TRACKING
    assert untracked(session, 1, {"gripper": "gripper"}, nothing) == ()


@pytest.mark.alone  # it gives way to whatever else wants to compute
def test_looking_happens_in_a_process_of_its_own_and_not_while_it_records(
    take: tuple[Path, EpisodeNote],
) -> None:
    session, note = take
    told: list[tuple[EpisodeNote, tuple[Verdict, ...]]] = []
    look = ToolLook(lambda *said: told.append(said))
    try:
        look.look(session, replace(note, details=held_details({"tool": "scooper"})))
        look.look(session, replace(note, id="nothing is known", details={}))
        look.pump(quiet=False)
        assert look.busy
        assert not look._worker.busy
        until = time.monotonic() + 200
        while look.busy and time.monotonic() < until:
            look.pump(quiet=True)
            time.sleep(0.02)
        assert [(said.id, len(found)) for said, found in told] == [(note.id, 1)]
        assert read_note(session / "episodes" / "000001" / "episode.json").verdicts == note.verdicts
    finally:
        look.close()
