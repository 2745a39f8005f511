"""The whole window over real sessions: opens, shows, obeys, closes, and leaves nothing behind."""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.dreams.example import example_folder
from app.dreams.session import DreamSession
from app.execution.run_progress import RunProgress
from app.execution.session import ExecutionSession
from app.gui.actions import ACTIONS
from app.gui.binders import dream as dream_binder
from app.gui.desk import Desk
from app.gui.program import Program
from app.gui.start import application
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.planning import default_limits
from hardware.rig import load_rig
from models.data.dream_folder import load_dream, save_track
from models.tracking.trackers import TrackerChoice
from models.types import Hint
from tests.app.jobs import still_track
from widgets.views import scene_view


class ListeningArms(ExecutionSession):
    """The execution session with nothing connected: it only counts what reaches it."""

    def __init__(self, workspace: Workspace, ledger: Ledger) -> None:
        super().__init__(load_rig(), workspace, ledger)
        self.stops: list[str] = []
        self.beats = 0

    def stop(self, reason: str = "a person pressed Stop") -> None:
        self.stops.append(reason)

    def heartbeat(self) -> None:
        self.beats += 1


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def desk(qtbot: QtBot, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
    desk = _open(workspace)
    yield desk
    desk.close()


def _open(workspace: Workspace) -> Desk:
    ledger = Ledger(workspace.ledger)
    dreaming = DreamSession(workspace, ledger, track_job="tests.app.jobs:still_track")
    program = Program(workspace, load_rig(), ledger, dreaming, ListeningArms(workspace, ledger))
    desk = Desk(application(), program)
    desk.show()
    return desk


def _arms(desk: Desk) -> ListeningArms:
    arms = desk.program.execution
    assert isinstance(arms, ListeningArms)
    return arms


def _texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


@pytest.fixture(scope="module")
def tracked(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The built-in example, open, tracked and planned; one window for many tests, since that takes seconds."""
    workspace = open_workspace(tmp_path_factory.mktemp("workspace"))
    folder = example_folder(workspace)
    save_track(
        folder,
        load_dream(folder),
        still_track(folder, (), None, TrackerChoice(), lambda _f, _t: None, lambda: False),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[3])
        desk = _open(workspace)
        desk.window.choose("dream.example")
        _wait(qapp, lambda: desk.program.dreaming.progress is None)
        yield desk
        desk.window.close()


def _wait(app: QApplication, there: Callable[[], bool], limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not there():
        assert time.monotonic() < end
        app.processEvents()
        time.sleep(0.005)


@pytest.fixture
def example(tracked: Desk) -> Iterator[Desk]:
    """The example as it was opened, whatever a test before did to it."""
    session, page = tracked.program.dreaming, tracked.dream_page
    tracked.window.show_page("dream")
    page.playback.pause()
    page.playback.to_start()
    page.setFocus()
    _arms(tracked).stops.clear()
    yield tracked
    _arms(tracked).state = "offline"
    while session.can_undo:
        session.undo()


def test_every_action_of_the_table_is_done_by_somebody(desk: Desk) -> None:
    assert desk.unhandled == set()


def test_all_five_pages_are_reached_by_their_keys(desk: Desk, qtbot: QtBot) -> None:
    for number, page in enumerate(("rig", "record", "dream", "train", "inspect"), 1):
        qtbot.keyClick(desk.window, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
        assert desk.window.page == page


def test_the_bottom_line_always_says_how_arms_cameras_and_worker_are(desk: Desk) -> None:
    for page in ("rig", "dream", "inspect"):
        desk.window.show_page(page)
        line = _texts(desk.window.state_line)
        assert "xArm 7 left: not connected · emulated" in line
        assert "2 cameras: off" in line
        assert "worker idle" in line


def test_the_window_beats_its_heart_from_its_own_thread(desk: Desk, qtbot: QtBot) -> None:
    before = _arms(desk).beats
    qtbot.waitUntil(lambda: _arms(desk).beats >= before + 3, timeout=30_000)


def test_the_stop_button_works_whether_anything_moves_or_not(desk: Desk, qtbot: QtBot) -> None:
    button = desk.window.state_line._stop
    assert "Not safety-rated" in button.toolTip()
    qtbot.mousePress(button, Qt.MouseButton.LeftButton)
    assert _arms(desk).stops == ["a person pressed Stop"]


def test_space_plays_while_nothing_moves_and_stops_while_something_does(example: Desk, qtbot: QtBot) -> None:
    play = example.dream_page.playback
    qtbot.keyClick(example.window, Qt.Key.Key_Space)
    assert (play.playing, _arms(example).stops) == (True, [])
    play.pause()
    _arms(example).state = "running"
    qtbot.keyClick(example.window.windowHandle(), Qt.Key.Key_Space)
    assert not play.playing
    assert _arms(example).stops


def test_esc_in_the_note_of_the_outcome_stops(example: Desk, qtbot: QtBot) -> None:
    _arms(example).state = "running"
    note = example.dream_page.approve.outcome.findChild(QLineEdit)
    note.setFocus()
    qtbot.keyClick(note, Qt.Key.Key_Escape)
    assert _arms(example).stops


def test_the_example_is_shown_with_its_tools_tracked_and_checked(example: Desk) -> None:
    page = example.dream_page
    assert list(page.videos) == ["top", "side"]
    assert "tracked 24/24" in _texts(page.bar)
    page.playback.seek(1.0)
    assert example.window.page == "dream"


def test_one_clock_leads_every_view(example: Desk) -> None:
    page = example.dream_page
    page.playback.seek(5 / 6)
    assert "5/12" in _texts(page.transport)
    page.playback.step(1)
    assert "6/12" in _texts(page.transport)


def test_the_worst_frame_is_found_by_a_key(example: Desk, qtbot: QtBot) -> None:
    qtbot.keyClick(example.window, Qt.Key.Key_W)
    assert "5/12" in _texts(example.dream_page.transport)


def test_a_drawn_box_is_a_hint_that_is_tracked_at_once_and_can_be_undone(example: Desk, qtbot: QtBot) -> None:
    session, page = example.program.dreaming, example.dream_page
    page.playback.seek(4 / 6)
    page.box_drawn.emit("top", "left", 10.0, 20.0, 200.0, 210.0)
    assert session.hints == (Hint("left", "top", 4, (10.0, 20.0, 200.0, 210.0)),)
    qtbot.waitUntil(lambda: session.progress is None and not session.stale, timeout=30_000)
    qtbot.waitUntil(lambda: example.board["dream.undo"].isEnabled(), timeout=30_000)
    qtbot.keyClick(example.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.hints == ()


def test_the_trim_is_set_by_keys_and_shown(example: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: example.board["dream.trim_start"].isEnabled(), timeout=30_000)
    example.dream_page.playback.seek(3 / 6)
    qtbot.keyClick(example.window, Qt.Key.Key_I)
    example.dream_page.playback.seek(10 / 6)
    qtbot.keyClick(example.window, Qt.Key.Key_O)
    assert example.program.dreaming.trim == (3, 10)
    assert "frames 3 to 10" in _texts(example.dream_page.bar)


def test_the_palette_leads_to_another_page_and_does_it_there(desk: Desk) -> None:
    desk.window.show_page("rig")
    desk.window.open_palette()
    assert {"dream.example", "motion.stop", "arms.connect"} <= set(desk.window.palette_view.offers)
    desk.window.choose("dream.import")
    assert desk.window.page == "dream"
    assert desk.dream_page.form.isVisible()


def test_what_is_not_possible_now_is_said_not_done(desk: Desk) -> None:
    desk.window.choose("dream.execute")
    assert desk.window.toasts.texts == ["Execute: approve the plan first"]


def test_a_folder_that_is_no_dream_is_told_and_what_was_open_stays(example: Desk, tmp_path: Path) -> None:
    before = example.program.dreaming.dream
    example.open_dream(tmp_path / "nothing")
    assert "nothing" in example.window.toasts.texts[-1]
    assert example.program.dreaming.dream is before


def test_dropped_files_fill_the_import_form(desk: Desk, tmp_path: Path) -> None:
    for name in ("001.mp4", "001_top.png", "001_side.png", "tool_left.obj"):
        (tmp_path / name).write_bytes(b"")
    desk.dream_page.dropped.emit([str(tmp_path)])
    assert desk.dream_page.form.isVisible()
    assert desk.dream_page.form.missing == ["Calibration"]


def test_an_error_that_nobody_caught_becomes_a_message_and_a_log_entry(desk: Desk, qtbot: QtBot) -> None:
    def fail() -> None:
        raise RuntimeError("the lamp is broken")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(desk.window.toasts.texts), timeout=30_000)
    assert desk.window.toasts.texts == ["Something went wrong: the lamp is broken"]
    assert "RuntimeError: the lamp is broken" in desk.window.log.text


@pytest.mark.expects_warnings
def test_the_log_pane_shows_what_devices_report(desk: Desk, qtbot: QtBot) -> None:
    logging.getLogger("hardware").warning("the side camera dropped 2 frames")
    qtbot.waitUntil(lambda: "the side camera dropped 2 frames" in desk.window.log.text, timeout=30_000)
    qtbot.keyClick(desk.window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert desk.window.log.isVisible()


def test_hooks_threads_and_filters_are_given_back(qtbot: QtBot, workspace: Workspace, qapp: QApplication) -> None:
    before = (sys.excepthook, threading.excepthook, list(logging.getLogger().handlers))
    desk = _open(workspace)
    desk.window.close()
    assert (sys.excepthook, threading.excepthook, list(logging.getLogger().handlers)) == before
    assert desk.program.execution.state == "closed"
    _arms(desk).state = "running"
    field = QLineEdit()
    qtbot.addWidget(field)
    field.show()
    qtbot.keyClick(field, Qt.Key.Key_Space)
    assert field.text() == " "


def test_page_and_panes_are_where_they_were_left(qtbot: QtBot, workspace: Workspace) -> None:
    first = _open(workspace)
    first.window.show_page("inspect")
    first.window.close()
    again = _open(workspace)
    assert again.window.page == "inspect"
    again.window.close()


@pytest.mark.expects_warnings
@pytest.mark.parametrize("content", ["{", json.dumps({"window": "AAAA", "page.dream": "AAAA", "page": "nowhere"})])
def test_a_broken_layout_file_never_blocks_the_start(qtbot: QtBot, workspace: Workspace, content: str) -> None:
    (workspace.root / "window.json").write_text(content)
    desk = _open(workspace)
    assert desk.window.page == "dream"
    assert desk.window.isVisible()
    desk.window.close()


def test_closing_while_a_dream_is_tracked_ends_at_once(desk: Desk) -> None:
    desk.window.choose("dream.example")
    start = time.monotonic()
    desk.window.close()
    assert desk.program.dreaming.progress is None or time.monotonic() - start < 10
    assert threading.active_count() < 10


def test_the_table_is_the_menu(desk: Desk) -> None:
    listed = {action.objectName() for menu in desk.window._menu.actions() for action in menu.menu().actions()}
    assert listed == {row.id for row in ACTIONS}


def test_a_pause_plans_only_the_rest(example: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    arms, asked = _arms(example), []
    qtbot.waitUntil(lambda: example.program.dreaming.progress is None, timeout=60000)
    monkeypatch.setattr(
        example.program.dreaming, "make_plan", lambda _rig, **wish: asked.append(wish["from_frame"])
    )
    arms._set_state("running", "")
    arms.progress = RunProgress(8.0, 20.0, "work", 6.4)
    arms._set_state("paused", "")
    example.dream_page.approve.plan_wanted.emit()
    arms._set_state("stopped", "")
    example.dream_page.approve.plan_wanted.emit()
    assert asked == [6.4, 6.4, None]
    example.dream_page.approve.outcome_skipped.emit()


def test_the_force_to_give_way_over_reaches_the_plan_where_the_connected_arms_feel_it(
    example: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms, panel, asked = _arms(example), example.dream_page.approve, []
    qtbot.waitUntil(lambda: example.program.dreaming.progress is None, timeout=60000)
    monkeypatch.setattr(example.program.dreaming, "make_plan", lambda _rig, **wish: asked.append(wish["give_way"]))
    panel.give_way_picked.emit(20.0)
    arm = arms.rig.arms[0]
    monkeypatch.setattr(
        arms, "limits", {arm.name: replace(default_limits(arms.rig, arm), source={"forces": "measured"})}
    )
    panel.plan_wanted.emit()
    panel.give_way_picked.emit(0.0)
    assert asked == [None, 20.0, None]


def test_the_scene_is_not_refined_between_two_pictures_of_moving_arms() -> None:
    assert scene_view.REST_MS > 2e3 * dream_binder.SCENE_AT_LEAST_S


def test_moving_arms_are_drawn_fluently_where_drawing_is_quick_and_seldom_where_stop_would_wait_for_it() -> None:
    assert dream_binder.scene_pause(0.002) < 1 / 30
    assert dream_binder.scene_pause(0.015) == dream_binder.scene_pause(0.1) == 0.2
