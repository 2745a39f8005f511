"""The one clock: exact steps, no drift, loop and range."""

import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from widgets.playback import Playback


class _Hands:
    """A clock that the test turns by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands() -> _Hands:
    return _Hands()


@pytest.fixture
def playback(qapp: object, hands: _Hands) -> Iterator[Playback]:
    made = Playback(clock=hands)
    made.set_range(0.0, 2.0, 1 / 6)
    yield made
    made.pause()


def test_playing_follows_the_clock_however_late_the_ticks_come(playback: Playback, hands: _Hands) -> None:
    playback.play()
    for late in (0.016, 0.3, 0.001, 0.9):
        hands.now += late
        playback._tick()
    assert playback.time == pytest.approx(0.016 + 0.3 + 0.001 + 0.9, abs=1e-9)


@given(steps=st.lists(st.floats(1e-4, 0.7), min_size=1, max_size=60), speed=st.floats(0.1, 2.0))
@settings(max_examples=60, deadline=None)
def test_a_loop_never_drifts_from_real_time(qapp: object, steps: list[float], speed: float) -> None:
    hands = _Hands()
    playback = Playback(clock=hands)
    playback.set_range(0.5, 2.0)
    playback.set_speed(speed)
    playback.play()
    start = hands.now
    for step in steps:
        hands.now += step
        playback._tick()
    wanted = (hands.now - start) * speed % 1.5
    apart = abs(playback.time - 0.5 - wanted)
    playback.pause()
    assert min(apart, 1.5 - apart) < 1e-6


def test_without_loop_it_stops_at_the_end_and_starts_over(playback: Playback, hands: _Hands) -> None:
    playback.set_loop(False)
    playback.play()
    hands.now += 5.0
    playback._tick()
    assert playback.time == 2.0
    assert not playback.playing
    playback.play()
    assert playback.time == 0.0


def test_steps_land_on_frames_and_pause(playback: Playback) -> None:
    playback.play()
    playback.seek(0.30)
    playback.step(1)
    assert not playback.playing
    assert playback.time == pytest.approx(2 / 6)
    playback.step(-1)
    assert playback.time == pytest.approx(1 / 6)
    playback.seek(0.30)
    playback.step(-1)
    assert playback.time == pytest.approx(1 / 6)
    playback.step(-9)
    assert playback.time == 0.0


def test_twelve_steps_go_through_every_frame_of_a_clip(playback: Playback) -> None:
    seen = []
    for _ in range(12):
        playback.step(1)
        seen.append(round(playback.time * 6))
    assert seen == list(range(1, 13))


def test_a_change_of_speed_does_not_jump(playback: Playback, hands: _Hands) -> None:
    playback.play()
    hands.now += 0.5
    playback._tick()
    playback.set_speed(0.1)
    hands.now += 1.0
    playback._tick()
    assert playback.time == pytest.approx(0.6)


def test_speed_and_seek_are_held_to_what_can_be(playback: Playback) -> None:
    playback.set_speed(9.0)
    assert playback.speed == 2.0
    playback.seek(-3.0)
    assert playback.time == 0.0
    playback.seek(99.0)
    assert playback.time == 2.0


def test_a_range_that_ends_before_it_starts_is_refused(playback: Playback) -> None:
    with pytest.raises(ValueError, match=r"range 2\.0\.\.1\.0"):
        playback.set_range(2.0, 1.0)


def test_it_plays_in_a_real_event_loop(qtbot: QtBot) -> None:
    playback = Playback()
    playback.set_range(0.0, 0.1)
    playback.set_loop(False)
    with qtbot.waitSignals([playback.playing_changed, playback.playing_changed], timeout=20_000):
        playback.play()
    assert playback.time == 0.1


def test_ten_thousand_ticks_leave_the_interpreter_alone(playback: Playback) -> None:
    seen: list[float] = []
    playback.time_changed.connect(seen.append)
    before = sys.getrefcount(True)
    for i in range(10_000):
        playback.seek(i * 1e-4)
        playback.set_loop(True)
    assert len(seen) == 10_000
    assert abs(sys.getrefcount(True) - before) < 100
