"""Calibrates the simulated rigs in the real window as a new user would, and takes a picture of every step.

`python -m tests.calibrate_tour [FOLDER]` writes the pictures of docs/calibration.md; `--only NAME` takes one part
(board, arm, gripper). Short versions are tests.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton

from app.calibration.wizard import Task, Wizard
from app.execution.saved_poses import SavedPoses
from app.workspace import open_workspace
from hardware.rig import load_rig
from tests.record_tour import CTRL, RecordTour
from tests.tour import RunEnded
from widgets.calibration_panel import CalibrationPanel

# the board beside the flange is seen by `top`; the wrist looks down at the table from 0.4 m
POSES = {
    "before the camera": np.radians([0.0, -40.0, 0.0, 1.0, 0.0, 41.0, 0.0]),
    "over the table": np.radians([0.0, -25.0, 0.0, 46.0, 0.0, 71.0, 0.0]),
}
SLOW_S = 600.0
ROUNDS = 3


class CalibrateTour(RecordTour):
    """A person at the wizard: chooses, starts, lets the simulated person help, and waits for the verdict."""

    def __init__(self, workspace: Path, rig: str = "sim") -> None:
        for arm in load_rig(rig).arms[:1]:
            for name, q in POSES.items():
                SavedPoses(open_workspace(workspace).poses).save(rig, arm, name, q)
        super().__init__(workspace, rig)
        self.wizard = self.desk.program.calibration
        found = self.desk.window.findChild(CalibrationPanel)
        assert found is not None
        self.panel = found

    @property
    def session(self) -> Wizard:
        session = self.wizard.session
        assert session is not None
        return session

    def until(self, what: str, there: Callable[[], object], limit: float = 60.0) -> None:
        end = time.monotonic() + limit
        while not there():
            if time.monotonic() > end:
                program, session = self.desk.program, self.wizard.session
                said = [program.recording.message, program.execution.message, program.teleoperation.message]
                said += [self.wizard.problem, self.wizard.reason]
                said += [session.step, session.live, session.problem] if session is not None else []
                raise TimeoutError(f"{what} did not come within {limit:.0f} s; the window says {said}")
            self.look_on(0.02)

    def cameras(self) -> None:
        """Turn on cameras and sensors."""
        self.press(Qt.Key.Key_F8)
        self.until("the cameras", lambda: self.recording.devices == "on", 120.0)

    def arms(self) -> None:
        """Connect the arms."""
        self.press(Qt.Key.Key_1, CTRL)
        self.press(Qt.Key.Key_Return, CTRL)
        self.until("the arms", lambda: self.desk.program.execution.state == "ready", 180.0)

    def choose(self, task: Task, camera: str = "") -> None:
        """Turn to the wizard and choose what, and with which camera."""
        self.press(Qt.Key.Key_F9)
        for name, key in (("What", task), ("Camera", camera)):
            box = next(b for b in self.panel.findChildren(QComboBox) if b.accessibleName() == name)
            if key:
                assert box.findData(key) >= 0, [box.itemData(k) for k in range(box.count())]
                box.setCurrentIndex(box.findData(key))
                box.activated.emit(box.currentIndex())
        self.look_on(0.2)

    def click(self, text: str) -> None:
        """Press a button of the wizard."""
        button = next(b for b in self.panel.findChildren(QPushButton) if b.text().startswith(text))
        self.until(f"the button {text}", lambda: button.isEnabled() and button.isVisible(), 120.0)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.look_on(0.2)

    def start(self, helped: bool = True) -> None:
        self.click("Start")
        if helped:
            person = next(b for b in self.panel.findChildren(QCheckBox) if "simulated" in b.text())
            person.click()
            self.look_on(0.1)

    def taken(self, count: int, limit: float = SLOW_S) -> None:
        self.until(f"{count} taken", lambda: len(self.session.taken) >= count, limit)

    def save(self, name: str = "") -> None:
        """Wait for a verdict that can be used, and keep the calibration."""
        self.until("a usable verdict", self._usable, SLOW_S)
        before = len(self.desk.program.calibrations.ids())
        self.picture(name)
        self.click("Save and use")
        assert len(self.desk.program.calibrations.ids()) == before + 1
        self.click("Stop looking")

    def _usable(self) -> bool:
        session = self.session
        return not session.solving and session.report is not None and session.report.verdict != "again"

    # arms -----------------------------------------------------------------------------------------------------
    def approve(self) -> None:
        """Hold the button of the planned move until it goes."""
        robot, execution = self.desk.program.teleoperation, self.desk.program.execution
        hold = self.desk.rig_page.robot._hold
        self.until("the plan", lambda: robot.move is not None and hold.isVisible() and hold.isEnabled(), 120.0)
        QTest.mousePress(hold, Qt.MouseButton.LeftButton)
        self.until("the move", lambda: execution.state == "running", 10.0)
        QTest.mouseRelease(hold, Qt.MouseButton.LeftButton)

    def arrived(self) -> None:
        """Wait for the end of the move."""
        execution = self.desk.program.execution
        self.until("its end", lambda: execution.state != "running" and not execution.busy, SLOW_S)
        if execution.state != "done":
            raise RunEnded(f"the move ended as {execution.state}: {execution.message}")

    def go_to_pose(self, name: str) -> None:
        """Send the left arm to a pose that was saved for it."""
        self.desk.board.trigger("arms.by_hand")
        box = next(b for b in self.desk.rig_page.robot.findChildren(QComboBox))
        box.setCurrentText(name)
        self.until("the way there", self.desk.board["rig.go_to_pose"].isEnabled)
        self.desk.board.trigger("rig.go_to_pose")
        self.approve()
        self.arrived()

    def hand_eye(self, task: Task, camera: str, name: str = "", least: int = 8) -> None:
        """Plan the stops, approve them, and keep what was found on the way."""
        self.choose(task, camera)
        self.start()
        self.until("a view of the board", lambda: self.session.can_take, 60.0)
        self.picture(f"{name}-begin" if name else "")
        for _ in range(ROUNDS):  # a busy computer may have seen too little on the way: once more
            self.click("Plan the stops")
            self.approve()
            self.look_on(12.0)
            self.picture(f"{name}-moving" if name else "")
            self.arrived()
            self.look_on(2.0)
            if len(self.session.taken) >= least:
                break
        self.save(f"{name}-verdict" if name else "")


def take_board(workspace: Path, *, views: int = 12, shots: int = 8) -> dict[str, QPixmap]:
    """Lens, cameras to each other, and the table, from a board that the simulated person holds and lays."""
    tour = CalibrateTour(workspace)
    try:
        tour.choose("lens", "top")
        tour.picture("calibrate-1-off")
        tour.cameras()
        tour.choose("lens", "top")
        tour.start()
        tour.taken(5)
        tour.picture("calibrate-2-lens")
        tour.taken(views)
        tour.save("calibrate-3-verdict")
        tour.choose("cameras")
        tour.start()
        tour.taken(shots)
        tour.save("calibrate-4-cameras")
        tour.choose("table", "top")
        tour.start()
        tour.taken(4)
        tour.save("calibrate-5-table")
        return tour.pictures
    finally:
        tour.close()


def take_arm(workspace: Path) -> dict[str, QPixmap]:
    """A camera on its stand and one on the wrist, found with an arm that moves under an approved plan."""
    tour = CalibrateTour(workspace, "sim-wrist")
    try:
        tour.arms()
        tour.go_to_pose("before the camera")
        tour.hand_eye("stand", "top", "calibrate-6-stand")
        tour.go_to_pose("over the table")
        tour.hand_eye("wrist", "wrist", "calibrate-7-wrist")
        return tour.pictures
    finally:
        tour.close()


def take_gripper(workspace: Path, *, poses: int = 14) -> dict[str, QPixmap]:
    """The sensors of the simulated handheld gripper."""
    tour = CalibrateTour(workspace, "sim-handheld")
    try:
        tour.cameras()
        tour.choose("tracker")
        tour.start()
        tour.taken(poses)
        tour.save("calibrate-8-tracker")
        tour.choose("opening")
        tour.start()
        tour.taken(2)
        tour.look_on(6.0)
        tour.save("calibrate-9-opening")
        tour.choose("force")
        tour.start()
        tour.taken(5)
        tour.save("calibrate-10-force")
        return tour.pictures
    finally:
        tour.close()


PARTS: dict[str, Callable[[Path], dict[str, QPixmap]]] = {
    "board": take_board,
    "arm": take_arm,
    "gripper": take_gripper,
}


def main() -> int:
    """Take the tours in workspaces that are thrown away; write their pictures."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PIL import Image

    names = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    parts = list(PARTS)
    if "--only" in sys.argv:
        parts = [sys.argv[sys.argv.index("--only") + 1]]
        names = [name for name in names if name != parts[0]]
    folder = Path(names[0] if names else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as workspace:
            pictures = PARTS[part](Path(workspace))
        print(f"{part}: {time.monotonic() - began:.0f} s")
        for name, picture in pictures.items():
            file = folder / f"{name}.png"
            picture.save(str(file))
            Image.open(file).convert("RGB").quantize(256).save(file, optimize=True)
            print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
