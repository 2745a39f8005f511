"""Moving an arm by hand in the real window: by key and by gamepad, on emulated arms, and home under an approval."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.binders.robot import FINE, gamepad_wish
from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import open_workspace
from hardware.sensors.gamepad import GamepadState
from tests.hardware.robots.servo_rig import two_arm_rig

pytestmark = pytest.mark.alone


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(application(), open_program(open_workspace(tmp_path), two_arm_rig()), remember=False)
    desk.show()
    desk.board.trigger("arms.by_hand")
    yield desk
    desk.close()


@pytest.fixture
def gripping(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    """A window whose left arm has a gripper and a place to park."""
    rig = two_arm_rig(gripper="xarm")
    left = replace(rig.arms[0], park=rig.arms[0].home + 0.05)
    desk = Desk(
        application(),
        open_program(open_workspace(tmp_path), replace(rig, arms=(left, *rig.arms[1:]))),
        remember=False,
    )
    desk.show()
    desk.board.trigger("arms.by_hand")
    yield desk
    desk.close()


def _until(desk: Desk, what: Callable[[], bool], limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not what():
        assert time.monotonic() < end, (desk.program.execution.message, desk.program.teleoperation.message)
        QApplication.processEvents()
        time.sleep(0.005)


def test_a_key_jogs_the_arm_and_home_brings_it_back_once_approved(desk: Desk) -> None:
    session, robot, panel = desk.program.execution, desk.program.teleoperation, desk.rig_page.robot
    assert "Connect" in robot.reason()
    assert not panel.pad.isEnabled()
    desk.board.trigger("arms.connect")
    _until(desk, lambda: session.state == "ready" and panel.pad.isEnabled(), 120.0)
    home = session.rig.arm("left").home

    def away() -> float:
        return float(np.abs(session.arms["left"].q - home).max())

    panel.pad.setFocus()
    QTest.keyPress(panel.pad, Qt.Key.Key_R)
    _until(desk, lambda: away() > 0.02)
    assert desk.program.moving  # so Esc and Space stop, from everywhere
    QTest.keyRelease(panel.pad, Qt.Key.Key_R)
    _until(desk, lambda: not desk.program.moving)
    desk.board.trigger("rig.home")
    _until(desk, lambda: robot.move is not None and panel._hold.isEnabled())
    QTest.mousePress(panel._hold, Qt.MouseButton.LeftButton)
    _until(desk, lambda: session.state == "running", 10.0)
    QTest.mouseRelease(panel._hold, Qt.MouseButton.LeftButton)
    _until(desk, lambda: session.state != "running" and not session.busy)
    assert session.state == "done", session.message
    _until(desk, lambda: away() < 5e-3)


def test_the_gripper_follows_slider_and_actions_and_stop_ends_it(gripping: Desk) -> None:
    desk = gripping
    session, robot, panel = desk.program.execution, desk.program.teleoperation, desk.rig_page.robot
    assert not panel._grip.isVisible()
    desk.board.trigger("arms.connect")
    _until(desk, lambda: session.state == "ready" and panel._grip.isVisible(), 120.0)
    panel._jaws.setSliderDown(True)
    panel._jaws.setValue(70)
    assert robot.mode == "none"  # a drag counts where it ends
    panel._jaws.setSliderDown(False)
    _until(desk, lambda: robot.opening is not None and abs(robot.opening - 0.7) < 0.02 and robot.mode == "none")
    _until(desk, desk.board["rig.grip_close"].isEnabled)
    desk.board.trigger("rig.grip_close")
    _until(desk, lambda: (robot.opening or 1.0) < 0.6)
    assert desk.program.moving
    desk.board.trigger("motion.stop")
    _until(desk, lambda: robot.mode == "none")
    stopped = robot.opening or 0.0
    assert 0.1 < stopped < 0.6
    panel.arm_picked.emit("right")
    _until(desk, lambda: not panel._grip.isVisible())
    assert "No gripper" in panel._facts[1].text()
    desk.board.trigger("rig.grip_open")
    assert robot.mode == "none"


def test_an_arm_parks_apart_from_home_once_approved(gripping: Desk) -> None:
    desk = gripping
    session, robot, panel = desk.program.execution, desk.program.teleoperation, desk.rig_page.robot
    desk.board.trigger("arms.connect")
    _until(desk, lambda: session.state == "ready" and panel.pad.isEnabled(), 120.0)
    desk.board.trigger("rig.park")
    _until(desk, lambda: robot.move is not None and panel._hold.isEnabled())
    QTest.mousePress(panel._hold, Qt.MouseButton.LeftButton)
    _until(desk, lambda: session.state == "running", 10.0)
    QTest.mouseRelease(panel._hold, Qt.MouseButton.LeftButton)
    _until(desk, lambda: session.state != "running" and not session.busy)
    park = session.rig.arm("left").park
    assert park is not None
    _until(desk, lambda: float(np.abs(session.arms["left"].q - park).max()) < 5e-3)
    panel.arm_picked.emit("right")
    _until(desk, lambda: not desk.board["rig.park"].isEnabled())
    with pytest.raises(ValueError, match="park_deg"):
        robot.plan_park()


def pad(*buttons: str, left: tuple[float, float] = (0.0, 0.0), trigger: float = 0.0) -> GamepadState:
    return GamepadState("pad", left, (0.0, 0.0), (0.0, trigger), frozenset(buttons))


def test_a_gamepad_moves_nothing_until_its_shoulder_button_is_held() -> None:
    assert not any(gamepad_wish(pad(left=(1.0, 0.0))))
    assert gamepad_wish(pad("left_shoulder", left=(1.0, 0.0)))[0] == 1.0


def test_the_gamepads_trigger_slows_down_and_its_other_shoulder_tilts() -> None:
    assert gamepad_wish(pad("left_shoulder", left=(1.0, 0.0), trigger=1.0))[0] == pytest.approx(FINE)
    tilted = gamepad_wish(pad("left_shoulder", "right_shoulder", left=(1.0, 0.0)))
    assert tilted[:3] == (0.0, 0.0, 0.0)
    assert tilted[4] == 1.0
