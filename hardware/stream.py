"""What a device delivers: samples with two clocks, a ring that keeps the last ones, and how healthy the stream is.

One capture thread of the device puts samples in; a recorder and any number of views take them out, each at its own
pace: a view takes the newest, a recorder takes all and is told how many it missed. Nobody waits for anybody, and no
sample travels in a signal.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Camera

PixelFormat = Literal["rgb24", "yuyv422", "nv12"]
StreamKind = Literal["camera", "pose", "opening", "force", "arm"]
SIMULATED = "simulated"  # the link of a stream that a simulated world serves


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture as the device gave it.

    index: the device's own frame counter, which goes on over a replug with the time away as a gap; t_host [s] host
    monotonic at arrival; t_device [s] the device's clock, which may start anew there;
    pixels uint8: (H, W, 3) rgb24, (H, W, 2) yuyv422, (H * 3 / 2, W) nv12; exposure_s: None where it does not say.
    """

    stream: str
    index: int
    t_host: float
    t_device: float
    pixels: NDArray[np.uint8]
    pixel_format: PixelFormat = "rgb24"
    exposure_s: float | None = None


@dataclass(frozen=True, eq=False)
class Pose:
    """One pose of a sensor. T_ref_sensor (4, 4) [m]; confidence 0 (none) to 3 (high); relocalised: the reference
    moved since the pose before."""

    stream: str
    index: int
    t_host: float
    t_device: float
    T_ref_sensor: Array
    confidence: int
    relocalised: bool = False


@dataclass(frozen=True)
class Reading:
    """One number of a sensor: opening [m] or force [N]. valid False: the sensor did not see what it measures."""

    stream: str
    index: int
    t_host: float
    t_device: float
    value: float
    valid: bool = True


@dataclass(frozen=True, eq=False)
class ArmSample:
    """One state of an arm: q (J,) [rad], dq (J,) [rad/s] and T_world_tool (4, 4) [m], measured at t_host.

    commanded (J,) [rad]: the newest command at t_commanded [s, host], None while nothing commands its joints;
    opening: of its gripper as last told, 0 closed to 1, None without one; mode: in the words of its driver.
    """

    stream: str
    index: int
    t_host: float
    t_device: float
    q: Array
    dq: Array
    T_world_tool: Array
    commanded: Array | None = None
    t_commanded: float = 0.0
    opening: float | None = None
    mode: str = ""


Sample = Picture | Pose | Reading | ArmSample


@dataclass(frozen=True, eq=False)
class StreamInfo:
    """What a device says of itself once it is open.

    rate_hz: what it was asked for; camera: intrinsics at the streamed size, cameras only; link: such as "USB 3.2",
    "" where nobody knows; details: anything worth a line on the page.
    """

    name: str
    kind: StreamKind
    rate_hz: float
    camera: Camera | None = None
    pixel_format: PixelFormat = "rgb24"
    serial: str = ""
    link: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def free_running(self) -> bool:
        """Whether it comes as fast as the computer gets to it: rate_hz is then the most, and nobody promised it."""
        return self.link == SIMULATED


@dataclass(frozen=True)
class StreamHealth:
    """A stream as it is now. received: samples since open; fps over the last second; age_s: of the newest sample;
    device_drops: gaps in the device's own counter; problem: "" or what is wrong and what to do, in words;
    duplicates: samples with the counter of the one before; reversals: samples whose counter or device time went
    back; reopened: how often it came back after it was gone or stalled."""

    received: int
    fps: float
    age_s: float
    device_drops: int
    connected: bool
    problem: str = ""
    duplicates: int = 0
    reversals: int = 0
    reopened: int = 0


class Device(Protocol):
    """One device of the rig: a camera or a sensor. Failures raise DeviceError.

    Unplugged and plugged in again it goes on by itself, and `health` tells of both.
    """

    @property
    def name(self) -> str: ...

    @property
    def ring(self) -> "Ring": ...

    def connect(self) -> StreamInfo:
        """Open the device, start its capture thread and wait for the first sample."""
        ...

    def health(self) -> StreamHealth: ...

    def disconnect(self) -> None:
        """Stop the thread, let go of the device; safe to call twice."""
        ...


@runtime_checkable
class Zeroed(Protocol):
    """A device whose zero a person sets: a force sensor."""

    def tare(self) -> None:
        """Take what is measured now for zero; takes about half a second. Raises DeviceError."""
        ...


class DeviceError(RuntimeError):
    """The device said no, or is not there. The message names the device, what happened and what to do next."""


class Ring:
    """The last samples of one stream."""

    def __init__(self, length: int) -> None:
        """length: number of samples kept; 2 s of a stream are enough for a recorder on a busy computer."""
        self._samples: deque[Sample] = deque(maxlen=length)
        self._count = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def put(self, sample: Sample) -> None:
        """Keep a sample; the oldest goes where the ring is full."""
        with self._changed:
            self._samples.append(sample)
            self._count += 1
            self._changed.notify_all()

    @property
    def count(self) -> int:
        """Number of samples ever put; the cursor of a reader that starts now."""
        with self._lock:
            return self._count

    def newest(self) -> Sample | None:
        with self._lock:
            return self._samples[-1] if self._samples else None

    def after(self, cursor: int) -> tuple[list[Sample], int, int]:
        """Return the samples after a cursor in order, the new cursor, and how many were gone already."""
        with self._lock:
            fresh = self._count - cursor
            kept = min(fresh, len(self._samples))
            samples = [self._samples[i] for i in range(len(self._samples) - kept, len(self._samples))]
            return samples, self._count, fresh - kept

    def wait(self, cursor: int, timeout: float) -> bool:
        """Wait until there is a sample after a cursor; False after timeout [s]."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count > cursor, timeout)
