"""A scene that costs nothing: the object's top painted on a grey cloth, as the simulated rig's cameras see it."""

import numpy as np

from app.dreams.scene import Scene, fitted_camera, fitted_picture, poses_to_first
from hardware.rig import load_rig
from hardware.types import Camera, Image
from hardware.world.tasks.push_shape import mask
from hardware.world.tasks.table import lay
from models.video.config import small

CONFIG = small()
CAMERAS = [config.camera for config in load_rig("sim").cameras]
LAYOUT = lay("push-shape", 1)


def made_up_scene() -> Scene:
    """Return the table LAYOUT as a model of CONFIG sees it."""
    photos = tuple(_photo(camera) for camera in CAMERAS)
    fitted = tuple(fitted_camera(c, p, CONFIG, "sim") for c, p in zip(CAMERAS, photos, strict=True))
    pictures = np.stack([fitted_picture(photo, CONFIG) for photo in photos])
    first = np.asarray(CAMERAS[0].T_world_cam)
    return Scene(fitted, poses_to_first(CAMERAS), pictures, photos, first, "calibrated")


def _photo(camera: Camera) -> Image:
    rgb = np.full((camera.size[1], camera.size[0], 3), 40, np.uint8)
    rgb[mask(LAYOUT.things["thing"], LAYOUT.T_world_thing["thing"], camera)] = (210, 60, 60)
    return rgb
