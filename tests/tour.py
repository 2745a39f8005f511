"""Drives the real window through the built-in example as a new user would, and takes a picture of every step.

`python -m tests.take_tour DIR` (`make screenshots`) writes the pictures of docs/; the same tour is a test.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import Workspace
from hardware.rig import load_rig

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


class Tour:
    """A person at the window: presses keys, waits for what they see, takes pictures."""

    def __init__(self, app: QApplication, desk: Desk, folder: Path) -> None:
        self._app, self._desk, self._folder = app, desk, folder
        self.window, self.page, self.program = desk.window, desk.dream_page, desk.program

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.window, key, modifiers)
        self.look_on(0.2)

    def look_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._app.processEvents()
            time.sleep(0.005)

    def wait(self, what: str, there: Callable[[], bool], limit: float = 120.0) -> None:
        end = time.monotonic() + limit
        while not there():
            if time.monotonic() > end:
                message = self.program.execution.message or self.program.dreaming.message
                raise TimeoutError(f"{what} did not come within {limit:.0f} s; the window says: {message!r}")
            self.look_on(0.02)

    def idle(self) -> bool:
        return self.program.dreaming.progress is None

    def picture(self, name: str) -> Path:
        self.look_on(0.5)
        file = self._folder / f"{name}.png"
        if not self.window.grab().save(str(file)):
            raise OSError(f"{file}: the picture could not be written")
        return file

    # the steps ---------------------------------------------------------------------------------------------------
    def open_example(self) -> Path:
        self.press(Qt.Key.Key_3, CTRL)
        self.press(Qt.Key.Key_B, CTRL)
        self.wait("the built-in example", lambda: self.program.dreaming.dream is not None)
        self.wait("its track", lambda: self.program.dreaming.track is not None and self.idle())
        self.press(Qt.Key.Key_W)
        for _ in range(4):
            self.press(Qt.Key.Key_Right)
        return self.picture("1-tracked")

    def correct(self) -> Path:
        """Draw a box round the left tool, look at the hint, and take it back."""
        self.press(Qt.Key.Key_B)
        view = next(iter(self.page.videos.values()))
        overlay = QPoint(view.width() * 30 // 100, view.height() * 30 // 100)
        corner = QPoint(view.width() * 48 // 100, view.height() * 62 // 100)
        QTest.mousePress(view, LEFT, NONE, overlay)
        for i in range(1, 9):
            QTest.mouseMove(view, overlay + (corner - overlay) * (i / 8))
            self.look_on(0.02)
        picture = self.picture("2-box")
        self.press(Qt.Key.Key_Escape)
        QTest.mouseRelease(view, LEFT, NONE, corner)
        return picture

    def plan(self) -> Path:
        self.press(Qt.Key.Key_Return, CTRL)
        self.wait("the arms", lambda: self.program.execution.state == "ready")
        self.press(Qt.Key.Key_P)
        self.wait("the plan", lambda: self.idle() and self.program.execution.plan is not None)
        return self.picture("3-planned")

    def rehearse(self) -> Path:
        self.press(Qt.Key.Key_R)
        self.look_on(6.0)
        return self.picture("4-rehearsal")

    def approve(self) -> Path:
        self.press(Qt.Key.Key_A)
        hold = self.page.approve.hold
        QTest.mousePress(hold, LEFT)
        self.wait("the approval", lambda: self.program.execution.state == "approved", 5.0)
        QTest.mouseRelease(hold, LEFT)
        return self.picture("5-approved")

    def execute(self) -> Iterator[Path]:
        execution = self.program.execution
        self.press(Qt.Key.Key_G, CTRL)
        self.wait("the work", lambda: execution.progress is not None and execution.progress.phase == "work", 60.0)
        self.look_on(1.5)
        yield self.picture("6-executing")
        self.press(Qt.Key.Key_1, CTRL)
        self.look_on(1.0)
        yield self.picture("7-rig")
        self.press(Qt.Key.Key_3, CTRL)
        self.wait("the end of the run", lambda: execution.state in ("done", "stopped", "fault"), 120.0)
        if execution.state != "done":
            raise RuntimeError(f"the run ended as {execution.state}: {execution.message}")

    def judge(self) -> Iterator[Path]:
        self.look_on(0.5)
        card = self.page.approve.outcome
        QTest.keyClick(card, Qt.Key.Key_S)
        yield self.picture("8-outcome")
        QTest.keyClick(card, Qt.Key.Key_Return)
        self.look_on(0.3)
        self.press(Qt.Key.Key_5, CTRL)
        yield self.picture("9-ledger")

    def all(self) -> Iterator[Path]:
        yield self.open_example()
        yield self.correct()
        yield self.plan()
        yield self.rehearse()
        yield self.approve()
        yield from self.execute()
        yield from self.judge()


def take(folder: Path, workspace: Path) -> list[Path]:
    """Run the whole tour in a fresh workspace; return its pictures."""
    app = application()
    desk = Desk(app, open_program(Workspace(workspace), load_rig()), remember=False)
    desk.show()
    desk.window.resize(1600, 900)
    tour = Tour(app, desk, folder)
    try:
        return list(tour.all())
    finally:
        desk.window.close()
        desk.close()
        tour.look_on(0.1)
