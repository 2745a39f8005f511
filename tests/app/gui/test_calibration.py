"""The Calibrate tab: what a person chooses, sees and saves, with a camera that shows a rendered board."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QListWidget, QPushButton
from pytestqt.qtbot import QtBot

from app.calibration_desk import CalibrationDesk
from app.calibration_store import CalibrationStore
from app.gui.binders.binder import Shell
from app.gui.binders.calibration import CalibrationBinder
from hardware.calibration.board import A3
from hardware.geometry import Array
from hardware.rig import load_rig
from hardware.types import Frame
from tests.hardware.calibration.rendering import BoardRenderer, held_boards
from widgets.pages.rig import RigPage
from widgets.robot_panel import ROBOT_ACTIONS

NAMES = ("connect", "disconnect", "clear", "cameras", "find", *ROBOT_ACTIONS)


class Wizard:
    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        rig = load_rig("sim")
        camera = rig.cameras[0].camera
        drawn, rng = BoardRenderer(camera, A3), np.random.default_rng(0)
        poses = held_boards(A3, 9, np.random.default_rng(3))
        self.pictures = [np.repeat(drawn.picture(T, rng)[..., None], 3, axis=2) for T in poses]
        self.shown, self.index, self.said = 0, 0, [""]
        self.stops: list[tuple[str, Array]] = []
        self.store = CalibrationStore(folder, rig.name)
        self.desk = CalibrationDesk(rig, self.store, self.grab, self.grab, lambda: None)
        self.page = RigPage({name: QAction(name) for name in NAMES})
        qtbot.addWidget(self.page)
        shell = Shell(lambda text, _level: self.said.append(text), lambda _page: None, str, str)  # type: ignore[arg-type]
        self.binder = CalibrationBinder(self.page, self.desk, shell, lambda arm, q: self.stops.append((arm, q)))
        self.page.resize(1300, 800)
        self.page.show()
        self.page.show_view("Calibrate")

    def grab(self, name: str) -> Frame | None:
        self.index += 1
        return Frame(name, self.index, time.monotonic(), 0.0, self.pictures[self.shown])

    def button(self, text: str) -> QPushButton:
        return next(b for b in self.binder.view.findChildren(QPushButton) if b.text().startswith(text))

    def until(self, qtbot: QtBot, there: Callable[[], bool]) -> None:
        def look() -> bool:
            self.binder.tick()
            return there()

        qtbot.waitUntil(look, timeout=30_000)


@pytest.fixture
def wizard(qtbot: QtBot, tmp_path: Path) -> Iterator[Wizard]:
    made = Wizard(qtbot, tmp_path)
    yield made
    made.binder.close()


def test_a_lens_is_calibrated_from_the_tab_and_kept(qtbot: QtBot, wizard: Wizard) -> None:
    assert not wizard.button("Save and use").isEnabled()
    wizard.button("Start").click()
    session = wizard.desk.session
    assert session is not None
    for k in range(len(wizard.pictures)):
        wizard.shown = k
        wizard.until(qtbot, lambda k=k: len(session.taken) == k + 1)  # type: ignore[misc]
    (views,) = wizard.binder.view.findChildren(QListWidget)
    last = len(wizard.pictures) - 1
    wizard.until(qtbot, lambda: views.count() > last and "px" in views.item(last).text())
    assert wizard.button("Save and use").isEnabled()
    views.setCurrentRow(0)
    wizard.button("Save and use").click()
    kept = wizard.store.newest("intrinsics", "top")
    assert kept is not None
    assert kept.cameras[0].K[0, 0] == pytest.approx(566.4, rel=0.01)
    assert kept.id in wizard.said[-1]
    wizard.button("Remove").click()
    assert len(session.taken) == len(wizard.pictures) - 1


def test_what_is_chosen_stays_while_pictures_are_looked_at(qtbot: QtBot, wizard: Wizard) -> None:
    task, camera, _board = wizard.binder.view.findChildren(QComboBox)
    camera.setCurrentIndex(camera.findData("side"))
    camera.activated.emit(camera.currentIndex())
    assert wizard.desk.camera == "side"
    wizard.button("Start").click()
    assert not task.isEnabled()
    wizard.button("Stop looking").click()
    assert task.isEnabled()
    assert wizard.desk.session is None


def test_a_hand_eye_calibration_says_what_it_needs(qtbot: QtBot, wizard: Wizard) -> None:
    task = wizard.binder.view.findChildren(QComboBox)[0]
    task.setCurrentIndex(task.findData("wrist"))
    task.activated.emit(task.currentIndex())
    assert not wizard.button("Start").isEnabled()
    wizard.binder.tick()
    assert "Connect the arms" in wizard.binder.view._step.text()
    assert not wizard.stops
