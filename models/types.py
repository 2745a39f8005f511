"""The nouns of the model side: dreams, their views, tracks and hints. Frozen, validated, SI units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, inverse, is_transform
from hardware.types import Camera, Image, Tool, require

Placement = Literal["calibrated", "assumed"]
PoseSource = Literal["lost", "tracked", "hinted", "interpolated", "corrected"]
HintKind = Literal["box", "copied", "pose"]
CutKind = Literal["split", "restart"]


@dataclass(frozen=True, eq=False)
class View:
    """One camera's video of a dream. frames (T, H, W, 3) uint8; T_view1_view (4, 4), identity for the first."""

    camera: Camera
    T_view1_view: Array
    frames: Image

    def __post_init__(self) -> None:
        name = self.camera.name
        require(is_transform(self.T_view1_view), f"view {name}: T_view1_view is not a rigid transform")
        require(self.frames.ndim == 4, f"view {name}: frames have shape {self.frames.shape}, not (T, H, W, 3)")
        width, height = self.camera.size
        require(
            self.frames.shape[1:] == (height, width, 3),
            f"view {name}: frames are {self.frames.shape[2]}x{self.frames.shape[1]}, "
            f"the calibration says {width}x{height}",
        )

    @property
    def name(self) -> str:
        return self.camera.name


@dataclass(frozen=True, eq=False)
class Dream:
    """A generated (or rendered, or recorded) multi-view clip and what is needed to read motion from it.

    fps of the clip; T_world_view1 (4, 4) where the first camera stands; placement says whether that was
    calibrated or assumed (plans of an assumed placement run on emulated arms only); tools by role;
    provenance: where it came from, JSON values only.
    """

    name: str
    fps: float
    views: tuple[View, ...]
    tools: Mapping[str, Tool]
    T_world_view1: Array
    placement: Placement = "assumed"
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(len(self.views) > 0, f"dream {self.name}: it has no views")
        require(self.fps > 0, f"dream {self.name}: fps {self.fps} is not positive")
        lengths = {view.name: len(view.frames) for view in self.views}
        require(len(lengths) == len(self.views), f"dream {self.name}: two views share a name")
        require(len(set(lengths.values())) == 1, f"dream {self.name}: views differ in length: {lengths}")
        require(is_transform(self.T_world_view1), f"dream {self.name}: T_world_view1 is not a rigid transform")

    def __len__(self) -> int:
        """Number of frames of each view."""
        return len(self.views[0].frames)

    def T_view_tool(self, view: int, T_view1_tool: Array) -> Array:
        """Map poses (..., 4, 4) from the first camera's frame to that of view number `view`."""
        return inverse(self.views[view].T_view1_view) @ T_view1_tool


@dataclass(frozen=True)
class Hint:
    """A person's box around one tool in one view and frame, (x0, y0, x1, y1) [px]: a hard constraint.

    kind: drawn as a box, copied from the box of another view, or the box of a pose that a person corrected.
    """

    tool: str
    view: str
    t: int
    box: tuple[float, float, float, float]
    kind: HintKind = "box"

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        require(x0 < x1 and y0 < y1, f"hint {self.tool}/{self.view}/t={self.t}: box {self.box} is empty")
        require(self.t >= 0, f"hint {self.tool}/{self.view}: frame {self.t} is negative")


@dataclass(frozen=True)
class PoseFix:
    """A pose that a person gave one tool in one frame: T_view1_tool (4, 4) as 16 numbers, row by row."""

    tool: str
    t: int
    pose: tuple[float, ...]

    def __post_init__(self) -> None:
        require(self.t >= 0, f"pose of {self.tool}: frame {self.t} is negative")
        rigid = len(self.pose) == 16 and is_transform(self.T_view1_tool)
        require(rigid, f"pose of {self.tool} at t={self.t}: {self.pose} is not a rigid transform of 16 numbers")

    @property
    def T_view1_tool(self) -> Array:
        """(4, 4)"""
        return np.reshape(np.array(self.pose, float), (4, 4))


@dataclass(frozen=True)
class Cut:
    """Where the track of a tool begins anew.

    split: what comes from frame t on is found and followed by itself, what is before stays; restart: the pose at
    frame t is all that is kept, and the tool is followed from there to both ends of the clip.
    """

    kind: CutKind
    tool: str
    t: int
    pose: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require(self.t >= 1, f"{self.kind} of {self.tool}: frame {self.t}; valid: 1 or more")
        if self.kind == "restart":
            PoseFix(self.tool, self.t, self.pose)


@dataclass(frozen=True)
class Correction:
    """What a person did to a track: which frames first..last (inclusive) of a tool, in which view ("" for all),
    who and when (ISO 8601; "" where it was not written down)."""

    what: str
    tool: str
    first: int
    last: int
    view: str = ""
    who: str = ""
    when: str = ""


@dataclass(frozen=True, eq=False)
class ToolTrack:
    """One tool's motion over a clip of T frames and V views.

    T_view1_tool (T, 4, 4), nan where lost; confidence (T, V) in 0..1, how well each picture agrees with the
    CAD model there, nan where a person set the pose; stereo_disagreement_px (T,) signed horizontal offset of the
    views against each other (second minus first, at the pose), nan where unknown; source (T,) of PoseSource.
    """

    tool: str
    T_view1_tool: Array
    confidence: Array
    stereo_disagreement_px: Array
    source: tuple[PoseSource, ...]

    def __post_init__(self) -> None:
        n = len(self.source)
        require(self.T_view1_tool.shape == (n, 4, 4), f"track {self.tool}: poses are {self.T_view1_tool.shape}")
        require(
            self.confidence.ndim == 2 and len(self.confidence) == n,
            f"track {self.tool}: confidence has shape {self.confidence.shape}, not ({n}, V)",
        )
        require(
            self.stereo_disagreement_px.shape == (n,),
            f"track {self.tool}: stereo_disagreement_px has shape {self.stereo_disagreement_px.shape}",
        )
        for t in np.flatnonzero(self.found):
            require(is_transform(self.T_view1_tool[t]), f"track {self.tool}: pose {t} is not a rigid transform")

    def __len__(self) -> int:
        return len(self.source)

    @property
    def found(self) -> NDArray[np.bool_]:
        """(T,) bool: frames that have a pose."""
        return np.array([s != "lost" for s in self.source])

    @property
    def frame_confidence(self) -> Array:
        """(T,) the weaker view's confidence, 0 where lost, 1 where a person set the pose."""
        measured = np.where(self.found, np.nan_to_num(self.confidence).min(axis=1), 0.0)
        return np.where([s == "corrected" for s in self.source], 1.0, measured)


@dataclass(frozen=True, eq=False)
class Track:
    """The tracks of all tools of a dream, with the hints and cuts that made them.

    seconds: what the tracking took; corrections: what a person did to it, oldest first.
    """

    dream: str
    tools: Mapping[str, ToolTrack]
    tracker: str = "stereo"
    hints: tuple[Hint, ...] = ()
    seconds: float = 0.0
    cuts: tuple[Cut, ...] = ()
    corrections: tuple[Correction, ...] = ()

    def corrections_at(self, tool: str, t: int) -> tuple[Correction, ...]:
        """Return who corrected what of a tool in a frame, oldest first."""
        return tuple(c for c in self.corrections if c.tool == tool and c.first <= t <= c.last)
