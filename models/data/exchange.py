"""What all formats of demonstrations share: limits, progress, names, and a demo in a file of others."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Camera, Image
from models.data.annotations import Mark
from models.data.demo import CodedPicture, Demo, DemoLabels, DemoStream
from models.data.errors import DreamFileError
from models.data.photo import read_photo
from models.data.session_demo import SessionDemo

MAX_PIXELS = 4096 * 4096
MAX_EPISODES = 1_000_000
MAX_NUMBERS = 2**27  # of one demo's stream: 1 GiB as doubles
MAX_TEXT = 64 * 2**20
MAX_WORDS = 10_000
MAX_RATE = 10_000.0
LEAST_FPS, MAX_FPS = 0.1, 1000.0

WRITTEN = ("lerobot", "mcap", "umi")
READ = {
    "session": "recorded sessions",
    "lerobot": "LeRobotDataset v3.0 (folder with meta/info.json)",
    "hdf5": "robomimic, RoboCasa, LIBERO (.hdf5)",
    "umi": "UMI (.zarr.zip)",
    "videos": "folder of videos (.avi, .m4v, .mkv, .mov, .mp4, .webm)",
}

_T = TypeVar("_T")
Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]


class ExchangeStopped(Exception):
    """A person cancelled."""


class PictureSource(Protocol):
    """The pictures of one camera of one demo, by number from 0."""

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        """Return pictures (N, H, W, 3) RGB. Raises DreamFileError."""
        ...

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        """Yield (H.264 as Annex B, key) of every picture; nothing where it cannot be copied as it is."""
        ...


@dataclass(frozen=True, eq=False)
class Samples:
    """times (N,) [s] since the demo's start; values (N, C), of a camera (N, 0)."""

    times: Array
    values: Array


@dataclass(frozen=True, eq=False)
class FileDemo:
    """A `Demo` in a file of others: its numbers are read when first asked for, pictures each time.

    scenes: photos of the bare scene by camera; steps: where those of the task begin [s since the demo's start].
    """

    id: str
    labels: DemoLabels
    streams: Mapping[str, DemoStream]
    duration_s: float
    source: Mapping[str, str]
    load: Callable[[], Mapping[str, Samples]]
    images: Mapping[str, PictureSource]
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    scenes: Mapping[str, Path] = field(default_factory=dict)
    steps: tuple[Mark, ...] = ()

    def times(self, stream: str) -> Array:
        self._stream(stream)
        return self._samples[stream].times

    def values(self, stream: str) -> Array:
        self._stream(stream)
        return self._samples[stream].values

    def pictures(self, stream: str, indices: Sequence[int]) -> NDArray[np.uint8]:
        return self._images(stream).pictures(indices)

    def coded(self, stream: str) -> Iterator[CodedPicture]:
        for t, (data, key) in zip(self.times(stream), self._images(stream).coded(), strict=False):
            yield CodedPicture(float(t), data, key)

    def camera(self, stream: str) -> Camera | None:
        self._stream(stream)
        return self.cameras.get(stream)

    def scene(self, stream: str) -> Image | None:
        """Return the photo of the bare scene before the demo (H, W, 3), None where there is none."""
        return read_photo(self.scenes[stream]) if stream in self.scenes else None

    @cached_property
    def _samples(self) -> Mapping[str, Samples]:
        return self.load()

    def _stream(self, stream: str) -> DemoStream:
        if stream not in self.streams:
            raise KeyError(f"{self.id}: there is no stream {stream!r}; it has {list(self.streams)}")
        return self.streams[stream]

    def _images(self, stream: str) -> PictureSource:
        if self._stream(stream).kind != "camera":
            raise KeyError(f"{self.id}: {stream!r} holds no pictures")
        return self.images[stream]


class PlainNames:
    """Names of others as names that are fit for a file, a topic and a column, each once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def make(self, name: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:48] or "stream"
        unique, k = plain, 2
        while unique in self._given:
            unique, k = f"{plain}_{k}", k + 1
        self._given.add(unique)
        return unique


def poses(positions: Array, quaternions: Array) -> Array:
    """Return `POSE_COLUMNS` (N, 7) of positions (N, 3) [m] and quaternions (N, 4) xyzw; nan where one is none."""
    length = np.linalg.norm(quaternions, axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = quaternions / length
    unit = np.where(unit[:, 3:] < 0, -unit, unit)
    rows = np.hstack([positions, unit])
    rows[~np.isfinite(rows).all(axis=1)] = np.nan
    return rows


def checked(values: object, file: Path, name: str, shape: tuple[int, ...]) -> Array:
    """Return numbers as doubles of a shape, -1 for any length. Raises DreamFileError."""
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError, OverflowError) as error:
        raise DreamFileError(file, name, "holds something that is no number", "numbers") from error
    fits = array.ndim == len(shape) and all(w in (-1, n) for n, w in zip(array.shape, shape, strict=True))
    if not fits or array.size > MAX_NUMBERS:
        raise DreamFileError(file, name, f"has shape {array.shape}", f"shape {shape} (-1: any)")
    return array


def nearest(times: Array, t: Array) -> NDArray[np.int64]:
    """Return for each of t (N,) the place of the nearest in ascending times, the earlier of two."""
    after = np.clip(np.searchsorted(times, t), 1, max(1, len(times) - 1))
    before = after - 1
    if len(times) == 1:
        return np.zeros(len(t), np.int64)
    return np.where(t - times[before] <= times[after] - t, before, after).astype(np.int64)


def guarded(path: Path, read: Callable[[], _T]) -> _T:
    """Call a parser of others over a file: whatever it raises becomes a DreamFileError."""
    try:
        return read()
    except (DreamFileError, KeyboardInterrupt):
        raise
    except FileNotFoundError as error:
        raise DreamFileError(path, "file", "does not exist", "a complete data set") from error
    except Exception as error:
        problem = f"cannot be read ({type(error).__name__}: {str(error)[:120]}); it is damaged or cut short"
        raise DreamFileError(path, "file", problem, "a complete file") from error


def steady(count: int, rate_hz: float) -> Array:
    """Return the times of a stream that has none of its own (N,) [s]."""
    return np.arange(count) / rate_hz


def inside(folder: Path, name: str, field_name: str) -> Path:
    """Return a file of a folder by the name that others give it. Raises DreamFileError where it leads out."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DreamFileError(folder, field_name, f"{name[:80]!r} leads out of the folder", "a file inside of it")
    return path


def labels_from(values: Mapping[str, object], task: str) -> DemoLabels:
    """Return labels from JSON values of a file; task: where it tells none. What is no text is left out."""

    def text(key: str) -> str:
        value = values.get(key, "")
        return value[:MAX_WORDS] if isinstance(value, str) else ""

    tags, success = values.get("tags"), values.get("success")
    return DemoLabels(
        text("task") or task,
        text("instruction"),
        text("object"),
        text("condition"),
        success if isinstance(success, bool) else None,
        tuple(str(tag)[:MAX_WORDS] for tag in tags) if isinstance(tags, list) else (),
        text("note"),
    )


def steps_of(demo: Demo) -> tuple[Mark, ...]:
    """Return where the steps of a demo's task begin, as far as somebody marked them."""
    return demo.steps if isinstance(demo, FileDemo | SessionDemo) else ()


def stop_if(cancelled: Cancelled) -> None:
    if cancelled():
        raise ExchangeStopped


def in_batches(items: Sequence[int], size: int = 32) -> Iterable[Sequence[int]]:
    return (items[k : k + size] for k in range(0, len(items), size))
