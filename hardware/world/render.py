"""Pictures of a MuJoCo model: colour, and who owns each pixel. One renderer per process and thread (EGL)."""

import os
from types import TracebackType

os.environ.setdefault("MUJOCO_GL", "egl")

import mujoco
import numpy as np
from numpy.typing import NDArray

from hardware.types import Image


class SceneRenderer:
    """Renders named cameras of one model at one size; close() or a with statement frees the GL context."""

    def __init__(self, model: mujoco.MjModel, size: tuple[int, int]) -> None:
        width, height = size
        self._renderer = mujoco.Renderer(model, height=height, width=width)
        self._options = mujoco.MjvOption()

    def rgb(self, data: mujoco.MjData, camera: str) -> Image:
        """Return (H, W, 3)."""
        self._renderer.update_scene(data, camera=camera)
        return np.array(self._renderer.render())

    def owners(self, data: mujoco.MjData, camera: str, groups: tuple[int, ...]) -> NDArray[np.int32]:
        """Return (H, W) the geom id that each pixel shows, -1 for none, seeing only the given geom groups."""
        self._options.geomgroup[:] = 0
        for group in groups:
            self._options.geomgroup[group] = 1
        self._renderer.enable_segmentation_rendering()
        try:
            self._renderer.update_scene(data, camera=camera, scene_option=self._options)
            pixels = self._renderer.render()
        finally:
            self._renderer.disable_segmentation_rendering()
        is_geom = pixels[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM)
        return np.where(is_geom, pixels[..., 0], -1).astype(np.int32)

    def close(self) -> None:
        self._renderer.close()

    def __enter__(self) -> "SceneRenderer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
