"""The devices, the recorder and small pictures for views, together in one process. The contract that the program
records by, whether that process is this one or another (hardware/recording/capture_process.py)."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from hardware.recording.encoder import picture_size, to_rgb
from hardware.recording.files import Files
from hardware.recording.recorder import Ended, Progress, Recorder
from hardware.stream import Device, DeviceError, Picture, Pose, Reading, Ring, StreamHealth, StreamInfo, Zeroed
from hardware.types import Frame

Rings = Mapping[str, tuple[StreamInfo, Ring]]
DeviceMaker = Callable[[], Device]  # pickles, where the devices live in another process
PREVIEW_FPS = 15.0
PREVIEW_WIDTH = 640


@dataclass(frozen=True)
class CaptureStatus:
    """health by stream; values: the newest sample of a sensor by stream; missing: device -> why it did not open;
    recording: None while nothing is recorded; exposures [s] by camera, where it says."""

    health: Mapping[str, StreamHealth]
    values: Mapping[str, Reading | Pose]
    missing: Mapping[str, str]
    recording: Progress | None
    alive: bool = True
    exposures: Mapping[str, float] = field(default_factory=dict)


class CaptureSource(Protocol):
    """Devices that can be looked at and recorded. Calls may take some tenths of a second, `newest` and `status`
    may not."""

    @property
    def streams(self) -> Mapping[str, StreamInfo]: ...

    def status(self) -> CaptureStatus: ...

    def newest(self, stream: str) -> Frame | None:
        """Return a camera's newest picture at preview size, None while there is none."""
        ...

    def snapshot(self, stream: str) -> Frame | None:
        """Return a camera's newest picture at its full size."""
        ...

    def zero(self, stream: str) -> None:
        """Take what a force sensor measures now for 0 N. Raises ValueError for a stream that has no zero,
        DeviceError where it does not measure."""
        ...

    def start(self, path: Path, facts: Mapping[str, str], beside: Rings | None = None) -> None:
        """Record into a new .mcap file. beside: what this process itself delivers, by other names than the devices;
        to be delivered until `stop` has returned. Raises OSError, RuntimeError where it records already."""
        ...

    def stop(self) -> Ended:
        """End the recording. Raises RuntimeError where there is none."""
        ...

    def close(self) -> None: ...


class Capture:
    """Devices of this process. A device that does not open is missing; the others work."""

    def __init__(self, makers: Sequence[DeviceMaker], files: Files | None = None) -> None:
        self._files = files
        self._recorder: Recorder | None = None
        self._devices: dict[str, Device] = {}
        self._infos: dict[str, StreamInfo] = {}
        self.missing: dict[str, str] = {}
        try:
            for maker in makers:
                self._open(maker)
        except BaseException:
            self.close()
            raise

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        return dict(self._infos)

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Return the (width, height) of the pictures that each camera gives."""
        newest = {name: device.ring.newest() for name, device in self._devices.items()}
        return {n: picture_size(s.pixels, s.pixel_format) for n, s in newest.items() if isinstance(s, Picture)}

    def status(self) -> CaptureStatus:
        newest = {name: device.ring.newest() for name, device in self._devices.items()}
        recorder = self._recorder  # a stop in another thread takes it away
        return CaptureStatus(
            {name: device.health() for name, device in self._devices.items()},
            {name: sample for name, sample in newest.items() if isinstance(sample, Reading | Pose)},
            dict(self.missing),
            recorder.progress if recorder else None,
        )

    def newest(self, stream: str) -> Frame | None:
        sample = self._devices[stream].ring.newest()
        return preview(sample) if isinstance(sample, Picture) else None

    def snapshot(self, stream: str) -> Frame | None:
        sample = self._devices[stream].ring.newest()
        if not isinstance(sample, Picture):
            return None
        return Frame(stream, sample.index, sample.t_host, sample.t_device, to_rgb(sample))

    def zero(self, stream: str) -> None:
        device = self._devices.get(stream)
        if not isinstance(device, Zeroed):
            valid = [name for name, d in self._devices.items() if isinstance(d, Zeroed)]
            raise ValueError(f"{stream}: it has no zero to set; valid: {valid}")
        device.tare()

    def start(self, path: Path, facts: Mapping[str, str], beside: Rings | None = None) -> None:
        if self._recorder is not None:
            raise RuntimeError("it records already; stop first")
        streams = {name: (info, self._devices[name].ring) for name, info in self._infos.items()}
        self._recorder = Recorder(path, {**(beside or {}), **streams}, files=self._files, facts=facts)

    def stop(self, at: float | None = None) -> Ended:
        """at: the host time at which it was asked for, None: now."""
        if self._recorder is None:
            raise RuntimeError("nothing is recorded; start first")
        ended = self._recorder.stop(at)
        self._recorder = None
        return ended

    def close(self) -> None:
        """End a recording, disconnect the devices. Safe to call twice."""
        if self._recorder is not None:
            self.stop()
        for device in self._devices.values():
            device.disconnect()
        self._devices, self._infos = {}, {}

    def _open(self, maker: DeviceMaker) -> None:
        device = maker()
        try:
            info = device.connect()
        except DeviceError as error:
            device.disconnect()
            self.missing[device.name] = str(error)
            return
        self._devices[info.name], self._infos[info.name] = device, info


class Previews:
    """Copies each camera's newest picture where a view can see it, as often as views look."""

    def __init__(self, capture: Capture, show: Callable[[Frame], None]) -> None:
        self._capture, self._show = capture, show
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="previews")
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        shown: dict[str, float] = {}
        cameras = [name for name, info in self._capture.streams.items() if info.kind == "camera"]
        while not self._ended.wait(1.0 / PREVIEW_FPS / max(1, len(cameras))):
            # one camera a turn, the one that waited longest: the recorder's threads are never held up for all
            due = min(cameras, key=lambda name: shown.get(name, 0.0), default=None)
            if due is not None:
                shown[due] = time.monotonic()
                frame = self._capture.newest(due)
                if frame is not None:
                    self._show(frame)


def preview_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) that a picture of size has for views."""
    step = max(1, -(-size[0] // PREVIEW_WIDTH))
    return -(-size[0] // step), -(-size[1] // step)


def preview(picture: Picture) -> Frame:
    """Return every n-th pixel of a picture as RGB."""
    width, _ = picture_size(picture.pixels, picture.pixel_format)
    step = max(1, -(-width // PREVIEW_WIDTH))
    rgb = np.ascontiguousarray(to_rgb(picture)[::step, ::step])
    return Frame(picture.stream, picture.index, picture.t_host, picture.t_device, rgb)
