"""Two keys and Enter say how a run went, whatever else the page does with those letters."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot

from widgets.outcome_card import OutcomeCard


@pytest.mark.parametrize(("key", "success"), [(Qt.Key.Key_S, True), (Qt.Key.Key_F, False)])
def test_the_cards_keys_come_before_the_pages_shortcuts(qtbot: QtBot, key: Qt.Key, success: bool) -> None:
    window, card, page = QMainWindow(), OutcomeCard(), []
    for letter in "SF":
        action = QAction(letter, window, shortcut=letter)
        action.triggered.connect(lambda: page.append(True))
        window.addAction(action)
    window.setCentralWidget(card)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    card.setFocus()
    with qtbot.waitSignal(card.outcome_given, timeout=10_000) as given:
        QTest.keyClick(card, key)
        QTest.keyClick(card, Qt.Key.Key_Return)
    assert given.args[0] is success
    assert not page
