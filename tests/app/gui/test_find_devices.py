"""Find devices on page Rig: what is plugged in, ready to copy, without a wait in the window's thread."""

import threading
from collections.abc import Callable

from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.gui.binders.binder import Shell
from app.gui.binders.find_devices import FindDevicesBinder, Found, found_state
from hardware.devices import FoundDevice
from widgets.pages.rig import RigPage
from widgets.robot_panel import ROBOT_ACTIONS

NAMES = ("connect", "disconnect", "clear", "cameras", "find", *ROBOT_ACTIONS)


def opened(qtbot: QtBot, find: Callable[[], Found]) -> tuple[RigPage, FindDevicesBinder]:
    page = RigPage({name: QAction(name) for name in NAMES})
    qtbot.addWidget(page)
    shell = Shell(lambda *_: None, lambda _page: None, lambda *_: None, lambda *_: None)  # type: ignore[arg-type]
    return page, FindDevicesBinder(page, shell, find)


def test_the_window_goes_on_while_devices_are_looked_for_and_their_lines_can_be_copied(qtbot: QtBot) -> None:
    go_on = threading.Event()

    def find() -> Found:
        go_on.wait(10)
        return (FoundDevice("webcam", "0", "HD webcam"),), {"basler": "basler: pip install pypylon"}

    page, binder = opened(qtbot, find)
    try:
        binder.handlers()["cameras.find"]()
        binder.tick()
        assert binder.facts() == {"looking"}
        go_on.set()

        def there() -> bool:
            binder.tick()
            return not binder.facts()

        qtbot.waitUntil(there, timeout=30_000)
        shown = page.cameras.found
        assert not shown.isHidden()
        (lines,) = shown.findChildren(QPlainTextEdit)
        assert 'serial = "0"' in lines.toPlainText()
        (copy,) = [b for b in shown.findChildren(QPushButton) if b.text().startswith("Copy")]
        copy.click()
        assert QGuiApplication.clipboard().text().startswith("[[cameras]]  # HD webcam\n")
    finally:
        go_on.set()
        binder.close()


def test_a_missing_sdk_is_told_with_its_line_and_nothing_found_is_said() -> None:
    state = found_state(((), {"basler": "basler: pip install pypylon"}))
    assert state.title.startswith("Nothing")
    assert (state.lines, state.missing) == ("", ("basler: pip install pypylon",))
