"""Basler cameras through pypylon: the handheld gripper's fisheye, or any other."""

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hardware.rig_devices import CameraConfig
from hardware.stream import DeviceError, Picture, PixelFormat, StreamInfo
from hardware.types import Image

PIP_LINE = "pip install 'dreamdeck[basler]'"
BUFFERS = 16
# best first: what the camera sends with least, and no conversion here
FORMATS = ("YUV422_YUYV_Packed", "RGB8", "RGB8Packed", "BayerRG8", "BayerGR8", "BayerGB8", "BayerBG8", "Mono8")
LINKS = {"BaslerUsb": "USB 3", "BaslerGigE": "GigE", "BaslerCamEmu": "emulated"}
GIGE_IDS = 65535  # block ids of GigE Vision 1 count 1 .. 65535 and begin again

OpenCamera = Callable[[str], Any]


def load_sdk() -> Any:
    """Import pypylon. Raises DeviceError with the line that installs it."""
    try:
        return importlib.import_module("pypylon.pylon")
    except ImportError as error:
        raise DeviceError(f"Basler: its SDK cannot be loaded ({error}); {PIP_LINE}") from error


def open_camera(serial: str) -> Any:
    """Open the camera of that serial number ("": the first). Raises DeviceError, pylon's own errors."""
    pylon = load_sdk()
    factory = pylon.TlFactory.GetInstance()
    for info in factory.EnumerateDevices():
        if serial in ("", info.GetSerialNumber()):
            camera = pylon.InstantCamera(factory.CreateDevice(info))
            camera.Open()
            return camera
    raise DeviceError(f"no Basler {serial or 'camera'} is plugged in; check its cable")


def found_serials() -> dict[str, str]:
    """Return what is plugged in: serial -> name and link."""
    factory = load_sdk().TlFactory.GetInstance()
    infos = factory.EnumerateDevices()
    return {i.GetSerialNumber(): f"{i.GetModelName()}, {_link(i.GetDeviceClass())}" for i in infos}


class BaslerSource:
    """One camera, every picture in order."""

    def __init__(self, config: CameraConfig, open_one: OpenCamera = open_camera) -> None:
        self._config, self._open_one = config, open_one
        self._camera: Any = None
        self._pylon: Any = None
        self._converter: Any = None
        self._format: PixelFormat = "rgb24"
        self._numbers: _Numbers = _Numbers(False)
        self._exposure: float | None = None

    def open(self) -> StreamInfo:
        self._pylon = pylon = load_sdk()
        config, name = self._config, self._config.camera.name
        try:
            self._camera = camera = self._open_one(config.serial)
            sent = self._set_up(camera)
            camera.StartGrabbing(pylon.GrabStrategy_OneByOne)
            device = camera.GetDeviceInfo()
            return StreamInfo(
                name,
                "camera",
                config.rate_hz,
                config.camera,
                self._format,
                device.GetSerialNumber(),
                _link(device.GetDeviceClass()),
                {
                    "model": device.GetModelName(),
                    "sent as": sent,
                    "intrinsics": "rig file" if config.calibrated else "not calibrated",
                    "clock": "camera" if self._numbers.tick_s else "this computer's",
                },
            )
        except DeviceError as error:
            self.close()
            raise DeviceError(str(error) if str(error).startswith(name) else f"{name}: {error}") from error
        except pylon.GenericException as error:
            self.close()
            raise DeviceError(
                f"{name}: it does not start ({_first(error)}); close other programs that use it"
            ) from error

    def next(self, timeout: float) -> Picture | None:
        pylon, name = self._pylon, self._config.camera.name
        try:
            if self._camera.IsCameraDeviceRemoved() or not self._camera.IsGrabbing():
                raise DeviceError(f"{name}: it is unplugged; plug it in again, it goes on by itself")
            grabbed = self._camera.RetrieveResult(int(timeout * 1000), pylon.TimeoutHandling_Return)
            try:
                now = time.monotonic()
                if not grabbed or not grabbed.IsValid() or not grabbed.GrabSucceeded():
                    return None  # an incomplete picture shows as a gap in the numbers
                index, t_device = self._numbers.read(grabbed, now)
                return Picture(name, index, now, t_device, self._pixels(grabbed), self._format, self._exposure)
            finally:
                if grabbed:
                    grabbed.Release()
        except pylon.GenericException as error:
            raise DeviceError(f"{name}: it is gone ({_first(error)}); plug it in again") from error

    def close(self) -> None:
        if self._camera is not None:
            try:
                self._camera.StopGrabbing()
                self._camera.Close()
            except self._pylon.GenericException:
                pass  # a camera that was pulled out cannot be stopped
        self._camera = None

    def _set_up(self, camera: Any) -> str:
        config = self._config
        formats = [name for name in FORMATS if name in camera.PixelFormat.Symbolics]
        if not formats:
            raise DeviceError(f"it sends {', '.join(camera.PixelFormat.Symbolics)}; valid: {', '.join(FORMATS)}")
        _put(camera, "PixelFormat", formats[0])
        for key, value in zip(("Width", "Height"), config.camera.size, strict=True):
            node = getattr(camera, key)
            if not node.Min <= value <= node.Max or (value - node.Min) % node.Inc:
                steps = f" in steps of {node.Inc}" if node.Inc > 1 else ""
                raise DeviceError(f"{key.lower()} {value}; valid: {node.Min} to {node.Max}{steps}")
            node.Value = value
        _put(camera, "AcquisitionFrameRateEnable", True)
        _put(camera, "AcquisitionFrameRate", config.rate_hz) or _put(
            camera, "AcquisitionFrameRateAbs", config.rate_hz
        )
        self._expose(camera)
        camera.MaxNumBuffer.Value = BUFFERS
        self._numbers = _Numbers(camera.GetDeviceInfo().GetDeviceClass() == "BaslerGigE", _tick_s(camera))
        self._format = (
            "yuyv422" if formats[0].startswith("YUV422") else "nv12" if formats[0] == "Mono8" else "rgb24"
        )
        if formats[0].startswith("Bayer"):
            self._converter = self._pylon.ImageFormatConverter()
            self._converter.OutputPixelFormat = self._pylon.PixelType_RGB8packed
        return formats[0]

    def _expose(self, camera: Any) -> None:
        config = self._config
        automatic = "Once" if config.hold_exposure else "Continuous"
        _put(camera, "BalanceWhiteAuto", automatic)
        if config.exposure_s is None:
            _put(camera, "ExposureAuto", automatic)
            return
        _put(camera, "ExposureAuto", "Off")
        micro = config.exposure_s * 1e6
        if _put(camera, "ExposureTime", micro) or _put(camera, "ExposureTimeAbs", micro):
            self._exposure = config.exposure_s

    def _pixels(self, grabbed: Any) -> Image:
        if self._converter is not None:
            return np.array(self._converter.Convert(grabbed).GetArray(), np.uint8)
        pixels = np.array(grabbed.GetArray(), np.uint8)
        if self._format == "yuyv422":
            return pixels.reshape(grabbed.Height, grabbed.Width, 2)
        if self._format == "nv12":
            return np.concatenate([pixels, np.full((pixels.shape[0] // 2, pixels.shape[1]), 128, np.uint8)])
        return pixels


class _Numbers:
    """The camera's counter and clock, made to go on rising."""

    def __init__(self, wraps: bool, tick_s: float = 0.0) -> None:
        self.tick_s, self._wraps = tick_s, wraps
        self._last, self._turns = 0, 0

    def read(self, grabbed: Any, now: float) -> tuple[int, float]:
        block = grabbed.BlockID
        if self._wraps and block < self._last - GIGE_IDS // 2:
            self._turns += 1
        self._last = block
        ticks = grabbed.TimeStamp  # 0 where the camera has no clock
        return block + self._turns * GIGE_IDS, ticks * self.tick_s if ticks and self.tick_s else now


def _tick_s(camera: Any) -> float:
    kind = camera.GetDeviceInfo().GetDeviceClass()
    if kind == "BaslerUsb":
        return 1e-9
    node = camera.GetNodeMap().GetNode("GevTimestampTickFrequency")
    return 1.0 / node.Value if kind == "BaslerGigE" and node is not None else 0.0


def _put(camera: Any, key: str, value: object) -> bool:
    """Set what the camera has and lets be set; say whether it did."""
    node = camera.GetNodeMap().GetNode(key)
    if node is None or "W" not in str(_access(node)):
        return False
    if isinstance(value, float):
        value = min(max(value, node.Min), node.Max)
    if isinstance(value, str) and value not in node.Symbolics:
        return False
    node.Value = value
    return True


def _access(node: Any) -> str:
    genicam = importlib.import_module("pypylon.genicam")
    return "W" if genicam.IsWritable(node) else ""


def _link(kind: str) -> str:
    return LINKS.get(kind, kind)


def _first(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
