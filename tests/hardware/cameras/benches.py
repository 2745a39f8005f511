"""Devices on the bench: every driver over something that a test can pull out, hold up and put back.

The SDKs are the vendors' own wherever they can run without hardware.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from hardware.cameras.basler import BaslerSource, open_camera
from hardware.cameras.realsense import RealSenseSource
from hardware.cameras.replay import ReplayClock, ReplaySource
from hardware.cameras.sim import SimCamera
from hardware.cameras.video_file import VideoFileSource
from hardware.recording.encoder import Encoder
from hardware.recording.files import Files
from hardware.recording.mcap_writer import Clock, EpisodeWriter
from hardware.rig_devices import ArucoConfig, CameraConfig, ForceConfig, SensorConfig
from hardware.sensors.aruco_opening import ArucoOpening
from hardware.sensors.force import ForceLine, ForceSensor, force_text
from hardware.sensors.t265 import T265Source
from hardware.stream import Device, DeviceError, Picture, Pose, Ring, StreamInfo
from hardware.threaded_device import Source, ThreadedDevice
from hardware.types import Camera, Image
from hardware.world.frame_memory import FrameMemory

SIZE, RATE = (64, 48), 30.0
in_its_own_process = pytest.mark.skipif(
    "PYLON_CAMEMU" not in os.environ, reason="runs in a process of its own (test_basler.py)"
)


def camera(name: str = "bench", size: tuple[int, int] = SIZE) -> Camera:
    return Camera(name, np.array([[60.0, 0, size[0] / 2], [0, 60.0, size[1] / 2], [0, 0, 1]]), size)


def config(driver: str, **fields: Any) -> CameraConfig:
    return CameraConfig(camera(), driver, rate_hz=RATE, **fields)


def threaded(source: Source, name: str = "bench") -> ThreadedDevice:
    return ThreadedDevice(name, source, rate_hz=RATE, first_sample_s=20.0)


class Pump:
    """Calls `turn(k)` at the rate from construction to close; `flows` holds it up."""

    def __init__(self, turn: Callable[[int], None]) -> None:
        self.flows, self._ended, self._turn, self.k = True, threading.Event(), turn, 0
        self._thread = threading.Thread(target=self._run, name="pump")
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(1.0 / RATE):
            if self.flows:
                self._turn(self.k)
                self.k += 1


class Bench:
    """One device and what can be done to it. broken: one that cannot open, and words of its message."""

    device: Device
    unpluggable = stallable = True

    def unplug(self) -> None: ...
    def plug(self) -> None: ...
    def stall(self) -> None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...

    def broken(self) -> tuple[Device, str]:
        raise NotImplementedError


class SimBench(Bench):
    unpluggable = False

    def __init__(self, folder: Path) -> None:
        self._memory = FrameMemory("bench", SIZE)
        self.device = SimCamera(camera(), self._memory.name, RATE)
        self._pump = Pump(self._turn)

    def _turn(self, k: int) -> None:
        now = time.monotonic()
        self._memory.write(k, now, now, np.full((SIZE[1], SIZE[0], 3), k % 255, np.uint8))

    def stall(self) -> None:
        self._pump.flows = False

    def resume(self) -> None:
        self._pump.flows = True

    def close(self) -> None:
        self._pump.close()
        self._memory.close()

    def broken(self) -> tuple[Device, str]:
        return SimCamera(camera(), "no-such-memory", RATE), "world is not running; start it"


class VideoBench(Bench):
    unpluggable = stallable = False

    def __init__(self, folder: Path) -> None:
        file = video(folder / "demo.mp4", 12)
        self.device = threaded(VideoFileSource(config("file", path=str(file))))

    def broken(self) -> tuple[Device, str]:
        return threaded(VideoFileSource(config("file", path="nowhere.mp4"))), "nowhere.mp4 is no video"


def video(file: Path, frames: int) -> Path:
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=int(RATE))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for k in range(frames):
            pixels = np.full((SIZE[1], SIZE[0], 3), 20 * k % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode())
    return file


class ReplayBench(Bench):
    unpluggable = stallable = False

    def __init__(self, folder: Path) -> None:
        self.path = episode(folder / "episode.mcap")
        self.device = threaded(ReplaySource("bench", str(self.path), "top", ReplayClock(), ("camera",)))

    def broken(self) -> tuple[Device, str]:
        source = ReplaySource("bench", str(self.path), "side", ReplayClock(), ("camera",))
        return threaded(source), "no such stream 'side'; valid: top"


def episode(file: Path, gap_at: int = -1) -> Path:
    """Half a second of a camera `top` and a sensor `t265`; a gap of 0.2 s and 6 numbers before picture gap_at."""
    infos = (StreamInfo("top", "camera", RATE, camera("top")), StreamInfo("t265", "pose", RATE))
    writer, encoder = EpisodeWriter(Files().create(file), infos, Clock(50.0, 1e9)), Encoder(SIZE, RATE)
    for k in range(15):
        lost = 6 if 0 <= gap_at <= k else 0
        t, pixels = 50.0 + (k + lost) / RATE, np.full((SIZE[1], SIZE[0], 3), 10 * k, np.uint8)
        picture = Picture("top", 100 + k + lost, t, 7.0 + (k + lost) / RATE, pixels)
        writer.video(picture, encoder.encode(picture))
        writer.pose(Pose("t265", k, t, 7.0 + k / RATE, np.eye(4), 3))
    writer.finish()
    return file


class RealSenseBench(Bench):
    """Frames of the SDK's own software device."""

    def __init__(self, folder: Path) -> None:
        import pyrealsense2 as rs

        self.rs = rs
        self._plugged = True
        self.software = rs.software_device()
        self.software.register_info(rs.camera_info.serial_number, "812")
        self.software.register_info(rs.camera_info.name, "Software D435")
        self.software.register_info(rs.camera_info.usb_type_descriptor, "3.2")
        self.sensor = self.software.add_sensor("RGB Camera")
        self.sensor.add_option(rs.option.exposure, rs.option_range(1, 10000, 156, 1), True)
        self._profile = self.sensor.add_video_stream(self._stream()).as_video_stream_profile()
        self.device = threaded(RealSenseSource(config("realsense", calibrated=False), self.find))
        self._pump = Pump(self._turn)

    def find(self, serial: str) -> Any:
        return self.software if self._plugged and serial in ("", "812") else None

    def _stream(self) -> Any:
        rs, stream, i = self.rs, self.rs.video_stream(), self.rs.intrinsics()
        i.width, i.height, i.ppx, i.ppy, i.fx, i.fy, i.coeffs = *SIZE, 31.5, 23.5, 61.0, 62.0, [0.0] * 5
        i.model = rs.distortion.inverse_brown_conrady
        stream.type, stream.index, stream.uid, stream.fmt = rs.stream.color, 0, 1, rs.format.yuyv
        stream.width, stream.height, stream.fps, stream.bpp, stream.intrinsics = *SIZE, int(RATE), 2, i
        return stream

    def _turn(self, k: int) -> None:
        frame = self.rs.software_video_frame()
        pixels = np.full((SIZE[1], SIZE[0], 2), 128, np.uint8)
        pixels[..., 0] = 10 * k % 255
        frame.pixels, frame.stride, frame.bpp = pixels, 2 * SIZE[0], 2
        frame.timestamp, frame.domain = 5000.0 + 1e3 * k / RATE, self.rs.timestamp_domain.hardware_clock
        frame.frame_number, frame.profile = k + 1, self._profile
        self.sensor.set_metadata(self.rs.frame_metadata_value.actual_exposure, 8000)
        self.sensor.on_video_frame(frame)

    def unplug(self) -> None:
        self._pump.flows = self._plugged = False

    def plug(self) -> None:
        self._pump.k = 0
        self._pump.flows = self._plugged = True

    def stall(self) -> None:
        self._pump.flows = False

    def resume(self) -> None:
        self._pump.flows = True

    def close(self) -> None:
        self._pump.close()

    def broken(self) -> tuple[Device, str]:
        source = RealSenseSource(config("realsense", serial="999"), self.find)
        return threaded(source), "no RealSense 999 is plugged in; check its cable"


class Cable:
    """pylon's own emulated camera, on a cable that can be pulled out; what is done to it is done in its thread."""

    def __init__(self, real: Any) -> None:
        self.real, self.plugged, self.triggered = real, True, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def IsCameraDeviceRemoved(self) -> bool:
        return not self.plugged

    def RetrieveResult(self, *arguments: Any) -> Any:
        self.real.TriggerSelector.Value = "FrameStart"
        self.real.TriggerMode.Value = "On" if self.triggered else "Off"
        return self.real.RetrieveResult(*arguments)


class BaslerBench(Bench):
    def __init__(self, folder: Path) -> None:
        self._plugged = True
        self.device = threaded(BaslerSource(config("basler", exposure_s=0.004), self._open))

    def _open(self, serial: str) -> Any:
        if not self._plugged:
            raise DeviceError("no Basler camera is plugged in; check its cable")
        self._cable = Cable(open_camera(serial))
        return self._cable

    def unplug(self) -> None:
        self._plugged = self._cable.plugged = False

    def plug(self) -> None:
        self._plugged = True

    def stall(self) -> None:
        self._cable.triggered = True

    def resume(self) -> None:
        self._cable.triggered = False

    def broken(self) -> tuple[Device, str]:
        return threaded(
            BaslerSource(config("basler", serial="999"))
        ), "no Basler 999 is plugged in; check its cable"


class T265Bench(Bench):
    """The bridge as it is shipped, playing its path."""

    def __init__(self, folder: Path) -> None:
        self.source = T265Source(SensorConfig("bench", "t265", "pose", rate_hz=RATE, emulate=True))
        self.device = threaded(self.source)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.source.pid
        assert pid is not None
        os.kill(pid, number)

    def unplug(self) -> None:
        self._signal(signal.SIGKILL)

    def stall(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def broken(self) -> tuple[Device, str]:
        missing = SensorConfig("bench", "t265", "pose", python="/nowhere/python")
        return threaded(T265Source(missing)), "pip install pyrealsense2==2.53.1"


class ForceBench(Bench):
    """A pseudo-terminal that speaks the protocol."""

    def __init__(self, folder: Path) -> None:
        self._link = folder / "port"
        self._ends: tuple[int, int] | None = None
        self.counts: Callable[[int], int] = lambda k: 500
        self.plug()
        force = ForceConfig(str(self._link), newton_per_count=0.01)
        self.device = ForceSensor(SensorConfig("bench", "force", "force", rate_hz=RATE, force=force))
        self._pump = Pump(self._turn)

    def _turn(self, k: int) -> None:
        if self._ends is not None:
            os.write(self._ends[0], force_text(ForceLine(k, 3.0 + k / RATE, self.counts(k))))

    def unplug(self) -> None:
        self._pump.flows = False
        time.sleep(0.1)
        ends, self._ends = self._ends, None
        self._link.unlink()
        for end in ends or ():
            os.close(end)

    def plug(self) -> None:
        self._ends = os.openpty()
        os.set_blocking(self._ends[0], False)
        self._link.symlink_to(os.ttyname(self._ends[1]))
        if hasattr(self, "_pump"):
            self._pump.k, self._pump.flows = 0, True

    def stall(self) -> None:
        self._pump.flows = False

    def resume(self) -> None:
        self._pump.flows = True

    def send(self, data: bytes) -> None:
        assert self._ends is not None
        os.write(self._ends[0], data)

    def close(self) -> None:
        self._pump.close()
        for end in self._ends or ():
            os.close(end)

    def broken(self) -> tuple[Device, str]:
        force = ForceConfig("/dev/nowhere", newton_per_count=0.01)
        return ForceSensor(SensorConfig("bench", "force", "force", force=force)), "/dev/nowhere does not open"


class ArucoBench(Bench):
    """Pictures of two markers in a camera's ring."""

    unpluggable = False

    def __init__(self, folder: Path) -> None:
        self.ring, self.way, self.hidden = Ring(60), 60.0, False
        aruco = ArucoConfig("fisheye", (3, 4), marker_size=0.02, closed=0.03, opened=0.08, travel=0.085)
        self.config = SensorConfig("bench", "aruco", "opening", rate_hz=RATE, aruco=aruco)
        self.camera = camera("fisheye", (256, 128))
        self.device = ArucoOpening(self.config, self.ring, self.camera)
        self._pump = Pump(self._turn)

    def _turn(self, k: int) -> None:
        now = time.monotonic()
        pixels = markers(self.way, only_one=self.hidden)
        self.ring.put(Picture("fisheye", k, now, 9.0 + k / RATE, np.dstack([pixels] * 3)))

    def stall(self) -> None:
        self._pump.flows = False

    def resume(self) -> None:
        self._pump.flows = True

    def close(self) -> None:
        self._pump.close()

    def broken(self) -> tuple[Device, str]:
        return ArucoOpening(self.config, Ring(4), self.camera), "camera fisheye gives no pictures; connect that"


def markers(way: float, only_one: bool = False, side: int = 40) -> Image:
    """Grey (128, 256): markers 3 and 4 of `side` pixels, their middles `way` pixels apart."""
    picture = np.full((128, 256), 255, np.uint8)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    left = round(128 - way / 2 - side / 2)
    for marker, x in ((3, left), (4, left + round(way)))[: 1 if only_one else 2]:
        picture[44 : 44 + side, x : x + side] = cv2.aruco.generateImageMarker(dictionary, marker, side)
    return picture


BENCHES: dict[str, type[Bench]] = {
    "sim": SimBench,
    "video file": VideoBench,
    "replay": ReplayBench,
    "realsense": RealSenseBench,
    "basler": BaslerBench,
    "t265": T265Bench,
    "force": ForceBench,
    "aruco": ArucoBench,
}
