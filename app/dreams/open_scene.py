"""The scene in front of cameras that are open already: no device is opened, no world is started."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from app.dreams.scene import (
    Scene,
    cameras_of,
    fitted_camera,
    fitted_picture,
    poses_to_first,
    refuse_company,
    refuse_moved,
)
from app.recording.work import SCENE_APART_S, Moved
from hardware.arm_in_view import covered
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.stream import DeviceError
from hardware.types import Frame, Tool
from models.video.config import VideoConfig

NewestPicture = Callable[[str], Frame | None]
"""A camera's newest picture at its full size, None while there is none; may wait for the process that has it."""

NEW_PICTURE_S = 5.0
_LOOK_S = 0.02


def scene_of_open_cameras(
    rig: Rig,
    config: VideoConfig,
    newest: NewestPicture,
    joints: Mapping[str, Array],
    tools: Mapping[str, Tool],
    *,
    moved: Moved = lambda _pictures: (),
    task: str = "",
    table: str = "",
    text: str = "",
    override: str = "",
) -> Scene:
    """Return what a rig's first cameras see from now on, in two pictures 0.3 s apart.

    rig: as it was calibrated (app/calibration/calibrated_rig.py); joints (J,) [rad] by arm, as far as they are
    known: measured where arms are connected, home where a simulated rig's are not; moved(pictures): which cameras
    stand otherwise than they were calibrated; table: in words, of a simulated rig; the rest as in
    app/dreams/live_scene.py. Takes half a second: not for the window's thread. Raises SceneRefused where a hand or
    an arm is seen or a camera was moved (`override` says why not to), DreamFileError where one is not calibrated,
    DeviceError where one shows nothing new.
    """
    cameras = cameras_of(rig, config.views)
    names = [camera.name for camera in cameras]
    began = time.monotonic()
    first = {name: _taken_after(began, name, newest) for name in names}
    second = {name: _taken_after(first[name].t_host + SCENE_APART_S, name, newest) for name in names}
    refuse_company(
        {name: frame.rgb for name, frame in first.items()},
        {name: frame.rgb for name, frame in second.items()},
        {camera.name: covered(rig, joints, camera) for camera in cameras},
        override=override,
    )
    refuse_moved(moved({name: frame.rgb for name, frame in second.items()}), override)
    photos = tuple(second[name].rgb for name in names)
    fitted = tuple(fitted_camera(c, p, config, rig.name) for c, p in zip(cameras, photos, strict=True))
    pictures = np.stack([fitted_picture(photo, config) for photo in photos])
    origin = {"kind": "live", "rig": rig.name, "rig_sha256": rig.sha256, "task": task}
    said = {"table": table, "override": override}
    return Scene(
        fitted, poses_to_first(cameras), pictures, photos, np.asarray(cameras[0].T_world_cam), "calibrated", tools,
        text, origin | {key: words for key, words in said.items() if words},
    )  # fmt: skip


def _taken_after(t: float, name: str, newest: NewestPicture) -> Frame:
    """Return the first picture of a camera that was taken after `t` [s, host monotonic]."""
    give_up = time.monotonic() + NEW_PICTURE_S
    while (frame := newest(name)) is None or frame.t_host < t:
        if time.monotonic() > give_up:
            raise DeviceError(f"camera {name}: no new picture in {NEW_PICTURE_S:g} s; is it on? See page Rig")
        time.sleep(_LOOK_S)
    return frame
