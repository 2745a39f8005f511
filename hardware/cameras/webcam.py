"""Any camera that the system knows (UVC), by its number, through OpenCV."""

import contextlib
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hardware.rig_devices import CameraConfig
from hardware.stream import DeviceError, Picture, PixelFormat, StreamInfo
from hardware.types import Image

YUYV, MJPG = cv2.VideoWriter.fourcc(*"YUYV"), cv2.VideoWriter.fourcc(*"MJPG")
FAILURES = 20


def found_numbers() -> dict[str, str]:
    """Return what is plugged in: number -> name. Linux tells names without opening anything; others tell none."""
    found = {}
    for place in sorted(Path("/sys/class/video4linux").glob("video*")):
        with contextlib.suppress(OSError):
            if (place / "index").read_text().strip() == "0":
                found[place.name.removeprefix("video")] = (place / "name").read_text().strip()
    return found


class WebcamSource:
    """One camera. It has no counter of its own: pictures are numbered by their times."""

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._capture: Any = None
        self._format: PixelFormat = "rgb24"
        self._index, self._t_device = 0, 0.0
        self._failures = 0

    def open(self) -> StreamInfo:
        config, name = self._config, self._config.camera.name
        number = config.serial or "0"
        kind = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        if sys.platform == "linux" and not Path(f"/dev/video{number}").exists():
            raise DeviceError(f"{name}: there is no webcam {number}; found: {_words()}")
        self._capture = cv2.VideoCapture(int(number), kind)
        if not self._capture.isOpened():
            self.close()
            raise DeviceError(f"{name}: webcam {number} does not open; close other programs that use it")
        try:
            self._set_up()
        except DeviceError:
            self.close()
            raise
        self._index, self._failures = 0, 0
        details = {"intrinsics": "rig file" if config.calibrated else "not calibrated", "clock": "the driver's"}
        return StreamInfo(name, "camera", config.rate_hz, config.camera, self._format, number, "", details)

    def next(self, timeout: float) -> Picture | None:
        # OpenCV waits by itself, up to some seconds on a camera that stands still
        came, pixels = self._capture.read()
        now = time.monotonic()
        if not came:
            self._failures += 1
            time.sleep(timeout)
            if self._failures >= FAILURES:
                raise DeviceError(f"{self._config.camera.name}: it gives no pictures; plug it in again")
            return None
        self._failures = 0
        t_device = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3 or now
        periods = (t_device - self._t_device) * self._config.rate_hz
        self._index += max(1, round(periods)) if self._index else 1
        self._t_device = t_device
        picture: Image = np.array(pixels, np.uint8) if self._format == "yuyv422" else pixels[..., ::-1].copy()
        return Picture(self._config.camera.name, self._index, now, t_device, picture, self._format)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture = None

    def _set_up(self) -> None:
        """Ask for YUYV, which needs no decoding, then for MJPG, which USB 2 has room for."""
        config = self._config
        for fourcc, convert in ((YUYV, 0), (MJPG, 1)):
            self._capture.set(cv2.CAP_PROP_FOURCC, fourcc)
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, config.camera.size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, config.camera.size[1])
            self._capture.set(cv2.CAP_PROP_FPS, config.rate_hz)
            self._capture.set(cv2.CAP_PROP_CONVERT_RGB, convert)
            came, pixels = self._capture.read()
            right = came and pixels.ndim == 3 and (pixels.shape[1], pixels.shape[0]) == config.camera.size
            if right and pixels.shape[2] == (3 if convert else 2) and self._fast_enough():
                self._format = "rgb24" if convert else "yuyv422"
                return
        width, height = config.camera.size
        raise DeviceError(
            f"{config.camera.name}: no pictures of {width}x{height} at {config.rate_hz:g} fps; "
            "give the rig file a size and rate that the camera has (v4l2-ctl --list-formats-ext)"
        )

    def _fast_enough(self) -> bool:
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        return bool(fps <= 0 or fps >= 0.9 * self._config.rate_hz)


def _words() -> str:
    return ", ".join(f"{number} ({name})" for number, name in found_numbers().items()) or "none"
