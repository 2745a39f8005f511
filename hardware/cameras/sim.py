"""A camera of the simulated world: every new frame out of its shared memory, from any process of this program."""

import time
from collections.abc import Mapping

from hardware.stream import SIMULATED, DeviceError, Picture, StreamInfo
from hardware.threaded_device import ThreadedDevice
from hardware.types import Camera, Frame
from hardware.world.frame_memory import FrameMemory

FIRST_FRAME_TIMEOUT = 30.0
POLL = 0.002
STALL_S = 3.0
NEVER_S = float("inf")


class SimSource:
    """One block of shared memory. Two frames between two looks lose the first; the gap in the index tells."""

    def __init__(self, camera: Camera, memory: str, rate_hz: float, details: Mapping[str, str]) -> None:
        self._camera, self._name, self._rate, self._details = camera, memory, rate_hz, details
        self._memory: FrameMemory | None = None
        self._index = -1

    def open(self) -> StreamInfo:
        try:
            self._memory = FrameMemory(self._camera.name, self._camera.size, self._name)
        except FileNotFoundError as error:
            raise DeviceError(
                f"camera {self._camera.name}: its simulated world is not running; start it"
            ) from error
        self._index = -1
        details = {"clock": "simulated", "intrinsics": "exact", **self._details}
        return StreamInfo(self._camera.name, "camera", self._rate, self._camera, link=SIMULATED, details=details)

    def next(self, timeout: float) -> Picture | None:
        memory = self._memory
        if memory is None:
            raise DeviceError(f"camera {self._camera.name}: not connected; call connect first")
        until = time.monotonic() + timeout
        while memory.newest_index() == self._index:
            if time.monotonic() > until:
                return None
            time.sleep(POLL)
        try:
            frame = memory.read()
        except TimeoutError as error:
            raise DeviceError(f"{error}; restart the world") from error
        if frame is None or frame.index == self._index:
            return None
        self._index = frame.index
        return Picture(frame.camera, frame.index, frame.t_host, frame.t_device, frame.rgb)

    def close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None


class SimCamera(ThreadedDevice):
    """One camera of a running WorldProcess; `memory` is the name of that camera's block."""

    def __init__(
        self, camera: Camera, memory: str, rate_hz: float = 15.0, details: Mapping[str, str] | None = None
    ) -> None:
        """rate_hz: the most that the world draws; it says what it reached in `health`. details: of its calibration,
        None for a camera that is known exactly."""
        super().__init__(
            camera.name,
            SimSource(camera, memory, rate_hz, details or {}),
            rate_hz=rate_hz,
            stall_s=STALL_S,
            first_sample_s=FIRST_FRAME_TIMEOUT,
            reopen_after_s=NEVER_S,
        )
        self._camera = camera

    @property
    def camera(self) -> Camera:
        """Intrinsics at the served size, and its place in the world."""
        return self._camera

    def read_latest(self) -> Frame:
        """Return the newest frame. Raises DeviceError before connect."""
        picture = self.ring.newest()
        if not isinstance(picture, Picture):
            raise DeviceError(f"camera {self.name}: not connected; call connect first")
        return Frame(picture.stream, picture.index, picture.t_host, picture.t_device, picture.pixels)
