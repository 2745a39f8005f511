"""Page Settings over the real window: what is changed there holds at once, or says when."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.settings import Settings, load_settings, save_settings
from app.workspace import Workspace, open_workspace
from hardware.rig import load_rig
from widgets.theme import COLORS, apply_theme, palette_of


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def desk(qtbot: QtBot, workspace: Workspace) -> Iterator[Desk]:
    desk = _open(workspace)
    desk.window.show_page("preferences")
    yield desk
    _close(desk)


def _close(desk: Desk) -> None:
    """To the last widget: a theme dresses every one there is."""
    desk.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _open(workspace: Workspace) -> Desk:
    desk = Desk(application(), open_program(workspace, load_rig()))
    desk.show()
    return desk


def test_a_theme_is_put_on_at_once_and_kept(desk: Desk, workspace: Workspace, qapp: QApplication) -> None:
    desk.preferences_page.changed.emit("theme", "light")
    assert palette_of("light")["panel"] in qapp.styleSheet()
    assert COLORS["panel"] == palette_of("light")["panel"]
    assert load_settings(workspace.settings).theme == "light"
    desk.preferences_page.reset_wanted.emit("theme")
    assert palette_of("dark")["panel"] in qapp.styleSheet()


def test_a_window_opens_in_the_theme_that_was_chosen(qtbot: QtBot, workspace: Workspace) -> None:
    save_settings(workspace.settings, Settings(theme="contrast"))
    desk = _open(workspace)
    assert COLORS["panel"] == palette_of("contrast")["panel"]
    _close(desk)
    apply_theme(application(), "dark")


def test_no_theme_is_put_on_while_arms_move_since_that_holds_up_their_heartbeat(desk: Desk) -> None:
    desk.program.execution.state = "running"
    desk.preferences_page.changed.emit("theme", "light")
    desk.program.execution.state = "offline"
    assert desk.preferences.settings.theme == "dark"
    assert "arms move" in desk.preferences_page.row("theme")._problem.text()


def test_what_needs_a_restart_says_so_until_it_is_taken_back(desk: Desk) -> None:
    page = desk.preferences_page
    page.show_section("safety")
    page.changed.emit("tip_speed", 0.05)
    assert page.row("tip_speed")._waiting.isVisible()
    assert page.restart.isVisible()
    page.row("tip_speed")._reset.click()
    assert not page.row("tip_speed")._waiting.isVisible()
    assert not page.restart.isVisible()


def test_a_looser_limit_is_refused_with_what_is_valid(desk: Desk, workspace: Workspace) -> None:
    desk.preferences_page.show_section("safety")
    desk.preferences_page.changed.emit("tip_speed", 0.6)
    assert "valid: 0.02 to 0.25 m/s" in desk.preferences_page.row("tip_speed")._problem.text()
    assert load_settings(workspace.settings).tip_speed == 0.0


def test_settings_are_found_by_words_in_any_section(desk: Desk) -> None:
    desk.preferences_page.search.setText("megapose weights")
    assert desk.preferences_page.shown == ["megapose_data"]
    desk.preferences_page.search.clear()
    assert "theme" not in desk.preferences_page.shown


def test_new_keys_do_it_and_the_palette_and_the_next_window_know_them(
    desk: Desk, qtbot: QtBot, workspace: Workspace
) -> None:
    editor = desk.preferences_page.shortcuts
    desk.preferences_page.show_section("shortcuts")
    editor.choose("go.rig")
    editor._field.setKeySequence(QKeySequence("F12"))
    assert editor._verdict.text() == "F12 is free."
    editor._take.click()
    qtbot.keyClick(desk.window, Qt.Key.Key_F12)
    assert desk.window.page == "rig"
    assert {offer.id: offer.shortcut for offer in desk.window._offers("")}["go.rig"] == "F12"
    assert load_settings(workspace.settings).shortcuts == {"go.rig": "F12"}
    assert editor.listed["go.rig"] == "F12"


def test_keys_of_another_action_are_said_and_taken_from_it(desk: Desk) -> None:
    editor = desk.preferences_page.shortcuts
    editor.choose("dream.plan")
    editor._field.setKeySequence(QKeySequence("Ctrl+O"))
    assert "belongs to “Open dream…”" in editor._verdict.text()
    editor._take.click()
    assert (desk.board.keys["dream.plan"], desk.board.keys["dream.open"]) == ("Ctrl+O", "")
    editor._all.click()
    assert (desk.board.keys["dream.plan"], desk.board.keys["dream.open"]) == ("P", "Ctrl+O")


def test_the_keys_of_stop_are_shown_and_cannot_be_changed_or_taken(desk: Desk) -> None:
    editor = desk.preferences_page.shortcuts
    editor.choose("motion.stop")
    assert "Esc and Space always stop" in editor._verdict.text()
    assert not editor._field.isEnabled()
    editor.choose("dream.plan")
    editor._field.setKeySequence(QKeySequence("Esc"))
    assert not editor._take.isEnabled()
    editor.keys_wanted.emit("dream.plan", "Esc")
    editor.keys_wanted.emit("motion.stop", "F9")
    assert (desk.board.keys["dream.plan"], desk.board.keys["motion.stop"]) == ("P", "Esc")


def test_a_layout_is_kept_under_a_name_and_found_by_the_palette(desk: Desk, workspace: Workspace) -> None:
    desk.window.show_log()
    desk.preferences_page.layouts.keep_wanted.emit("With log")
    desk.window.toggle_log()
    assert "layout:With log" in {offer.id for offer in desk.window._offers("layout log")}
    desk.window.choose("layout:With log")
    assert desk.window.log.isVisible()
    desk.window.close()
    again = _open(workspace)
    assert again.window.layouts.names == ("With log",)
    again.preferences_page.layouts.remove_wanted.emit("With log")
    assert again.window.layouts.names == ()
    _close(again)


def test_the_palette_names_what_was_done_lately_first_and_why_the_rest_is_not_possible(
    desk: Desk, workspace: Workspace
) -> None:
    desk.window.choose("view.log")
    desk.window.choose("go.inspect")
    offers = desk.window._offers("")
    assert [offer.id for offer in offers[:2]] == ["go.inspect", "view.log"]
    assert {offer.id: offer.reason for offer in offers}["dream.execute"] == "approve the plan first"
    desk.window.close()
    again = _open(workspace)
    assert again.window._offers("")[0].id == "go.inspect"
    _close(again)


def test_units_are_shown_as_chosen(desk: Desk) -> None:
    rig = next(binder for binder in desk.binders if hasattr(binder, "figures"))
    desk.preferences_page.changed.emit("length", "mm")
    desk.preferences_page.changed.emit("decimal", "comma")
    assert rig.figures.length(0.25, 2, "/s") == "250 mm/s"
    desk.preferences_page.changed.emit("length", "m")
    assert rig.figures.length(0.005, small=True) == "0,005 m"


@pytest.mark.expects_warnings
def test_settings_that_cannot_be_written_are_said_and_hold_in_this_window(desk: Desk, workspace: Workspace) -> None:
    workspace.settings.mkdir()
    desk.preferences_page.changed.emit("person", "anna")
    assert "settings are not saved" in desk.window.toasts.texts[-1]
    assert desk.preferences.settings.person == "anna"


def test_an_error_in_a_slot_becomes_a_message_whose_details_open_the_log(
    desk: Desk, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise RuntimeError("the lamp is broken")
    except RuntimeError:
        sys.excepthook(*sys.exc_info())
    qtbot.waitUntil(lambda: bool(desk.window.toasts.texts), timeout=30_000)
    desk.reports.on_details("Traceback")
    assert desk.window.log.isVisible()
    assert desk.window.log._text.textCursor().block().text().startswith("Traceback")


def test_a_problem_report_is_written_beside_the_work_and_said(
    desk: Desk, qtbot: QtBot, workspace: Workspace
) -> None:
    desk.window.choose("log.report")
    qtbot.waitUntil(lambda: bool(list(workspace.root.glob("dreamdeck_problem_*.zip"))), timeout=20_000)
    qtbot.waitUntil(lambda: any("without any video" in text for text in desk.window.toasts.texts), timeout=20_000)


def test_a_tracker_that_is_not_there_is_told_by_its_test(desk: Desk, qtbot: QtBot) -> None:
    desk.preferences_page.test_wanted.emit("megapose_python")
    qtbot.waitUntil(lambda: any("choose the python" in t for t in desk.window.toasts.texts), timeout=20_000)
    desk.preferences.set("megapose_python", sys.executable)
    desk.preferences_page.test_wanted.emit("megapose_python")
    wanted = "MegaPose does not work"
    qtbot.waitUntil(lambda: any(wanted in text for text in desk.window.toasts.texts), timeout=60_000)


def test_a_crash_before_this_start_is_offered_not_forced(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "crash_1.txt").write_text("Fatal Python error: Segmentation fault")
    desk.welcome(["The simulated rig is open instead of lab.toml"], [tmp_path / "crash_1.txt"])
    assert QApplication.activeModalWidget() is None
    assert "did not close well" in desk.window.toasts.texts[-1]
    assert "Segmentation fault" in desk.window.log.text


def test_restart_closes_the_window_unless_arms_move(desk: Desk) -> None:
    desk.program.execution.state = "running"
    desk.preferences_page.restart_wanted.emit()
    assert not desk.restart_wanted
    desk.program.execution.state = "offline"
    desk.preferences_page.restart_wanted.emit()
    assert desk.restart_wanted
    assert not desk.window.isVisible()


def test_the_log_hears_notes_of_the_program(desk: Desk, qtbot: QtBot) -> None:
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    try:
        logging.getLogger("app").info("the arms are ready")
    finally:
        root.setLevel(before)
    qtbot.waitUntil(lambda: "the arms are ready" in desk.window.log.text, timeout=30_000)
