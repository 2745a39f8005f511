"""What one driver alone does: formats, intrinsics, exposure, clocks, files."""

import importlib
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hardware.cameras import basler, realsense
from hardware.cameras.replay import ReplayClock, ReplaySource
from hardware.cameras.webcam import WebcamSource
from hardware.devices import found_devices
from hardware.recording.encoder import to_rgb
from hardware.stream import DeviceError, Picture, Pose, Sample
from hardware.threaded_device import ThreadedDevice
from tests.hardware.cameras.benches import (
    RATE,
    SIZE,
    RealSenseBench,
    camera,
    config,
    episode,
    in_its_own_process,
    threaded,
)


@pytest.fixture
def realsense_bench(tmp_path: Path) -> Iterator[RealSenseBench]:
    bench = RealSenseBench(tmp_path)
    yield bench
    bench.device.disconnect()
    bench.close()


def newest(device: ThreadedDevice) -> Picture:
    picture = device.ring.newest()
    assert isinstance(picture, Picture)
    return picture


def test_a_realsense_gives_its_own_coding_intrinsics_exposure_and_clock(realsense_bench: RealSenseBench) -> None:
    info = realsense_bench.device.connect()
    assert (info.pixel_format, info.serial, info.link) == ("yuyv422", "812", "USB 3.2")
    assert info.camera is not None
    np.testing.assert_allclose(info.camera.K, [[61, 0, 31.5], [0, 62, 23.5], [0, 0, 1]])
    assert info.details["intrinsics"] == "factory"
    assert info.details["clock"] == "hardware clock"
    picture = realsense_bench.device.ring.newest()
    assert isinstance(picture, Picture)
    assert picture.pixels.shape == (SIZE[1], SIZE[0], 2)
    assert picture.pixels.dtype == np.uint8
    grey = (picture.index - 1) * 10 % 255
    assert (picture.pixels[..., 0] == grey).all()
    assert (picture.pixels[..., 1] == 128).all()
    assert picture.exposure_s == pytest.approx(0.008)
    assert picture.t_device == pytest.approx(5.0 + (picture.index - 1) / RATE, abs=1e-4)
    assert to_rgb(picture).shape == (SIZE[1], SIZE[0], 3)


def test_a_realsense_keeps_the_exposure_that_the_rig_file_fixes(realsense_bench: RealSenseBench) -> None:
    source = realsense.RealSenseSource(
        config("realsense", exposure_s=0.012, calibrated=False), realsense_bench.find
    )
    device = threaded(source)
    device.connect()
    assert realsense_bench.sensor.get_option(realsense_bench.rs.option.exposure) == 120  # in 100 us
    device.disconnect()


def test_a_size_that_a_realsense_has_not_is_answered_with_those_it_has(realsense_bench: RealSenseBench) -> None:
    other = config("realsense", calibrated=False)
    object.__setattr__(other, "camera", camera(size=(640, 480)))
    with pytest.raises(DeviceError, match=r"^bench: no picture of 640x480 at 30 fps; valid: 64x48 at 30; .*USB 3"):
        threaded(realsense.RealSenseSource(other, realsense_bench.find)).connect()


@in_its_own_process
def test_a_basler_camera_shows_the_very_pixels_of_its_image_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    cv2.imwrite(str(tmp_path / "picture.png"), pixels[..., ::-1])

    def with_file(serial: str) -> Any:
        opened = basler.open_camera(serial)
        opened.ImageFilename.Value = str(tmp_path)
        opened.ImageFileMode.Value = "On"
        opened.TestImageSelector.Value = "Off"
        return opened

    device = threaded(basler.BaslerSource(config("basler", exposure_s=0.004), with_file))
    info = device.connect()
    picture = newest(device)
    device.disconnect()
    assert (info.pixel_format, info.link, info.serial) == ("rgb24", "emulated", "0815-0000")
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.exposure_s == 0.004


@in_its_own_process
def test_a_size_that_a_basler_camera_has_not_is_answered_with_its_range() -> None:
    other = config("basler")
    object.__setattr__(other, "camera", camera(size=(10000, 48)))
    with pytest.raises(DeviceError, match=r"bench: width 10000; valid: 1 to 4096"):
        threaded(basler.BaslerSource(other)).connect()


def test_a_gige_cameras_counter_goes_on_over_its_end() -> None:
    class Grab:
        TimeStamp = 5_000_000_000

        def __init__(self, block: int) -> None:
            self.BlockID = block

    numbers = basler._Numbers(True, 1e-9)
    assert [numbers.read(Grab(b), 1.0)[0] for b in (65534, 65535, 1, 2)] == [65534, 65535, 65536, 65537]
    assert numbers.read(Grab(3), 1.0)[1] == pytest.approx(5.0)


@pytest.mark.alone
def test_a_replay_keeps_the_recorded_timing_and_begins_again_at_its_end(tmp_path: Path) -> None:
    path, clock = str(episode(tmp_path / "episode.mcap", gap_at=5)), ReplayClock()
    top = threaded(ReplaySource("top", path, "top", clock, ("camera",)), "top")
    t265 = threaded(ReplaySource("t265", path, "t265", clock, ("pose",)), "t265")
    assert top.connect().details["replay of"].endswith("episode.mcap")
    assert top.connect().link == "replay"
    t265.connect()
    samples = collect(top, lambda s: len(s) >= 18)
    pose = t265.ring.newest()
    gap = next(b for a, b in itertools.pairwise(samples) if b.index - a.index == 7)
    before = samples[samples.index(gap) - 1]
    assert gap.t_host - before.t_host == pytest.approx(7 / RATE, abs=0.05)
    assert gap.t_device - before.t_device == pytest.approx(7 / RATE, abs=1e-6)
    assert all(a.index < b.index and a.t_device < b.t_device for a, b in itertools.pairwise(samples))
    assert top.health().device_drops >= 6
    top.disconnect()
    t265.disconnect()
    assert isinstance(pose, Pose)
    assert pose.confidence == 3


def collect(device: ThreadedDevice, enough: Callable[[list[Sample]], bool]) -> list[Sample]:
    samples: list[Sample] = []
    cursor, deadline = 0, time.monotonic() + 60
    while not enough(samples):
        assert time.monotonic() < deadline
        device.ring.wait(cursor, 1.0)
        fresh, cursor, _ = device.ring.after(cursor)
        samples += fresh
    return samples


@pytest.mark.skipif(sys.platform != "linux", reason="webcams are found in /dev here")
def test_a_webcam_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(DeviceError, match="bench: there is no webcam 97; found: "):
        threaded(WebcamSource(config("webcam", serial="97"))).connect()


@pytest.mark.parametrize(
    ("driver", "module", "pip"),
    [
        ("realsense", "pyrealsense2", "pip install 'dreamdeck[realsense]'"),
        ("basler", "pypylon.pylon", "pip install 'dreamdeck[basler]'"),
        ("force", "serial.tools.list_ports", "pip install 'dreamdeck[force]'"),
    ],
)
def test_a_missing_sdk_costs_only_its_own_devices_and_names_the_pip_line(
    driver: str, module: str, pip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.import_module

    def without(name: str, *rest: Any) -> Any:
        if name == module:
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    found, missing = found_devices([driver, "webcam"])
    assert pip in missing[driver]
    assert "webcam" not in missing
    assert driver not in {device.driver for device in found}


def test_no_driver_loads_an_sdk_before_a_device_of_it_is_opened() -> None:
    code = "import sys, hardware.devices; print({'pyrealsense2', 'pypylon', 'serial'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
