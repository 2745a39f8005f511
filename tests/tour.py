"""Drives the real window through the built-in example as a new user would, and takes a picture of every step.

`python -m tests.take_tour DIR` (`make screenshots`) writes the pictures of docs/; the same tour is a test.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import Workspace
from hardware.geometry import apply, project
from hardware.rig import load_rig
from widgets.jog_pad import JogPad

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
ENDED = ("done", "stopped", "fault")


class RunEnded(RuntimeError):
    """The arms stopped before the plan was done; the message says why."""


class Tour:
    """A person at the window: presses keys, waits for what they see, takes pictures."""

    def __init__(self, app: QApplication, desk: Desk) -> None:
        self._app = app
        self._pictures: dict[str, QPixmap] = {}
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
                sessions = (self.program.teleoperation, self.program.execution, self.program.dreaming)
                said = "; ".join(session.message for session in sessions if session.message)
                raise TimeoutError(f"{what} did not come within {limit:.0f} s; the window says: {said!r}")
            self.look_on(0.02)

    def idle(self) -> bool:
        return self.program.dreaming.progress is None

    def picture(self, name: str) -> str:
        """Keep what the window shows; it is written after the run, because writing holds up the heartbeat."""
        self.look_on(0.5)
        self._pictures[name] = self.window.grab()
        return name

    def write(self, folder: Path) -> list[Path]:
        """Write every picture taken; return the files."""
        files = []
        for name, picture in self._pictures.items():
            files.append(folder / f"{name}.png")
            if not picture.save(str(files[-1])):
                raise OSError(f"{files[-1]}: the picture could not be written")
        return files

    # the steps ---------------------------------------------------------------------------------------------------
    def open_example(self) -> str:
        self.press(Qt.Key.Key_3, CTRL)
        self.press(Qt.Key.Key_B, CTRL)
        self.wait("the built-in example", lambda: self.program.dreaming.dream is not None)
        self.wait("its track", lambda: self.program.dreaming.track is not None and self.idle())
        self.press(Qt.Key.Key_W)
        for _ in range(4):
            self.press(Qt.Key.Key_Right)
        return self.picture("1-tracked")

    def correct(self) -> str:
        """Draw a box round the tool that W chose, in the first view; see it tracked again; take it back."""
        worst = self.program.dreaming.worst_frame()
        assert worst is not None
        self.press(Qt.Key.Key_B)
        view = next(iter(self.page.videos.values()))
        first, second = self.box_of(worst.tool, view.width(), view.height())
        QTest.mousePress(view, LEFT, NONE, first)
        for i in range(1, 9):
            QTest.mouseMove(view, first + (second - first) * (i / 8))
            self.look_on(0.02)
        name = self.picture("2-box")
        QTest.mouseRelease(view, LEFT, NONE, second)
        self.wait("the box", lambda: len(self.program.dreaming.hints) == 1, 5.0)
        self.wait("the corrected track", self.idle)
        self.press(Qt.Key.Key_Z, CTRL)
        self.wait("the undo", lambda: not self.program.dreaming.hints and self.idle())
        return name

    def box_of(self, tool: str, width: int, height: int) -> tuple[QPoint, QPoint]:
        """Return two corners of a box round a tool in the first view, in points of a widget of that size."""
        dreaming, playback = self.program.dreaming, self.page.playback
        dream, track = dreaming.dream, dreaming.track
        assert dream is not None
        assert track is not None
        pose = track.tools[tool].T_view1_tool[round(playback.time * dream.fps)]
        camera = dream.views[0].camera
        pixels = project(camera.K, apply(pose, dream.tools[tool].mesh.vertices))
        scale = min(width / camera.size[0], height / camera.size[1])
        margin = np.array([width, height]) / 2 - np.array(camera.size) * scale / 2
        (x0, y0), (x1, y1) = (pixels.min(axis=0) - 6) * scale + margin, (pixels.max(axis=0) + 6) * scale + margin
        return QPoint(round(x0), round(y0)), QPoint(round(x1), round(y1))

    def plan(self) -> str:
        self.press(Qt.Key.Key_Return, CTRL)
        self.wait("the arms", lambda: self.program.execution.state == "ready")
        self.press(Qt.Key.Key_P)
        self.wait("the plan", lambda: self.idle() and self.program.execution.plan is not None)
        return self.picture("3-planned")

    def rehearse(self) -> str:
        self.press(Qt.Key.Key_R)
        self.look_on(6.0)
        return self.picture("4-rehearsal")

    def approve(self) -> str:
        self.press(Qt.Key.Key_A)
        hold = self.page.approve.hold
        QTest.mousePress(hold, LEFT)
        self.wait("the approval", lambda: self.program.execution.state == "approved", 5.0)
        QTest.mouseRelease(hold, LEFT)
        return self.picture("5-approved")

    def execute(self) -> Iterator[str]:
        execution = self.program.execution
        self.press(Qt.Key.Key_G, CTRL)

        def working_or_ended() -> bool:
            at_work = execution.progress is not None and execution.progress.phase == "work"
            return at_work or execution.state in ENDED

        self.wait("the work", working_or_ended, 60.0)
        self.look_on(1.5)
        yield self.picture("6-executing")
        self.press(Qt.Key.Key_1, CTRL)
        self.look_on(1.0)
        yield self.picture("7-rig")
        self.press(Qt.Key.Key_3, CTRL)
        self.wait("the end of the run", lambda: execution.state in ENDED, 120.0)
        if execution.state != "done":
            raise RunEnded(f"the run ended as {execution.state}: {execution.message}")

    def judge(self) -> Iterator[str]:
        self.look_on(0.5)
        card = self.page.approve.outcome
        QTest.keyClick(card, Qt.Key.Key_S)
        yield self.picture("8-outcome")
        QTest.keyClick(card, Qt.Key.Key_Return)
        self.look_on(0.3)
        self.press(Qt.Key.Key_5, CTRL)
        yield self.picture("9-ledger")

    def by_hand(self) -> str:
        """Turn to the robot panel and hold a key: the arm goes up while it is held."""
        self.press(Qt.Key.Key_M, CTRL)
        pad = self.window.findChild(JogPad)
        robot = self.program.teleoperation
        self.wait("the pad", pad.isEnabled, 10.0)
        QTest.keyPress(pad, Qt.Key.Key_R)
        self.wait(
            "the jogged arm", lambda: robot.mode == "jog" and self.program.execution.arms[robot.arm].moving, 10.0
        )
        self.look_on(0.5)
        name = self.picture("10-by-hand")
        QTest.keyRelease(pad, Qt.Key.Key_R)
        self.wait("the arm to stand", lambda: not self.program.moving, 10.0)
        return name

    def all(self) -> Iterator[str]:
        yield self.open_example()
        yield self.correct()
        yield self.plan()
        yield self.rehearse()
        yield self.approve()
        yield from self.execute()
        yield from self.judge()
        yield self.by_hand()


def take(folder: Path, workspace: Path, rig: str = "sim") -> list[Path]:
    """Run the whole tour in a fresh workspace on a rig of assets/rigs; return its pictures."""
    app = application()
    desk = Desk(app, open_program(Workspace(workspace), load_rig(rig)), remember=False)
    desk.show()
    desk.window.resize(1600, 900)
    tour = Tour(app, desk)
    try:
        for _ in tour.all():
            pass
        succeeded = [entry for entry in desk.program.ledger.entries("outcome") if entry.record["success"]]
        if len(succeeded) != 1:
            raise RuntimeError(f"one success should be in the ledger, not {len(succeeded)}")
        return tour.write(folder)
    finally:
        desk.close()
        tour.look_on(0.1)
