"""Cameras and sensors of the recording bench: a process has the clock, the pictures lie in shared memory."""

import contextlib
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.synchronize import Event

import cv2
import numpy as np

from hardware.stream import DeviceError, Picture, PixelFormat, Reading, Ring, Sample, StreamHealth, StreamInfo
from hardware.types import Camera

LOOP = 24  # pictures of the pan, over and over
NOISE = 3.0  # of the sensor, in grey levels


@dataclass(frozen=True)
class Stream:
    """One stream of the bench. size (width, height), None for a sensor."""

    name: str
    rate_hz: float
    size: tuple[int, int] | None
    pixel_format: PixelFormat
    address: str
    memory: str

    def info(self) -> StreamInfo:
        if self.size is None:
            return StreamInfo(self.name, "force", self.rate_hz)
        w, h = self.size
        K = np.array([[w, 0, w / 2], [0, w, h / 2], [0, 0, 1.0]])
        return StreamInfo(self.name, "camera", self.rate_hz, Camera(self.name, K, self.size), self.pixel_format)

    @property
    def shape(self) -> tuple[int, ...]:
        w, h = self.size or (1, 1)
        return {"rgb24": (h, w, 3), "yuyv422": (h, w, 2), "nv12": (h * 3 // 2, w)}[self.pixel_format]


class BenchDevice:
    """Copies a picture out of the source's memory whenever the source says that one is there."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._ring = Ring(round(2 * stream.rate_hz))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"device {stream.name}")

    @property
    def name(self) -> str:
        return self._stream.name

    @property
    def ring(self) -> Ring:
        return self._ring

    def connect(self) -> StreamInfo:
        self._thread.start()
        if not self._ring.wait(0, 20.0):
            raise DeviceError(f"{self.name}: the source sends nothing")
        return self._stream.info()

    def health(self) -> StreamHealth:
        newest = self._ring.newest()
        return StreamHealth(self._ring.count, 30.0, time.monotonic() - newest.t_host if newest else 0.0, 0, True)

    def disconnect(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        stream = self._stream
        memory = SharedMemory(stream.memory) if stream.size else None
        pictures = np.ndarray((LOOP, *stream.shape), np.uint8, memory.buf) if memory else None
        with contextlib.suppress(EOFError, OSError), Client(stream.address) as line:
            while not self._ended.is_set():
                if line.poll(0.2):
                    index, t = line.recv()
                    self._ring.put(self._sample(index, t, pictures))
        del pictures
        if memory:
            memory.close()

    def _sample(self, index: int, t_device: float, pictures: np.ndarray | None) -> Sample:
        now = time.monotonic()
        if pictures is None:
            return Reading(self.name, index, now, t_device, 0.1)
        pixels = pictures[index % LOOP].copy()
        return Picture(self.name, index, now, t_device, pixels, self._stream.pixel_format, 0.008)


def photograph(size: tuple[int, int], seed: int) -> np.ndarray:
    """A picture (H, W, 3) with a photograph's spectrum: soft large shapes, some edges, fine texture."""
    rng = np.random.default_rng(seed)
    w, h = size
    total = np.zeros((h, w, 3), np.float32)
    for cells, weight in ((4, 80), (12, 50), (40, 25), (120, 12), (360, 6)):
        small = rng.normal(0, 1, (max(2, cells * h // w), cells, 3)).astype(np.float32)
        total += weight * cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    for _ in range(30):
        corner = rng.integers(0, (w, h))
        far = (int(corner[0] + rng.integers(20, 300)), int(corner[1] + rng.integers(20, 300)))
        cv2.rectangle(total, (int(corner[0]), int(corner[1])), far, rng.uniform(-90, 90, 3).tolist(), -1)
    return np.clip(total + 120, 0, 255).astype(np.uint8)


def pan(size: tuple[int, int], pixel_format: PixelFormat, seed: int) -> np.ndarray:
    """LOOP pictures of a pan there and back with sensor noise, in a camera's own format."""
    w, h = size
    large, rng = photograph((w + 200, h + 60), seed), np.random.default_rng(seed + 1)
    pictures = []
    for k in range(LOOP):
        x = 4 * min(k, LOOP - k)
        part = large[x // 3 : x // 3 + h, x : x + w].astype(np.float32)
        rgb = np.clip(part + rng.normal(0, NOISE, part.shape), 0, 255).astype(np.uint8)
        pictures.append(_as_format(rgb, pixel_format))
    return np.stack(pictures)


def _as_format(rgb: np.ndarray, pixel_format: PixelFormat) -> np.ndarray:
    if pixel_format == "rgb24":
        return rgb
    i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    h, w = rgb.shape[:2]
    u, v = i420[h : h + h // 4].reshape(h // 2, w // 2), i420[h + h // 4 :].reshape(h // 2, w // 2)
    uv = np.stack([u, v], -1)
    if pixel_format == "nv12":
        return np.concatenate([i420[:h], uv.reshape(h // 2, w)])
    return np.stack([i420[:h], np.repeat(uv.reshape(h // 2, w), 2, axis=0)], -1)


def serve(streams: tuple[Stream, ...], ended: Event) -> None:
    """The source process: tell every device of its picture at its instant, until ended."""
    threads = [threading.Thread(target=_tell, args=(stream, ended, 0.007 * k)) for k, stream in enumerate(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _tell(stream: Stream, ended: Event, offset: float) -> None:
    with Listener(stream.address) as listener, contextlib.suppress(OSError), listener.accept() as line:
        start, k = time.monotonic() + offset, 0
        while not ended.is_set():
            time.sleep(max(0.0, start + k / stream.rate_hz - time.monotonic()))
            line.send((k, time.monotonic()))
            k += 1


@dataclass(frozen=True)
class Maker:
    """Makes the device where it is needed: this pickles."""

    stream: Stream

    def __call__(self) -> BenchDevice:
        return BenchDevice(self.stream)
