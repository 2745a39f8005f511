"""The contract of a camera driver."""

from typing import Protocol

from hardware.types import Camera, Frame


class CameraError(RuntimeError):
    """The camera said no, or is not there. The message names the camera, what happened and what to do next."""


class CameraDriver(Protocol):
    """One camera. Pictures are pulled, never queued; every failure raises CameraError."""

    @property
    def camera(self) -> Camera: ...

    def connect(self) -> None:
        """Open the device and wait for its first frame."""
        ...

    def read_latest(self) -> Frame:
        """Return the newest frame at once; the same one again where no newer has come."""
        ...

    def disconnect(self) -> None:
        """Let go of the device; safe to call twice."""
        ...
