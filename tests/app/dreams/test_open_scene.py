"""A scene from cameras that run already: what they see now becomes the scene, an arm in it or a dead camera does
not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from app.dreams import open_scene
from app.dreams.open_scene import scene_of_open_cameras
from hardware.cameras.sim import SimCamera
from hardware.geometry import Array
from hardware.rig import Rig, load_rig
from hardware.stream import DeviceError
from hardware.types import Frame
from hardware.world.process import CameraFault, WorldProcess
from models.data.errors import DreamFileError
from models.video.config import small

CONFIG = small()


@dataclass(frozen=True)
class Running:
    rig: Rig
    world: WorldProcess
    cameras: Mapping[str, SimCamera]

    @property
    def home(self) -> dict[str, Array]:
        return {arm.name: arm.home for arm in self.rig.arms}

    def newest(self, name: str) -> Frame | None:
        return self.cameras[name].read_latest()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    rig = load_rig("sim")
    with WorldProcess(rig, task="push-shape", seed=3) as world:
        cameras = {name: world.camera(name) for name in world.cameras}
        try:
            for camera in cameras.values():
                camera.connect()
            yield Running(rig, world, cameras)
        finally:
            for camera in cameras.values():
                camera.disconnect()


def test_a_scene_is_what_the_cameras_see_now_as_the_model_takes_it(running: Running) -> None:
    scene = scene_of_open_cameras(
        running.rig, CONFIG, running.newest, running.home, {}, task="push-shape", table="push-shape 3"
    )
    assert scene.pictures.shape == (2, CONFIG.size[1], CONFIG.size[0], 3)
    assert [camera.size for camera in scene.cameras] == [CONFIG.size] * 2
    assert np.abs(scene.photos[0].astype(int) - running.cameras["top"].read_latest().rgb).mean() < 2
    assert scene.placement == "calibrated"
    from_where = {"kind": "live", "rig": "sim", "rig_sha256": running.rig.sha256}
    assert scene.origin == {**from_where, "task": "push-shape", "table": "push-shape 3"}


def test_an_arm_that_reaches_over_the_table_is_refused_by_its_name(running: Running) -> None:
    reaching = {**running.home, "left": np.radians([0.0, 20.0, 0.0, 90.0, 0.0, 70.0, 0.0])}
    with pytest.raises(DreamFileError, match="the left arm covers"):
        scene_of_open_cameras(running.rig, CONFIG, running.newest, reaching, {})


def test_a_camera_that_shows_nothing_new_is_named(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_scene, "NEW_PICTURE_S", 0.5)
    running.world.inject(CameraFault("side", "freeze"))
    try:
        with pytest.raises(DeviceError, match="camera side: no new picture"):
            scene_of_open_cameras(running.rig, CONFIG, running.newest, running.home, {})
    finally:
        running.world.inject(CameraFault("side", "none"))
