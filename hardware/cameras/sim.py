"""A camera of the simulated world: the newest frame out of its shared memory, from any process of this program."""

import time

from hardware.cameras.base import CameraError
from hardware.types import Camera, Frame
from hardware.world.frame_memory import FrameMemory

FIRST_FRAME_TIMEOUT = 30.0
POLL = 0.005


class SimCamera:
    """Reads one camera of a running WorldProcess; `memory` is the name of that camera's block (pickles well)."""

    def __init__(self, camera: Camera, memory: str) -> None:
        self._camera, self._name = camera, memory
        self._memory: FrameMemory | None = None

    @property
    def camera(self) -> Camera:
        """Intrinsics at the served size, and its place in the world."""
        return self._camera

    def connect(self) -> None:
        """Attach and wait for the first frame. Raises CameraError where there is no world, or it shows nothing."""
        if self._memory is not None:
            return
        try:
            self._memory = FrameMemory(self._camera.name, self._camera.size, self._name)
        except FileNotFoundError as error:
            raise CameraError(
                f"camera {self._camera.name}: its simulated world is not running; start it"
            ) from error
        deadline = time.monotonic() + FIRST_FRAME_TIMEOUT
        while self._memory.newest_index() < 0:
            if time.monotonic() > deadline:
                self.disconnect()
                raise CameraError(
                    f"camera {self._camera.name}: no frame in {FIRST_FRAME_TIMEOUT} s; restart the world"
                )
            time.sleep(POLL)

    def read_latest(self) -> Frame:
        """Return a copy of the newest frame. Raises CameraError before connect, or where the world died."""
        if self._memory is None:
            raise CameraError(f"camera {self._camera.name}: not connected; call connect first")
        try:
            frame = self._memory.read()
        except TimeoutError as error:
            raise CameraError(f"{error}; restart the world") from error
        if frame is None:
            raise CameraError(f"camera {self._camera.name}: no frame yet; restart the world")
        return frame

    def disconnect(self) -> None:
        """Let go of the memory; safe to call twice."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None
