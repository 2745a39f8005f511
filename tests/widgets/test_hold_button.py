"""Approve needs a whole second of holding: no click, no slip, no key repeat gives it away."""

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from pytestqt.qtbot import QtBot

from widgets.hold_button import HOLD_S, HoldButton


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Held:
    """A button with a clock that a test winds, and how often it was held to the end."""

    def __init__(self, qtbot: QtBot) -> None:
        self.clock, self.count, self.qtbot = Clock(), 0, qtbot
        self.button = HoldButton("Hold to approve", clock=self.clock)
        self.button.held.connect(self._held)
        qtbot.addWidget(self.button)
        self.button.show()
        qtbot.waitExposed(self.button)

    def _held(self) -> None:
        self.count += 1

    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.button._look()


@pytest.fixture
def held(qtbot: QtBot) -> Held:
    return Held(qtbot)


@pytest.fixture(params=["mouse", "key"])
def press(request: pytest.FixtureRequest, held: Held) -> str:
    if request.param == "mouse":
        held.qtbot.mousePress(held.button, Qt.MouseButton.LeftButton)
    else:
        held.button.setFocus()
        held.qtbot.keyPress(held.button, Qt.Key.Key_Return)
    return str(request.param)


def _release(held: Held, press: str) -> None:
    if press == "mouse":
        held.qtbot.mouseRelease(held.button, Qt.MouseButton.LeftButton)
    else:
        held.qtbot.keyRelease(held.button, Qt.Key.Key_Return)


def test_a_whole_second_approves_once(held: Held, press: str) -> None:
    held.wait(HOLD_S + 0.01)
    held.wait(5.0)
    _release(held, press)
    assert held.count == 1


def test_a_click_approves_nothing(held: Held, press: str) -> None:
    _release(held, press)
    held.wait(2 * HOLD_S)
    assert held.count == 0


def test_two_halves_are_not_a_whole(held: Held, press: str) -> None:
    held.wait(0.9 * HOLD_S)
    _release(held, press)
    held.qtbot.mousePress(held.button, Qt.MouseButton.LeftButton)
    held.wait(0.9 * HOLD_S)
    assert held.count == 0


def test_being_disabled_meanwhile_approves_nothing(held: Held, press: str) -> None:
    held.wait(0.5)
    held.button.setEnabled(False)
    held.wait(HOLD_S)
    held.button.setEnabled(True)
    held.wait(HOLD_S)
    assert held.count == 0


def test_losing_the_focus_approves_nothing(held: Held, press: str) -> None:
    held.button.setFocus()
    held.button.clearFocus()
    held.wait(2 * HOLD_S)
    assert held.count == 0 or press == "mouse"


def test_sliding_off_the_button_approves_nothing(held: Held) -> None:
    held.qtbot.mousePress(held.button, Qt.MouseButton.LeftButton)
    held.button.mouseMoveEvent(_far_move(held))
    held.wait(2 * HOLD_S)
    assert held.count == 0


def test_key_repeat_does_not_end_or_restart_a_hold(held: Held) -> None:
    held.button.setFocus()
    held.qtbot.keyPress(held.button, Qt.Key.Key_Return)
    for kind in (QEvent.Type.KeyRelease, QEvent.Type.KeyPress) * 5:
        held.wait(0.09)
        held.button.event(QKeyEvent(kind, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "", True))
    held.wait(0.15)
    assert held.count == 1


def test_space_and_a_disabled_button_approve_nothing(held: Held) -> None:
    held.button.setFocus()
    held.qtbot.keyPress(held.button, Qt.Key.Key_Space)
    held.wait(2 * HOLD_S)
    held.button.setEnabled(False)
    held.button.begin()
    held.wait(2 * HOLD_S)
    assert held.count == 0


def test_real_time_runs_by_itself(qtbot: QtBot) -> None:
    button = HoldButton("Hold")
    qtbot.addWidget(button)
    button.show()
    with qtbot.waitSignal(button.held, timeout=5000):
        qtbot.mousePress(button, Qt.MouseButton.LeftButton)


def _far_move(held: Held) -> QMouseEvent:
    place, left = QPointF(held.button.width() + 20, 5), Qt.MouseButton.LeftButton
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    return QMouseEvent(QEvent.Type.MouseMove, place, place, none, left, plain)
