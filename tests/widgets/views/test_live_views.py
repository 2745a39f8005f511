"""Live cameras and live curves: pulled, honest about old pictures, and quiet when nobody looks."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot

from widgets.record_values import StreamRow
from widgets.views import made_up
from widgets.views.history_ring import HistoryRing, decimate
from widgets.views.live_curves import Heading, LiveCurves
from widgets.views.live_grid import LiveGrid, best_columns


@pytest.fixture
def now() -> list[float]:
    return [50.0]


@pytest.fixture
def grid(qtbot: QtBot) -> LiveGrid:
    made = LiveGrid()
    qtbot.addWidget(made)
    made.resize(800, 300)
    made.show_streams([StreamRow("top"), StreamRow("side")])
    made.show()
    return made


def test_a_grid_without_cameras_says_what_to_do(grid: LiveGrid) -> None:
    grid.show_streams([])
    before = grid.grab().toImage()
    grid.show_empty("Add a camera to rig.toml")
    assert grid.grab().toImage() != before


def test_a_click_picks_a_camera(grid: LiveGrid, qtbot: QtBot) -> None:
    with qtbot.waitSignal(grid.camera_picked) as caught:
        qtbot.mouseClick(grid._cells["side"].picture, Qt.MouseButton.LeftButton)
    assert caught.args == ["side"]


def test_other_streams_leave_no_old_cells(grid: LiveGrid, qtbot: QtBot) -> None:
    for k in range(5):
        grid.show_streams([StreamRow(f"{name}{k}") for name in "abc"])
    qtbot.wait(10)
    assert len([child for child in grid.children() if child.isWidgetType()]) == 3


def test_a_sensor_offers_what_can_be_done_about_it(grid: LiveGrid, qtbot: QtBot) -> None:
    grid.show_streams([StreamRow("top"), StreamRow("force", "number", value="1.3 N", button="Zero")])
    tile = grid._tiles["force"]
    with qtbot.waitSignal(grid.button_pressed) as caught:
        qtbot.mouseClick(tile._button, Qt.MouseButton.LeftButton)
    assert caught.args == ["force"]
    grid.show_streams([StreamRow("top"), StreamRow("force", "number", value="1.3 N")])
    assert not tile._button.isVisible()


@pytest.mark.parametrize(
    ("count", "width", "height", "columns"),
    [(1, 900, 300, 1), (2, 900, 300, 2), (2, 1030, 790, 1), (4, 900, 600, 2)],
)
def test_pictures_are_laid_out_as_large_as_the_room_allows(
    count: int, width: int, height: int, columns: int
) -> None:
    assert best_columns(count, width, height, 16 / 9) == columns


def test_a_grid_that_grows_taller_stacks_its_cameras_inside_its_room(grid: LiveGrid, qtbot: QtBot) -> None:
    for width, height in ((800, 300), (800, 900), (482, 336), (260, 160)):
        grid.resize(width, height)
        qtbot.wait(10)
        cells = [cell.geometry() for cell in grid._cells.values()]
        assert all(grid.rect().contains(cell) for cell in cells)
        assert (cells[0].top() == cells[1].top()) == (height < width / 2 + 100)


def test_a_heading_leaves_out_what_does_not_fit(qtbot: QtBot) -> None:
    heading = Heading()
    qtbot.addWidget(heading)
    words = [("left · tip speed", "muted", False), ("0.031", "text", True), ("plan 0.030", "accent", False)]
    heading.show_words(words)
    shown = []
    for width in (600, 160, 20):
        heading.resize(width, 20)
        shown.append([text for _, text, _, _ in heading.fitting()])
    assert shown == [[text for text, _, _ in words], ["left · tip speed", "0.031"], []]


def test_the_ring_keeps_the_newest_samples_in_order() -> None:
    ring = HistoryRing(100)
    for i in range(250):
        ring.push(float(i), 0.0, 1.0, 2.0)
    kept = ring.history()
    assert kept.t.tolist() == list(range(150, 250))
    assert len(ring) == 100
    ring.clear()
    assert len(ring.history().t) == 0


@given(n=st.integers(0, 5000), points=st.integers(10, 500), peak=st.integers(0, 4999))
@settings(max_examples=100, deadline=None)
def test_a_peak_is_never_decimated_away(n: int, points: int, peak: int) -> None:
    t, value = np.arange(n, dtype=float), np.zeros(n)
    if n:
        value[peak % n] = 7.0
    kept_t, kept = decimate(t, value, points)
    assert len(kept) <= max(2 * points + 4, 4)
    assert (np.diff(kept_t) >= 0).all()
    if n:
        assert kept.max() == 7.0
        assert kept_t[-1] == n - 1


@pytest.fixture
def curves(qtbot: QtBot, now: list[float]) -> LiveCurves:
    made = LiveCurves()
    qtbot.addWidget(made)
    made.resize(900, 320)
    source = made_up.LiveArms(clock=lambda: now[0])
    made.set_source(source)
    made.show_arms(made_up.ROLES, 0.15, {"left": 0.25, "right": 0.25})
    made.show()
    return made


def test_curves_show_what_was_measured(curves: LiveCurves, now: list[float]) -> None:
    now[0] += 5.0
    curves._pull("left")
    row = curves._arms["left"]
    t, _ = row._measured.getData()
    assert t[-1] == pytest.approx(4.99)
    assert "of 0.25 m/s" in row._headings[1].toolTip()


def test_a_following_error_over_its_limit_is_red(curves: LiveCurves) -> None:
    ring = HistoryRing()
    for i in range(10):
        ring.push(i * 0.01, 0.2, 0.1, 0.1)
    row = curves._arms["left"]
    row.show_history(ring.history())
    assert ("0.200", "alarm", True) in row._headings[0].words


def test_the_next_run_begins_with_empty_plots_and_makes_no_new_ones(curves: LiveCurves) -> None:
    before = {arm: row._plots for arm, row in curves._arms.items()}
    curves._pull("left")
    curves.show_arms(made_up.ROLES, 0.15, {"left": 0.1, "right": 0.1})
    assert {arm: row._plots for arm, row in curves._arms.items()} == before
    row = curves._arms["left"]
    assert row._measured.getData()[0] is None
    assert ("–", "muted", True) in row._headings[1].words
    assert "of 0.1 m/s" in row._headings[1].toolTip()


def test_curves_without_arms_say_what_to_do(curves: LiveCurves) -> None:
    before = curves.grab().toImage()
    curves.show_empty("Execute a plan")
    assert curves.grab().toImage() != before


def test_hidden_curves_pull_nothing_and_leave_no_timer(curves: LiveCurves) -> None:
    assert curves._timer.isActive()
    curves.hide()
    assert not [timer for timer in curves.findChildren(QTimer) if timer.isActive() and timer is curves._timer]


def test_ten_thousand_picks_leave_the_interpreter_alone(grid: LiveGrid) -> None:
    seen: list[str] = []
    grid.camera_picked.connect(seen.append)
    before = sys.getrefcount(True)
    for _ in range(10_000):
        grid.camera_picked.emit("top")
    assert len(seen) == 10_000
    assert abs(sys.getrefcount(True) - before) < 100
