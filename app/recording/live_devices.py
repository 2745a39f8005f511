"""The cameras and sensors of a rig, opened in a capture process of their own; a simulated rig's world with them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from hardware.cameras.sim import SimCamera
from hardware.devices import RigDevices
from hardware.recording.capture import CaptureSource, DeviceMaker
from hardware.recording.capture_process import CaptureProcess
from hardware.rig import Rig
from hardware.rig_devices import SensorConfig, camera_details
from hardware.sensors.aruco_opening import ArucoOpening
from hardware.sensors.sim import sim_sensor
from hardware.stream import Device
from hardware.types import Camera
from hardware.world.process import WorldProcess
from hardware.world.scene import scaled_camera
from hardware.world.tasks.table import tasks_for

WORLD_FPS = 10.0  # the most that a world renders a camera: a rate that two cores hold while somebody shows a task


@dataclass(eq=False)
class LiveDevices:
    """What runs. world: the simulation behind it, None for a real rig; owns_world: it was started for this."""

    capture: CaptureSource
    world: WorldProcess | None = None
    owns_world: bool = False

    def close(self) -> None:
        """End what was started for it. Safe to call twice."""
        self.capture.close()
        if self.world is not None and self.owns_world:
            self.world.close()


def open_devices(rig: Rig, world: WorldProcess | None = None, said: Rig | None = None) -> LiveDevices:
    """Open every device of the rig; one that does not open is missing in the capture's status, the others work.

    world: the one that the arms of a simulated rig move in, None starts one. said: the same rig with its cameras as
    they were calibrated, which is what is said of their pictures; None: the rig as it is. Takes seconds. Raises
    RuntimeError, OSError, TimeoutError, ConnectionError, ValueError; nothing is left running then.
    """
    if not rig.simulated:
        return LiveDevices(CaptureProcess(RigDevices(said or rig).makers))
    started = None if world is not None else start_world(rig)
    shown = world or started
    try:
        if shown is None:
            raise ValueError(f"rig {rig.name}: it has no world")
        return LiveDevices(CaptureProcess(WorldDevices(said or rig, shown).makers), shown, started is not None)
    except BaseException:
        if started is not None:
            started.close()
        raise


def start_world(rig: Rig) -> WorldProcess:
    """Start the world of a simulated rig without arms, or whose arms are not connected, with its usual task."""
    return WorldProcess(rig, task=tasks_for(rig)[0], largest_fps=WORLD_FPS)


class WorldDevices:
    """The cameras and sensors of a running world, each made once: a sensor may look through a camera.

    Pickles while nothing was made, so that another process can make them.
    """

    def __init__(self, rig: Rig, world: WorldProcess) -> None:
        self._sensors = {sensor.name: sensor for sensor in rig.sensors if sensor.driver in ("sim", "aruco")}
        self._cameras = {
            # one that rides on a gripper has no place in the world
            name: replace(camera, T_world_cam=None) if self._sensors and camera.model == "fisheye" else camera
            for name, camera in _said(rig, world).items()
        }
        self._details = {config.camera.name: camera_details(config) for config in rig.cameras}
        self._memories = {name: world.memory_name(name) for name in self._cameras}
        self._held = world.held.name
        self._made: dict[str, Device] = {}

    @property
    def makers(self) -> tuple[DeviceMaker, ...]:
        return tuple(partial(self.device, name) for name in (*self._cameras, *self._sensors))

    def device(self, name: str) -> Device:
        """Return the device of that name, the same one every time."""
        if name not in self._made:
            self._made[name] = self._camera(name) if name in self._cameras else self._sensor(self._sensors[name])
        return self._made[name]

    def _camera(self, name: str) -> Device:
        return SimCamera(self._cameras[name], self._memories[name], WORLD_FPS, self._details[name])

    def _sensor(self, config: SensorConfig) -> Device:
        if config.driver == "sim" or config.aruco is None:
            return sim_sensor(config, self._held)
        camera = self._cameras[config.aruco.camera]
        return ArucoOpening(config, self.device(camera.name).ring, camera, free_running=True)


def _said(rig: Rig, world: WorldProcess) -> Mapping[str, Camera]:
    """Each camera as the rig has it, at the size in which the world draws it."""
    known = {config.camera.name: config.camera for config in rig.cameras}
    return {name: scaled_camera(known[name], drawn.size) for name, drawn in world.cameras.items()}
