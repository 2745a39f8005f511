"""RealSense cameras through pyrealsense2: the colour picture as the camera codes it, with its own intrinsics.

One sensor of the device is opened alone: no depth is streamed and no syncer waits. Colour pictures of two cameras
cannot be triggered together (the sync cable is for depth): they are paired by time, and the skew is shown.
"""

import importlib
import time
from collections import ChainMap
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.rig_devices import CameraConfig
from hardware.stream import DeviceError, Picture, PixelFormat, StreamInfo
from hardware.types import Camera, Image

PIP_LINE = "pip install 'dreamdeck[realsense]'"
QUEUE = 32
SETTLE_S = 2.0
ASK_AGAIN_S = 0.5

Find = Callable[[str], Any]  # serial, "" for any -> rs.device, None where it is not plugged in


def load_sdk() -> Any:
    """Import pyrealsense2. Raises DeviceError with the line that installs it."""
    try:
        return importlib.import_module("pyrealsense2")
    except ImportError as error:
        raise DeviceError(
            f"RealSense: its SDK cannot be loaded ({error}); {PIP_LINE}, on Debian also apt install libusb-1.0-0"
        ) from error


def find_device(serial: str) -> Any:
    """Return the plugged-in camera of that serial number ("": the only one), None where there is none."""
    rs = load_sdk()
    for device in rs.context().query_devices():
        if serial in ("", device.get_info(rs.camera_info.serial_number)):
            return device
    return None


def found_serials() -> dict[str, str]:
    """Return what is plugged in: serial -> name and link."""
    rs = load_sdk()
    return {_info(rs, d, "serial_number"): _words(rs, d) for d in rs.context().query_devices()}


class RealSenseSource:
    """The colour stream of one camera. Exposure and white balance are fixed, left alone, or held after settling."""

    def __init__(self, config: CameraConfig, find: Find = find_device) -> None:
        self._config, self._find = config, find
        self._device: Any = None
        self._sensor: Any = None
        self._profile: Any = None
        self._rs: Any = None
        self._queue: Any = None
        self._hold_at = float("inf")
        self._asked = 0.0
        self._clock: dict[str, str] = {}  # whose clock it is, known with the first picture

    def open(self) -> StreamInfo:
        self._rs = rs = load_sdk()
        config, name = self._config, self._config.camera.name
        device = self._find(config.serial)
        if device is None:
            raise DeviceError(f"{name}: no RealSense {config.serial or 'camera'} is plugged in; check its cable")
        self._device = device
        try:
            sensor, profile = self._stream(device)
            self._expose(sensor)
            queue = rs.frame_queue(QUEUE, keep_frames=True)
            sensor.open(profile)
            self._sensor, self._queue, self._profile = sensor, queue, profile
            sensor.start(queue)
        except DeviceError:
            raise
        except RuntimeError as error:
            self.close()
            raise DeviceError(
                f"{name}: it does not start ({error}); close other programs that use it, plug it in again"
            ) from error
        camera, bent = _camera(rs, config, profile)
        self._clock = {}
        details = {
            "model": _info(rs, device, "name"),
            "firmware": _info(rs, device, "firmware_version"),
            "intrinsics": bent,
        }
        return StreamInfo(
            name,
            "camera",
            config.rate_hz,
            camera,
            _pixel_format(rs, profile),
            _info(rs, device, "serial_number"),
            _link(rs, device),
            ChainMap(self._clock, details),
        )

    def next(self, timeout: float) -> Picture | None:
        rs, name = self._rs, self._config.camera.name
        try:
            came, frame = self._queue.try_wait_for_frame(int(timeout * 1000))
            now = time.monotonic()
            if now > self._hold_at:
                self._hold()
            if not came:
                self._check(now)
                return None
            if not self._clock:
                self._clock["clock"] = str(frame.get_frame_timestamp_domain()).split(".")[-1].replace("_", " ")
            # the SDK's buffers go round: what is kept for a recorder must be our own
            pixels = np.array(frame.as_video_frame().get_data())
            return Picture(
                name,
                frame.get_frame_number(),
                now,
                frame.get_timestamp() / 1e3,
                _shaped(pixels),
                _pixel_format(rs, frame.get_profile()),
                _exposure(rs, frame),
            )
        except DeviceError:
            raise
        except RuntimeError as error:
            raise DeviceError(f"{name}: it is gone ({error}); plug it in again") from error

    def close(self) -> None:
        for action in ("stop", "close"):
            try:
                if self._sensor is not None:
                    getattr(self._sensor, action)()
            except RuntimeError:
                continue  # a camera that was pulled out cannot be stopped
        self._device = self._sensor = self._queue = None

    def _check(self, now: float) -> None:
        if now - self._asked < ASK_AGAIN_S:
            return
        self._asked = now
        if self._find(self._config.serial) is None:
            raise DeviceError(
                f"{self._config.camera.name}: it is unplugged; plug it in again, it goes on by itself"
            )

    def _stream(self, device: Any) -> tuple[Any, Any]:
        rs, config = self._rs, self._config
        wanted = (*config.camera.size, round(config.rate_hz))
        have: set[tuple[int, int, int]] = set()
        for pixels in (rs.format.yuyv, rs.format.rgb8):
            for sensor in device.query_sensors():
                for profile in sensor.get_stream_profiles():
                    if profile.stream_type() != rs.stream.color or profile.format() != pixels:
                        continue
                    video = profile.as_video_stream_profile()
                    mode = (video.width(), video.height(), profile.fps())
                    if mode == wanted:
                        return sensor, profile
                    have.add(mode)
        valid = ", ".join(f"{w}x{h} at {f}" for w, h, f in sorted(have))
        width, height, fps = wanted
        raise DeviceError(
            f"{config.camera.name}: no picture of {width}x{height} at {fps} fps; valid: {valid or 'none'}"
            "; a camera on a USB 2 port has few: use a USB 3 port"
        )

    def _expose(self, sensor: Any) -> None:
        rs, config = self._rs, self._config
        automatic = config.exposure_s is None
        _set(sensor, rs.option.global_time_enabled, 0.0)
        _set(sensor, rs.option.auto_exposure_priority, 0.0)  # it lowers the rate in the dark
        _set(sensor, rs.option.enable_auto_exposure, float(automatic))
        _set(sensor, rs.option.enable_auto_white_balance, float(config.white_balance_k is None))
        if config.exposure_s is not None:
            _set(sensor, rs.option.exposure, config.exposure_s * 1e4)  # in 100 us
        if config.white_balance_k is not None:
            _set(sensor, rs.option.white_balance, config.white_balance_k)
        self._hold_at = time.monotonic() + SETTLE_S if config.hold_exposure else float("inf")

    def _hold(self) -> None:
        """Keep exposure and white balance as they are now."""
        rs = self._rs
        self._hold_at = float("inf")
        for automatic, value in (
            (rs.option.enable_auto_exposure, rs.option.exposure),
            (rs.option.enable_auto_white_balance, rs.option.white_balance),
        ):
            if self._sensor.supports(value):
                now = self._sensor.get_option(value)
                _set(self._sensor, automatic, 0.0)
                _set(self._sensor, value, now)


def _set(sensor: Any, option: Any, value: float) -> None:
    if sensor.supports(option):
        sensor.set_option(option, value)


def _shaped(pixels: NDArray[Any]) -> Image:
    """Return bytes (H, W, 2 or 3); the SDK gives YUYV as (H, W) of 16 bits."""
    return pixels.view(np.uint8).reshape(*pixels.shape[:2], -1)


def _pixel_format(rs: Any, profile: Any) -> PixelFormat:
    return "yuyv422" if profile.format() == rs.format.yuyv else "rgb24"


def _exposure(rs: Any, frame: Any) -> float | None:
    kind = rs.frame_metadata_value.actual_exposure
    return frame.get_frame_metadata(kind) / 1e6 if frame.supports_frame_metadata(kind) else None


def _camera(rs: Any, config: CameraConfig, profile: Any) -> tuple[Camera, str]:
    """Return the intrinsics, the rig file's before the factory's, and in words whose they are."""
    if config.calibrated:
        return config.camera, "rig file"
    i = profile.as_video_stream_profile().get_intrinsics()
    K: Array = np.array([[i.fx, 0.0, i.ppx], [0.0, i.fy, i.ppy], [0.0, 0.0, 1.0]])
    coefficients = np.array(i.coeffs, float)
    # the colour pictures' model is the inverse of OpenCV's; the factory leaves its coefficients at 0
    bent = bool(coefficients.any()) and i.model == rs.distortion.inverse_brown_conrady
    distortion = np.zeros(0) if bent or not coefficients.any() else coefficients
    camera = Camera(config.camera.name, K, (i.width, i.height), distortion, T_world_cam=config.camera.T_world_cam)
    return camera, "factory; its distortion cannot be used: calibrate it" if bent else "factory"


def _info(rs: Any, device: Any, key: str) -> str:
    kind = getattr(rs.camera_info, key)
    return str(device.get_info(kind)) if device.supports(kind) else ""


def _link(rs: Any, device: Any) -> str:
    usb = _info(rs, device, "usb_type_descriptor")
    return f"USB {usb}" if usb else ""


def _words(rs: Any, device: Any) -> str:
    return ", ".join(filter(None, (_info(rs, device, "name"), _link(rs, device))))
