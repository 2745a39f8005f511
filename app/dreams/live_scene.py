"""The scene in front of a rig's cameras, now; of the simulated rig a freshly laid table."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from app.calibration.calibrated_rig import with_calibrations
from app.calibration.moved_cameras import CameraWatch
from app.calibration.store import CalibrationStore
from app.dreams.goals import plane_views, table_goal, with_goal
from app.dreams.scene import (
    Scene,
    cameras_of,
    fitted_camera,
    fitted_picture,
    poses_to_first,
    refuse_company,
    refuse_moved,
)
from app.recording.live_devices import WORLD_FPS
from app.recording.work import SCENE_APART_S
from hardware.arm_in_view import covered
from hardware.devices import RigDevices
from hardware.recording.encoder import to_rgb
from hardware.rig import Rig
from hardware.stream import Device, DeviceError, Picture
from hardware.types import Image, Tool
from hardware.world.process import WorldProcess
from hardware.world.tasks.table import lay, tasks_for
from models.data.errors import DreamFileError
from models.video.config import VideoConfig

FIRST_PICTURE_S = 15.0


def simulated_scene(
    rig: Rig,
    config: VideoConfig,
    task: str,
    table: int,
    tools: Mapping[str, Tool],
    text: str = "",
    own_goal: bool = True,
) -> Scene:
    """Lay a table of a task and take its picture, cropped for the model as demonstrations are.

    own_goal: the table's goal, where it has one, is painted in as in the task's training clips. Raises
    DreamFileError, ValueError naming what is valid; what a world that does not start raises.
    """
    if task not in tasks_for(rig):
        raise DreamFileError(rig.name, "task", f"cannot show {task!r}", f"{', '.join(tasks_for(rig))}")
    layout = lay(task, table)
    cameras = cameras_of(rig, config.views)
    with WorldProcess(rig, task=task, seed=table, largest_fps=WORLD_FPS) as world:
        devices = {camera.name: world.camera(camera.name) for camera in cameras}
        with _connected(devices):
            first, second = _two_pictures(devices)
    home = {arm.name: arm.home for arm in rig.arms}
    refuse_company(first, second, {camera.name: covered(rig, home, camera) for camera in cameras})
    photos = tuple(second[camera.name] for camera in cameras)
    fitted = tuple(fitted_camera(c, p, config, rig.name) for c, p in zip(cameras, photos, strict=True))
    pictures = np.stack([fitted_picture(photo, config) for photo in photos])
    origin = {"kind": "rig", "rig": rig.name, "rig_sha256": rig.sha256, "task": task, "table": table}
    scene = Scene(
        fitted, poses_to_first(cameras), pictures, photos, np.asarray(cameras[0].T_world_cam), "calibrated",
        tools, text or layout.instruction, origin,
    )  # fmt: skip
    goal = table_goal(plane_views(scene, config), layout) if own_goal else None
    return scene if goal is None else with_goal(scene, goal, config)


def real_scene(
    rig: Rig, config: VideoConfig, root: Path, tools: Mapping[str, Tool], *, task: str, text: str, override: str
) -> Scene:
    """Take the picture that a rig's cameras see now; root: the workspace with its calibrations.

    Where its arms are is not known here: what looks like skin and what moves is refused, unless `override` says why
    not. Raises DeviceError where a camera does not deliver, DreamFileError where it is not calibrated.
    """
    store = CalibrationStore(root, rig.name)
    known = with_calibrations(rig, store).rig
    cameras = cameras_of(known, config.views)
    made = RigDevices(known)
    devices = {camera.name: made.device(camera.name) for camera in cameras}
    with _connected(devices):
        first, second = _two_pictures(devices)
    refuse_company(first, second, override=override)
    refuse_moved(CameraWatch(rig, store).look(second), override)
    photos = tuple(second[camera.name] for camera in cameras)
    fitted = tuple(fitted_camera(c, p, config, rig.name) for c, p in zip(cameras, photos, strict=True))
    pictures = np.stack([fitted_picture(photo, config) for photo in photos])
    origin = {"kind": "rig", "rig": rig.name, "rig_sha256": rig.sha256, "task": task}
    return Scene(
        fitted, poses_to_first(cameras), pictures, photos, np.asarray(cameras[0].T_world_cam), "calibrated", tools,
        text, origin | ({"override": override} if override else {}),
    )  # fmt: skip


@contextlib.contextmanager
def _connected(devices: Mapping[str, Device]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for device in devices.values():
            stack.callback(device.disconnect)
            device.connect()
        yield


def _two_pictures(devices: Mapping[str, Device]) -> tuple[dict[str, Image], dict[str, Image]]:
    """Return what each camera sees now and a moment later (H, W, 3)."""
    first = {name: _newest(name, device) for name, device in devices.items()}
    time.sleep(SCENE_APART_S)
    return first, {name: _newest(name, device) for name, device in devices.items()}


def _newest(name: str, device: Device) -> Image:
    cursor = device.ring.count
    device.ring.wait(cursor, FIRST_PICTURE_S)
    newest = device.ring.newest()
    if not isinstance(newest, Picture):
        raise DeviceError(f"camera {name}: no picture in {FIRST_PICTURE_S:g} s; check its cable, or `rig check`")
    return to_rgb(newest)
