"""Page Record by itself: a demonstrator two metres away sees whether it records, and no key goes astray."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from hardware.types import Frame
from widgets.gates_list import GatesList
from widgets.health_strip import HealthStrip
from widgets.pages.record import RECORD_ACTIONS, RIM, RecordPage
from widgets.record_banner import clock
from widgets.record_values import Choice, Fact, GateRow, RecordState, StreamRow, TakeRow, UnfinishedRow
from widgets.theme import color
from widgets.views.live_grid import LiveGrid, best_columns

SHUT = GateRow("calibration", "alarm", "top: not calibrated", "Calibrate it", can_override=True)


class Cameras:
    """A source whose frames a test counts up."""

    def __init__(self) -> None:
        self.index, self.asked = 0, 0

    def latest(self, name: str) -> Frame | None:
        self.asked += 1
        rgb = np.full((48, 64, 3), 40 * (self.index % 6), np.uint8)
        return Frame(name, self.index, float(self.index), float(self.index), rgb)


@pytest.fixture
def page(qtbot: QtBot) -> RecordPage:
    made = RecordPage({name: QAction(name) for name in RECORD_ACTIONS})
    qtbot.addWidget(made)
    made.resize(1500, 800)
    made.show()
    return made


def _rim(page: RecordPage) -> str:
    return page.grab().toImage().pixelColor(RIM // 2, 400).name()


def test_everything_is_framed_in_red_only_while_it_records(page: RecordPage) -> None:
    page.show_state(RecordState("ready", "READY", "Space starts"))
    assert _rim(page) == color("background").name()
    page.show_state(RecordState("recording", "REC", "Space stops", 1.0))
    assert _rim(page) == color("stop").name()
    assert page.banner.accessibleName() == "REC. Space stops"
    page.show_state(RecordState("review", "KEEP IT?", "Return keeps", 1.0))
    assert _rim(page) == color("background").name()


def test_the_state_takes_the_room_that_the_cameras_leave(page: RecordPage, qtbot: QtBot) -> None:
    page.show_streams([StreamRow("top"), StreamRow("side")])
    two = page.banner.height()
    page.show_streams([StreamRow(name) for name in ("a", "b", "c", "d", "e", "f")])
    assert two > page.banner.height() >= 100


def test_the_clock_counts_what_has_passed() -> None:
    assert [clock(s) for s in (0.0, 3.49, 59.96, 61.0)] == ["0:00.0", "0:03.4", "0:59.9", "1:01.0"]


def test_an_override_asks_for_a_reason_and_takes_none_without(qtbot: QtBot) -> None:
    gates = GatesList()
    qtbot.addWidget(gates)
    gates.show_gates([SHUT])
    gates.show()
    next(b for b in gates.findChildren(QPushButton) if b.text().startswith("Record anyway")).click()
    field = gates.findChild(QLineEdit)
    give = [b for b in gates.findChildren(QPushButton) if b.text() == "Record anyway"][-1]
    assert not give.isEnabled()
    QTest.keyClicks(field, "new lens")
    gates.show_gates([SHUT, GateRow("disk", "ok", "room")])  # what is being written stays
    with qtbot.waitSignal(gates.override_wanted) as wanted:
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert wanted.args == ["calibration", "new lens"]


def test_keys_that_are_typed_into_a_field_record_nothing_but_the_pedal_still_does(
    page: RecordPage, qtbot: QtBot
) -> None:
    done: list[str] = []
    for name, keys in {"space": "Space", "enter": "Return", "back": "Backspace", "pedal": "PgDown"}.items():
        action = QAction(name, page)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda _=False, name=name: done.append(name))
        page.addAction(action)
    page.show_choice(Choice("push-shape", instruction="push"))
    field = page.form._instruction
    page.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.end(False)
    QTest.keyClick(field, Qt.Key.Key_Space)
    QTest.keyClicks(field, "itx")
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClick(field, Qt.Key.Key_PageDown)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert (field.text(), done) == ("push it", ["pedal"])
    assert not field.hasFocus()
    assert page.choice.instruction == "push it"


def test_the_grid_looks_at_one_camera_a_turn_and_only_while_it_is_seen(qtbot: QtBot) -> None:
    grid, cameras = LiveGrid(), Cameras()
    qtbot.addWidget(grid)
    grid.set_source(cameras)
    grid.show_streams([StreamRow("top"), StreamRow("side")])
    grid._turn()
    assert cameras.asked == 1
    grid.show()
    qtbot.waitUntil(lambda: cameras.asked > 4)
    grid.hide()
    asked = cameras.asked
    qtbot.wait(100)
    assert cameras.asked == asked


def test_a_picture_that_is_shown_already_is_not_painted_again_but_another_source_is(qtbot: QtBot) -> None:
    grid, cameras = LiveGrid(), Cameras()
    qtbot.addWidget(grid)
    grid.show_streams([StreamRow("top")])
    picture = grid._cells["top"].picture
    frame = cameras.latest("top")
    assert [picture.show_frame(frame), picture.show_frame(frame)] == [True, False]
    grid.set_source(cameras)
    assert picture.show_frame(frame)


def test_cameras_keep_their_order_and_a_broken_one_says_why(qtbot: QtBot) -> None:
    grid = LiveGrid()
    qtbot.addWidget(grid)
    grid.resize(1000, 300)
    grid.show()
    problem = "side: unplugged; plug it in again"
    grid.show_streams([StreamRow("left"), StreamRow("side", mood="alarm", problem=problem), StreamRow("right")])
    cells = grid._cells
    assert list(cells) == ["left", "side", "right"]
    assert cells["left"].x() < cells["side"].x() < cells["right"].x()
    assert problem in cells["side"].strip.toolTip()


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2)])
def test_pictures_come_out_large_and_rows_even(count: int, columns: int) -> None:
    assert best_columns(count, 1100, 460, 16 / 9) == columns


def test_where_room_is_short_what_is_wrong_stays(qtbot: QtBot) -> None:
    strip = HealthStrip()
    qtbot.addWidget(strip)
    strip.resize(220, 30)
    facts = (Fact("30.0 fps", "ok"), Fact("age 31 ms"), Fact("0 drops", "ok"), Fact("skew 40 ms", "warning"))
    strip.show_stream(StreamRow("top", facts=facts))
    assert "skew 40 ms" in strip.shown
    assert len(strip.shown) < len(facts)


def test_a_take_that_a_crash_left_behind_is_offered(page: RecordPage, qtbot: QtBot) -> None:
    assert not page.unfinished.isVisible()
    page.show_unfinished([UnfinishedRow("/takes/7", "Take 7 was cut off")])
    assert page.unfinished.isVisible()
    recover = next(b for b in page.unfinished.findChildren(QPushButton) if b.text().startswith("Recover"))
    with qtbot.waitSignal(page.unfinished.recover_wanted) as wanted:
        recover.click()
    assert wanted.args == ["/takes/7"]


def test_the_strip_names_the_last_takes(page: RecordPage) -> None:
    page.show_takes(
        [TakeRow(2, "discarded", "idle"), TakeRow(1, "kept", "ok", picture=np.zeros((30, 40, 3), np.uint8))]
    )
    assert page.takes.accessibleDescription() == "2 discarded, 1 kept"
