"""Devices for tests: streams made in this process, with faults on demand."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hardware.stream import (
    ArmSample,
    DeviceError,
    Picture,
    PixelFormat,
    Pose,
    Reading,
    Ring,
    Sample,
    StreamHealth,
    StreamInfo,
    StreamKind,
)
from hardware.types import Camera

Make = Callable[[int, float], list[Sample]]


class Source:
    """A stream at its own rate from connect to disconnect; `make` gives the samples of turn k at host time t."""

    def __init__(self, info: StreamInfo, make: Make) -> None:
        self.info, self._make = info, make
        self._ring, self._ended = Ring(2 * round(info.rate_hz)), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"source {info.name}")

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def ring(self) -> Ring:
        return self._ring

    def connect(self) -> StreamInfo:
        self._thread.start()
        if not self._ring.wait(0, 30.0):
            raise DeviceError(f"{self.name}: no sample in 30 s")
        return self.info

    def health(self) -> StreamHealth:
        newest = self._ring.newest()
        age = time.monotonic() - newest.t_host if newest else 1e9
        return StreamHealth(self._ring.count, self.info.rate_hz, age, 0, age < 1.0)

    def disconnect(self) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        start, k = time.monotonic(), 0
        while not self._ended.wait(max(0.0, start + k / self.info.rate_hz - time.monotonic())):
            for sample in self._make(k, time.monotonic()):
                self._ring.put(sample)
            k += 1


def camera(name: str, size: tuple[int, int]) -> Camera:
    K = np.array([[size[0], 0, size[0] / 2], [0, size[0], size[1] / 2], [0, 0, 1.0]])
    return Camera(name, K, size, T_world_cam=np.eye(4))


def info(
    name: str, kind: StreamKind = "camera", rate_hz: float = 30.0, size: tuple[int, int] = (96, 64)
) -> StreamInfo:
    return StreamInfo(name, kind, rate_hz, camera(name, size) if kind == "camera" else None)


def pixels(k: int, size: tuple[int, int] = (96, 64), pixel_format: PixelFormat = "rgb24") -> np.ndarray:
    """A picture that tells its number: a bright bar at k, over a texture."""
    shape = {"rgb24": (size[1], size[0], 3), "yuyv422": (size[1], size[0], 2), "nv12": (size[1] * 3 // 2, size[0])}
    noise = np.random.default_rng(k % 7).integers(60, 120, shape[pixel_format], dtype=np.uint8)
    noise[: size[1], (k * 4) % size[0] : (k * 4) % size[0] + 4] = 220
    return noise


def picture(
    stream: str, k: int, t: float, size: tuple[int, int] = (96, 64), pixel_format: PixelFormat = "rgb24"
) -> Picture:
    return Picture(stream, k, t, 100.0 + k / 30.0, pixels(k, size, pixel_format), pixel_format, 0.004)


def pose(stream: str, k: int, t: float, confidence: int = 3) -> Pose:
    T = np.eye(4)
    T[:3, 3] = 0.001 * k, 0.1, 0.2
    return Pose(stream, k, t, 100.0 + k / 30.0, T, confidence)


def arm(stream: str, k: int, t: float, *, commanded: bool = True, opening: float | None = 0.5) -> ArmSample:
    q = np.linspace(-1.0, 1.0, 7) + 0.001 * k
    T = np.eye(4)
    T[:3, 3] = 0.4, 0.001 * k, 0.2
    told, t_told = (q + 0.01, t + 0.004) if commanded else (None, 0.0)
    return ArmSample(stream, k, t, t, q, 0.1 * q, T, told, t_told, opening, "servo")


def camera_source(name: str = "top", size: tuple[int, int] = (96, 64)) -> Source:
    return Source(info(name, size=size), lambda k, t: [picture(name, k, t, size)])


def pose_source(name: str = "t265") -> Source:
    return Source(info(name, "pose"), lambda k, t: [pose(name, k, t)])


def force_source(name: str = "force") -> Source:
    return Source(info(name, "force"), lambda k, t: [Reading(name, k, t, 100.0 + k / 30.0, 0.01)])


class Witness:
    """Writes down the host time of every sample at once, so that a killed process can be held to it."""

    def __init__(self, file: Path) -> None:
        self._file = open(file, "ab", buffering=0)  # noqa: SIM115 - until the process is killed

    def __call__(self, make: Make) -> Make:
        def told(k: int, t: float) -> list[Sample]:
            samples = make(k, t)
            self._file.write(np.float64(t).tobytes())
            return samples

        return told
