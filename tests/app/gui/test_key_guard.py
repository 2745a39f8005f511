"""While anything moves, Esc and Space stop from everywhere; otherwise they are ordinary keys."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.gui.key_guard import KeyGuard

STOP_KEYS = [Qt.Key.Key_Escape, Qt.Key.Key_Space]


class Arms:
    """Something that moves, or not, and counts how often it was stopped."""

    def __init__(self) -> None:
        self.moving, self.stops = True, 0

    def stop(self) -> None:
        self.stops += 1
        self.moving = False


@pytest.fixture
def arms(qapp: QApplication) -> Iterator[Arms]:
    arms = Arms()
    guard = KeyGuard(lambda: arms.moving, arms.stop)
    qapp.installEventFilter(guard)
    yield arms
    qapp.removeEventFilter(guard)


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[QLineEdit]:
    window = QWidget()
    field = QLineEdit(window)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    field.setFocus()
    yield field
    window.close()


@pytest.mark.parametrize("key", STOP_KEYS)
def test_a_text_field_does_not_swallow_stop(qtbot: QtBot, arms: Arms, field: QLineEdit, key: Qt.Key) -> None:
    qtbot.keyClick(field.window().windowHandle(), key)
    assert arms.stops == 1
    assert field.text() == ""


@pytest.mark.parametrize("key", STOP_KEYS)
def test_an_open_dialog_does_not_swallow_stop_and_stays_open(qtbot: QtBot, arms: Arms, key: Qt.Key) -> None:
    dialog = QDialog()
    layout = QVBoxLayout(dialog)
    button = QPushButton("OK")
    layout.addWidget(button)
    button.clicked.connect(dialog.accept)
    qtbot.addWidget(dialog)
    dialog.setModal(True)
    dialog.show()
    qtbot.waitExposed(dialog)
    button.setFocus()
    qtbot.keyClick(dialog.windowHandle(), key)
    assert arms.stops == 1
    assert dialog.isVisible()


def test_an_open_menu_does_not_swallow_stop(qtbot: QtBot, arms: Arms) -> None:
    menu = QMenu()
    menu.addAction("Nothing")
    qtbot.addWidget(menu)
    menu.popup(menu.pos())
    qtbot.waitExposed(menu)
    qtbot.keyClick(menu, Qt.Key.Key_Escape)
    assert arms.stops == 1
    menu.close()


def test_a_shortcut_on_space_gives_way_to_stop(qtbot: QtBot, arms: Arms, field: QLineEdit) -> None:
    played: list[bool] = []
    shortcut = QShortcut(QKeySequence("Space"), field.window())
    shortcut.activated.connect(lambda: played.append(True))
    field.clearFocus()
    qtbot.keyClick(field.window().windowHandle(), Qt.Key.Key_Space)
    assert (arms.stops, played) == (1, [])


def test_one_press_stops_once_however_long_it_is_held(qtbot: QtBot, arms: Arms, field: QLineEdit) -> None:
    window = field.window().windowHandle()
    qtbot.keyPress(window, Qt.Key.Key_Space)
    for _ in range(3):
        qtbot.keyPress(window, Qt.Key.Key_Space)
    qtbot.keyRelease(window, Qt.Key.Key_Space)
    assert arms.stops == 1


def test_keys_are_ordinary_while_nothing_moves(qtbot: QtBot, arms: Arms, field: QLineEdit) -> None:
    arms.moving = False
    qtbot.keyClick(field.window().windowHandle(), Qt.Key.Key_Space)
    qtbot.keyClick(field.window().windowHandle(), Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier)
    assert (arms.stops, field.text()) == (0, " a")


def test_after_a_stop_space_types_again(qtbot: QtBot, arms: Arms, field: QLineEdit) -> None:
    window = field.window().windowHandle()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert (arms.stops, field.text()) == (1, " ")
