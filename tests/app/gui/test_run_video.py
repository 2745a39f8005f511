"""Page Inspect plays what a run left: its recording, an older run's video file, what a crash left of one."""

import os
import shutil
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.execution.run_folder import RunFolder
from app.gui.binders.run_video import has_video, open_video
from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_log import MCAP
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.stream import StreamInfo
from tests.hardware.recording.sources import arm, info, picture

ARM = StreamInfo("left_arm", "arm", 50.0)
START = 10.0


def _record(folder: Path, cameras: tuple[str, ...] = ("top",), end: bool = True) -> Path:
    """The arm's first state comes half a second before the first picture."""
    writer = EpisodeWriter(Files().create(folder / MCAP), (*map(info, cameras), ARM), Clock(5.0, 1.7e9))
    coders = {name: Encoder((96, 64), 30) for name in cameras}
    writer.arm(arm("left_arm", 0, START - 0.5))
    for k in range(20):
        for name, coder in coders.items():
            seen = picture(name, k, START + k / 30)
            writer.video(seen, coder.encode(seen))
        writer.sync()
    if end:
        writer.finish()
    else:
        writer.abandon()
    RunFolder(folder).write(cameras=list(cameras))
    return folder


def _bar(k: int) -> int:
    """Where the test picture number k has its bright bar."""
    return (k * 4) % 96


def test_a_run_is_played_at_its_true_times_from_its_first_picture(tmp_path: Path) -> None:
    assert has_video(_record(tmp_path, ("top", "side")))
    video = open_video(tmp_path)
    assert video is not None
    assert video.duration == pytest.approx(19 / 30)
    for k in (0, 12, 3, 19):
        shown = video.frame_at("", (k + 0.5) / 30)
        assert shown is not None
        assert abs(int(shown.mean(axis=(0, 2)).argmax()) - _bar(k)) < 5
    video.close()


def test_a_run_without_cameras_has_no_video(tmp_path: Path) -> None:
    assert not has_video(_record(tmp_path, ()))
    assert open_video(tmp_path) is None


def test_a_run_that_a_crash_cut_short_is_played_as_far_as_it_came(tmp_path: Path) -> None:
    _record(tmp_path, end=False)
    with pytest.raises(ValueError, match="it is being recorded"):
        open_video(tmp_path)
    before = time.time() - 60
    os.utime(tmp_path / MCAP, (before, before))
    video = open_video(tmp_path)
    assert video is not None
    assert video.duration == pytest.approx(19 / 30)
    video.close()


def test_a_damaged_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / MCAP).write_bytes(b"no recording")
    os.utime(tmp_path / MCAP, (1.0, 1.0))
    with pytest.raises(ValueError, match=MCAP):
        open_video(tmp_path)
    assert not has_video(tmp_path), "run.json is gone too"


def test_a_run_of_an_older_version_is_still_played(tmp_path: Path) -> None:
    (tmp_path / "cameras").mkdir()
    with av.open(str(tmp_path / "cameras" / "top.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for k in range(20):
            frame = av.VideoFrame.from_ndarray(picture("top", k, 0.0).pixels, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 30)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    assert has_video(tmp_path)
    video = open_video(tmp_path)
    assert video is not None
    assert video.duration == pytest.approx(20 / 30, abs=0.02)
    shown = video.frame_at("", 12.5 / 30)
    assert shown is not None
    assert abs(int(np.asarray(shown).mean(axis=(0, 2)).argmax()) - _bar(12)) < 5
    video.close()
    shutil.rmtree(tmp_path / "cameras")
    assert open_video(tmp_path) is None
