"""Posing and painting a goal with mouse and keys, as it reaches the model."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.dreams.goals import GoalPose, plane_views, table_goal
from app.gui.binders.binder import Shell
from app.gui.binders.goal import GoalBinder
from tests.app.dreams.made_up_scene import CONFIG, LAYOUT, made_up_scene
from widgets.goal_editor import GoalEditor
from widgets.views.goal_view import GoalView

NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class Making:
    """An editor with its binder, on the made-up scene."""

    def __init__(self, qtbot: QtBot, usual: bool = False) -> None:
        self.said: list[str] = []
        self._qtbot, self.editor = qtbot, GoalEditor()
        qtbot.addWidget(self.editor)
        self.editor.resize(1200, 460)
        self.binder = GoalBinder(
            self.editor, Shell(lambda text, _: self.said.append(text), print, lambda *_: "", lambda *_: "")
        )
        scene = made_up_scene()
        own = table_goal(plane_views(scene, CONFIG), LAYOUT) if usual else None
        self.binder.take(scene, CONFIG, own)
        self.editor.show()
        qtbot.waitUntil(self._there, timeout=20_000)

    def _there(self) -> bool:
        self.binder.tick()
        return self.binder.draft is not None

    def view(self, name: str = "top") -> GoalView:
        return self.editor.views[name]

    @property
    def place(self) -> GoalPose:
        assert self.binder.draft is not None
        place = self.binder.draft.place
        assert place is not None
        return place

    def on_goal(self, name: str = "top") -> tuple[float, float]:
        """A point on the goal's outline, in the view."""
        assert self.binder.draft is not None
        outline = self.binder.draft.outlines[list(self.editor.views).index(name)][0]
        x, y = self.view(name)._zoom.to_widget(outline[0])
        return float(x), float(y)

    def drag(
        self, start: tuple[float, float], end: tuple[float, float], name: str = "top",
        keys: Qt.KeyboardModifier = NONE,
    ) -> None:  # fmt: skip
        steps = [(QEvent.Type.MouseButtonPress, start), (QEvent.Type.MouseMove, end)]
        for kind, (x, y) in (*steps, (QEvent.Type.MouseButtonRelease, end)):
            held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
            at = QPointF(x, y)
            QApplication.sendEvent(
                self.view(name), QMouseEvent(kind, at, at, Qt.MouseButton.LeftButton, held, keys)
            )

    def press(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        self._qtbot.keyClick(self.view(), key, keys)


@pytest.fixture
def making(qtbot: QtBot) -> Iterator[Making]:
    made = Making(qtbot)
    yield made
    made.binder.close()


def test_the_objects_outline_is_dragged_to_its_goal(making: Making) -> None:
    assert making.binder.goal is None
    x, y = making.on_goal()
    making.drag((x, y), (x + 40, y - 30))
    goal = making.binder.goal
    assert goal is not None
    assert goal.pose is not None
    assert goal.pose.x > making.binder.draft.thing.pose.x  # type: ignore[union-attr]
    assert goal.pose.turn == 0
    x, y = making.on_goal("side")
    making.drag((x, y), (x, y + 25), "side", SHIFT)
    assert making.place.turn != 0


def test_keys_nudge_and_take_back(making: Making) -> None:
    before = making.place
    making.press(Qt.Key.Key_Right)
    making.press(Qt.Key.Key_Up)
    making.press(Qt.Key.Key_Q)
    after = making.place
    assert (after.x > before.x, after.y > before.y, after.turn) == (True, True, pytest.approx(np.radians(5)))
    making.press(Qt.Key.Key_E, SHIFT)
    assert making.place.turn == pytest.approx(np.radians(4))
    for _ in range(4):
        making.press(Qt.Key.Key_Z, CTRL)
    assert making.binder.goal is None
    making.press(Qt.Key.Key_Z, CTRL | SHIFT)
    assert making.place.x > before.x


def test_a_brush_paints_in_the_first_view_and_esc_puts_it_away(making: Making) -> None:
    making.press(Qt.Key.Key_B)
    making.drag((150, 120), (200, 150))
    goal = making.binder.goal
    assert goal is not None
    assert goal.how == "drawn"
    assert all(mask.any() for mask in goal.masks)
    making.press(Qt.Key.Key_Escape)
    x, y = making.on_goal()
    making.drag((x, y), (x + 10, y))  # it is dragged again, not painted
    assert making.binder.goal is not None
    assert making.binder.goal.how == "posed"


def test_numbers_are_typed_and_a_place_that_nobody_sees_is_refused_in_words(making: Making) -> None:
    making.editor.pose_typed.emit(50.0, 100.0, 30.0)
    assert making.place == GoalPose(0.05, 0.1, pytest.approx(np.radians(30)))
    making.editor.pose_typed.emit(1900.0, 100.0, 30.0)
    assert "outside of the first view" in making.said[0]
    assert making.place.x == 0.05


def test_a_simulated_tables_own_goal_is_shown_until_somebody_makes_another(qtbot: QtBot) -> None:
    making = Making(qtbot, usual=True)
    assert making.binder.goal is None
    assert "own goal" in making.editor._words.text()
    x, y = making.on_goal()
    making.drag((x, y), (x + 20, y))
    assert making.binder.goal is not None
    making.binder.take(None, None)
    assert (making.editor.isVisible(), making.binder.goal) == (False, None)
    making.binder.close()
