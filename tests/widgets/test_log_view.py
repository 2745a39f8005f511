"""The log shows what is looked for, keeps the rest, and can be copied."""

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from widgets.log_view import LogView


def _log(qtbot: QtBot) -> LogView:
    log = LogView()
    qtbot.addWidget(log)
    for text, level in (("rig: ready", "info"), ("camera: 2 frames lost", "warning"), ("arm: error 31", "error")):
        log.add(text, level)
    return log


def test_levels_are_hidden_and_counted_not_lost(qtbot: QtBot) -> None:
    log = _log(qtbot)
    log._levels["info"].click()
    log.add("rig: closed")
    assert log.shown == "camera: 2 frames lost\narm: error 31"
    assert log._levels["info"].text() == "Notes  2"
    log._levels["info"].click()
    assert log.shown == log.text


def test_every_word_must_stand_in_what_is_found(qtbot: QtBot) -> None:
    log = _log(qtbot)
    log._find.setText("LOST camera")
    assert log.shown == "camera: 2 frames lost"
    log.add("camera: 9 frames lost", "error")
    assert log.shown.endswith("camera: 9 frames lost")


def test_details_are_shown_whatever_was_filtered(qtbot: QtBot) -> None:
    log = _log(qtbot)
    log._levels["error"].click()
    log._find.setText("ready")
    log.show_last("arm: error 31\nmore")
    assert log.shown == log.text
    assert log._text.textCursor().block().text() == "arm: error 31"


def test_what_is_shown_is_what_is_copied(qtbot: QtBot) -> None:
    log = _log(qtbot)
    log._find.setText("arm")
    log._copy()
    assert QApplication.clipboard().text() == "arm: error 31"


def test_old_entries_make_room(qtbot: QtBot) -> None:
    log = LogView()
    qtbot.addWidget(log)
    for number in range(2100):
        log.add(f"note {number}")
    assert log.text.startswith("note 100\n")
