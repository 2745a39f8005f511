"""The devices that a rig names: one row for each driver. SDKs are imported when a device of theirs is opened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hardware.cameras import basler, realsense, webcam
from hardware.cameras.replay import ReplayClock, ReplaySource
from hardware.cameras.video_file import VideoFileSource
from hardware.rig import Rig
from hardware.rig_devices import SENSOR_DRIVERS, CameraConfig, SensorConfig, camera_details
from hardware.sensors import force
from hardware.sensors.aruco_opening import ArucoOpening
from hardware.sensors.t265 import T265Source
from hardware.stream import Device, DeviceError, Sample, StreamInfo
from hardware.threaded_device import Source, ThreadedDevice

DeviceMaker = Callable[[], Device]
_CAMERAS: Mapping[str, Callable[[CameraConfig], Source]] = {
    "realsense": realsense.RealSenseSource,
    "basler": basler.BaslerSource,
    "webcam": webcam.WebcamSource,
    "file": VideoFileSource,
}


@dataclass(frozen=True)
class FoundDevice:
    """A device that is plugged in: its driver, serial number (or port) as rig.toml takes it, and what it is."""

    driver: str
    serial: str
    what: str


class CalibratedSource:
    """A camera's source that says how it was calibrated."""

    def __init__(self, source: Source, details: Mapping[str, str]) -> None:
        self._source, self._details = source, details

    def open(self) -> StreamInfo:
        info = self._source.open()
        return replace(info, details={**info.details, **self._details})

    def next(self, timeout: float) -> Sample | None:
        return self._source.next(timeout)

    def close(self) -> None:
        self._source.close()


class RigDevices:
    """Makes a rig's devices, each once: a sensor may look through a camera, streams of one episode share a clock.

    Pickles while nothing was made, so that another process can make them.
    """

    def __init__(self, rig: Rig) -> None:
        self._cameras = {config.camera.name: config for config in rig.cameras if config.driver != "sim"}
        self._sensors = {config.name: config for config in rig.sensors if config.driver != "sim"}
        self._made: dict[str, Device] = {}
        self._clocks: dict[str, ReplayClock] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Cameras, then sensors, each in their physical order. Simulated ones come from their world."""
        return (*self._cameras, *self._sensors)

    @property
    def makers(self) -> tuple[DeviceMaker, ...]:
        return tuple(partial(self.device, name) for name in self.names)

    def device(self, name: str) -> Device:
        """Return the device of that name, the same one every time."""
        if name not in self._made:
            made = self._camera(self._cameras[name]) if name in self._cameras else self._sensor(self._sensors[name])
            self._made[name] = made
        return self._made[name]

    def disconnect(self) -> None:
        """Disconnect what was made here, sensors before the cameras that they look through."""
        for device in reversed(tuple(self._made.values())):
            device.disconnect()

    def _camera(self, config: CameraConfig) -> Device:
        source = self._camera_source(config)
        details = camera_details(config)
        told = CalibratedSource(source, details) if details else source
        return ThreadedDevice(config.camera.name, told, rate_hz=config.rate_hz)

    def _camera_source(self, config: CameraConfig) -> Source:
        if config.driver == "replay":
            return ReplaySource(
                config.camera.name, config.path, config.stream, self._clock(config.path), ("camera",)
            )
        return _CAMERAS[config.driver](config)

    def _sensor(self, config: SensorConfig) -> Device:
        if config.driver == "force":
            return force.ForceSensor(config)
        if config.driver == "aruco" and config.aruco is not None:
            seen_by = config.aruco.camera
            return ArucoOpening(config, self.device(seen_by).ring, self._cameras[seen_by].camera)
        if config.driver == "t265":
            return ThreadedDevice(config.name, T265Source(config), rate_hz=config.rate_hz, first_sample_s=30.0)
        clock, kinds = self._clock(config.path), SENSOR_DRIVERS["replay"]
        source = ReplaySource(config.name, config.path, config.stream, clock, kinds)
        return ThreadedDevice(config.name, source, rate_hz=config.rate_hz)

    def _clock(self, path: str) -> ReplayClock:
        return self._clocks.setdefault(path, ReplayClock())


_FOUND: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "realsense": realsense.found_serials,
    "basler": basler.found_serials,
    "webcam": webcam.found_numbers,
    "force": force.found_ports,
}


def found_devices(drivers: Sequence[str] = tuple(_FOUND)) -> tuple[tuple[FoundDevice, ...], dict[str, str]]:
    """Return what is plugged in, and per driver that cannot look why, with the line that installs its SDK."""
    found: list[FoundDevice] = []
    missing: dict[str, str] = {}
    for driver in drivers:
        try:
            found += [FoundDevice(driver, serial, what) for serial, what in _FOUND[driver]().items()]
        except DeviceError as error:
            missing[driver] = str(error)
        except Exception as error:
            # an SDK that fails while it looks costs only its own devices
            missing[driver] = f"{driver}: it cannot look for devices ({error}); check its installation"
    return tuple(found), missing
