"""The life of a take, as page Record drives it, over devices of this process."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.recording.plan import Choice, RecordingPlan
from app.recording.session import RecordingSession
from app.recording.take_tools import held_tools
from hardware.recording.capture import Capture
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import Verdict
from hardware.recording.session import Session
from hardware.stream import Picture, Sample
from tests.hardware.recording.sources import Source, force_source, info, picture, pose_source

WAIT_S = 30.0


class Stage:
    """A rig of one camera and two sensors; what the camera shows can be changed."""

    def __init__(self, root: Path) -> None:
        self.root, self.still, self.seen = root, True, 0
        self.capture = Capture([lambda: Source(info("top"), self._see), pose_source, force_source])

    def _see(self, k: int, t: float) -> list[Sample]:
        seen = picture("top", k, t)
        self.seen = k
        return [replace(seen, pixels=picture("top", 0, t).pixels) if self.still else seen]

    def look_on(self, seconds: float) -> None:
        """Wait for the pictures of so long, which a busy computer makes later."""
        last, end = self.seen + 30.0 * seconds, time.monotonic() + WAIT_S
        while self.seen < last:
            assert time.monotonic() < end
            time.sleep(0.005)

    def session(self, plan: RecordingPlan | None = None) -> RecordingSession:
        return RecordingSession(self.capture, self.root / "session", self.root / "recording.json", plan=plan)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.capture.close()


@pytest.fixture
def session(stage: Stage) -> Iterator[RecordingSession]:
    session = stage.session()
    yield session
    session.close()


def to_review(session: RecordingSession, stage: Stage, seconds: float = 0.3) -> None:
    stage.still = True
    stage.look_on(0.1)
    session.take_scene()
    assert session.wait(WAIT_S, "armed"), session.message
    stage.still = False
    session.start()
    assert session.wait(WAIT_S, "recording"), session.message
    stage.look_on(seconds)
    session.stop()
    assert session.wait(WAIT_S, "review"), session.message


def test_a_take_is_kept_with_its_pictures_poses_readings_and_bare_scene(
    session: RecordingSession, stage: Stage
) -> None:
    session.choose(Choice("push-shape", "T", "bright", "push the T onto the mark"), goal=3)
    told: list[str] = []
    session.on_change(told.append)
    to_review(session, stage, 1.2)
    assert session.take is not None
    assert session.take.checked
    assert {v.check for v in session.take.note.verdicts} <= {"drops"}  # a busy computer may be late
    assert session.frame_at("top", 0.5) is not None
    session.keep()
    assert session.wait(WAIT_S, "idle")
    assert "saved" in told
    assert (session.counter.kept, session.counter.goal) == (1, 3)
    entry = Session(stage.root / "session").kept()[0]
    assert entry.note is not None
    assert (entry.note.task, entry.note.object, entry.note.instruction, entry.note.number) == (
        "push-shape", "T", "push the T onto the mark", 1,
    )  # fmt: skip
    assert (entry.folder / "scene_top.png").is_file()
    with open_episode(entry.folder) as reader:
        assert len(list(reader.frames("top"))) == entry.note.samples["top"] > 25
        assert len(reader.poses("t265")) > 25
        assert len(reader.readings("force")) > 25


def test_space_alone_leads_from_the_scene_to_the_review(session: RecordingSession, stage: Stage) -> None:
    for state in ("armed", "recording", "review"):
        stage.still = state == "armed"
        session.advance()
        assert session.wait(WAIT_S, state)  # type: ignore[arg-type]
        stage.look_on(0.1)


def test_a_discarded_take_comes_back_byte_by_byte_with_undo(session: RecordingSession, stage: Stage) -> None:
    to_review(session, stage)
    assert session.take is not None
    before = (session.take.folder / MCAP).read_bytes()
    session.discard()
    assert session.wait(WAIT_S, "idle")
    assert session.counter.discarded == 1
    assert session.unfinished == ()
    session.undo()
    assert session.wait(WAIT_S, "review")
    assert session.take is not None
    assert (session.take.folder / MCAP).read_bytes() == before
    session.keep()
    assert session.wait(WAIT_S, "idle")
    assert (session.counter.kept, session.counter.discarded) == (1, 0)


def test_a_kept_episode_can_be_discarded_and_brought_back(session: RecordingSession, stage: Stage) -> None:
    to_review(session, stage)
    session.keep()
    assert session.wait(WAIT_S, "idle")
    session.discard_kept(1)
    assert session.wait(WAIT_S, "idle")
    assert session.counter.kept == 0
    session.undo()
    assert session.wait(WAIT_S, "idle")
    assert session.counter.kept == 1


def test_redo_keeps_the_choice_where_a_plan_would_go_on(stage: Stage) -> None:
    plan = RecordingPlan((Choice("a"), Choice("b"), Choice("c")), goal=6)
    session = stage.session(plan)
    try:
        for _ in range(2):
            before = session.choice
            to_review(session, stage, 0.1)
            session.redo()
            assert session.wait(WAIT_S, "idle")
            assert session.choice == before
        seen = []
        for _ in range(3):
            seen.append(session.choice.task)
            to_review(session, stage, 0.1)
            session.keep()
            assert session.wait(WAIT_S, "idle")
        assert sorted(seen) == ["a", "b", "c"]
    finally:
        session.close()


def test_something_that_moves_in_the_bare_scene_is_refused_unless_a_reason_is_given(
    session: RecordingSession, stage: Stage
) -> None:
    stage.still = False
    session.take_scene()
    assert session.wait(WAIT_S, "armed")
    with pytest.raises(ValueError, match=r"scene: top: .* moves"):
        session.start()
    with pytest.raises(ValueError, match="give a reason"):
        session.override("scene", " ")
    session.override("scene", "a fan stands behind it")
    session.start()
    assert session.wait(WAIT_S, "recording")
    session.stop()
    assert session.wait(WAIT_S, "review")
    assert session.take is not None
    (used,) = session.take.note.overrides
    assert (used.gate, used.reason) == ("scene", "a fan stands behind it")
    session.keep()
    assert session.wait(WAIT_S, "idle")
    note = json.loads((session.folder / "episodes" / "000001" / "episode.json").read_text())
    assert note["overrides"] == [{"gate": "scene", "reason": "a fan stands behind it"}]
    assert "scene" not in session.overrides


def test_a_second_program_on_one_session_is_told_and_may_look_but_not_record(
    session: RecordingSession, stage: Stage
) -> None:
    to_review(session, stage, 0.1)
    session.keep()
    assert session.wait(WAIT_S, "idle")
    session.close()
    other = Session(stage.root / "session")  # as another process: it shares its lock with nobody
    other.lock()
    second = stage.session()
    try:
        assert "another Dreamdeck" in second.read_only
        assert second.counter.kept == 1
        with pytest.raises(ValueError, match="another Dreamdeck"):
            second.take_scene()
    finally:
        second.close()
        other.close()


def test_a_take_that_a_crash_left_behind_is_offered_and_can_be_kept(
    session: RecordingSession, stage: Stage
) -> None:
    to_review(session, stage)
    session.close()
    stage.capture.close()
    part = next((stage.root / "session" / "episodes").iterdir())
    whole = (part / MCAP).read_bytes()
    (part / MCAP).write_bytes(whole[:-300])
    with _again(stage.root) as later:
        assert [entry.folder for entry in later.unfinished] == [part]
        later.review_unfinished(part)
        assert later.wait(WAIT_S, "review")
        assert later.take is not None
        assert later.take.note.recovered
        later.keep()
        assert later.wait(WAIT_S, "idle")
        assert later.counter.kept == 1


class _again:
    """The program started once more over the same workspace."""

    def __init__(self, root: Path) -> None:
        self._stage = Stage(root)
        self._session = self._stage.session()

    def __enter__(self) -> RecordingSession:
        return self._session

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self._stage.capture.close()


def test_choice_and_goal_are_remembered(session: RecordingSession, stage: Stage) -> None:
    session.choose(Choice("sweeping", "rice", "dim", "sweep it up"), goal=12)
    session.close()
    later = stage.session()
    assert (later.choice, later.goal) == (Choice("sweeping", "rice", "dim", "sweep it up"), 12)
    later.close()


def test_nothing_is_recorded_while_a_device_is_missing(tmp_path: Path) -> None:
    capture = Capture([lambda: Source(info("top"), lambda k, t: [picture("top", 0, t)])])
    capture.missing["side"] = "side: not there; plug it in"
    session = RecordingSession(capture, tmp_path / "session", tmp_path / "recording.json")
    try:
        session.take_scene()
        assert session.wait(WAIT_S, "armed")
        with pytest.raises(ValueError, match="plug it in"):
            session.start()
        assert {g.name for g in session.closed()} == {"streams"}
    finally:
        session.close()
        capture.close()


def test_a_picture_of_the_wrong_size_marks_a_take_and_does_not_end_it(tmp_path: Path) -> None:
    def odd(k: int, t: float) -> list[Sample]:
        fine = picture("top", k, t)
        return [Picture("top", k, t, fine.t_device, np.zeros((32, 48, 3), np.uint8)) if k == 20 else fine]

    capture = Capture([lambda: Source(info("top"), odd)])
    session = RecordingSession(capture, tmp_path / "session", tmp_path / "recording.json")
    try:
        session.take_scene()
        assert session.wait(WAIT_S, "armed")
        session.override("scene", "it is a test picture")
        session.start()
        assert session.wait(WAIT_S, "recording")
        time.sleep(1.3)
        session.stop()
        assert session.wait(WAIT_S, "review")
        assert session.take is not None
        assert session.take.note.flaws["top"]["wrong size"] == 1
        (drops,) = [v for v in session.take.note.verdicts if v.check == "drops"]
        assert "wrong size" in drops.text
        assert session.take.note.samples["top"] > 30
    finally:
        session.close()
        capture.close()


def test_a_verdict_that_comes_later_reaches_a_take_under_review_and_one_that_is_kept(
    session: RecordingSession, stage: Stage
) -> None:
    late = Verdict("tool tracking", "bad", "tool: a tracker finds the brush in 0 of 5 pictures", "tool")
    to_review(session, stage)
    assert session.wait(WAIT_S, "review")
    assert session.take is not None
    note = session.take.note
    session.add_verdicts(note, (late,))
    assert session.wait(WAIT_S, "review")
    assert late in session.take.note.verdicts
    session.keep()
    assert session.wait(WAIT_S, "idle")
    session.add_verdicts(note, (replace(late, text="and once more"),))
    assert session.wait(WAIT_S, "idle")
    assert "take 1: and once more" in session.message
    (entry,) = Session(stage.root / "session").kept()
    assert entry.note is not None
    assert [v.text for v in entry.note.verdicts if v.check == late.check] == [late.text, "and once more"]
    session.discard_kept(1)
    assert session.wait(WAIT_S, "idle")
    session.add_verdicts(note, (late,))
    assert session.wait(WAIT_S, "idle")


def test_a_take_says_what_it_was_shown_with(stage: Stage) -> None:
    session = RecordingSession(
        stage.capture, stage.root / "session", stage.root / "recording.json", tools=lambda: {"tool": "brush"}
    )
    try:
        to_review(session, stage)
        assert session.take is not None
        assert held_tools(session.take.note) == {"tool": "brush"}
    finally:
        session.close()
