"""A video file as a camera: its pictures at their own times, from the beginning again at its end."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from hardware.rig_devices import CameraConfig
from hardware.stream import DeviceError, Picture, StreamInfo
from hardware.types import Image


class VideoFileSource:
    """One file. Pictures keep the times that the file gives them, also where they are uneven."""

    def __init__(self, config: CameraConfig) -> None:
        self._config, self._file = config, Path(config.path)
        self._container: Any = None
        self._frames: Iterator[tuple[float, Image]] = iter(())
        self._waiting: tuple[float, Image] | None = None
        self._index, self._start = 0, 0.0

    def open(self) -> StreamInfo:
        name = self._config.camera.name
        try:
            self._container = av.open(str(self._file))
            stream = self._container.streams.video[0]
        except (OSError, IndexError) as error:
            self.close()
            raise DeviceError(f"{name}: {self._file} is no video that can be opened ({error})") from error
        size = (stream.width, stream.height)
        if size != self._config.camera.size:
            self.close()
            width, height = size
            raise DeviceError(f"{name}: {self._file} is {width}x{height}; give the rig file that size")
        self._index, self._start = 0, time.monotonic()
        self._frames = self._played()
        return StreamInfo(
            name, "camera", self._config.rate_hz, self._config.camera, "nv12", "", "", {"file": str(self._file)}
        )

    def next(self, timeout: float) -> Picture | None:
        name = self._config.camera.name
        try:
            if self._waiting is None:
                self._waiting = next(self._frames)
        except (OSError, StopIteration) as error:
            raise DeviceError(
                f"{name}: {self._file} cannot be read on ({error or 'it has no pictures'})"
            ) from error
        t, pixels = self._waiting
        wait = self._start + t - time.monotonic()
        time.sleep(max(0.0, min(wait, timeout)))
        if wait > timeout:
            return None
        self._waiting = None
        self._index += 1
        return Picture(name, self._index - 1, time.monotonic(), t, pixels, "nv12")

    def close(self) -> None:
        self._frames, self._waiting = iter(()), None
        if self._container is not None:
            self._container.close()
        self._container = None

    def _played(self) -> Iterator[tuple[float, Image]]:
        """Yield (time since the start [s], NV12), for ever; nothing where the file holds no picture."""
        begin, t = 0.0, -1.0
        while True:
            first = None
            for frame in self._container.decode(video=0):
                stamp = float(frame.time or 0.0)
                first = stamp if first is None else first
                t = begin + stamp - first
                yield t, np.asarray(frame.reformat(format="nv12").to_ndarray(), np.uint8)
            if first is None:
                return
            begin = t + 1.0 / self._config.rate_hz
            self._container.seek(0)
