"""A fisheye picture out of a wide pinhole one: the equidistant lens, r = f * angle, with its image circle."""

import cv2
import numpy as np

from hardware.geometry import Array
from hardware.types import Camera, Image

HALF_ANGLE = np.radians(68.0)  # what the lens shows to each side; outside is black, as outside a real image circle
OVERSIZE = 1.5


def handheld_fisheye(name: str, size: tuple[int, int]) -> Camera:
    """An ideal equidistant camera (no distortion terms) of that picture size, its circle as wide as the picture."""
    f = size[0] / 2 / HALF_ANGLE
    K = np.array([[f, 0, (size[0] - 1) / 2], [0, f, (size[1] - 1) / 2], [0, 0, 1.0]])
    return Camera(name, K, size, np.zeros(4), "fisheye")


def wide_pinhole(camera: Camera) -> Camera:
    """The pinhole camera at the same place whose picture the fisheye's is made of, as wide as what that shows."""
    f, c, size = camera.K[[0, 1], [0, 1]], camera.K[:2, 2], np.array(camera.size)
    shown = np.minimum(f * HALF_ANGLE, np.maximum(c, size - 1 - c) + 0.5)  # to each side of the middle [px]
    across, down = np.round(2 * OVERSIZE * shown).astype(int).tolist()
    fx, fy = OVERSIZE * f * HALF_ANGLE / np.tan(HALF_ANGLE)
    K = np.array([[fx, 0, (across - 1) / 2], [0, fy, (down - 1) / 2], [0, 0, 1.0]])
    return Camera(camera.name, K, (across, down), T_world_cam=camera.T_world_cam)


class Lens:
    """Turns wide pinhole pictures into those of one fisheye camera."""

    def __init__(self, camera: Camera) -> None:
        wide = wide_pinhole(camera)
        self.size = wide.size
        y, x = np.mgrid[0 : camera.size[1], 0 : camera.size[0]].astype(float)
        a, b = (x - camera.K[0, 2]) / camera.K[0, 0], (y - camera.K[1, 2]) / camera.K[1, 1]
        angle = np.hypot(a, b)
        stretch = np.where(angle < 1e-9, 1.0, np.tan(np.minimum(angle, 1.5)) / np.maximum(angle, 1e-9))
        self._x = (wide.K[0, 0] * a * stretch + wide.K[0, 2]).astype(np.float32)
        self._y = (wide.K[1, 1] * b * stretch + wide.K[1, 2]).astype(np.float32)
        edge = np.clip((HALF_ANGLE - angle) / np.radians(1.0), 0, 1)
        self._edge: Array = edge[..., None]

    def picture(self, wide: Image) -> Image:
        """Return (H, W, 3) of the fisheye from that of its wide pinhole."""
        bent = cv2.remap(wide, self._x, self._y, cv2.INTER_LINEAR)
        return np.asarray(bent * self._edge, np.uint8)
