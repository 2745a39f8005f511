"""The window opens where it was, and never out of sight."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.gui.placement import fitted, place_of, put

LEFT, RIGHT = QRect(0, 0, 1920, 1040), QRect(1920, 0, 2560, 1400)
number = st.integers(-6000, 6000)


def test_a_window_stays_on_the_screen_where_it_was() -> None:
    for place in (QRect(100, 80, 1600, 900), QRect(2100, 200, 1600, 900)):
        assert fitted(place, [LEFT, RIGHT]) == place


def test_without_its_screen_it_comes_to_the_nearest_one() -> None:
    assert fitted(QRect(2100, 200, 1600, 900), [LEFT]) == QRect(320, 140, 1600, 900)
    assert fitted(QRect(-3000, 100, 1600, 900), [LEFT, RIGHT]) == QRect(0, 100, 1600, 900)


def test_a_screen_that_is_smaller_now_shows_the_whole_window() -> None:
    assert fitted(QRect(2000, 100, 2400, 1300), [LEFT]) == LEFT


@settings(deadline=None)
@given(x=number, y=number, width=st.integers(200, 5000), height=st.integers(150, 3000))
def test_its_title_can_always_be_reached(x: int, y: int, width: int, height: int) -> None:
    placed = fitted(QRect(x, y, width, height), [LEFT, RIGHT])
    assert any(screen.contains(placed.left() + placed.width() // 2, placed.top() + 8) for screen in (LEFT, RIGHT))


@pytest.mark.parametrize(
    "broken", ["", "{", "[1, 2]", "[0, 0, 1, 1, 3]", '["a", 0, 800, 600, "normal"]', "null", "[1e999,0,9,9,0]"]
)
def test_a_broken_place_is_refused(qtbot: QtBot, broken: str) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    assert not put(window, broken)


def test_place_and_size_come_back(qtbot: QtBot) -> None:
    first, again = QWidget(), QWidget()
    qtbot.addWidget(first)
    qtbot.addWidget(again)
    first.setGeometry(20, 30, 500, 400)
    assert put(again, place_of(first))
    assert again.geometry() == QRect(20, 30, 500, 400)
    first.setWindowState(Qt.WindowState.WindowMaximized)
    assert put(again, place_of(first))
    assert again.isMaximized()
