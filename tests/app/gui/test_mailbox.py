"""Other threads reach the window only by notes; a flood of them cannot pile up."""

import threading

import pytest
from pytestqt.qtbot import QtBot

from app.gui.mailbox import Mailbox


def test_notes_of_a_thread_are_run_in_the_windows_thread(qtbot: QtBot) -> None:
    mailbox, ran = Mailbox(), []
    thread = threading.Thread(target=lambda: mailbox.post(lambda: ran.append(threading.current_thread())))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(ran), timeout=30_000)
    assert ran == [threading.main_thread()]
    mailbox.close()


def test_of_many_notes_with_one_key_only_the_newest_is_run(qtbot: QtBot) -> None:
    mailbox, seen = Mailbox(), []
    for i in range(10_000):
        mailbox.post(lambda i=i: seen.append(i), key="progress")
    mailbox.read()
    assert seen == [9_999]
    mailbox.close()


@pytest.mark.expects_warnings
def test_a_note_that_fails_does_not_keep_back_the_next(qtbot: QtBot) -> None:
    mailbox, seen = Mailbox(), []
    mailbox.post(lambda: [][0])
    mailbox.post(lambda: seen.append("next"))
    mailbox.read()
    assert seen == ["next"]
    mailbox.close()
