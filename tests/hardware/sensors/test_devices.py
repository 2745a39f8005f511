"""What the gripper's sensors say: force in newton, opening in metres, poses with how sure the camera is of them."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import is_transform
from hardware.recording.encoder import to_rgb
from hardware.rig_devices import ArucoConfig, SensorConfig
from hardware.sensors.aruco_opening import OpeningMeter, grey
from hardware.sensors.force import TARE_SAMPLES, ForceLine, force_line, force_text
from hardware.sensors.t265 import SDK, T265Source, bridge_command
from hardware.stream import DeviceError, Picture, Pose, Reading, Sample
from hardware.threaded_device import ThreadedDevice
from hardware.types import Camera
from tests.hardware.cameras.benches import ForceBench, camera, markers


@pytest.fixture
def force(tmp_path: Path) -> Iterator[ForceBench]:
    bench = ForceBench(tmp_path)
    yield bench
    bench.device.disconnect()
    bench.close()


def next_samples(device: ThreadedDevice, count: int) -> list[Sample]:
    cursor, samples = device.ring.count, []
    while len(samples) < count:
        assert device.ring.wait(cursor, 60.0)
        fresh, cursor, _ = device.ring.after(cursor)
        samples += fresh
    return samples


def test_force_is_valid_after_taring_and_in_newton_from_there(force: ForceBench) -> None:
    assert force.device.connect().link == "serial"
    first = next_samples(force.device, TARE_SAMPLES + 3)
    assert isinstance(first[0], Reading)
    assert not first[0].valid
    force.counts = lambda k: 700
    pulled = next_samples(force.device, 4)[-1]
    assert isinstance(pulled, Reading)
    assert pulled.valid
    assert pulled.value == pytest.approx(2.0)
    force.device.tare()
    zero = next_samples(force.device, 2)[-1]
    assert isinstance(zero, Reading)
    assert zero.value == pytest.approx(0.0, abs=1e-9)


def test_force_beyond_the_sensors_limit_is_not_believed(force: ForceBench) -> None:
    force.device.connect()
    next_samples(force.device, TARE_SAMPLES + 1)
    force.counts = lambda k: 500_000
    beyond = next_samples(force.device, 4)[-1]
    assert isinstance(beyond, Reading)
    assert not beyond.valid
    assert beyond.value > 100


def test_noise_on_the_line_costs_single_measurements_and_shows_as_drops(force: ForceBench) -> None:
    force.device.connect()
    force.send(b"\xff\x00$F,junk*00\r\n" + b"x" * 300 + b"\n")
    samples = next_samples(force.device, 5)
    assert all(a.index < b.index for a, b in itertools.pairwise(samples))


@given(st.integers(0, 2**31), st.integers(0, 10**9), st.integers(-(2**31), 2**31))
@settings(deadline=None)
def test_a_force_line_is_read_as_it_was_written_and_any_changed_byte_is_noticed(
    n: int, us: int, counts: int
) -> None:
    text = force_text(ForceLine(n, us / 1e6, counts))
    assert force_line(text) == ForceLine(n, us / 1e6, counts)
    changed = bytes([*text[:5], text[5] ^ 1, *text[6:]])
    assert force_line(changed) is None
    assert force_line(text[:-4]) is None


METER = ArucoConfig("fisheye", (3, 4), marker_size=0.02, closed=0.03, opened=0.08, travel=0.085)


@pytest.mark.parametrize(("way", "opening"), [(60, 0.0), (100, 0.034), (120, 0.051)])
def test_an_opening_is_where_the_markers_are(way: float, opening: float) -> None:
    meter = OpeningMeter(METER, camera("fisheye", (256, 128)))
    measured = meter.measure(markers(way))
    assert measured == pytest.approx(way / 40 * 0.02, rel=0.03)
    value, believed = meter.opening(measured)
    assert value == pytest.approx(opening, abs=0.003)
    assert believed


def test_an_opening_is_not_believed_outside_its_range_and_none_without_both_markers() -> None:
    meter = OpeningMeter(METER, camera("fisheye", (256, 128)))
    assert meter.measure(markers(80, only_one=True)) is None
    value, believed = meter.opening(0.12)
    assert value > METER.travel
    assert not believed


def test_a_fisheyes_distortion_is_taken_out_before_measuring() -> None:
    K = np.array([[80.0, 0, 128], [0, 80.0, 64], [0, 0, 1]])
    bent = OpeningMeter(METER, Camera("fisheye", K, (256, 128), model="fisheye")).measure(markers(150))
    flat = OpeningMeter(METER, Camera("fisheye", K, (256, 128))).measure(markers(150))
    assert bent is not None
    assert flat is not None
    # a marker's side grows more than its distance where the lens squeezes, so what is measured falls
    assert bent != pytest.approx(flat, rel=0.01)


def test_brightness_is_the_same_out_of_every_coding() -> None:
    pixels = np.full((4, 8, 3), 100, np.uint8)
    luma = np.full((4, 8), 102, np.uint8)
    yuyv = np.stack([luma, np.full_like(luma, 128)], axis=-1)
    nv12 = np.concatenate([luma, np.full((2, 8), 128, np.uint8)])
    for data, layout in ((pixels, "rgb24"), (yuyv, "yuyv422"), (nv12, "nv12")):
        picture = Picture("a", 0, 0.0, 0.0, data, layout)  # type: ignore[arg-type]
        assert abs(grey(picture).astype(int) - 101).max() <= 1
        assert abs(to_rgb(picture).astype(int) - 100).max() <= 2


def test_the_bridge_tells_low_confidence_and_where_it_found_itself_again() -> None:
    config = SensorConfig("t265", "t265", "pose", rate_hz=100.0, emulate=True)
    device = ThreadedDevice("t265", T265Source(config), rate_hz=100.0, first_sample_s=20.0)
    info = device.connect()
    poses = next_samples(device, 70)
    device.disconnect()
    assert info.link == "emulated"
    assert all(isinstance(p, Pose) and is_transform(p.T_ref_sensor) for p in poses)
    again = [p for p in poses if isinstance(p, Pose) and p.relocalised]
    low = [p for p in poses if isinstance(p, Pose) and p.confidence == 1]
    assert len(again) in (1, 2)
    assert 10 <= len(low) <= 20
    assert all(b.index - a.index == 1 for a, b in itertools.pairwise(poses))


def test_a_bridge_that_is_no_bridge_is_told(tmp_path: Path) -> None:
    false = tmp_path / "python"
    false.write_text("#!/bin/sh\necho Segmentation fault, core dumped\n")
    false.chmod(0o755)
    source = T265Source(SensorConfig("t265", "t265", "pose", python=str(false)))
    with pytest.raises(DeviceError, match="t265: its bridge sent no messages but something else"):
        source.open()
    assert source.pid is None


def test_without_any_interpreter_the_message_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DREAMDECK_T265_PYTHON", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DeviceError, match=r"python3.10 -m venv .*/pip install pyrealsense2==2.53.1"):
        bridge_command(SensorConfig("t265", "t265", "pose"))


def test_the_bridge_ends_with_the_program_that_started_it() -> None:
    command = bridge_command(SensorConfig("t265", "t265", "pose", emulate=True))
    bridge = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert bridge.stdin is not None
    assert bridge.stdout is not None
    assert bridge.stdout.read(4)
    bridge.stdin.close()
    bridge.stdout.close()
    assert bridge.wait(60) in (0, 1)


def _python310() -> str | None:
    """An interpreter 3.10 of this machine."""
    places = [shutil.which("python3.10"), *map(str, Path.home().glob(".pyenv/versions/3.10.*/bin/python"))]
    for place in filter(None, places):
        answer = subprocess.run([place, "--version"], capture_output=True, text=True, check=False)
        if answer.stdout.startswith("Python 3.10"):
            return place
    return None


@pytest.fixture(scope="session")
def t265_python() -> str:
    """An interpreter with the last SDK that knows the T265: the one that is set, or one made beside this venv."""
    if given := os.environ.get("DREAMDECK_T265_PYTHON"):
        return given
    made = Path(sys.prefix) / "t265"
    python = made / "bin" / "python"
    if not (made / "ready").exists():
        base = _python310()
        if base is None:
            pytest.skip("no Python 3.10 at hand for the T265's SDK")
        commands = ([base, "-m", "venv", str(made)], [str(python), "-m", "pip", "install", "--quiet", SDK])
        for command in commands:
            if subprocess.run(command, capture_output=True, timeout=120, check=False).returncode:
                pytest.skip(f"the T265's SDK cannot be installed here: {' '.join(command)}")
        (made / "ready").touch()
    return str(python)


def test_the_real_sdk_loads_in_the_bridge_and_misses_only_the_camera(t265_python: str) -> None:
    source = T265Source(SensorConfig("pose", "t265", "pose", python=t265_python))
    with pytest.raises(DeviceError, match=r"pose: No device connected; plug it in"):
        source.open()
    assert source.pid is None
