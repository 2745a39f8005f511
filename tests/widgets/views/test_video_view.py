"""What an operator sees and does in a camera view."""

import sys

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from widgets.views import made_up
from widgets.views.overlay_paint import _place
from widgets.views.painted_frames import MOST_BYTES
from widgets.views.types import ToolOverlay
from widgets.views.video_view import VideoView


@pytest.fixture
def view(qtbot: QtBot) -> VideoView:
    made = VideoView("top", "View 1 · top")
    qtbot.addWidget(made)
    made.resize(768, 448)
    made.set_source(made_up.MadeUpSource())
    made.show()
    return made


def _ink(view: VideoView, x: float, y: float) -> QColor:
    return view.grab().toImage().pixelColor(round(x), round(y))


def _mouse(view: VideoView, kind: QEvent.Type, x: float, y: float) -> None:
    left = Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else left
    event = QMouseEvent(kind, QPointF(x, y), QPointF(x, y), left, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, event)


def _drag(view: VideoView, *points: tuple[float, float]) -> None:
    _mouse(view, QEvent.Type.MouseButtonPress, *points[0])
    for point in points[1:]:
        _mouse(view, QEvent.Type.MouseMove, *point)
    _mouse(view, QEvent.Type.MouseButtonRelease, *points[-1])


def _wheel(view: VideoView, x: float, y: float, clicks: int) -> None:
    none = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(
        QPointF(x, y), QPointF(x, y), QPoint(), QPoint(0, 120 * clicks), Qt.MouseButton.NoButton, *none, False
    )
    QApplication.sendEvent(view, event)


def test_an_empty_view_says_what_to_do(view: VideoView) -> None:
    before = view.grab().toImage()
    view.show_empty("Open a dream")
    after = view.grab().toImage()
    assert before != after
    view.show_empty("")
    assert view.grab().toImage() != after


def test_the_picture_is_shown_pixel_for_pixel_where_it_fits(view: VideoView) -> None:
    rgb = np.zeros((448, 768, 3), np.uint8)
    rgb[200, 500] = (255, 0, 0)
    view.show_picture(rgb)
    assert _ink(view, 500, 200).getRgb()[:3] == (255, 0, 0)
    assert _ink(view, 501, 200).getRgb()[:3] == (0, 0, 0)


def test_a_picture_of_another_shape_is_letterboxed(view: VideoView) -> None:
    view.show_picture(np.full((400, 400, 3), 255, np.uint8))
    assert _ink(view, 384, 224).lightness() == 255
    assert _ink(view, 100, 224).lightness() < 40


def test_a_picture_seen_before_is_not_scaled_and_drawn_again(view: VideoView) -> None:
    clip = np.zeros((2, 448, 768, 3), np.uint8)
    frames = []
    for number in (0, 0, 1, 0):
        view.show_picture(clip[number])
        view.grab()
        frames.append(view._frame())
    assert frames[0] is frames[1] is frames[3]
    assert frames[2] is not frames[0]


def test_painted_pictures_are_kept_as_far_as_there_is_room_and_not_beyond(view: VideoView) -> None:
    clip = np.zeros((120, 448, 768, 3), np.uint8)
    for picture in clip:
        view.show_picture(picture)
        view.grab()
    assert view._frames._bytes <= MOST_BYTES
    assert len(view._frames._kept) == MOST_BYTES // (768 * 448 * 4)


def test_an_outline_is_drawn_where_it_is_said_to_be(view: VideoView) -> None:
    view.show_picture(np.zeros((448, 768, 3), np.uint8))
    square = np.array([[300.0, 200], [400, 200], [400, 300], [300, 300], [300, 200]])
    view.show_overlays([ToolOverlay("left", "#ff8ae2", outline=[square], confidence=0.9)])
    assert _ink(view, 350, 300) == QColor("#ff8ae2")
    assert _ink(view, 350, 250).lightness() == 0


def test_a_lost_tool_is_said_to_be_lost(view: VideoView) -> None:
    view.show_time(0.5)
    view.show_overlays([ToolOverlay("left", "#ff8ae2", state="tracked", confidence=0.9)])
    without = view.grab().toImage()
    view.show_overlays([ToolOverlay("left", "#ff8ae2", state="lost")])
    strip = view.grab().toImage()
    assert strip.copy(0, 420, 700, 20) != without.copy(0, 420, 700, 20)


def test_unknown_points_of_a_path_do_not_break_the_picture(view: VideoView) -> None:
    path = np.array([[10.0, 10], [np.nan, np.nan], [30, 30], [40, 40]])
    view.show_time(0.5)
    view.show_overlays([ToolOverlay("left", "#ff8ae2", past=path, future=path, axes=np.full((4, 2), np.nan))])
    view.grab()


def test_a_box_is_drawn_in_pixels_of_the_picture(view: VideoView, qtbot: QtBot) -> None:
    view.show_time(0.0)
    view.resize(384, 224)
    view.grab()
    view.start_drawing("left", "#ff8ae2")
    with qtbot.waitSignal(view.box_drawn) as caught:
        _drag(view, (150, 100), (120, 80), (50, 40))
    name, tool, x0, y0, x1, y1 = caught.args
    assert (name, tool) == ("top", "left")
    assert (x0, y0, x1, y1) == pytest.approx((99.5, 79.5, 299.5, 199.5), abs=0.01)
    assert not view.drawing


def test_a_box_stays_inside_the_picture_and_follows_the_zoom(view: VideoView, qtbot: QtBot) -> None:
    view.show_time(0.0)
    view.grab()
    _wheel(view, 384, 224, 4)
    view.grab()
    view.start_drawing("right", "#45dfe6")
    with qtbot.waitSignal(view.box_drawn) as caught:
        _drag(view, (0, 0), (5000, 5000))
    x0, y0, x1, y1 = caught.args[2:]
    factor = 1.2**4
    assert x0 == pytest.approx(384 - 384 / factor - 0.5, abs=0.1)
    assert (x1, y1) == (767, 447)
    assert y0 > 0


def test_escape_gives_no_box(view: VideoView, qtbot: QtBot) -> None:
    view.show_time(0.0)
    view.start_drawing("left", "#ff8ae2")
    _mouse(view, QEvent.Type.MouseButtonPress, 50, 50)
    _mouse(view, QEvent.Type.MouseMove, 150, 150)
    with qtbot.assertNotEmitted(view.box_drawn), qtbot.waitSignal(view.drawing_changed) as caught:
        qtbot.keyClick(view, Qt.Key.Key_Escape)
        _mouse(view, QEvent.Type.MouseButtonRelease, 150, 150)
    assert caught.args == [False]


def test_a_slip_of_the_hand_is_no_box(view: VideoView, qtbot: QtBot) -> None:
    view.show_time(0.0)
    view.start_drawing("left", "#ff8ae2")
    with qtbot.assertNotEmitted(view.box_drawn):
        _drag(view, (50, 50), (52, 51))
    assert view.drawing


def test_there_is_nothing_to_draw_on_without_a_picture(view: VideoView) -> None:
    view.show_empty("Open a dream")
    view.start_drawing("left", "#ff8ae2")
    assert not view.drawing


def test_the_wheel_zooms_at_the_mouse_and_a_double_click_resets(view: VideoView) -> None:
    rgb = np.zeros((448, 768, 3), np.uint8)
    rgb[100:110, 200:210] = 255
    view.show_picture(rgb)
    view.grab()
    _wheel(view, 205, 105, 6)
    assert _ink(view, 205, 105).lightness() == 255
    assert _ink(view, 205 + 12, 105).lightness() == 255
    _mouse(view, QEvent.Type.MouseButtonDblClick, 205, 105)
    assert _ink(view, 205 + 12, 105).lightness() == 0


def test_the_zoomed_picture_follows_the_hand(view: VideoView) -> None:
    rgb = np.zeros((448, 768, 3), np.uint8)
    rgb[224:230, 384:390] = 255
    view.show_picture(rgb)
    view.grab()
    _wheel(view, 384, 224, 6)
    _drag(view, (300, 200), (350, 240))
    assert _ink(view, 384 + 55, 224 + 45).lightness() == 255


def test_ten_thousand_boxes_leave_the_interpreter_alone(view: VideoView) -> None:
    count = [0]
    view.drawing_changed.connect(lambda _: count.__setitem__(0, count[0] + 1))
    view.show_time(0.0)
    before = sys.getrefcount(True)
    for _ in range(5_000):
        view.start_drawing("left", "#ff8ae2")
        view.cancel_drawing()
    assert count[0] == 10_000
    assert abs(sys.getrefcount(True) - before) < 100


def test_a_badge_covers_neither_the_other_tool_nor_its_badge(view: VideoView) -> None:
    zoom = view._zoom
    zoom.size, zoom.area = (768, 448), QRectF(0, 0, 768, 448)
    taken = [QRectF(330, 150, 120, 120), QRectF(330, 120, 120, 26)]
    body, badge = QRectF(240, 180, 80, 60), QRectF(0, 0, 110, 26)
    rect = _place(badge, body, zoom, taken)
    assert not any(rect.intersects(other) for other in (*taken, body))
    assert zoom.picture.contains(rect)


def test_a_badge_of_a_tool_at_the_edge_stays_in_the_picture(view: VideoView) -> None:
    zoom = view._zoom
    zoom.size, zoom.area = (768, 448), QRectF(0, 0, 768, 448)
    for body in (QRectF(-50, -40, 60, 60), QRectF(760, 440, 60, 60), QRectF(-900, 10, 10, 10)):
        assert zoom.picture.contains(_place(QRectF(0, 0, 110, 26), body, zoom, []))
