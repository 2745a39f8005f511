"""Streams that misbehave, and the capture process: flaws are told, nothing else is lost."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from hardware.recording.capture import Capture
from hardware.recording.capture_process import CaptureGone, CaptureProcess
from hardware.recording.flaws import StreamWatch
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.recorder import Ended, Recorder
from hardware.recording.recover import recover
from hardware.stream import DeviceError, Picture, Reading, Ring, Sample, StreamInfo
from tests.hardware.recording.sources import arm, camera_source, force_source, info, picture, pose_source


def record(path: Path, samples: list[Sample], ring_length: int = 1000) -> Ended:
    """Record these samples as fast as they go."""
    ring = Ring(ring_length)
    recorder = Recorder(path / MCAP, {"top": (info("top"), ring)})
    for sample in samples:
        ring.put(sample)
    time.sleep(0.1)
    return recorder.stop()


def kinds(ended: Ended) -> dict[str, int]:
    found: dict[str, int] = {}
    for flaw in ended.flaws:
        found[flaw.kind] = found.get(flaw.kind, 0) + flaw.count
    found.pop("stalled", None)  # the time after the last of the hand-made samples
    return found


def at(k: int, t: float) -> Picture:
    return picture("top", k, t)


def test_bad_samples_are_told_one_by_one_and_the_others_recorded(tmp_path: Path) -> None:
    now = time.monotonic()
    samples: list[Sample] = [at(k, now + k * 1e-4) for k in range(8)]
    samples[2] = Picture("top", 2, float("nan"), 1.0, samples[2].pixels)  # type: ignore[union-attr]
    samples[4] = at(3, now + 4e-4)  # number 3 again
    samples[6] = Picture("top", 6, now + 6e-4, 50.0, samples[6].pixels)  # type: ignore[union-attr]
    ended = record(tmp_path, samples)
    # the numbers 2 and 4 never came as they should
    assert kinds(ended) == {"bad time": 1, "duplicate": 1, "time went back": 1, "device dropped": 2}
    with open_episode(tmp_path) as reader:
        assert reader.times("top").index.tolist() == [0, 1, 3, 5, 6, 7]
        assert reader.times("top").t_device[4] == 50.0  # as the device said it
        assert {f.kind for f in reader.flaws()} >= {"bad time", "duplicate", "time went back", "device dropped"}


def test_what_a_slow_computer_loses_is_counted(tmp_path: Path) -> None:
    now = time.monotonic()
    ended = record(tmp_path, [at(k, now + k * 1e-5) for k in range(400)], ring_length=10)
    lost = kinds(ended)["recorder dropped"]
    assert set(kinds(ended)) == {"recorder dropped"}  # and not once more as the device's
    assert lost > 0
    assert lost + ended.samples["top"] == 400
    assert ended.finished
    with open_episode(tmp_path) as reader:
        assert len(list(reader.frames("top"))) == ended.samples["top"]


def test_a_silent_stream_is_told_with_its_length() -> None:
    watch = StreamWatch("top", 30.0)
    watch.look(Reading("top", 0, 10.0, 1.0, 0.0))
    _, (flaw,) = watch.look(Reading("top", 1, 10.5, 1.5, 0.0))
    assert (flaw.kind, flaw.seconds, flaw.count) == ("stalled", 0.5, 14)
    assert watch.look(Reading("top", 2, 10.53, 1.53, 0.0)) == (True, ())
    (flaw,) = watch.end(9.0, 12.53)
    assert flaw.seconds == pytest.approx(2.0)


def test_a_stream_that_promised_no_rate_stalls_only_where_it_stands_still() -> None:
    watch = StreamWatch("top", 10.0, free_running=True)
    for k in range(11):
        assert watch.look(Reading("top", k, 10.0 + 0.4 * k, 0.4 * k, 0.0)) == (True, ())
    _, (flaw,) = watch.look(Reading("top", 11, 16.0, 6.0, 0.0))
    assert (flaw.kind, flaw.seconds, flaw.count) == ("stalled", 2.0, 4)  # at the pace that it had
    (dropped,) = watch.look(Reading("top", 14, 16.4, 6.4, 0.0))[1]
    assert (dropped.kind, dropped.count) == ("device dropped", 2)
    assert dropped.seconds == pytest.approx(2 * 6 / 11)


def test_a_recording_holds_what_came_between_start_and_stop_only(tmp_path: Path) -> None:
    ring = Ring(100)
    ring.put(at(0, time.monotonic()))
    recorder = Recorder(tmp_path / MCAP, {"top": (info("top"), ring)})
    ring.put(at(1, time.monotonic()))
    ring.put(at(2, time.monotonic() + 100))
    ended = recorder.stop()
    assert ended.samples == {"top": 1}
    assert recorder.stop() is ended


class Dead:
    """A device whose driver is not installed."""

    name = "side"
    ring = Ring(1)

    def connect(self) -> None:
        raise DeviceError("side: its driver is missing; pip install it")

    def disconnect(self) -> None:
        pass


def test_a_device_that_does_not_open_costs_only_itself(tmp_path: Path) -> None:
    capture = Capture([camera_source, Dead])  # type: ignore[list-item]
    try:
        assert list(capture.streams) == ["top"]
        assert capture.status().missing == {"side": "side: its driver is missing; pip install it"}
        capture.start(tmp_path / MCAP, {})
        with pytest.raises(RuntimeError, match="already"):
            capture.start(tmp_path / "other", {})
        time.sleep(0.3)
        assert capture.status().recording is not None
        assert capture.stop().finished
        with pytest.raises(RuntimeError, match="nothing is recorded"):
            capture.stop()
    finally:
        capture.close()


def test_a_capture_process_records_shows_pictures_and_says_how_it_is(tmp_path: Path) -> None:
    with_own = CaptureProcess([camera_source, pose_source, force_source])
    try:
        assert set(with_own.streams) == {"top", "t265", "force"}
        with_own.start(tmp_path / MCAP, {"task": "test"})
        with pytest.raises(RuntimeError, match="already"):
            with_own.start(tmp_path / "other.mcap", {})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = with_own.status()
            if with_own.newest("top") is not None and status.recording and status.recording.seconds > 0.5:
                break
            time.sleep(0.02)
        frame, full = with_own.newest("top"), with_own.snapshot("top")
        assert frame is not None
        assert full is not None
        assert frame.rgb.shape == full.rgb.shape == (64, 96, 3)
        assert with_own.status().health["top"].connected
        ended = with_own.stop()
        assert ended.finished
        with open_episode(tmp_path) as reader:
            assert len(list(reader.frames("top"))) == ended.samples["top"] > 5
    finally:
        with_own.close()


@pytest.mark.parametrize("own_process", [False, True])
def test_what_this_process_delivers_is_recorded_beside_the_devices(tmp_path: Path, own_process: bool) -> None:
    capture = CaptureProcess([force_source]) if own_process else Capture([force_source])
    try:
        ring = Ring(100)
        ring.put(arm("left_arm", 0, time.monotonic()))  # before the recording
        capture.start(tmp_path / MCAP, {}, {"left_arm": (StreamInfo("left_arm", "arm", 50.0), ring)})
        given = [ring.count + k for k in range(30)]
        for k in given:
            ring.put(arm("left_arm", k, time.monotonic()))
            time.sleep(0.02)
        ended = capture.stop()
        assert ended.finished
        assert ended.samples["left_arm"] == 30
        assert "left_arm" not in {f.stream for f in ended.flaws if f.kind != "stalled"}
        assert set(capture.streams) == {"force"}, "what is shown as a device is one"
    finally:
        capture.close()
    with open_episode(tmp_path) as reader:
        assert reader.times("left_arm").index.tolist() == given
        assert reader.arm_samples("left_arm")[-1].commanded is not None
        assert len(reader.readings("force")) > 10


def test_when_the_capture_process_dies_the_window_is_told_and_the_file_recovers(tmp_path: Path) -> None:
    capture = CaptureProcess([camera_source])
    try:
        capture.start(tmp_path / MCAP, {})
        time.sleep(0.8)
        os.kill(capture.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while capture.status().alive and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not capture.status().alive
        with pytest.raises(CaptureGone, match="has ended"):
            capture.stop()
        assert recover(tmp_path / MCAP).messages > 5
    finally:
        capture.close()


def test_when_the_window_goes_the_capture_process_finishes_its_file_and_ends(tmp_path: Path) -> None:
    capture = CaptureProcess([camera_source])
    capture.start(tmp_path / MCAP, {})
    time.sleep(0.6)
    capture.close()
    with open_episode(tmp_path) as reader:
        assert np.diff(reader.times("top").t_host).min() > 0
