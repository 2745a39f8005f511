"""What is said of cameras by their pictures alone: the rate is the camera's, and a still picture is told."""

import time
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.gui.binders.live import RateMeter, SeenCameras
from hardware.types import Frame

BLACK = np.zeros((48, 64, 3), np.uint8)


def frame(index: int, t: float) -> Frame:
    return Frame("top", index, t, t, BLACK)


class Newest:
    """Frames that a test sets."""

    def __init__(self) -> None:
        self.frames: dict[str, Frame] = {}

    def all(self) -> Mapping[str, Frame]:
        return self.frames


@given(rate=st.floats(5, 90), looks=st.floats(10, 60))
@settings(max_examples=30, deadline=None)
def test_the_rate_is_the_cameras_however_seldom_one_looks(rate: float, looks: float) -> None:
    meter = RateMeter()
    for k in range(int(4 * looks)):
        index = int(k / looks * rate)
        meter.take({"top": frame(index, 10.0 + index / rate)})
    assert meter.rate("top", 10.0 + 4.0) == pytest.approx(rate, rel=0.02)


def test_a_camera_that_stands_still_is_told_and_one_that_has_shown_nothing_waits() -> None:
    newest, now = Newest(), time.monotonic()
    seen = SeenCameras(newest, ["top", "side"])
    assert [row.name for row in seen.waiting()] == ["top", "side"]
    assert seen.look() == []
    for k in range(20):
        newest.frames["top"] = frame(k, now - 1.0 + k / 20)
        (row,) = seen.look()
    assert (row.mood, row.facts[0].text) == ("ok", "20.0 fps")
    newest.frames["top"] = frame(19, now - 3.0)
    still = SeenCameras(newest, ["top"])
    (row,) = still.look()
    assert row.mood == "alarm"
    assert "silent for 3 s" in [fact.text for fact in row.facts]
