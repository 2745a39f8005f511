"""What an operator sees and does in the 3-D scene."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.views import made_up, scene_gl, scene_view
from widgets.views.orbit import PRESETS, Orbit, to_widget
from widgets.views.scene_view import SceneView
from widgets.views.types import SceneMoment, SceneStatic


@pytest.fixture
def scene(qtbot: QtBot) -> Iterator[SceneView]:
    made = SceneView()
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show_static(made_up.scene_static())
    made.show_moment(made_up.scene_moment(1.2))
    made.show()
    yield made
    made.release()


def _picture(scene: SceneView) -> np.ndarray:
    scene._redraw()  # a slow machine may have come to rest already: all are compared as they are in motion
    image = scene.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def _near(picture: np.ndarray, ink: tuple[int, int, int], within: int = 40) -> int:
    return int((np.abs(picture - np.array(ink)).max(axis=2) < within).sum())


def _pink(picture: np.ndarray) -> int:
    """Pixels of the left tool, whatever light falls on it."""
    red, green, blue = np.moveaxis(picture, 2, 0)
    return int(((red > green + 60) & (blue > green + 40)).sum())


def test_the_scene_is_drawn_without_any_display(scene: SceneView) -> None:
    picture = _picture(scene)
    assert picture.std() > 15
    assert _pink(picture) > 100, "the left tool is not there"
    assert _near(picture, (69, 223, 230), 70) > 100, "the right tool is not there"


def test_an_empty_scene_shows_the_table_and_says_what_to_do(scene: SceneView) -> None:
    full = _picture(scene)
    scene.show_empty("Open a dream to see its tools here")
    empty = _picture(scene)
    assert _pink(empty) < 20
    assert empty.std() > 5
    assert (empty != full).any()


def test_a_lost_tool_is_not_drawn(scene: SceneView) -> None:
    moment = made_up.scene_moment(1.2)
    scene.show_moment(replace(moment, T_world_tool={**moment.T_world_tool, "left": None}))
    bare = replace(made_up.scene_static(), paths=(), violations=())
    scene.show_static(bare)
    assert _pink(_picture(scene)) < 20


def test_tools_move_from_moment_to_moment(scene: SceneView) -> None:
    before = _picture(scene)
    scene.show_moment(made_up.scene_moment(0.4))
    assert (np.abs(_picture(scene) - before).max(axis=2) > 40).sum() > 500


def test_planned_and_measured_arms_look_different(scene: SceneView) -> None:
    moment = made_up.scene_moment(1.2)
    scene.show_moment(SceneMoment(measured=moment.measured))
    measured = _picture(scene)
    scene.show_moment(SceneMoment(planned=moment.measured))
    planned = _picture(scene)
    changed = np.abs(planned - measured).max(axis=2) > 30
    assert changed.sum() > 2000
    assert measured[changed].mean() > planned[changed].mean()


def test_a_violation_is_marked_in_red_and_in_words(scene: SceneView) -> None:
    marked = _picture(scene)
    scene.show_static(replace(made_up.scene_static(), violations=()))
    plain = _picture(scene)
    assert _near(marked, (255, 97, 102)) > _near(plain, (255, 97, 102)) + 40


def test_a_cameras_picture_hangs_before_it(scene: SceneView) -> None:
    moment = made_up.scene_moment(1.2)
    green = np.zeros((448, 768, 3), np.uint8)
    green[:] = (0, 255, 0)
    scene.show_moment(replace(moment, pictures={"top": green}))
    assert _near(_picture(scene), (0, 240, 0)) > 500


@pytest.mark.parametrize(("key", "preset"), list(zip("1234", PRESETS, strict=True)))
def test_presets_by_key_and_signal(scene: SceneView, qtbot: QtBot, key: str, preset: str) -> None:
    with qtbot.waitSignal(scene.preset_changed) as caught:
        qtbot.keyClick(scene, key)
    assert caught.args == [preset]
    checked = [b.property("preset") for b in scene._buttons.buttons() if b.isChecked()]
    assert checked == [preset]


def test_the_scene_takes_no_key_that_it_does_not_know(scene: SceneView, qtbot: QtBot) -> None:
    before = (scene._orbit.azimuth, scene._orbit.distance)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Left):
        qtbot.keyClick(scene, key)
    assert (scene._orbit.azimuth, scene._orbit.distance) == before
    assert scene.focusPolicy() == Qt.FocusPolicy.ClickFocus


def _mouse(view: SceneView, kind: QEvent.Type, x: float, y: float, button: Qt.MouseButton) -> None:
    event = QMouseEvent(kind, QPointF(x, y), QPointF(x, y), button, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, event)


def test_dragging_turns_the_wheel_zooms_and_a_double_click_resets(scene: SceneView) -> None:
    home = _picture(scene)
    left = Qt.MouseButton.LeftButton
    _mouse(scene, QEvent.Type.MouseButtonPress, 200, 200, left)
    _mouse(scene, QEvent.Type.MouseMove, 300, 220, left)
    _mouse(scene, QEvent.Type.MouseButtonRelease, 300, 220, left)
    turned = _picture(scene)
    assert (turned != home).any()
    none = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    wheel = QWheelEvent(
        QPointF(9, 9), QPointF(9, 9), QPoint(), QPoint(0, 360), Qt.MouseButton.NoButton, *none, False
    )
    QApplication.sendEvent(scene, wheel)
    assert scene._orbit.distance < Orbit().distance
    _mouse(scene, QEvent.Type.MouseButtonDblClick, 200, 200, left)
    assert np.abs(_picture(scene) - home).mean() < 1.0


def test_a_picture_at_rest_is_drawn_finer(scene: SceneView, qtbot: QtBot) -> None:
    scene._redraw()
    scene.grab()
    coarse = scene._image
    assert coarse is not None
    qtbot.waitUntil(lambda: scene._at_rest, timeout=20_000)
    scene.grab()
    fine = scene._image
    assert fine is not None
    assert fine.width() > 1.5 * coarse.width()


def test_without_opengl_it_says_so_and_stays_alive(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_gl, "why_not", lambda: "EGL library not found")
    scene = SceneView()
    qtbot.addWidget(scene)
    scene.resize(500, 400)
    scene.show_static(SceneStatic())
    scene.show()
    words = scene.grab().toImage()
    assert scene._problem == "EGL library not found"
    monkeypatch.setattr(scene_view, "draw_empty", lambda *_: None)
    assert scene.grab().toImage() != words


def test_nothing_is_drawn_while_it_is_hidden(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    scene = SceneView()
    QVBoxLayout(page).addWidget(scene)
    page.show()
    qtbot.waitExposed(page)
    scene.hide()
    scene.show_moment(made_up.scene_moment(1.0))
    QApplication.processEvents()
    assert scene._image is None
    scene.release()


def test_the_orbit_looks_at_its_centre_from_above_the_table() -> None:
    orbit = Orbit()
    for preset in PRESETS:
        orbit.reset(preset)
        x, y = to_widget(orbit.clip_from_world(1.5), orbit.center[None], 600, 400)[0]
        assert (x, y) == pytest.approx((300, 200), abs=0.01)
        orbit.turn(1.0, -9.0)
        assert orbit.T_world_eye[2, 3] > orbit.center[2]


def test_a_moved_scene_follows_the_hand() -> None:
    orbit = Orbit()
    clip = orbit.clip_from_world(2.0)
    before = to_widget(clip, orbit.center[None], 800, 400)[0]
    orbit.move(-0.1, 0.05)
    after = to_widget(orbit.clip_from_world(2.0), Orbit().center[None], 800, 400)[0]
    assert after - before == pytest.approx([40, 20], abs=0.5)


def test_ten_thousand_presets_leave_the_interpreter_alone(scene: SceneView) -> None:
    seen: list[str] = []
    scene.preset_changed.connect(seen.append)
    before = sys.getrefcount(True)
    for _ in range(2_500):
        for preset in PRESETS:
            scene.set_preset(preset)
    assert len(seen) == 10_000
    assert abs(sys.getrefcount(True) - before) < 100


def test_a_camera_without_a_picture_hides_nothing(scene: SceneView) -> None:
    moment = made_up.scene_moment(1.2)
    green = np.zeros((448, 768, 3), np.uint8)
    green[:] = (0, 255, 0)
    scene.show_moment(replace(moment, pictures={"top": green}))
    assert _near(_picture(scene), (0, 240, 0)) > 500
    scene.show_moment(replace(moment, pictures={}))
    assert _near(_picture(scene), (0, 240, 0)) == 0
    scene.show_moment(replace(moment, pictures={"top": green}))
    assert _near(_picture(scene), (0, 240, 0)) > 500


def test_an_arm_that_is_where_it_was_planned_shows_no_ghost(scene: SceneView) -> None:
    moment = made_up.scene_moment(1.2)
    scene.show_moment(SceneMoment(measured=moment.measured))
    alone = _picture(scene)
    scene.show_moment(SceneMoment(measured=moment.measured, planned=moment.measured))
    agreeing = _picture(scene)
    scene.show_moment(SceneMoment(measured=moment.measured, planned=made_up.scene_moment(0.2).planned))
    apart = _picture(scene)
    assert (np.abs(agreeing - alone).max(axis=2) > 30).sum() < 0.1 * (np.abs(apart - alone).max(axis=2) > 30).sum()
