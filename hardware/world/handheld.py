"""The handheld gripper's simulated rig: a scene camera on either side, and a fisheye on the gripper."""

import hashlib
from dataclasses import replace

import numpy as np

from hardware.geometry import Array, transform
from hardware.rig import Rig, load_rig
from hardware.rig_devices import CameraConfig
from hardware.types import Camera
from hardware.world.fisheye import handheld_fisheye
from hardware.world.gripper import T_GRIPPER_CAM
from hardware.world.held import T_WORLD_REST

# the left and right scene cameras look at this point from the sides, above the person's hands
LOOK_AT = np.array([0.0, 0.03, 0.04])
PLACES = {"left": np.array([-0.52, -0.18, 0.46]), "right": np.array([0.52, -0.18, 0.46])}


def looking(place: Array, at: Array) -> Array:
    """T_world_cam (4, 4) of a camera there that looks at a point, its picture upright."""
    z = (at - place) / np.linalg.norm(at - place)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= np.linalg.norm(x)
    return transform(np.stack([x, np.cross(z, x), z], axis=1), place)


def handheld_rig(size: tuple[int, int] = (640, 480), fisheye_size: tuple[int, int] = (512, 512)) -> Rig:
    """Cameras gripper, left, right in Video Policy's order (arXiv 2508.00795); no arms.

    The fisheye's T_world_cam is its place while the gripper rests.
    """
    base = load_rig("sim")
    f = 0.8 * size[0]
    K = np.array([[f, 0, (size[0] - 1) / 2], [0, f, (size[1] - 1) / 2], [0, 0, 1.0]])
    fisheye = replace(handheld_fisheye("gripper", fisheye_size), T_world_cam=T_WORLD_REST @ T_GRIPPER_CAM)
    cameras = [CameraConfig(fisheye, "sim", role="gripper")]
    for name, place in PLACES.items():
        cameras.append(CameraConfig(Camera(name, K, size, T_world_cam=looking(place, LOOK_AT)), "sim", role=name))
    sha256 = hashlib.sha256(f"handheld {size} {fisheye_size}".encode()).hexdigest()
    return replace(base, name="sim-handheld", cameras=tuple(cameras), arms=(), keep_out=(), sha256=sha256)
