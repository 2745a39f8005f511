"""The newest picture of a camera in shared memory: two slots, so that reading never meets writing.

Layout, native byte order: int64 newest index (-1: none yet), then two slots of uint64 counter (odd while a write
is under way), int64 index, float64 t_host [s], float64 t_device [s], pixels (H, W, 3). Frame k is in slot k % 2.
"""

from multiprocessing.shared_memory import SharedMemory

import numpy as np

from hardware.types import Frame, Image

_HEAD, _SLOT = 8, 32


class FrameMemory:
    """One camera's block. The creator closes and unlinks it; there is one writer and any number of readers."""

    def __init__(self, camera: str, size: tuple[int, int], name: str | None = None) -> None:
        """Create a block for pictures of size (width, height), or attach to the block `name`."""
        self.camera, self._size = camera, size
        self._shape = (size[1], size[0], 3)
        self._pixels = size[0] * size[1] * 3
        self._stride = _SLOT + (self._pixels + 7) // 8 * 8
        self._own = name is None
        self._shm = SharedMemory(name, create=self._own, size=_HEAD + 2 * self._stride if self._own else 0)
        if self._own:
            np.ndarray(1, np.int64, self._shm.buf)[0] = -1

    @property
    def name(self) -> str:
        """What another process attaches to."""
        return self._shm.name

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def write(self, index: int, t_host: float, t_device: float, rgb: Image) -> None:
        """Publish a picture (H, W, 3) as frame `index`; indices rise."""
        start = _HEAD + index % 2 * self._stride
        counter = np.ndarray(1, np.uint64, self._shm.buf, start)
        # two frames back may still be being copied: the counter tells that reader to try again
        counter += np.uint64(1)
        np.ndarray(1, np.int64, self._shm.buf, start + 8)[0] = index
        np.ndarray(2, np.float64, self._shm.buf, start + 16)[:] = t_host, t_device
        np.ndarray(self._shape, np.uint8, self._shm.buf, start + _SLOT)[:] = rgb
        counter += np.uint64(1)
        np.ndarray(1, np.int64, self._shm.buf)[0] = index

    def newest_index(self) -> int:
        """Index of the newest frame, -1 while there is none."""
        return int(np.ndarray(1, np.int64, self._shm.buf)[0])

    def read(self, tries: int = 50) -> Frame | None:
        """Return a copy of the newest whole frame, None while there is none.

        Raises TimeoutError where no whole frame was met in `tries` reads (a writer that died while writing).
        """
        for _ in range(tries):
            newest = self.newest_index()
            if newest < 0:
                return None
            start = _HEAD + newest % 2 * self._stride
            counter = np.ndarray(1, np.uint64, self._shm.buf, start)
            before = int(counter[0])
            index = int(np.ndarray(1, np.int64, self._shm.buf, start + 8)[0])
            t_host, t_device = (float(t) for t in np.ndarray(2, np.float64, self._shm.buf, start + 16))
            rgb = np.ndarray(self._shape, np.uint8, self._shm.buf, start + _SLOT).copy()
            if before % 2 == 0 and int(counter[0]) == before:
                return Frame(self.camera, index, t_host, t_device, rgb)
        raise TimeoutError(f"camera {self.camera}: no whole frame in {tries} reads; its writer has gone")

    def close(self) -> None:
        """Let go of the block; its creator also removes it. Safe to call twice."""
        self._shm.close()
        if self._own:
            self._own = False
            self._shm.unlink()
