"""Page Demos by keys alone: look, cut, label, delete, take back; what is shown is what lies in the files."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QPushButton, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from app.datasets.desk import DatasetDesk
from app.datasets.exchange_desk import ExchangeDesk
from app.datasets.track_review import read_review
from app.datasets.tracking import DemoTracking
from app.gui.actions import ActionBoard
from app.gui.binders.binder import Shell
from app.gui.binders.demos import DemosBinder
from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.jobs.desk import JobsDesk
from app.jobs.jobs import Jobs
from app.jobs.types import Slots
from app.tools.library import ToolLibrary
from app.workspace import open_workspace
from hardware.recording.mcap_log import MCAP
from hardware.rig import load_rig
from models.data.annotations import ANNOTATION, read_annotation
from models.data.episode_track import read_episode_track
from models.data.masks import read_masks
from models.types import ToolTrack
from tests.app.gui.track_nothing import TABLE
from tests.models.data.sessions import new_session
from widgets.pages.demos import DemosPage

NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class Room:
    """The page in a window of its own, with the keys of the table of actions."""

    def __init__(self, recordings: Path) -> None:
        self.board, self.window, self.said = ActionBoard(), QMainWindow(), []
        here = {row.id.split(".")[1]: action for row, action in self.board if row.page == "demos"}
        self.page = DemosPage(here | {"record": self.board["go.record"]})
        self.desk = DatasetDesk(lambda: "anna")
        shell = Shell(
            lambda text, level: self.said.append((level, text)), lambda page: None, _nothing, lambda _: ""
        )
        self.tracking = DemoTracking(job="tests.app.gui.track_nothing:track_nothing")
        library = ToolLibrary(recordings.parent)
        self.jobs = JobsDesk(Jobs(open_workspace(recordings.parent), table=TABLE), every_s=0.1)
        self.exchange = ExchangeDesk(self.jobs)
        self.binder = DemosBinder(
            self.page, self.desk, recordings, shell, self.tracking, library, self.exchange, self.jobs
        )
        self.window.setCentralWidget(self.page)
        for _, action in self.board:
            self.window.addAction(action)
        self.board.wanted.connect(lambda id: self.binder.handlers()[id]())
        self.board.show_page("demos")
        self.window.resize(1500, 850)
        self.window.show()
        self.binder.turned_to()

    def until(self, there: Callable[[], object]) -> None:
        end = time.monotonic() + 180
        while True:
            QApplication.processEvents()
            self.jobs.pump()
            self.binder.tick()
            self.board.show_facts(self.binder.facts())
            if there() and self.desk.work is None:
                return
            assert time.monotonic() < end, self.said
            time.sleep(0.003)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(QApplication.focusWidget() or self.window, key, held)
        self.until(lambda: True)

    def ready(self) -> None:
        """Until the demo that is looked at plays with its curves."""
        self.until(lambda: self.page.videos and "demo" in self.binder.facts() and self.binder.playing.ready)

    @property
    def numbers(self) -> list[str]:
        return [line.number for line in self.page.table.lines]

    def close(self) -> None:
        self.binder.close()
        self.desk.close()
        self.tracking.close()
        self.exchange.close()
        self.jobs.close()
        self.window.close()
        self.window.deleteLater()
        QApplication.processEvents()


def _nothing(_title: str, _filter: str) -> str:
    return ""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_session(tmp_path_factory.mktemp("recorded") / "2026-01-01", episodes=3, count=45)


@pytest.fixture
def session(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "recordings" / recorded.name))


@pytest.fixture
def room(qtbot: QtBot, session: Path) -> Iterator[Room]:
    made = Room(session.parent)
    made.until(lambda: made.desk.rows)
    made.ready()
    yield made
    made.close()


def _pieces(session: Path, number: int) -> list[tuple[float, float | None]]:
    annotation = read_annotation(session / "episodes" / f"{number:06d}")
    return [(round(p.start, 3), None if p.end is None else round(p.end, 3)) for p in annotation.pieces]


def test_a_demo_is_cut_split_merged_and_all_of_it_taken_back_by_keys(room: Room, session: Path) -> None:
    assert room.numbers == ["1", "2", "3"]
    assert set(room.page.videos) == {"top", "side"}
    room.page.playback.seek(0.3)
    room.press(Qt.Key.Key_I)
    assert _pieces(session, 1) == [(0.3, None)]
    room.page.playback.seek(0.9)
    room.press(Qt.Key.Key_S)
    assert room.numbers == ["1.1", "1.2", "2", "3"]
    room.page.playback.seek(1.1)
    room.press(Qt.Key.Key_Down)
    room.ready()
    room.page.playback.seek(1.2)
    room.press(Qt.Key.Key_O)
    assert _pieces(session, 1) == [(0.3, 0.9), (0.9, 1.233)]
    room.press(Qt.Key.Key_Up)
    room.press(Qt.Key.Key_M)
    assert _pieces(session, 1) == [(0.3, 1.233)]
    for _ in range(4):
        room.press(Qt.Key.Key_Z, CTRL)
    assert not (session / "episodes" / "000001" / ANNOTATION).exists()
    room.press(Qt.Key.Key_Z, CTRL | SHIFT)
    assert _pieces(session, 1) == [(0.3, None)]


def test_success_tags_and_words_are_written_without_a_mouse(room: Room, session: Path) -> None:
    room.press(Qt.Key.Key_Y)
    assert room.page.table.lines[0].success == "yes"
    room.press(Qt.Key.Key_T)
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "clean, slow")
    room.press(Qt.Key.Key_Return)
    assert room.page.table.lines[0].tags == "clean, slow"
    room.press(Qt.Key.Key_E)
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "turn it back")
    room.press(Qt.Key.Key_Return)
    labels = read_annotation(session / "episodes" / "000001").pieces[0].labels
    assert labels is not None
    assert (labels.instruction, labels.tags, labels.success) == ("turn it back", ("clean", "slow"), True)
    assert len(room.desk.rows) == 3


def test_several_are_changed_only_after_a_look_at_what_would_change(room: Room) -> None:
    room.press(Qt.Key.Key_A, CTRL)
    room.press(Qt.Key.Key_N)
    room.until(lambda: room.desk.proposal is not None)
    assert {line.success for line in room.page.table.lines} == {"unknown"}
    assert room.page.preview.isVisible()
    room.press(Qt.Key.Key_Escape)
    assert not room.page.preview.isVisible()
    room.press(Qt.Key.Key_N)
    room.until(lambda: room.desk.proposal is not None)
    room.press(Qt.Key.Key_Return)
    room.until(lambda: {line.success for line in room.page.table.lines} == {"no"})
    room.press(Qt.Key.Key_Z, CTRL)
    room.until(lambda: {line.success for line in room.page.table.lines} == {"unknown"})


def test_chosen_demos_are_tracked_in_the_background_and_their_tracks_drawn(
    room: Room, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])  # for the worker
    room.press(Qt.Key.Key_T, CTRL)
    room.until(lambda: room.binder.busy is not None)
    room.until(lambda: room.page.table.lines[0].marks == "tracked")
    room.ready()
    room.page.playback.seek(0.45)
    room.until(lambda: room.page.videos["top"]._tools)
    (overlay,) = room.page.videos["top"]._tools
    assert (overlay.tool, overlay.state) == ("left", "tracked")
    assert overlay.axes is not None
    assert [(job.spec.title, job.state) for job in room.jobs.records] == [("Tracking take 1", "done")]


def test_delete_goes_to_the_trash_and_the_next_demo_is_looked_at(room: Room, session: Path) -> None:
    room.press(Qt.Key.Key_Delete)
    room.until(lambda: room.numbers == ["2", "3"])
    assert (session / "trash" / "000001" / MCAP).exists()
    assert room.page.table.current == (str(session), 2, 1)
    room.press(Qt.Key.Key_Z, CTRL)
    room.until(lambda: room.numbers == ["1", "2", "3"])


def test_a_mark_is_set_and_the_same_key_takes_it_away(room: Room, session: Path) -> None:
    room.page.playback.seek(0.5)
    room.press(Qt.Key.Key_K)
    assert [m.t for m in read_annotation(session / "episodes" / "000001").marks] == [0.5]
    room.press(Qt.Key.Key_K)
    assert read_annotation(session / "episodes" / "000001").marks == ()


def _click(where: QWidget, text: str) -> None:
    (found,) = (b for b in where.findChildren(QPushButton) if b.text() == text and b.isVisible())
    assert found.isEnabled()
    found.click()


def test_chosen_demos_are_exported_after_a_look_at_what_is_lost(room: Room, session: Path) -> None:
    out = session.parents[1] / "recordings-mcap"
    room.press(Qt.Key.Key_E, CTRL | SHIFT)
    form = room.page.exchange
    assert form.isVisible()
    form._formats.setCurrentIndex(2)
    room.until(lambda: form._start.isEnabled())
    assert form.wish.out == str(out)
    assert "3 demos" in form._note.text()
    _click(form, "1 chosen")
    room.until(lambda: "1 demos" in form._note.text() and form._start.isEnabled())
    _click(form, "Export")
    room.until(lambda: room.exchange.ended is not None)
    assert [f.name for f in out.iterdir()] == ["000001.mcap"]
    room.until(lambda: "exported to" in form._note.text())
    room.press(Qt.Key.Key_Escape)
    assert room.page.seen == "pictures"


def test_an_import_shows_its_demos_in_the_table(room: Room, session: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(session, tmp_path / "theirs"))
    room.press(Qt.Key.Key_I, CTRL)
    form = room.page.exchange
    assert "Choose a file" in form._problem.text()
    form.take_path("folder", str(source))
    room.until(lambda: form._start.isEnabled())
    assert form.wish.out == str(session.parent / "theirs")
    _click(form, "Import")
    room.until(lambda: len(room.numbers) == 6)


def test_a_deleted_take_is_brought_back_or_destroyed_only_after_its_word(room: Room, session: Path) -> None:
    room.press(Qt.Key.Key_Delete)
    room.until(lambda: room.numbers == ["2", "3"])
    room.press(Qt.Key.Key_Delete, CTRL)
    view = room.page.trash
    (rows,) = view.findChildren(QTreeWidget)
    room.until(lambda: rows.topLevelItemCount() == 1)
    rows.topLevelItem(0).setSelected(True)  # type: ignore[union-attr]
    _click(view, "Bring back")
    room.until(lambda: room.numbers == ["1", "2", "3"] and rows.topLevelItemCount() == 0)
    room.press(Qt.Key.Key_Z, CTRL)
    room.until(lambda: rows.topLevelItemCount() == 1)
    _click(view, "Empty the trash…")
    assert "1 take for ever" in view._question._text.text()
    (word,) = view.findChildren(QLineEdit)
    QTest.keyClicks(word, "7")
    assert not view._question.yes.isEnabled()
    word.clear()
    QTest.keyClicks(word, "1")
    _click(view, "Destroy for ever")
    room.until(lambda: rows.topLevelItemCount() == 0)
    assert list((session / "trash").iterdir()) == []
    room.press(Qt.Key.Key_Z, CTRL)
    assert room.numbers == ["2", "3"]


def test_a_job_that_waits_is_said_and_cancelled_from_the_page(room: Room, session: Path) -> None:
    room.jobs.jobs.set_slots(Slots(gpu=0, cpu=0))
    room.press(Qt.Key.Key_T, CTRL)
    room.until(lambda: room.binder.busy is not None)
    assert room.binder.busy is not None
    assert room.binder.busy.text == "Tracking take 1: waits for a free slot (page Train)"
    room.page.busy.cancel_wanted.emit()
    room.until(lambda: room.jobs.records[0].state == "cancelled" and room.binder.busy is None)
    assert not (session / "episodes" / "000001" / "track.json").exists()


def test_a_track_is_corrected_by_boxes_and_marks_and_all_of_it_taken_back(
    room: Room, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])  # for the worker
    episode = session / "episodes" / "000001"
    room.press(Qt.Key.Key_T, CTRL)
    room.until(lambda: room.page.table.lines[0].marks == "tracked" and "demo_tracked" in room.binder.facts())
    room.page.playback.seek(0.35)
    room.press(Qt.Key.Key_C)
    assert room.page.corrections.isVisible()
    room.press(Qt.Key.Key_B)
    assert room.page.videos["top"].drawing
    room.page.videos["top"].box_drawn.emit("top", "left", 10.0, 10.0, 40.0, 40.0)
    room.until(lambda: (track := read_episode_track(episode)) is not None and len(track.track.hints) == 1)
    review = read_review(episode)
    assert review is not None
    (hint,) = review.review.hints
    assert (hint.view, hint.t) == ("top", 5)
    assert hint.box == (20.0, 20.0, 80.0, 80.0)  # what was tracked has twice the pixels
    room.until(lambda: not room.tracking.busy)
    room.until(lambda: len(room.page.videos["top"]._hints) == 1)
    np.testing.assert_allclose(room.page.videos["top"]._hints[0].box, (10, 10, 40, 40))
    room.press(Qt.Key.Key_X)
    room.until(lambda: "interpolated" in read_episode_track(episode).track.tools["left"].source)  # type: ignore[union-attr]
    assert len(room.page.corrections.findChildren(QWidget, "")) > 2
    for _ in range(2):
        room.press(Qt.Key.Key_Z, CTRL)
    assert read_review(episode) is None
    track = read_episode_track(episode)
    assert track is not None
    assert (track.track.hints, track.track.tools["left"].source[5]) == ((), "tracked")
    room.press(Qt.Key.Key_Escape)
    assert room.page.labels.isVisible()


def test_a_pose_is_dragged_by_its_outline_in_one_view_kept_and_taken_back(
    room: Room, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])  # for the worker
    episode = session / "episodes" / "000001"

    def tool() -> ToolTrack:
        track = read_episode_track(episode)
        assert track is not None
        return track.track.tools["left"]

    room.press(Qt.Key.Key_T, CTRL)
    room.until(lambda: "demo_tracked" in room.binder.facts() and not room.tracking.busy)
    video = room.page.videos["top"]
    room.page.playback.seek(0.36)
    room.press(Qt.Key.Key_C)
    room.until(lambda: "demo_correcting" in room.binder.facts())
    assert room.page.playback.time == pytest.approx(0.35)  # on a frame of the track, not between two
    before = tool().T_view1_tool[5]
    start = video._zoom.to_widget(np.vstack(list(video._tools[0].outline))).mean(axis=0)
    at = [QPoint(round(start[0] + k), round(start[1])) for k in (0, 8, 16)]
    QTest.mousePress(video, Qt.MouseButton.LeftButton, NONE, at[0])
    for point in at[1:]:
        QTest.mouseMove(video, point)
        room.until(lambda: True)
    assert video._tools[0].state == "corrected"
    np.testing.assert_array_equal(tool().T_view1_tool[5], before)  # only shown, as long as it is held
    QTest.mouseRelease(video, Qt.MouseButton.LeftButton, NONE, at[2])
    room.until(lambda: tool().source[5] == "corrected")
    moved = tool().T_view1_tool[5][:3, 3] - before[:3, 3]
    assert moved[0] > 1e-3
    assert abs(moved[2]) < 1e-9
    room.press(Qt.Key.Key_Right)
    assert room.page.playback.time == pytest.approx(0.41)
    room.press(Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    room.until(lambda: tool().source[6] == "corrected")
    for frame in (6, 5):
        room.press(Qt.Key.Key_Z, CTRL)
        room.until(lambda frame=frame: tool().source[frame] == "tracked")  # type: ignore[misc]
    np.testing.assert_array_equal(tool().T_view1_tool[5], before)


def test_masks_are_painted_erased_and_taken_back_stroke_by_stroke(room: Room, session: Path) -> None:
    episode = session / "episodes" / "000001"
    room.page.playback.seek(0.5)
    room.press(Qt.Key.Key_P)
    video = room.page.videos["top"]
    room.page.masks._size.setValue(4)
    video.stroke_drawn.emit("top", True, [(20.0, 20.0), (50.0, 20.0)])
    room.until(lambda: (episode / "masks.json").exists())
    (mask,) = read_masks(episode)
    assert (mask.camera, mask.by, mask.t) == ("top", "person", pytest.approx(0.5))
    painted = int((mask.picture > 0).sum())
    assert painted > 200
    video.stroke_drawn.emit("top", False, [(50.0, 20.0)])
    room.until(lambda: read_masks(episode)[0].position == 2)
    assert int((read_masks(episode)[0].picture > 0).sum()) < painted
    assert video._mask is not None
    room.press(Qt.Key.Key_Z, CTRL)
    assert int((read_masks(episode)[0].picture > 0).sum()) == painted
    room.press(Qt.Key.Key_P)
    room.press(Qt.Key.Key_P)
    room.press(Qt.Key.Key_Z, CTRL)  # the history is the file's
    assert read_masks(episode)[0].position == 0
    room.press(Qt.Key.Key_Escape)
    assert room.page.labels.isVisible()
    assert video._mask is None


def test_the_filter_is_typed_and_a_bar_of_the_statistics_writes_it(room: Room) -> None:
    room.press(Qt.Key.Key_F, CTRL)
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "number:2")
    room.until(lambda: room.numbers == ["2"])
    room.page.show_query("")
    room.until(lambda: len(room.numbers) == 3)
    room.page.table.setFocus()
    room.press(Qt.Key.Key_G)
    room.until(lambda: len(room.desk.looks) == 3)
    room.page.statistics.query_picked.emit("number:3")
    room.until(lambda: room.numbers == ["3"])


@pytest.mark.expects_warnings
def test_a_recording_that_cannot_be_read_says_so_in_its_place(qtbot: QtBot, session: Path) -> None:
    (session / "episodes" / "000001" / MCAP).write_bytes(b"no mcap")
    room = Room(session.parent)
    try:
        room.until(lambda: len(room.numbers) == 3)
        room.until(lambda: MCAP in room.binder.playing.problem)
        room.press(Qt.Key.Key_Down)
        room.ready()
        assert room.binder.playing.problem == ""
    finally:
        room.close()


def test_with_nothing_recorded_the_page_says_what_to_do(qtbot: QtBot, tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.until(lambda: True)
    assert room.desk.folder is None
    assert not room.page.table.isVisible()
    room.close()


def test_a_window_that_was_closed_on_the_page_opens_with_its_demos(qtbot: QtBot, session: Path) -> None:
    workspace = open_workspace(session.parents[1])
    for _ in range(2):
        desk = Desk(application(), open_program(workspace, load_rig("sim")))
        desk.show()
        if desk.window.page != "demos":
            desk.board.trigger("go.demos")
        end = time.monotonic() + 60
        while len(desk.program.demos.rows) < 3:
            assert time.monotonic() < end
            QApplication.processEvents()
            time.sleep(0.005)
        desk.window.close()
        assert desk.demos_page.table.lines
