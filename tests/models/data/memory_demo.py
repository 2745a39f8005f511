"""A demo that lies in memory: pictures that tell their camera and number, motion that is a formula."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, rotation_from_vector, transform
from hardware.types import Camera, Image
from models.data.annotations import Mark
from models.data.demo import POSE_COLUMNS, CodedPicture, DemoLabels, DemoStream
from models.data.session_demo import pose_values


@dataclass(eq=False)
class MemoryDemo:
    """cameras: names; size (width, height); t (N,) of all pictures; decoded: how many pictures were asked for."""

    id: str = "demo"
    cameras: tuple[str, ...] = ("top", "side")
    size: tuple[int, int] = (32, 20)
    t: Array = field(default_factory=lambda: np.arange(61) / 30)
    labels: DemoLabels = field(default_factory=lambda: DemoLabels("rotation", "turn the banana"))
    photo: bool = False
    steps: tuple[Mark, ...] = ()
    motion: Mapping[str, tuple[DemoStream, Array, Array]] = field(default_factory=dict)
    sha256: str = "00"
    decoded: int = 0

    @property
    def streams(self) -> Mapping[str, DemoStream]:
        rate = 1 / float(np.median(np.diff(self.t))) if len(self.t) > 1 else 30.0
        seen = {name: DemoStream(name, "camera", rate, self.size) for name in self.cameras}
        return seen | {name: row[0] for name, row in self.motion.items()}

    @property
    def duration_s(self) -> float:
        return float(self.t[-1])

    @property
    def source(self) -> Mapping[str, str]:
        return {"path": "/nowhere", "sha256": self.sha256}

    def times(self, stream: str) -> Array:
        return self.motion[stream][1] if stream in self.motion else self.t

    def pictures(self, stream: str, indices: Sequence[int]) -> NDArray[np.uint8]:
        self.decoded += len(indices)
        which = self.cameras.index(stream)
        return np.stack([self.picture(which, range(len(self.t))[k]) for k in indices])

    def picture(self, camera: int, k: int) -> Image:
        rgb = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        rgb[...] = 10 * (camera + 1), k % 256, k // 256
        return rgb

    def coded(self, stream: str) -> Iterator[CodedPicture]:
        return iter(())

    def values(self, stream: str) -> Array:
        return self.motion[stream][2]

    def camera(self, stream: str) -> Camera | None:
        K = np.array([[30.0, 0, 16], [0, 30.0, 10], [0, 0, 1]])
        return Camera(stream, K, self.size)

    def scene(self, stream: str) -> Image | None:
        return self.picture(self.cameras.index(stream), 255 * 256 + 255) if self.photo else None


def number(rgb: Image) -> int:
    """Which picture it is."""
    return int(rgb[0, 0, 1]) + 256 * int(rgb[0, 0, 2])


def T_at(t: Array) -> Array:
    """Where the gripper of a `gripper_demo` is."""
    turn = np.stack([0.2 * t, -0.1 * t, 0.3 * np.sin(t)], axis=-1)
    return transform(rotation_from_vector(turn), np.stack([0.1 * t, np.sin(t) / 10, 0.2 + 0 * t], axis=-1))


def gripper_demo(seconds: float = 4.0, sensor_hz: float = 30.0, **changes: object) -> MemoryDemo:
    """A demo of the handheld gripper; sensors tick at their own rate."""
    t = np.arange(round(seconds * sensor_hz) + 1) / sensor_hz
    pose = DemoStream("t265", "pose", sensor_hz, None, POSE_COLUMNS, "m")
    opening = DemoStream("width", "opening", sensor_hz, None, ("opening",), "m")
    force = DemoStream("force", "force", sensor_hz, None, ("force",), "N")
    motion = {
        "t265": (pose, t, pose_values(T_at(t))),
        "width": (opening, t, 0.08 - 0.01 * t[:, None]),
        "force": (force, t, 2.0 * t[:, None]),
    }
    pictures = np.arange(round(seconds * 30) + 1) / 30
    demo = MemoryDemo(cameras=("gripper", "left", "right"), t=pictures, motion=motion)
    for name, value in changes.items():
        setattr(demo, name, value)
    return demo
