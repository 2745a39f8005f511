"""One clock for dream and plan: a time is always the same frame, whichever way it is asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gui.binders.dream_clock import DreamClock
from tests.app.gui.plans import small_plan

FRAMES, FPS = 13, 6.0


@given(index=st.integers(0, FRAMES - 1))
def test_a_frame_of_the_dream_is_shown_at_its_time(index: int) -> None:
    clock = DreamClock(FPS, FRAMES)
    assert clock.index(clock.time_of_frame(index)) == index


@given(index=st.integers(2, 11))
def test_a_frame_of_the_plan_is_shown_at_its_time(index: int) -> None:
    clock = DreamClock(FPS, FRAMES, small_plan(), "plan")
    assert clock.index(clock.time_of_frame(index) + 1e-4) == index


def test_a_plan_holds_the_first_picture_on_the_way_and_the_last_on_the_way_back() -> None:
    clock = DreamClock(FPS, FRAMES, small_plan(), "plan")
    start, end = clock.span
    assert (clock.index(start), clock.index(end)) == (2, 11)
    assert clock.shown == range(2, 12)
    assert len(clock.frame_times()) == 10


@given(frame=st.floats(2.0, 11.0))
def test_dream_time_and_plan_time_mean_the_same_moment(frame: float) -> None:
    plan = small_plan()
    dream, whole = DreamClock(FPS, FRAMES, plan), DreamClock(FPS, FRAMES, plan, "plan")
    moment = dream.plan_time(frame / FPS)
    assert moment is not None
    assert whole.frame(moment) == pytest.approx(frame, abs=0.02)
    assert dream.time_of_plan(moment) == pytest.approx(frame / FPS, abs=0.01)


def test_what_the_plan_leaves_out_has_no_plan_time() -> None:
    assert DreamClock(FPS, FRAMES, small_plan()).plan_time(0.0) is None
    assert DreamClock(FPS, FRAMES).plan_time(1.0) is None


@given(t=st.floats(-5, 50, allow_nan=False))
def test_no_time_leads_out_of_the_clip(t: float) -> None:
    for clock in (DreamClock(FPS, FRAMES), DreamClock(FPS, FRAMES, small_plan(), "plan")):
        assert 0 <= clock.index(t) < FRAMES


def test_the_times_of_frames_rise() -> None:
    for clock in (DreamClock(FPS, FRAMES), DreamClock(FPS, FRAMES, small_plan(), "plan")):
        assert (np.diff(clock.frame_times()) > 0).all()
