"""The Calibrate tab: what a person chooses, sees and saves, with a camera that shows a rendered board."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QListWidget, QPushButton
from pytestqt.qtbot import QtBot

from app.calibration.arm_motion import stops_around
from app.calibration.desk import Around, CalibrationDesk
from app.calibration.measured_tables import with_measured_tables
from app.calibration.scripted_board import flange_pose, table_poses
from app.calibration.store import CalibrationStore
from app.gui.binders.binder import Shell
from app.gui.binders.calibration import CalibrationBinder
from hardware.calibration.board import A3
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array, inverse
from hardware.kinematics import ArmKinematics
from hardware.rig import load_rig
from hardware.types import Frame
from tests.hardware.calibration.rendering import BoardRenderer, held_boards
from widgets.pages.rig import RigPage
from widgets.robot_panel import ROBOT_ACTIONS

LOOKING = np.radians([0.0, -40.3, 0.0, 0.8, 0.0, 41.0, 0.0])
NAMES = ("connect", "disconnect", "clear", "cameras", "find", *ROBOT_ACTIONS)


class Wizard:
    """A person at the tab; a camera shows rendered boards at poses T_cam_board, one after the other."""

    def __init__(self, qtbot: QtBot, folder: Path, poses: Sequence[Array], joints: Sequence[Array] = ()) -> None:
        rig = load_rig("sim")
        drawn, rng = BoardRenderer(rig.cameras[0].camera, A3), np.random.default_rng(0)
        self.pictures = [np.repeat(drawn.picture(T, rng)[..., None], 3, axis=2) for T in poses]
        around = Around(
            arm=lambda: rig.arms[0],
            joints=lambda _arm: joints[self.shown] if len(joints) else None,
            moving=lambda: self.moves,
        )
        self.moves = False
        self.shown, self.index, self.said = 0, 0, [""]
        self.stops: list[tuple[str, Array]] = []
        self.store = CalibrationStore(folder, rig.name)
        self.desk = CalibrationDesk(rig, self.store, self.grab, self.grab, around)
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
    made = Wizard(qtbot, tmp_path, held_boards(A3, 9, np.random.default_rng(3)))
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


def test_no_camera_is_asked_for_where_all_are_calibrated_together(qtbot: QtBot, wizard: Wizard) -> None:
    camera = next(b for b in wizard.binder.view.findChildren(QComboBox) if b.accessibleName() == "Camera")
    assert camera.isVisible()
    wizard.binder.view.chosen.emit("cameras", "", "a3")
    assert not camera.isVisible()


def test_a_hand_eye_calibration_says_what_it_needs(qtbot: QtBot, wizard: Wizard) -> None:
    task = wizard.binder.view.findChildren(QComboBox)[0]
    task.setCurrentIndex(task.findData("wrist"))
    task.activated.emit(task.currentIndex())
    assert not wizard.button("Start").isEnabled()
    wizard.binder.tick()
    assert "Connect the arms" in wizard.binder.view._step.text()
    assert not wizard.stops


def test_a_camera_on_its_stand_is_found_on_the_way_through_the_planned_stops(qtbot: QtBot, tmp_path: Path) -> None:
    rig = load_rig("sim")
    arm, camera = rig.arms[0], rig.cameras[0].camera
    kinematics = ArmKinematics.load(arm.model)
    q = stops_around(kinematics, LOOKING, wrist=False).q[:9]
    assert camera.T_world_cam is not None
    boards = [
        inverse(camera.T_world_cam) @ arm.T_world_base @ kinematics.flange_pose(one) @ flange_pose(A3) for one in q
    ]
    wizard = Wizard(qtbot, tmp_path, boards, list(q))
    try:
        _turn_to(wizard, "stand", "top")
        wizard.button("Start").click()
        wizard.button("Plan the stops").click()
        ((name, planned),) = wizard.stops
        assert name == "left"
        np.testing.assert_allclose(planned[-1], q[0])  # the tour ends where it begins
        session = wizard.desk.session
        assert session is not None
        for k in range(len(q)):
            wizard.shown = k
            wizard.until(qtbot, lambda k=k: len(session.taken) == k + 1)  # type: ignore[misc]
        wizard.until(qtbot, lambda: not session.solving and wizard.button("Save and use").isEnabled())
        wizard.button("Save and use").click()
    finally:
        wizard.binder.close()
    kept = wizard.store.newest("hand_eye", "top")
    assert kept is not None, wizard.said
    away, turned = pose_difference(kept.poses["T_world_cam"], camera.T_world_cam)
    assert away < 1.5e-3
    assert turned < np.radians(0.1)


def test_no_stops_are_planned_while_an_arm_moves(qtbot: QtBot, tmp_path: Path) -> None:
    away = Wizard(qtbot, tmp_path, held_boards(A3, 2, np.random.default_rng(3)), [LOOKING] * 2)
    away.binder.view.chosen.emit("stand", "top", "a3")
    away.button("Start").click()
    plan = away.button("Plan the stops")
    away.until(qtbot, lambda: plan.isEnabled())
    away.moves = True
    away.until(qtbot, lambda: plan.isVisible() and not plan.isEnabled())
    away.binder.close()


def test_a_table_is_kept_for_the_arm_and_the_boards_thickness_counts(qtbot: QtBot, tmp_path: Path) -> None:
    rig = load_rig("sim")
    camera = rig.cameras[0].camera
    assert camera.T_world_cam is not None
    boards = [inverse(camera.T_world_cam) @ T for T in table_poses(camera, A3)[:3]]
    wizard = Wizard(qtbot, tmp_path, boards)
    try:
        _turn_to(wizard, "table", "top")
        wizard.button("Start").click()
        session = wizard.desk.session
        assert session is not None
        wizard.binder.view.number_given.emit(0.006)  # 2 mm more than it is
        for k in range(3):
            wizard.shown = k
            wizard.until(qtbot, lambda k=k: len(session.taken) == k + 1)  # type: ignore[misc]
        wizard.until(qtbot, lambda: not session.solving and wizard.button("Save and use").isEnabled())
        (number,) = wizard.binder.view.findChildren(QDoubleSpinBox)
        assert (number.value(), number.suffix()) == (6.0, " mm")
        wizard.button("Save and use").click()
    finally:
        wizard.binder.close()
    kept = wizard.store.newest("table", "left")
    assert kept is not None, wizard.said
    assert kept.numbers["offset_m"] == pytest.approx(-0.002, abs=5e-4)
    assert with_measured_tables(rig, tmp_path).arm("left").table_measured


def _turn_to(wizard: Wizard, task: str, camera: str) -> None:
    for box, key in zip(wizard.binder.view.findChildren(QComboBox), (task, camera), strict=False):
        box.setCurrentIndex(box.findData(key))
        box.activated.emit(box.currentIndex())
