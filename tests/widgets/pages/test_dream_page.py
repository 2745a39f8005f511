"""Page Dream shows what it is given and says what a person wants."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from widgets.approve_panel import ApprovePanel, clock, short_hash
from widgets.pages.dream import DreamPage
from widgets.record_values import StreamRow
from widgets.values import ApproveState, BusyState, CheckRow, Chip, DroppedDream, ToolRow
from widgets.views.live_picture import LivePicture
from widgets.views.made_up import MadeUpSource

ACTIONS = (
    *("new", "start", "leave", "model_folder", "open", "import", "track", "example"),
    *("play", "next", "previous", "first", "last"),
    *("worst", "loop", "box", "correct", "trim_start", "trim_end", "undo", "redo"),
)
PLAN = ApproveState("planned", "3fa9" + "0" * 57 + "c41", 12.4, can_plan=True, emulated=True)


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[DreamPage]:
    actions = {name: QAction(name) for name in ACTIONS}
    page = DreamPage(actions)
    qtbot.addWidget(page)
    page.resize(1500, 850)
    page.show()
    yield page
    page.close()


def _texts(widget: QWidget) -> str:
    shown = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    shown += [button.text() for button in widget.findChildren(QPushButton) if button.isVisibleTo(widget)]
    return "\n".join(shown)


def _button(widget: QWidget, text: str) -> QPushButton:
    return next(b for b in widget.findChildren(QPushButton) if b.text().startswith(text))


def test_without_a_dream_it_says_what_to_do(page: DreamPage) -> None:
    assert "Dream of the scene, or look at a dream" in _texts(page)


def test_every_view_of_the_dream_has_its_picture(page: DreamPage) -> None:
    page.show_views(["top", "side"], MadeUpSource())
    page.show_title("dream 7", [Chip("calibrated")])
    page.show_tools([ToolRow("left", "gripper", "#ff8ae2"), ToolRow("right", "gripper", "#45dfe6")])
    assert list(page.videos) == ["top", "side"]
    assert all(video.isVisible() for video in page.videos.values())
    assert "dream 7" in _texts(page)
    assert page.tools.chosen == "left"


def test_a_drawn_box_comes_out_with_view_and_tool(page: DreamPage, qtbot: QtBot) -> None:
    page.show_views(["top"], MadeUpSource())
    with qtbot.waitSignal(page.box_drawn) as drawn:
        page.videos["top"].box_drawn.emit("top", "left", 1.0, 2.0, 30.0, 40.0)
    assert drawn.args == ["top", "left", 1.0, 2.0, 30.0, 40.0]


def test_esc_in_one_view_ends_drawing_in_all(page: DreamPage, qtbot: QtBot) -> None:
    page.show_views(["top", "side"], MadeUpSource())
    page.show_tools([ToolRow("left", "gripper", "#ff8ae2")])
    for video in page.videos.values():
        video.show_time(1.0)
    page.draw_box("#ff8ae2")
    assert all(video.drawing for video in page.videos.values())
    qtbot.keyClick(page.videos["top"], Qt.Key.Key_Escape)
    assert not any(video.drawing for video in page.videos.values())


def test_dropped_files_come_out_as_paths(page: DreamPage, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/a/001.mp4"), QUrl.fromLocalFile("/a/calib.json"), QUrl("http://x/y")])
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), copy, data, Qt.MouseButton.LeftButton, none)
    with qtbot.waitSignal(page.dropped) as dropped:
        page.dropEvent(event)
    assert dropped.args == [["/a/001.mp4", "/a/calib.json"]]


def test_the_import_form_is_filled_and_asks_for_what_is_missing(page: DreamPage, qtbot: QtBot) -> None:
    page.show_import(DroppedDream("/a/001.mp4", ("/a/top.png",), "/a/calib.json", (("left", "/a/left.obj"),)))
    assert page.form.missing == ["Scene photo, view 2"]
    assert not _button(page.form, "Import").isEnabled()
    page.form.set_path("scene2", "/a/side.png")
    with qtbot.waitSignal(page.form.import_wanted) as wanted:
        _button(page.form, "Import").click()
    assert wanted.args[0]["scene2"] == "/a/side.png"
    assert wanted.args[0]["right"] == ""


def test_progress_has_a_cancel(page: DreamPage, qtbot: QtBot) -> None:
    page.show_busy(BusyState("Tracking the tools", 0.4, 12.0))
    assert "12 s left" in _texts(page.busy)
    with qtbot.waitSignal(page.busy.cancel_wanted):
        _button(page.busy, "Cancel").click()
    page.show_busy(None)
    assert not page.busy.isVisible()


def test_a_click_on_a_check_leads_to_its_place(page: DreamPage, qtbot: QtBot) -> None:
    page.show_views(["top"], MadeUpSource())
    page.playback.set_range(0.0, 2.0)
    page.show_checks([CheckRow("ok", "no collision"), CheckRow("alarm", "too fast", "0.31 of 0.25 m/s", at=1.25)])
    row = page.checks._rows.itemAt(0).widget()
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    assert page.playback.time == pytest.approx(1.25)


def test_return_held_on_the_page_approves(page: DreamPage, qtbot: QtBot) -> None:
    page.show_views(["top"], MadeUpSource())
    page.show_approve(PLAN)
    page.setFocus()
    with qtbot.waitSignal(page.approve.approved, timeout=5000):
        qtbot.keyPress(page, Qt.Key.Key_Return)


def test_return_only_touched_approves_nothing(page: DreamPage, qtbot: QtBot) -> None:
    page.show_views(["top"], MadeUpSource())
    page.show_approve(PLAN)
    with qtbot.assertNotEmitted(page.approve.approved, wait=1300):
        qtbot.keyClick(page, Qt.Key.Key_Return)


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ApprovePanel]:
    panel = ApprovePanel()
    qtbot.addWidget(panel)
    panel.show()
    yield panel
    panel.close()


def test_approve_is_off_with_the_reason_in_words(panel: ApprovePanel) -> None:
    panel.show_state(ApproveState("planned", "abc", 3.0, reasons=("the left arm is not connected", "no limits")))
    assert not panel.hold.isEnabled()
    assert "Approve is off: the left arm is not connected  (and 1 more)" in _texts(panel)


def test_an_approval_shows_its_plan_and_counts_down(panel: ApprovePanel) -> None:
    panel.show_state(ApproveState("approved", PLAN.plan, 12.4, expires_s=107.0, emulated=True))
    assert "plan 3fa9…c41  ·  12.4 s  ·  approved, expires 1:47" in _texts(panel)
    assert "Execute on the emulated arms" in _texts(panel)
    assert not panel.hold.isVisible()


@pytest.mark.parametrize(
    ("state", "button", "signal"),
    [
        (PLAN, "Plan again", "plan_wanted"),
        (PLAN, "Rehearse", "rehearse_wanted"),
        (ApproveState("approved", "abc", 3.0), "Execute", "execute_wanted"),
        (ApproveState("running", "abc", 3.0), "Pause", "pause_wanted"),
        (ApproveState("planned", "abc", 3.0, connected=False), "Connect", "connect_wanted"),
    ],
)
def test_each_stage_offers_its_step(
    panel: ApprovePanel, qtbot: QtBot, state: ApproveState, button: str, signal: str
) -> None:
    panel.show_state(state)
    with qtbot.waitSignal(getattr(panel, signal)):
        _button(panel, button).click()


def test_nothing_can_be_planned_or_rehearsed_while_arms_move(panel: ApprovePanel) -> None:
    panel.show_state(ApproveState("running", "abc", 3.0, can_plan=True))
    assert not _button(panel, "Plan").isEnabled()
    assert not _button(panel, "Rehearse").isEnabled()


def test_the_outcome_is_saved_by_keys_alone(panel: ApprovePanel, qtbot: QtBot) -> None:
    panel.show_state(ApproveState("ended", "abc", 3.0, message="The plan ended by itself."))
    assert "How did it go?" in _texts(panel)
    qtbot.keyClick(panel.outcome, Qt.Key.Key_F)
    with qtbot.waitSignal(panel.outcome_given) as given:
        qtbot.keyClick(panel.outcome, Qt.Key.Key_Return)
    assert given.args == [False, "", ""]


def test_the_outcome_fits_where_the_steps_were(panel: ApprovePanel) -> None:
    panel.show_state(ApproveState("ended", "abc", 3.0, message="The plan ended by itself. " * 20))
    assert panel.outcome.minimumSizeHint().height() <= panel.minimumHeight()


@pytest.mark.parametrize("height", [700, 850, 1150])
def test_the_scene_gets_the_height_that_nobody_needs(page: DreamPage, qtbot: QtBot, height: int) -> None:
    page.show_views(["top", "side"], MadeUpSource())
    page.show_approve(PLAN)
    page.resize(1500, height)
    qtbot.wait(50)
    assert page.scene.height() > page.checks.height()
    assert page.approve.minimumHeight() <= page.approve.height() < page.approve.minimumHeight() + 60


@pytest.mark.parametrize("size", [(1500, 850), (10, 10)])
def test_everything_that_watches_a_run_is_in_its_place(
    page: DreamPage, qtbot: QtBot, size: tuple[int, int]
) -> None:
    page.show_views(["top", "side"], MadeUpSource())
    page.cameras.show_streams([StreamRow("top"), StreamRow("side")])
    page.show_execution(True)
    page.resize(*size)
    qtbot.wait(50)
    for widget in (page.curves, *page.cameras.findChildren(LivePicture)):
        place = QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())
        assert page.rect().contains(place)
        assert place.right() < page.approve.mapTo(page, QPoint(0, 0)).x()


@pytest.mark.parametrize(("width", "named"), [(1900, True), (10, False)])
def test_the_buttons_to_correct_with_are_named_where_there_is_room(
    page: DreamPage, qtbot: QtBot, width: int, named: bool
) -> None:
    page.show_views(["top", "side"], MadeUpSource())
    page.transport.show_clock("dream", has_plan=True)
    page.resize(width, 850)
    qtbot.wait(50)
    buttons = {b.defaultAction(): b for b in page.transport.findChildren(QToolButton) if b.defaultAction()}
    texts = [
        b.text() for b in buttons.values() if b.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    ]
    assert texts == (["worst", "box", "correct"] if named else [])
    assert all(page.transport.rect().contains(button.geometry()) for button in buttons.values())


def test_no_outcome_is_saved_without_a_verdict(panel: ApprovePanel, qtbot: QtBot) -> None:
    panel.show_state(ApproveState("ended", "abc", 3.0))
    with qtbot.assertNotEmitted(panel.outcome_given):
        qtbot.keyClick(panel.outcome, Qt.Key.Key_Return)


def test_a_new_run_is_judged_afresh(panel: ApprovePanel) -> None:
    panel.show_state(ApproveState("ended", "abc", 3.0))
    panel.outcome.choose(success=True)
    panel.show_state(ApproveState("running", "abc", 3.0))
    panel.show_state(ApproveState("ended", "abc", 3.0))
    assert not _button(panel, "Save").isEnabled()


def test_times_and_hashes_are_short() -> None:
    assert (clock(107.0), clock(0.2), clock(-3.0)) == ("1:47", "0:01", "0:00")
    assert short_hash("3fa9" + "0" * 57 + "c41") == "3fa9…c41"
