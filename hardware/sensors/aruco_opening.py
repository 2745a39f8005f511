"""How far a gripper is open, from ArUco markers on its fingers that a camera sees.

What is measured needs no depth: the way between two markers (or of one from the picture's axis) in units of the
markers' own side, after the lens's distortion was taken out. A person measures it once closed and once open.
"""

import math
import time
from collections import deque

import cv2
import numpy as np

from hardware.geometry import Array
from hardware.rig_devices import ArucoConfig, SensorConfig
from hardware.stream import SIMULATED, DeviceError, Picture, Reading, Ring, Sample, StreamInfo
from hardware.threaded_device import ThreadedDevice
from hardware.types import Camera, Image

FREE_STALL_S = 3.0  # silence of a simulated camera that is told: it comes as fast as it is drawn
OUTSIDE = 0.1  # share of the range beyond either end that is believed


class OpeningMeter:
    """Finds the markers in pictures of one camera."""

    def __init__(self, config: ArucoConfig, camera: Camera) -> None:
        self._config, self._camera = config, camera
        parameters = cv2.aruco.DetectorParameters()
        parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        self._detector = cv2.aruco.ArucoDetector(
            cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), parameters
        )

    def measure(self, grey: Image) -> float | None:
        """Return what a picture (H, W) shows [m], None where a marker is not seen."""
        found, ids, _ = self._detector.detectMarkers(grey)
        if ids is None:
            return None
        by_id = {int(i): corners.reshape(4, 2) for i, corners in zip(ids.ravel(), found, strict=True)}
        if any(marker not in by_id for marker in self._config.markers):
            return None
        seen = [self._straight(by_id[marker]) for marker in self._config.markers]
        side = float(np.mean([_side(c) for c in seen]))
        centres = [c.mean(axis=0) for c in seen]
        way = np.linalg.norm(centres[1] - centres[0]) if len(centres) == 2 else centres[0][0]
        return float(way) / side * self._config.marker_size

    def opening(self, measured: float) -> tuple[float, bool]:
        """Return the opening [m], never clamped, and whether it is within the calibrated range."""
        c = self._config
        share = (measured - c.closed) / (c.opened - c.closed)
        return share * c.travel, -OUTSIDE <= share <= 1 + OUTSIDE

    def _straight(self, corners: Array) -> Array:
        """Return corners (4, 2) [px] as a camera without distortion has them, in units of its focal length."""
        K, points = self._camera.K, corners.reshape(1, -1, 2).astype(float)
        bent = self._camera.distortion
        if self._camera.model == "fisheye":
            bent = np.resize(bent, 4) if len(bent) else np.zeros(4)
            return np.asarray(cv2.fisheye.undistortPoints(points, K, bent)).reshape(4, 2)
        return np.asarray(cv2.undistortPoints(points, K, bent if len(bent) else None)).reshape(4, 2)


def _side(corners: Array) -> float:
    """Return the side of a marker from its corners (4, 2): of the square with its area. It stays the same while the
    marker goes sideways before a camera that looks at it at an angle; its edges grow."""
    (x, y), (after_x, after_y) = corners.T, np.roll(corners, -1, axis=0).T
    return float(np.sqrt(abs(np.sum(x * after_y - after_x * y)) / 2))


class ArucoSource:
    """Takes every picture of a camera's ring; a reading has the picture's number and times."""

    def __init__(
        self, config: SensorConfig, aruco: ArucoConfig, ring: Ring, camera: Camera, *, free_running: bool = False
    ) -> None:
        """free_running: the camera's pictures come as fast as they are drawn, and so do the readings."""
        self._config, self._aruco, self._ring, self._camera = config, aruco, ring, camera
        self._link = SIMULATED if free_running else "computed"
        self._meter = OpeningMeter(aruco, camera)
        self._cursor = 0
        self._waiting: deque[Sample] = deque()

    def open(self) -> StreamInfo:
        self._cursor = self._ring.count
        self._waiting.clear()
        if not self._ring.wait(self._cursor, 2.0):
            raise DeviceError(
                f"{self._config.name}: camera {self._aruco.camera} gives no pictures; connect that one first"
            )
        details = {"camera": self._aruco.camera, "markers": ", ".join(map(str, self._aruco.markers))}
        return StreamInfo(self._config.name, "opening", self._config.rate_hz, link=self._link, details=details)

    def next(self, timeout: float) -> Reading | None:
        until = time.monotonic() + timeout
        while not self._waiting:
            left = until - time.monotonic()
            if left <= 0 or not self._ring.wait(self._cursor, left):
                return None
            samples, self._cursor, _ = self._ring.after(self._cursor)
            self._waiting.extend(samples)
        picture = self._waiting.popleft()
        return self._reading(picture) if isinstance(picture, Picture) else None

    def close(self) -> None:
        self._waiting.clear()

    def _reading(self, picture: Picture) -> Reading:
        measured = self._meter.measure(grey(picture))
        times = (picture.t_host, picture.t_device)
        if measured is None:
            return Reading(self._config.name, picture.index, *times, 0.0, False)
        return Reading(self._config.name, picture.index, *times, *self._meter.opening(measured))


class ArucoOpening(ThreadedDevice):
    """The opening sensor over a camera's ring."""

    def __init__(self, config: SensorConfig, ring: Ring, camera: Camera, *, free_running: bool = False) -> None:
        if config.aruco is None:
            raise ValueError(f"sensor {config.name}: it has no markers")
        source = ArucoSource(config, config.aruco, ring, camera, free_running=free_running)
        if free_running:
            super().__init__(
                config.name, source, rate_hz=config.rate_hz, stall_s=FREE_STALL_S, reopen_after_s=math.inf
            )
        else:
            super().__init__(config.name, source, rate_hz=config.rate_hz)


def grey(picture: Picture) -> Image:
    """Return the brightness (H, W) of a picture."""
    pixels = picture.pixels
    if picture.pixel_format == "nv12":
        return np.ascontiguousarray(pixels[: pixels.shape[0] * 2 // 3])
    if picture.pixel_format == "yuyv422":
        return np.ascontiguousarray(pixels[..., 0])
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
