"""A demonstration as training, exports and the browser see it: streams on one clock, whatever file they lie in.

A `Demo` is an episode seen through its annotations: trimmed, labelled, with its tracked poses as streams of their
own. A recorded session and every imported format give the same thing, so that what is built on it asks no format.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import Camera

DemoStreamKind = Literal["camera", "pose", "opening", "force", "arm", "track", "action"]
POSE_COLUMNS = ("x", "y", "z", "qx", "qy", "qz", "qw")


@dataclass(frozen=True)
class DemoStream:
    """One stream of a demo.

    rate_hz: nominal; size: (width, height) [px], cameras only; columns: names of the values of one sample, for all
    other kinds; unit: of the values, "" where columns differ; frame: what poses are relative to.
    Poses ("pose" and "track") are `POSE_COLUMNS`, metres and a unit quaternion with qw >= 0.
    """

    name: str
    kind: DemoStreamKind
    rate_hz: float
    size: tuple[int, int] | None = None
    columns: tuple[str, ...] = ()
    unit: str = ""
    frame: str = ""


@dataclass(frozen=True)
class DemoLabels:
    """What is said of a demo in words. success: None where nobody knows."""

    task: str
    instruction: str = ""
    object: str = ""
    condition: str = ""
    success: bool | None = None
    tags: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class CodedPicture:
    """A coded picture (H.264, Annex B). t [s] since the demo's start; key: it can be decoded by itself."""

    t: float
    data: bytes
    key: bool


class Demo(Protocol):
    """One demonstration. Methods raise models.data.errors.DreamFileError or
    hardware.recording.note.EpisodeFileError where a file is damaged, KeyError for a stream that there is not."""

    @property
    def id(self) -> str:
        """The same for the same episode and piece of it, always; unique in its dataset."""
        ...

    @property
    def labels(self) -> DemoLabels: ...

    @property
    def streams(self) -> Mapping[str, DemoStream]: ...

    @property
    def duration_s(self) -> float: ...

    @property
    def source(self) -> Mapping[str, str]:
        """Where it comes from, for provenance: at least `path`, and `sha256` where one is known."""
        ...

    def times(self, stream: str) -> Array:
        """Return when samples were taken (N,) [s] since the demo's start, never re-timed."""
        ...

    def pictures(self, stream: str, indices: Sequence[int]) -> NDArray[np.uint8]:
        """Return pictures of a camera by their place in `times`, in the order asked (N, H, W, 3) RGB."""
        ...

    def coded(self, stream: str) -> Iterator[CodedPicture]:
        """Yield the coded pictures of a camera for copying without loss; nothing where they are not H.264.

        The first is a key frame, if need be one before the demo's start: then with t < 0.
        """
        ...

    def values(self, stream: str) -> Array:
        """Return the samples of any other stream (N, len(columns)); nan where a sensor did not see."""
        ...

    def camera(self, stream: str) -> Camera | None:
        """Return a camera as it was calibrated when this was recorded, None where it was not."""
        ...
