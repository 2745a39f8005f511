"""Pictures of a MuJoCo model: colour, and which geom owns each pixel.

Uses MuJoCo's rendering functions over its EGL context directly: its own Renderer picks the GL library from an
environment variable at the first import of mujoco, which is too late to choose here. Import this only in a process
that draws nothing else: PyOpenGL is bound to EGL from then on.
"""

from types import TracebackType

import mujoco
import numpy as np
from mujoco import egl
from numpy.typing import NDArray

from hardware.types import Image

MOST_GEOMS = 2000


def gl_context() -> egl.GLContext:
    """Make a context that any number of renderers may draw in, one after the other; free() ends it."""
    return egl.GLContext(16, 16)


class SceneRenderer:
    """Renders named cameras of one model; for use from one thread. close() or a with statement frees GL.

    size: (width, height) [px], the largest picture; gl: an EGL context made already (gl_context), which then stays
    its maker's.
    """

    def __init__(self, model: mujoco.MjModel, size: tuple[int, int], gl: egl.GLContext | None = None) -> None:
        self._model, self._size, self._own_gl = model, size, gl is None
        model.vis.global_.offwidth, model.vis.global_.offheight = size
        self._gl = gl_context() if gl is None else gl
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._scene = mujoco.MjvScene(model=model, maxgeom=MOST_GEOMS)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._options = mujoco.MjvOption()

    def rgb(self, data: mujoco.MjData, camera: str, size: tuple[int, int] | None = None) -> Image:
        """Return (H, W, 3)."""
        self._options.geomgroup[:] = [1, 1, 1, 0, 0, 0]
        return self._pixels(data, camera, size or self._size)

    def owners(
        self, data: mujoco.MjData, camera: str, groups: tuple[int, ...], size: tuple[int, int] | None = None
    ) -> NDArray[np.int32]:
        """Return (H, W) the geom id that each pixel shows, -1 for none, seeing only the given geom groups."""
        self._options.geomgroup[:] = [int(group in groups) for group in range(6)]
        flags = [int(f) for f in (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR)]
        self._scene.flags[flags] = 1
        try:
            coded = self._pixels(data, camera, size or self._size).astype(np.int32)
        finally:
            self._scene.flags[flags] = 0
        number = coded[..., 0] + (coded[..., 1] << 8) + (coded[..., 2] << 16)
        geoms = np.full(self._scene.ngeom + 1, -1, np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                geoms[geom.segid + 1] = geom.objid
        return np.asarray(geoms[number])

    def _pixels(self, data: mujoco.MjData, camera: str, size: tuple[int, int]) -> Image:
        self._gl.make_current()
        self._camera.fixedcamid = self._model.camera(camera).id
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._options, None, self._camera, everything, self._scene)
        rect = mujoco.MjrRect(0, 0, *size)
        mujoco.mjr_render(rect, self._scene, self._context)
        picture = np.empty((size[1], size[0], 3), np.uint8)
        mujoco.mjr_readPixels(picture, None, rect, self._context)
        return np.ascontiguousarray(picture[::-1])

    def close(self) -> None:
        """Free the GL context; safe to call twice."""
        if self._gl is not None:
            self._gl.make_current()
            self._context.free()
            if self._own_gl:
                self._gl.free()
            self._gl = None

    def __enter__(self) -> "SceneRenderer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
