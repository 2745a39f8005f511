"""What an operator sees and does on the timeline."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from widgets.views import made_up
from widgets.views.timeline import Timeline
from widgets.views.timeline_layout import cursor_text, film_end, is_bad, scale, span_rows, tick_step, value_at
from widgets.views.timeline_paint import span_rects, trim_x
from widgets.views.types import Band, Curve, Lane, Span, TimelineData


@pytest.fixture
def timeline(qtbot: QtBot) -> Timeline:
    made = Timeline()
    qtbot.addWidget(made)
    made.resize(1060, 300)
    made.set_source(made_up.MadeUpSource())
    made.show_data(made_up.timeline_data())
    made.show()
    return made


def _mouse(view: Timeline, kind: QEvent.Type, x: float, y: float) -> None:
    left = Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else left
    event = QMouseEvent(kind, QPointF(x, y), QPointF(x, y), left, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, event)


def _press(view: Timeline, x: float, y: float) -> None:
    _mouse(view, QEvent.Type.MouseButtonPress, x, y)
    _mouse(view, QEvent.Type.MouseButtonRelease, x, y)


def _data(timeline: Timeline) -> TimelineData:
    assert timeline._data is not None
    return timeline._data


def _x(timeline: Timeline, t: float) -> float:
    return timeline._layout(_data(timeline)).x(t)


def test_an_empty_timeline_says_what_to_do(timeline: Timeline, qtbot: QtBot) -> None:
    full = timeline.grab().toImage()
    timeline.show_empty("Open a dream")
    assert timeline.grab().toImage() != full
    with qtbot.assertNotEmitted(timeline.time_picked):
        _press(timeline, 500, 200)
        qtbot.keyClick(timeline, Qt.Key.Key_Right)


def test_a_click_on_the_curves_picks_the_time_there(timeline: Timeline, qtbot: QtBot) -> None:
    with qtbot.waitSignal(timeline.time_picked) as caught:
        _press(timeline, _x(timeline, 1.2), 250)
    assert caught.args[0] == pytest.approx(1.2, abs=1e-6)


def test_dragging_scrubs_and_is_held_to_the_clip(timeline: Timeline) -> None:
    seen: list[float] = []
    timeline.time_picked.connect(seen.append)
    _mouse(timeline, QEvent.Type.MouseButtonPress, _x(timeline, 0.5), 250)
    for x in (_x(timeline, 0.9), 5000.0, -100.0):
        _mouse(timeline, QEvent.Type.MouseMove, x, 250)
    assert seen == pytest.approx([0.5, 0.9, 2.0, 0.0], abs=1e-6)


def test_a_handle_is_dragged_to_a_frame_and_announced_once(timeline: Timeline, qtbot: QtBot) -> None:
    changes: list[tuple[int, int]] = []
    timeline.trim_changed.connect(lambda first, last: changes.append((first, last)))
    film = timeline._layout(_data(timeline)).film.center().y()
    left, _ = trim_x(_data(timeline), timeline._layout(_data(timeline)))
    _mouse(timeline, QEvent.Type.MouseButtonPress, left - 3, film)
    for frame in (2, 3, 4):
        _mouse(timeline, QEvent.Type.MouseMove, _x(timeline, frame / 6 + 0.02), film)
    _mouse(timeline, QEvent.Type.MouseButtonRelease, _x(timeline, 4 / 6), film)
    assert changes == [(4, 12)]


def test_the_handles_never_cross(timeline: Timeline) -> None:
    changes: list[tuple[int, int]] = []
    timeline.trim_changed.connect(lambda first, last: changes.append((first, last)))
    film = timeline._layout(_data(timeline)).film.center().y()
    _, right = trim_x(_data(timeline), timeline._layout(_data(timeline)))
    _mouse(timeline, QEvent.Type.MouseButtonPress, right + 3, film)
    _mouse(timeline, QEvent.Type.MouseMove, -500, film)
    _mouse(timeline, QEvent.Type.MouseButtonRelease, -500, film)
    assert changes == [(1, 1)]


def test_a_click_on_a_violation_picks_it_and_a_warning_does_not(timeline: Timeline, qtbot: QtBot) -> None:
    rects = span_rects(_data(timeline), timeline._layout(_data(timeline)))
    with qtbot.waitSignal(timeline.violation_picked) as caught:
        _press(timeline, rects[0][0].center().x(), rects[0][0].center().y())
    assert caught.args == [0]
    with qtbot.assertNotEmitted(timeline.violation_picked):
        _press(timeline, rects[1][0].center().x(), rects[1][0].center().y())


def test_the_mouse_over_a_violation_tells_what_is_wrong(timeline: Timeline) -> None:
    rect = span_rects(_data(timeline), timeline._layout(_data(timeline)))[0][0]
    assert "0.31 m/s" in timeline._text_at(rect.center())
    marker = QPoint(round(_x(timeline, 5 / 6)), round(timeline._layout(_data(timeline)).film.bottom() - 5))
    assert "Hint" in timeline._text_at(QPointF(marker))


def test_everything_is_reachable_by_keyboard(timeline: Timeline, qtbot: QtBot) -> None:
    picked: list[float] = []
    trims: list[tuple[int, int]] = []
    timeline.time_picked.connect(picked.append)
    timeline.trim_changed.connect(lambda first, last: trims.append((first, last)))
    keys = Qt.Key
    for key in (keys.Key_Home, keys.Key_Right, keys.Key_Right, keys.Key_I, keys.Key_End, keys.Key_Left, keys.Key_O):
        qtbot.keyClick(timeline, key)
    assert picked == pytest.approx([0.0, 1 / 6, 2 / 6, 2.0, 11 / 6])
    assert trims == [(2, 12), (2, 11)]
    with qtbot.waitSignal(timeline.violation_picked):
        qtbot.keyClick(timeline, keys.Key_PageUp)
    assert picked[-1] == pytest.approx(0.1)


def test_keys_that_it_does_not_know_go_on_to_the_page(timeline: Timeline, qtbot: QtBot) -> None:
    before = timeline.grab().toImage()
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Escape):
        qtbot.keyClick(timeline, key)
    assert timeline.grab().toImage() == before


def test_a_plan_cannot_be_trimmed_and_names_its_phases(timeline: Timeline, qtbot: QtBot) -> None:
    data = replace(
        made_up.timeline_data(),
        end=8.0,
        frame_times=2.0 + np.arange(9) / 3,
        trim=None,
        first_frame=3,
        bands=(Band("approach", 0.0, 2.0), Band("work", 2.0, 5.0), Band("retreat", 5.0, 8.0)),
    )
    timeline.show_data(data)
    timeline.grab()
    with qtbot.assertNotEmitted(timeline.trim_changed):
        qtbot.keyClick(timeline, Qt.Key.Key_I)
    assert cursor_text(data, 1.0) == "1.00 s · approach"
    assert cursor_text(data, 2.4) == "2.40 s · frame 4"
    assert cursor_text(data, 7.0) == "7.00 s · retreat"


def test_frames_that_a_plan_leaves_out_do_not_break_it(timeline: Timeline) -> None:
    data = replace(made_up.timeline_data(), end=8.0, frame_times=np.full(13, 2.0))
    timeline.show_data(data)
    timeline.show_time(3.0)
    timeline.grab()


def test_moving_the_cursor_paints_nothing_else_again(timeline: Timeline) -> None:
    timeline.grab()
    still = timeline._still
    timeline.show_time(1.3)
    timeline.grab()
    assert timeline._still is still


def test_no_value_is_made_up_where_the_track_is_lost() -> None:
    curve = Curve("left", "#ffffff", np.arange(4.0), np.array([1.0, np.nan, 3.0, 5.0]))
    assert value_at(curve, 0.0) == 1.0
    assert np.isnan(value_at(curve, 0.5))
    assert np.isnan(value_at(curve, 1.0))
    assert value_at(curve, 2.0) == 3.0
    assert value_at(curve, 2.5) == 4.0
    assert value_at(curve, 3.0) == 5.0
    assert np.isnan(value_at(curve, 3.5))


def test_the_alarm_level_is_always_on_the_scale() -> None:
    lane = Lane("speed", "m/s", (Curve("a", "#ffffff", np.arange(2.0), np.array([0.01, 0.02])),), alarm=0.25)
    low, high = scale(lane)
    assert low == 0.0
    assert high > 0.25
    assert is_bad(lane, 0.3)
    assert not is_bad(lane, 0.2)
    assert not is_bad(lane, float("nan"))
    assert scale(Lane("empty", "", ())) == (0.0, 1.0)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 3)), max_size=12))
@settings(max_examples=100, deadline=None)
def test_no_span_covers_another(pairs: list[tuple[float, float]]) -> None:
    spans = [Span(a, a + length, "alarm", "") for a, length in pairs]
    rows, count = span_rows(spans)
    assert all(0 <= row < count for row in rows)
    for i, a in enumerate(spans):
        for j in range(i):
            b = spans[j]
            assert rows[i] != rows[j] or a.end <= b.start or b.end <= a.start


@given(span=st.floats(0.05, 500), width=st.floats(100, 3000))
@settings(max_examples=100, deadline=None)
def test_the_rulers_labels_never_touch(span: float, width: float) -> None:
    assert tick_step(span, width, 90.0) / span * width >= min(89.0, 0.99 * width)


def test_ten_thousand_picks_leave_the_interpreter_alone(timeline: Timeline) -> None:
    seen: list[float] = []
    timeline.time_picked.connect(seen.append)
    timeline.trim_changed.connect(lambda *_: None)
    before = sys.getrefcount(True)
    for i in range(10_000):
        timeline._pick(i * 1e-4)
    assert len(seen) == 10_000
    assert abs(sys.getrefcount(True) - before) < 100


def test_the_film_ends_with_the_phase_that_its_last_frame_ends() -> None:
    data = replace(
        made_up.timeline_data(),
        end=8.0,
        frame_times=2.0 + np.arange(13) / 4,
        bands=(Band("approach", 0.0, 2.0), Band("work", 2.0, 5.0), Band("retreat", 5.0, 8.0)),
    )
    assert film_end(data) == 5.0
    assert film_end(replace(data, bands=())) == 5.25
    assert film_end(made_up.timeline_data()) == 2.0
