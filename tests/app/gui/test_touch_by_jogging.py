"""A tool's tip and the table, found in the real window by jogging an emulated arm by keys and taking touches."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.calibration.measured_tables import table_file
from app.execution.touching import save_table, tip_in_flange
from app.gui.binders.tools import ToolsBinder
from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import open_workspace
from hardware.calibration.table_plane import PlaneResult
from hardware.calibration.tool_tip import TipResult
from hardware.mounting import default_tools
from tests.hardware.robots.servo_rig import two_arm_rig

pytestmark = pytest.mark.alone

_K, _SHIFT, _BARE = Qt.Key, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(application(), open_program(open_workspace(tmp_path), two_arm_rig()), remember=False)
    desk.show()
    desk.board.trigger("arms.by_hand")
    desk.board.trigger("arms.connect")
    _until(desk, lambda: desk.program.execution.state == "ready" and desk.rig_page.robot.pad.isEnabled(), 120.0)
    desk.board.trigger("tools.show")
    yield desk
    desk.close()


@pytest.fixture
def tools(desk: Desk) -> ToolsBinder:
    binder = next(binder for binder in desk.binders if isinstance(binder, ToolsBinder))
    _until(desk, lambda: binder.bench.draft is not None)
    return binder


def _until(desk: Desk, what: Callable[[], bool], limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not what():
        assert time.monotonic() < end, (desk.program.execution.message, desk.program.teleoperation.message)
        QApplication.processEvents()
        time.sleep(0.005)


def jog(desk: Desk, key: Qt.Key, far: float, held: Qt.KeyboardModifier = _BARE) -> None:
    """Hold a key until a joint has turned as far as that [rad], and wait until the arm stands."""
    pad, session = desk.rig_page.robot.pad, desk.program.execution
    start = session.arms["left"].q

    def away() -> float:
        return float(np.abs(session.arms["left"].q - start).max())

    while away() < far:
        # a busy computer ends a hold; it is begun anew, as a person would
        QTest.keyPress(pad, key, held)
        end = time.monotonic() + 3.0
        _until(desk, lambda end=end: away() >= far or time.monotonic() > end)
        QTest.keyRelease(pad, key, held)
        _until(desk, lambda: not desk.program.moving)
    _until(desk, lambda: float(np.abs(session.arms["left"].dq).max()) < 1e-3)


def take(desk: Desk, tools: ToolsBinder) -> None:
    """Click the button; the keys stay with the pad."""
    touch = tools.view.touch
    before = touch._list.count()
    _until(desk, touch._take.isEnabled)
    QTest.mouseClick(touch._take, Qt.MouseButton.LeftButton)
    _until(desk, lambda: touch._list.count() == before + 1)
    assert desk.window.focusWidget() is desk.rig_page.robot.pad


def test_leaning_the_tool_about_its_tip_by_keys_finds_the_tip(desk: Desk, tools: ToolsBinder) -> None:
    tools.view.duplicate_wanted.emit("rotation_gripper_left")
    carried = tools.library.load("rotation_gripper_left_copy")
    tools.view.form.wanted.emit("touch_tip", None)
    desk.rig_page.robot.pad.setFocus()
    take(desk, tools)
    for key, held in ((_K.Key_W, _SHIFT), (_K.Key_D, _SHIFT), (_K.Key_Q, _BARE)):
        jog(desk, key, 0.3, held)
        take(desk, tools)
    result = tools.touching._touching.result
    assert isinstance(result, TipResult)
    # a turn leaves the tip where it is, so the wizard must find the very tip that the arm was told of
    np.testing.assert_allclose(result.tip, tip_in_flange(carried), atol=1.5e-3)
    tools.view.touch.save_wanted.emit()
    saved = tools.library.load("rotation_gripper_left_copy")
    np.testing.assert_allclose(saved.tip, carried.tip, atol=1.5e-3)


def test_the_touched_table_counts_once_the_arms_are_connected_again(desk: Desk, tools: ToolsBinder) -> None:
    session = desk.program.execution
    before = session.limits["left"].min_tip_height
    tools.view.chosen.emit("rotation_gripper_left")
    _until(desk, lambda: tools.bench.name == "rotation_gripper_left")
    tools.view.table_wanted.emit()
    desk.rig_page.robot.pad.setFocus()
    # the arm jogs in a plane above the table: the touches lie as high as its tip
    take(desk, tools)
    for key in (_K.Key_D, _K.Key_W, _K.Key_A):
        jog(desk, key, 0.2)
        take(desk, tools)
    assert tools.view.touch._save.isEnabled(), tools.view.touch._verdict.text()
    tools.view.touch.save_wanted.emit()
    saved = table_file(desk.program.workspace.root, "left")
    assert saved.is_file()
    # so high a table makes no sense: connecting says so and goes no further
    desk.board.trigger("arms.disconnect")
    _until(desk, desk.board["arms.connect"].isEnabled)
    with pytest.raises(ValueError, match="touch the table again"):
        session.connect(default_tools(session.rig))
    assert session.state == "offline"
    low = PlaneResult(np.array([0.0, 0.0, 1.0]), 0.004, np.zeros(4), 0.3)
    save_table(desk.program.workspace.root, session.rig.name, "left", low, ())
    desk.board.trigger("arms.connect")
    _until(desk, lambda: session.state == "ready", 120.0)
    assert session.limits["left"].min_tip_height == pytest.approx(before + 0.004)
    assert "touched" in session.limits["left"].source["min_tip_height"]
    assert any(check.rule == "table" and "touched" in check.text for check in session.checks)
