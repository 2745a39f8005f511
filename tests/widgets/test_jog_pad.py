"""The pad that moves an arm: what is held is what is asked for, and letting go is always rest."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.jog_pad import STILL, JogPad
from widgets.jog_stick import JogStick

LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def pad(qtbot: QtBot) -> Iterator[JogPad]:
    window = QWidget()
    layout = QVBoxLayout(window)
    made = JogPad()
    layout.addWidget(made)
    layout.addWidget(QLineEdit())
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    made.setFocus()
    yield made
    window.close()


def sticks(pad: JogPad) -> list[JogStick]:
    return pad.findChildren(JogStick)


@pytest.mark.parametrize(
    ("key", "modifier", "axis", "way"),
    [
        (Qt.Key.Key_D, NONE, 0, 1.0),
        (Qt.Key.Key_S, NONE, 1, -1.0),
        (Qt.Key.Key_R, NONE, 2, 1.0),
        (Qt.Key.Key_E, NONE, 5, -1.0),
        (Qt.Key.Key_D, SHIFT, 4, 1.0),
        (Qt.Key.Key_W, SHIFT, 3, -1.0),
    ],
)
def test_a_key_moves_while_it_is_held_and_not_a_moment_longer(
    qtbot: QtBot, pad: JogPad, key: Qt.Key, modifier: Qt.KeyboardModifier, axis: int, way: float
) -> None:
    QTest.keyPress(pad, key, modifier)
    assert pad.wish == tuple(way if i == axis else 0.0 for i in range(6))
    with qtbot.waitSignal(pad.let_go, timeout=10_000):
        QTest.keyRelease(pad, key, modifier)
    assert pad.wish == STILL


def test_a_stick_says_how_far_it_is_pushed_and_springs_back(qtbot: QtBot, pad: JogPad) -> None:
    move = sticks(pad)[0]
    QTest.mousePress(move, LEFT, NONE, QPoint(move.width() - 1, move.height() // 2))
    assert pad.wish[0] == pytest.approx(1.0)
    assert pad.wish[1] == pytest.approx(0.0, abs=0.05)
    QTest.mouseMove(move, QPoint(move.width() // 2 + 15, move.height() // 2))
    assert 0 < pad.wish[0] < 0.6
    with qtbot.waitSignal(pad.let_go, timeout=10_000):
        QTest.mouseRelease(move, LEFT)
    assert pad.wish == STILL


def test_pulling_the_tilt_stick_down_turns_about_x(pad: JogPad) -> None:
    tilt = sticks(pad)[2]
    QTest.mousePress(tilt, LEFT, NONE, QPoint(tilt.width() // 2, tilt.height() - 1))
    assert pad.wish[3] == pytest.approx(1.0)
    QTest.mouseRelease(tilt, LEFT)


def test_typing_elsewhere_lets_go_of_the_keys(qtbot: QtBot, pad: JogPad) -> None:
    QTest.keyPress(pad, Qt.Key.Key_D)
    with qtbot.waitSignal(pad.let_go, timeout=10_000):
        pad.window().findChild(QLineEdit).setFocus()
    assert pad.wish == STILL


def test_a_pad_that_is_switched_off_asks_for_nothing(pad: JogPad) -> None:
    QTest.keyPress(pad, Qt.Key.Key_D)
    QTest.mousePress(sticks(pad)[0], LEFT, NONE, QPoint(5, 60))
    pad.setEnabled(False)
    assert pad.wish == STILL


def test_a_key_that_came_up_while_the_pad_was_off_does_not_count_as_held(pad: JogPad) -> None:
    QTest.keyPress(pad, Qt.Key.Key_D)
    pad.setEnabled(False)
    pad.setEnabled(True)
    assert pad.wish == STILL


def test_hiding_the_pad_lets_go_of_it(pad: JogPad) -> None:
    QTest.mousePress(sticks(pad)[0], LEFT, NONE, QPoint(5, 60))
    assert pad.wish != STILL
    pad.hide()
    assert pad.wish == STILL


def test_opposite_keys_cancel_and_two_sources_do_not_exceed_the_whole(pad: JogPad) -> None:
    QTest.keyPress(pad, Qt.Key.Key_D)
    move = sticks(pad)[0]
    QTest.mousePress(move, LEFT, NONE, QPoint(move.width() - 1, move.height() // 2))
    assert pad.wish[0] == 1.0
    QTest.mouseRelease(move, LEFT)
    QTest.keyPress(pad, Qt.Key.Key_A)
    assert pad.wish == STILL
