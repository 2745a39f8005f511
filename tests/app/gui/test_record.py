"""Recording in the real window with the keyboard alone, over devices of this process."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.recording.desk import RecordingDesk
from app.recording.live_devices import LiveDevices
from app.recording.session import RecordingSession
from app.workspace import Workspace, open_workspace
from hardware.recording.capture import Capture
from hardware.recording.mcap_log import open_episode
from hardware.recording.session import Session
from hardware.rig import Rig, load_rig
from hardware.stream import Sample
from tests.hardware.recording.sources import Source, force_source, info, picture, pose_source

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


class Stage:
    """The window over a rig of one camera and two sensors; what the camera shows stands still but for a take."""

    def __init__(self, workspace: Workspace) -> None:
        self.still = True
        self.program = open_program(workspace, load_rig("sim"))
        recording = RecordingDesk(self.program.rig, workspace, opener=self._open)
        self.program.__dict__["recording"] = recording
        self.recording = recording
        self.desk = Desk(application(), self.program, remember=False)
        self.page = self.desk.record_page
        self.sounds: list[str] = []
        binder = next(b for b in self.desk.binders if "record.next" in b.handlers())
        binder.sounds.play = lambda sound: not self.sounds.append(sound)  # type: ignore[attr-defined]
        self.desk.show()
        self.look_on(0.2)
        self.press(Qt.Key.Key_2, CTRL)

    def _open(self, _rig: Rig, _world: object) -> LiveDevices:
        return LiveDevices(Capture([lambda: Source(info("top"), self._see), pose_source, force_source]))

    def _see(self, k: int, t: float) -> list[Sample]:
        seen = picture("top", k, t)
        return [replace(seen, pixels=picture("top", 0, t).pixels) if self.still else seen]

    @property
    def session(self) -> RecordingSession:
        session = self.recording.session
        assert session is not None
        return session

    def look_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.desk.window, key, held)
        self.look_on(0.05)

    def until(self, there: Callable[[], bool], limit: float = 30.0) -> None:
        end = time.monotonic() + limit
        while not there():
            assert time.monotonic() < end, self.recording.message or self.session.message
            self.look_on(0.02)

    def state(self, state: str) -> None:
        self.until(lambda: self.session.state == state)

    @property
    def word(self) -> str:
        return self.page.banner.accessibleName()

    def cameras_on(self) -> None:
        self.press(Qt.Key.Key_Space)
        self.until(lambda: self.recording.devices == "on")

    def take(self, seconds: float = 0.3, stop: Qt.Key = Qt.Key.Key_Space) -> None:
        """From the bare scene to the review, by keys."""
        self.still = True
        self.look_on(0.1)
        self.press(Qt.Key.Key_Space)
        self.state("armed")
        self.still = False
        self.press(Qt.Key.Key_Space)
        self.state("recording")
        self.look_on(seconds)
        self.press(stop)
        self.state("review")

    def close(self) -> None:
        self.desk.close()


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(open_workspace(tmp_path))
    yield stage
    stage.close()


def test_space_alone_leads_from_dark_cameras_to_a_saved_take(stage: Stage) -> None:
    assert stage.word.startswith("CAMERAS OFF")
    stage.cameras_on()
    stage.look_on(0.3)
    assert stage.word.startswith("HANDS OUT")
    stage.take(1.2)
    assert stage.word.startswith("KEEP IT?")
    assert stage.page.grid.isVisible()
    stage.until(lambda: stage.session.take is not None and stage.session.take.checked)
    stage.press(Qt.Key.Key_Return)
    stage.state("idle")
    assert stage.word.startswith("SAVED")
    (kept,) = Session(stage.session.folder).kept()
    with open_episode(kept.folder) as reader:
        assert set(reader.streams) == {"top", "t265", "force"}
    # a busy computer may lose a sample, which sounds as well
    assert [sound for sound in stage.sounds if sound != "warning"] == ["started", "stopped", "saved"]


def test_backspace_discards_ctrl_z_brings_back_and_r_records_again(stage: Stage) -> None:
    stage.cameras_on()
    stage.take()
    stage.press(Qt.Key.Key_Backspace)
    stage.state("idle")
    stage.look_on(0.1)
    assert stage.page.takes.accessibleDescription() == "1 discarded"
    stage.press(Qt.Key.Key_Z, CTRL)
    stage.state("review")
    stage.press(Qt.Key.Key_Return)
    stage.state("idle")
    stage.take()
    stage.press(Qt.Key.Key_R)
    stage.state("idle")
    stage.look_on(0.1)
    assert stage.page.takes.accessibleDescription() == "2 discarded, 1 kept"
    assert (stage.session.counter.kept, stage.session.counter.discarded) == (1, 1)


def test_the_pedal_alone_records_and_keeps(stage: Stage) -> None:
    stage.cameras_on()
    for state in ("armed", "recording", "review", "idle"):
        stage.still = state == "armed"
        stage.press(Qt.Key.Key_PageDown)
        stage.state(state)
        stage.look_on(0.2)
    assert stage.session.counter.kept == 1


def test_a_start_that_is_refused_says_why_in_the_banner(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.cameras_on()
    stage.press(Qt.Key.Key_Space)
    stage.state("armed")

    def refuse() -> None:
        raise ValueError("streams: top is silent for 2 s")

    monkeypatch.setattr(stage.session, "start", refuse)
    stage.press(Qt.Key.Key_Space)
    assert stage.word == "NOT DONE. streams: top is silent for 2 s"
    assert stage.sounds[-1] == "warning"


def test_a_held_pedal_does_one_thing(stage: Stage) -> None:
    assert not stage.desk.board["record.pedal"].autoRepeat()
    assert not stage.desk.board["record.next"].autoRepeat()


def test_while_an_arm_moves_space_stops_it_and_starts_no_recording(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[str] = []
    monkeypatch.setattr(type(stage.program), "moving", property(lambda _program: True))
    monkeypatch.setattr(stage.program.execution, "stop", stops.append)
    stage.press(Qt.Key.Key_Space)
    assert stops
    assert stage.recording.devices == "off"


def test_the_choice_is_remembered_and_a_missing_gate_needs_a_reason(stage: Stage) -> None:
    stage.cameras_on()
    stage.page.form._task.setEditText("push-shape")
    stage.page.form._goal.setText("7")
    stage.page.form._task.lineEdit().editingFinished.emit()
    assert (stage.session.choice.task, stage.session.goal) == ("push-shape", 7)
    stage.recording.turn_off()
    stage.until(lambda: stage.recording.devices == "off")
    stage.cameras_on()
    assert (stage.session.choice.task, stage.session.goal) == ("push-shape", 7)
    stage.still = False
    stage.look_on(0.1)
    stage.press(Qt.Key.Key_Space)
    stage.state("armed")
    if stage.session.closed():  # what moves in the bare scene is refused
        stage.look_on(0.4)
        assert stage.word.startswith("NOT READY")
        stage.page.gates.override_wanted.emit("scene", "the curtain moves")
        stage.press(Qt.Key.Key_Space)
        stage.state("recording")
        assert stage.session.take is not None
        assert [o.reason for o in stage.session.take.note.overrides] == ["the curtain moves"]


def test_a_take_that_was_under_way_when_the_program_ended_is_offered_and_can_be_discarded(
    qtbot: QtBot, tmp_path: Path
) -> None:
    first = Stage(open_workspace(tmp_path))
    first.cameras_on()
    first.take()
    first.close()
    second = Stage(open_workspace(tmp_path))
    try:
        second.cameras_on()
        second.look_on(0.2)
        assert second.page.unfinished.isVisible()
        (entry,) = second.session.unfinished
        second.page.unfinished.discard_wanted.emit(str(entry.folder))
        second.until(lambda: second.session.counter.discarded == 1)
        second.look_on(0.2)
        assert not second.page.unfinished.isVisible()
    finally:
        second.close()


def test_cameras_that_cannot_be_turned_on_say_why(stage: Stage) -> None:
    def refuse(_rig: Rig, _world: object) -> LiveDevices:
        raise RuntimeError("the world did not come up; start again")

    stage.recording._opener = refuse
    stage.press(Qt.Key.Key_Space)
    stage.until(lambda: bool(stage.recording.message))
    stage.look_on(0.1)
    assert stage.word.startswith("NO CAMERAS. the world did not come up")
