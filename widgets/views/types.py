"""What the views are shown: small frozen records, and the protocols that they pull pictures and samples from.

Times are seconds on the playback clock; pixels are of the camera's full picture, x right, y down, centres at
integers. Colours are "#rrggbb". Frames never travel in signals: a view asks its source for the newest one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from hardware.geometry import Array
from hardware.types import Box, Camera, Frame, Image, Mesh, require

TrackState = Literal["tracked", "hinted", "corrected", "interpolated", "lost", "original"]
Level = Literal["ok", "warning", "alarm", "idle"]


class FrameSource(Protocol):
    """Where a video view gets its pictures. A picture once given is not written to: a new one is a new array."""

    def frame_at(self, view: str, t: float) -> Image | None:
        """Return the picture (H, W, 3) uint8 of a view at playback time t [s]; None where there is none."""
        ...


class LatestSource(Protocol):
    """Where the live grid gets its pictures."""

    def latest(self, name: str) -> Frame | None:
        """Return the newest frame of a camera; None before the first."""
        ...


def _no_points() -> Array:
    return np.zeros((0, 2))


@dataclass(frozen=True, eq=False)
class ToolOverlay:
    """One tool drawn over one view at one instant.

    outline: polylines, each (N, 2) [px]; creases: thinner inner lines (S, 2, 2) [px]; axes (4, 2) [px] origin and
    the ends of x, y, z, None while lost; past, future (N, 2) [px] path of the tip, nan where unknown;
    confidence 0..1 in this view, nan where a person set the pose; note: more words for its badge. The state
    "original" is what the tracker said before a correction: a dashed outline and nothing else.
    """

    tool: str
    color: str
    outline: Sequence[Array] = ()
    creases: Array = field(default_factory=lambda: np.zeros((0, 2, 2)))
    axes: Array | None = None
    past: Array = field(default_factory=_no_points)
    future: Array = field(default_factory=_no_points)
    confidence: float = 0.0
    state: TrackState = "tracked"
    note: str = ""


@dataclass(frozen=True)
class OutlineDrag:
    """A tool's outline in a view is dragged from one pixel (x, y) to another.

    kind: moved across the sight, turned about it, or moved along it; done: let go, so that it holds; given_up: it
    is to lie where it lay before.
    """

    view: str
    tool: str
    kind: Literal["move", "turn", "depth"]
    start: tuple[float, float]
    now: tuple[float, float]
    done: bool = False
    given_up: bool = False


@dataclass(frozen=True)
class CorrectionRow:
    """One correction of a dream for its list. id: what the list says when it is picked or removed."""

    id: int
    kind: str
    tool: str
    color: str
    frames: str
    view: str = ""
    by: str = ""


@dataclass(frozen=True)
class HintBox:
    """A person's box around a tool, shown in the view and frame that it belongs to: (x0, y0, x1, y1) [px]."""

    tool: str
    color: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class ScenePath:
    """A tool tip's path in world, points (N, 3) [m], nan where lost; confidence (N,) 0..1 colours it, unless it
    has a colour of its own."""

    tool: str
    points: Array
    confidence: Array
    color: str = ""

    def __post_init__(self) -> None:
        require(self.points.ndim == 2 and self.points.shape[1] == 3, f"path {self.tool}: points are not (N, 3)")
        require(
            self.confidence.shape == self.points.shape[:1],
            f"path {self.tool}: confidence has shape {self.confidence.shape}, not ({len(self.points)},)",
        )


@dataclass(frozen=True, eq=False)
class SceneViolation:
    """A place (3,) [m] in world where a rule of motion is broken, and what it says."""

    point: Array
    text: str


@dataclass(frozen=True, eq=False)
class SceneArm:
    """An arm's link meshes (L of them), each in its link's frame, low-poly."""

    name: str
    links: tuple[Mesh, ...]


@dataclass(frozen=True, eq=False)
class SceneStatic:
    """What stands still in the 3-D scene, or changes seldom. World frame, metres.

    table_size (2,), top at z = 0; cameras need T_world_cam to be drawn; tools by role with colours by role;
    workspace (2, 3) lower and upper corner.
    """

    table_size: Array = field(default_factory=lambda: np.array([1.8, 1.2]))
    cameras: tuple[Camera, ...] = ()
    tools: Mapping[str, Mesh] = field(default_factory=dict)
    tool_colors: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[ScenePath, ...] = ()
    violations: tuple[SceneViolation, ...] = ()
    arms: tuple[SceneArm, ...] = ()
    keep_out: tuple[Box, ...] = ()
    workspace: Array | None = None


@dataclass(frozen=True, eq=False)
class SceneMoment:
    """What moves in the 3-D scene at one instant.

    T_world_tool (4, 4) by role, missing or None while lost; planned and measured: link poses (L, 4, 4) in world
    by arm; pictures (H, W, 3) uint8 by camera, shown on the image plane of its frustum, not written to later;
    T_world_before: where the tracker had a tool before it was corrected, shown as a ghost.
    """

    T_world_tool: Mapping[str, Array | None] = field(default_factory=dict)
    planned: Mapping[str, Array] = field(default_factory=dict)
    measured: Mapping[str, Array] = field(default_factory=dict)
    pictures: Mapping[str, Image] = field(default_factory=dict)
    T_world_before: Mapping[str, Array | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Curve:
    """A named curve of a lane: t (N,) [s] playback time, value (N,) in the lane's unit, nan where unknown."""

    name: str
    color: str
    t: Array
    value: Array
    dashed: bool = False

    def __post_init__(self) -> None:
        require(self.t.shape == self.value.shape, f"curve {self.name}: t and value differ in shape")


@dataclass(frozen=True, eq=False)
class Lane:
    """A strip of curves over one scale. alarm: a level drawn across; low, high: the scale, None fits the data.

    alarm_above: whether values above the level are the bad ones (else those below).
    """

    label: str
    unit: str
    curves: tuple[Curve, ...]
    alarm: float | None = None
    alarm_above: bool = True
    low: float | None = 0.0
    high: float | None = None


@dataclass(frozen=True)
class Span:
    """A stretch of the timeline, start to end [s]. level alarm: a violation; warning: a clamp."""

    start: float
    end: float
    level: Level
    text: str


@dataclass(frozen=True)
class Marker:
    """A point on the timeline [s], such as a person's hint."""

    t: float
    color: str
    text: str


@dataclass(frozen=True)
class Band:
    """A named stretch of the timeline [s]: approach, work, retreat."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class TimelineData:
    """Everything on the timeline.

    start, end [s] of its axis; frame_times (T,) [s] when each clip frame is shown, the first of them being number
    first_frame; trim: first and last frame kept (both included, as indices of frame_times), None where it cannot
    be changed, as in a plan; view: which of the source's views makes the filmstrip.
    """

    start: float
    end: float
    frame_times: Array
    trim: tuple[int, int] | None = None
    first_frame: int = 0
    view: str = ""
    lanes: tuple[Lane, ...] = ()
    spans: tuple[Span, ...] = ()
    markers: tuple[Marker, ...] = ()
    bands: tuple[Band, ...] = ()

    def __post_init__(self) -> None:
        require(self.start < self.end, f"timeline: start {self.start} s is not before end {self.end} s")
        require(len(self.frame_times) > 0, "timeline: frame_times is empty")
        first, last = self.trim or (0, 0)
        require(
            0 <= first <= last < len(self.frame_times),
            f"timeline: trim {self.trim} is not within 0..{len(self.frame_times) - 1}",
        )


@dataclass(frozen=True, eq=False)
class ArmHistory:
    """Samples of one arm while it executes, oldest first, all (N,).

    t [s] since the start; error [rad] the largest joint error; planned, measured [m/s] tip speed.
    """

    t: Array
    error: Array
    planned: Array
    measured: Array


class HistorySource(Protocol):
    """Where the live curves get their samples."""

    def history(self, arm: str) -> ArmHistory | None:
        """Return the newest samples of an arm; None where there are none."""
        ...
