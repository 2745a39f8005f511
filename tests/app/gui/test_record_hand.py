"""Mouse, wheel and keys on page Record drive a held tool while a take by hand is recorded, and only then."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.binders.record_hand import RecordHandBinder
from hardware.geometry import Array
from hardware.rig import load_rig
from hardware.sensors.gamepad import Gamepad, GamepadError, GamepadState
from hardware.stream import StreamInfo
from hardware.types import Frame
from widgets.pages.record import RECORD_ACTIONS, RecordPage
from widgets.record_values import StreamRow
from widgets.views.live_picture import LivePicture

CAMERA = load_rig("sim").cameras[0].camera
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


class Table:
    """A table that somebody shows a task on; it keeps what was asked of the tools."""

    def __init__(self) -> None:
        self.shown_by = "me"
        self.tools = {"tool": "pusher"}
        self.asked: list[dict[str, Array | None]] = []

    def hold(self, poses: Mapping[str, Array | None], opening: float | None) -> None:
        self.asked.append(dict(poses))

    @property
    def at(self) -> Array:
        T = self.asked[-1]["tool"]
        assert T is not None
        return T[:3, 3]


class Pad(Gamepad):
    """A gamepad whose left stick is pushed right, once somebody plugs it in."""

    plugged = False

    def open(self) -> None:
        if not self.plugged:
            raise GamepadError("gamepad: none")

    def read(self) -> GamepadState | None:
        return GamepadState("pad", (1.0, 0.0), (0.0, 0.0), (0.0, 0.0), frozenset())


class Stage:
    def __init__(self, qtbot: QtBot) -> None:
        self.page = RecordPage({name: QAction(name) for name in RECORD_ACTIONS})
        qtbot.addWidget(self.page)
        self.table, self.moving = Table(), False
        self.session = SimpleNamespace(state="armed")
        streams = {"top": StreamInfo("top", "camera", 30.0, CAMERA)}
        self.desk = SimpleNamespace(table=self.table, session=self.session, streams=streams)
        self.binder = RecordHandBinder(self.page, self.desk, lambda: self.moving, Pad)  # type: ignore[arg-type]
        self.page.grid.show_streams([StreamRow("top")])
        self.page.resize(1200, 700)
        self.page.show()
        qtbot.waitExposed(self.page)
        self.page.activateWindow()
        QApplication.processEvents()
        rgb = np.zeros((448, 768, 3), np.uint8)
        self.picture.show_frame(Frame("top", 0, 0.0, 0.0, rgb))
        self.binder.tick()

    @property
    def picture(self) -> LivePicture:
        (picture,) = self.page.grid.findChildren(LivePicture)
        return picture

    def record(self, state: str = "recording") -> None:
        self.session.state = state
        self.binder.tick()

    def mouse(self, kind: QEvent.Type, left: float, top: float) -> None:
        area = self.picture._area()
        at = QPointF(area.left() + left * area.width(), area.top() + top * area.height())
        button = Qt.MouseButton.LeftButton
        QApplication.sendEvent(
            self.picture, QMouseEvent(kind, at, self.picture.mapToGlobal(at), button, button, NONE)
        )
        self.binder.tick()

    def wheel(self, held: Qt.KeyboardModifier) -> None:
        at = QPointF(self.picture.rect().center())
        event = QWheelEvent(
            at, self.picture.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, held,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self.picture, event)
        self.binder.tick()


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    stage = Stage(qtbot)
    yield stage
    stage.binder.close()


def test_a_drag_moves_the_tool_only_while_a_take_by_hand_is_recorded(stage: Stage) -> None:
    stage.mouse(QEvent.Type.MouseButtonPress, 0.5, 0.5)
    assert not stage.table.asked, "no take is recorded yet"
    stage.record()
    stage.mouse(QEvent.Type.MouseButtonPress, 0.5, 0.5)
    first = stage.table.at.copy()
    stage.mouse(QEvent.Type.MouseMove, 0.6, 0.4)
    assert stage.table.at[0] > first[0] + 0.05
    assert stage.table.at[1] > first[1] + 0.02
    stage.record("stopping")
    assert stage.table.asked[-1] == {"tool": None}
    count = len(stage.table.asked)
    stage.mouse(QEvent.Type.MouseMove, 0.5, 0.5)
    assert len(stage.table.asked) == count


@pytest.mark.parametrize("why", ["arms move", "page left", "another shows it", "cameras off"])
def test_the_tool_leaves_when_it_must_not_be_moved_any_more(stage: Stage, why: str) -> None:
    stage.record()
    stage.mouse(QEvent.Type.MouseButtonPress, 0.5, 0.5)
    if why == "arms move":
        stage.moving = True
    elif why == "page left":
        stage.page.hide()
    elif why == "another shows it":
        stage.table.shown_by = "person"
    else:
        stage.desk.table = None
    stage.binder.tick()
    told = stage.table.asked[-1]
    # a world that is gone is told nothing
    assert told["tool"] is None if why != "cameras off" else told["tool"] is not None


def test_the_wheel_raises_and_with_shift_it_turns(stage: Stage) -> None:
    stage.record()
    stage.mouse(QEvent.Type.MouseButtonPress, 0.5, 0.5)
    low = stage.table.at[2]
    stage.wheel(NONE)
    assert stage.table.at[2] == pytest.approx(low + 0.01)
    before = stage.table.asked[-1]["tool"]
    stage.wheel(SHIFT)
    after = stage.table.asked[-1]["tool"]
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(after[:3, 3], before[:3, 3])
    assert np.abs(after[:3, :3] - before[:3, :3]).max() > 0.05


def test_held_arrow_keys_move_until_they_are_let_go(stage: Stage) -> None:
    stage.record()
    QTest.keyPress(stage.page, Qt.Key.Key_Right)
    QTest.qWait(20)
    stage.binder.tick()
    QTest.qWait(20)
    stage.binder.tick()
    assert stage.table.at[0] > 0
    QTest.keyRelease(stage.page, Qt.Key.Key_Right)
    count = len(stage.table.asked)
    stage.binder.tick()
    assert len(stage.table.asked) == count
    stage.record("review")
    QTest.keyPress(stage.page, Qt.Key.Key_Left)
    assert stage.binder.keys.wish == (0, 0, 0, 0), "the keys are the page's again"


def test_a_gamepads_stick_moves_the_tool(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pad, "plugged", True)
    stage.record()
    QTest.qWait(20)
    stage.binder.tick()
    assert stage.table.at[0] > 0
