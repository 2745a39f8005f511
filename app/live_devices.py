"""The cameras and sensors of a rig, opened in a capture process of their own; a simulated rig's world with them."""

from dataclasses import dataclass, replace
from functools import partial

from hardware.cameras.sim import SimCamera
from hardware.devices import RigDevices
from hardware.recording.capture import CaptureSource, DeviceMaker
from hardware.recording.capture_process import CaptureProcess
from hardware.rig import Rig
from hardware.sensors.sim import sim_sensor
from hardware.world.process import WorldProcess
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


def open_devices(rig: Rig, world: WorldProcess | None = None) -> LiveDevices:
    """Open every device of the rig; one that does not open is missing in the capture's status, the others work.

    world: the one that the arms of a simulated rig move in, None starts one. Takes seconds. Raises RuntimeError,
    OSError, TimeoutError, ConnectionError, ValueError; nothing is left running then.
    """
    if not rig.simulated:
        return LiveDevices(CaptureProcess(RigDevices(rig).makers))
    started = None if world is not None else start_world(rig)
    shown = world or started
    try:
        if shown is None:
            raise ValueError(f"rig {rig.name}: it has no world")
        return LiveDevices(CaptureProcess(world_makers(rig, shown)), shown, started is not None)
    except BaseException:
        if started is not None:
            started.close()
        raise


def start_world(rig: Rig) -> WorldProcess:
    """Start the world of a simulated rig without arms, or whose arms are not connected, with its usual task."""
    return WorldProcess(rig, task=tasks_for(rig)[0], largest_fps=WORLD_FPS)


def world_makers(rig: Rig, world: WorldProcess) -> list[DeviceMaker]:
    """What opens each camera of a running world, and each simulated sensor of its rig."""
    makers: list[DeviceMaker] = []
    rides = any(sensor.driver == "sim" for sensor in rig.sensors)
    for name, camera in world.cameras.items():
        # one that rides on a gripper has no place in the world
        said = replace(camera, T_world_cam=None) if rides and camera.model == "fisheye" else camera
        makers.append(partial(SimCamera, said, world.memory_name(name), WORLD_FPS))
    makers += [partial(sim_sensor, s, world.held.name) for s in rig.sensors if s.driver == "sim"]
    return makers
