"""Pictures of the simulated gripper's fisheye with the fingers set by hand: made in a process that may draw."""

import cv2
import mujoco
import numpy as np

from hardware.rig import load_rig
from hardware.types import Image
from hardware.world.fisheye import Lens
from hardware.world.held import body_of, draw_holds
from hardware.world.render import SceneRenderer
from hardware.world.tabletop import build_workbench
from hardware.world.tasks.table import lay


def fisheye_pictures(openings: tuple[float, ...]) -> list[Image]:
    """Grey pictures (H, W) of the gripper at rest with its fingers so far open [m]."""
    rig, layout = load_rig("sim-handheld"), lay("pick-and-place", 0)
    cameras = tuple(config.camera for config in rig.cameras)
    bench = build_workbench(rig, cameras, layout, draw_holds(layout, np.random.default_rng(0)), person=0)
    lens = Lens(next(camera for camera in cameras if camera.name == "gripper"))
    pictures = []
    with SceneRenderer(bench.model, lens.size) as renderer:
        for opening in openings:
            for k in range(2):
                bench.data.joint(f"{body_of('gripper')}/finger{k}").qpos[:] = opening / 2
            mujoco.mj_forward(bench.model, bench.data)
            rgb = lens.picture(renderer.rgb(bench.data, "gripper"))
            pictures.append(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8))
    return pictures
