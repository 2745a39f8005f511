"""What the health strips say of a stream, and the line on the load of the USB ports."""

from dataclasses import replace

import numpy as np
import pytest

from app.gui.binders.stream_rows import group_skew, stream_rows, usb_line
from app.gui.sounds import RATE, TUNES, samples
from hardware.recording.capture import CaptureStatus
from hardware.stream import SIMULATED, Pose, Reading, StreamHealth, StreamInfo
from hardware.types import Camera

CAMERA = Camera("top", np.array([[600.0, 0, 640], [0, 600, 360], [0, 0, 1]]), (1280, 720))
TOP = StreamInfo("top", "camera", 30.0, CAMERA, "yuyv422", link="USB 3.2")
FORCE = StreamInfo("force", "force", 30.0)
WELL = StreamHealth(900, 30.0, 0.02, 0, True)


def _status(health: dict[str, StreamHealth], values: dict[str, Reading] | None = None) -> CaptureStatus:
    return CaptureStatus(health, values or {}, {}, None)


def test_a_stream_that_is_well_is_green_and_says_how_it_is_connected() -> None:
    (row,) = stream_rows({"top": TOP}, _status({"top": WELL}))
    assert (row.mood, row.problem) == ("idle", "")
    assert [fact.text for fact in row.facts] == ["30.0 fps", "age 20 ms", "0 drops", "USB 3.2"]


@pytest.mark.parametrize(
    ("health", "mood", "said"),
    [
        (replace(WELL, fps=25.0), "warning", "25.0 fps"),
        (replace(WELL, fps=4.0), "alarm", "4.0 fps"),
        (replace(WELL, age_s=0.4), "warning", "age 400 ms"),
        (replace(WELL, age_s=3.0), "alarm", "silent for 3 s"),
        (replace(WELL, device_drops=2), "warning", "2 drops"),
    ],
)
def test_what_is_wrong_with_a_stream_is_amber_or_red(health: StreamHealth, mood: str, said: str) -> None:
    (row,) = stream_rows({"top": TOP}, _status({"top": health}))
    assert row.mood == mood
    assert (said, mood) in [(fact.text, fact.mood) for fact in row.facts]


def test_a_camera_that_is_unplugged_and_one_that_never_opened_say_so() -> None:
    gone = replace(WELL, connected=False, problem="top: unplugged; plug it in again")
    status = CaptureStatus({"top": gone}, {}, {"side": "side: pip install pyrealsense2"}, None)
    rows = stream_rows({"top": TOP}, status)
    assert [(row.name, row.mood, row.problem) for row in rows] == [
        ("top", "alarm", "top: unplugged; plug it in again"),
        ("side", "alarm", "side: pip install pyrealsense2"),
    ]


def test_a_sensor_shows_its_value_large() -> None:
    reading = Reading("force", 1, 0.0, 0.0, 1.234)
    (row,) = stream_rows({"force": FORCE}, _status({"force": WELL}, {"force": reading}))
    assert (row.shape, row.value) == ("number", "1.23 N")
    (blind,) = stream_rows({"force": FORCE}, _status({"force": WELL}, {"force": replace(reading, valid=False)}))
    assert (blind.value, blind.mood) == ("–", "warning")


def test_a_pose_says_how_sure_it_is_and_a_camera_its_exposure() -> None:
    pose = Pose("t265", 1, 0.0, 0.0, np.eye(4), confidence=1)
    infos = {"t265": StreamInfo("t265", "pose", 30.0), "top": TOP}
    rows = stream_rows(
        infos, CaptureStatus({"t265": WELL, "top": WELL}, {"t265": pose}, {}, None, True, {"top": 0.008})
    )
    assert ("pose unsure", "alarm") in [(fact.text, fact.mood) for fact in rows[0].facts]
    assert "exp 8.0 ms" in [fact.text for fact in rows[1].facts]


def test_skew_is_what_whole_periods_leave_over() -> None:
    infos = {"top": TOP, "side": replace(TOP, name="side")}
    skews = group_skew(infos, {"top": replace(WELL, age_s=0.005), "side": replace(WELL, age_s=0.036)})
    assert skews == {"side": pytest.approx(1 / 30 - 0.031)}


def test_more_than_one_bus_carries_is_said_before_recording() -> None:
    assert usb_line({"force": FORCE}).text == ""
    assert usb_line({"top": TOP}).mood == "ok"
    slow = replace(TOP, link="USB 2.1")
    assert usb_line({"top": slow}).mood == "alarm"


def test_tones_are_short_loud_enough_and_do_not_click() -> None:
    for name in TUNES:
        wave = samples(name)
        assert len(wave) < 0.8 * RATE
        assert 3000 < np.abs(wave.astype(int)).max() < 20000
        assert np.abs(np.diff(wave.astype(int))).max() < 4000
        assert abs(int(wave[0])) < 50


def test_a_force_sensor_offers_to_be_zeroed_between_takes_only() -> None:
    reading = Reading("force", 1, 0.0, 0.0, 1.3)
    status = _status({"top": WELL, "force": WELL}, {"force": reading})
    between = stream_rows({"top": TOP, "force": FORCE}, status, zero=True)
    assert [row.button for row in between] == ["", "Zero"]
    assert [row.button for row in stream_rows({"force": FORCE}, status)] == [""]


def test_a_simulated_camera_that_is_slow_says_its_rate_and_is_not_blamed() -> None:
    drawn = replace(TOP, link=SIMULATED, rate_hz=10.0)
    (row,) = stream_rows({"top": drawn}, _status({"top": replace(WELL, fps=2.4, age_s=0.7)}))
    assert row.mood == "idle"
    assert row.facts[0].text == "2.4 fps"
    assert "at most 10 fps" in row.facts[0].tip
