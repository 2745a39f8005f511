"""What a model is shown of a demonstration: exact recipes for stereo clips and for multi-view windows.

Recipes hold numbers only. Which pictures they ask for is plain arithmetic on times, here; who fetches them is
models/data/clips_dataset.py. Defaults follow the papers; what the papers leave open is said at the field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.types import require

Part = Literal["begin", "end", "spread"]
Conditioning = Literal["image", "text"]
Fitting = Literal["crop", "stretch"]
Pad = Literal["current", "black"]
PastEnd = Literal["repeat", "leave out"]
ActionPart = Literal["position", "rotation_6d", "rotation_vector", "opening", "opening_absolute", "force", "given"]
MOST_VIEWS, MOST_ZOOM = 4, 4.0
WIDTHS: Mapping[ActionPart, int] = {
    "position": 3, "rotation_6d": 6, "rotation_vector": 3, "opening": 1, "opening_absolute": 1, "force": 1,
}  # fmt: skip


@dataclass(frozen=True)
class TimeIds:
    """What Stable Video Diffusion is told besides the pictures: rate, motion bucket, noise on the condition."""

    fps: float
    motion_bucket: float
    augmentation: float


@dataclass(frozen=True)
class GoalBlend:
    """How the goal of push-shape is painted into a step's clip (Dreamitate; colour, opacity and frames are
    unpublished). frames: "all", or "scene" for the pictures at t0 alone."""

    rgb: tuple[int, int, int] = (0, 255, 0)
    opacity: float = 0.5
    frames: Literal["all", "scene"] = "all"

    def __post_init__(self) -> None:
        require(0 < self.opacity <= 1, f"goal: opacity {self.opacity}; valid: over 0, at most 1")


@dataclass(frozen=True)
class StereoClip:
    """A clip of Dreamitate (arXiv 2406.16862): [view 1 t0..t12, view 2 t1..t12], 25 pictures, and more views alike.

    cameras: how many views; views: which, by name, () for the demo's first ones; fps, duration_s: the clip is taken
    from the first `duration_s` after its scene image. length: pictures of view 1. At 5 fps 13 pictures span 2.4 s
    of 3.0 s; the papers do not say which, so `part` does: "begin" the first, "end" the scene image and then the
    last ones, "spread" evenly over all of it (the clip's rate is then lower). size (width, height) [px] after
    cropping the width and resizing by area; zoom: how many times less than that crop is shown, around its middle.
    conditioning: "image" (paper: the embedding of the frame's own view at t0) or "text" (released code: of the
    sentence). Both add the latent of the view's picture at t0, with noise as in time_ids.
    """

    views: tuple[str, ...] = ()
    cameras: int = 2
    fps: float = 6.0
    duration_s: float = 2.0
    part: Part = "begin"
    length: int = 13
    size: tuple[int, int] = (768, 448)
    zoom: float = 1.0
    conditioning: Conditioning = "image"
    time_ids: TimeIds = TimeIds(6, 200, 0.02)
    goal: GoalBlend | None = None

    def __post_init__(self) -> None:
        named, cameras = len(self.views), self.cameras
        require(1 <= cameras <= MOST_VIEWS, f"stereo clip: cameras {cameras}; valid: 1 to {MOST_VIEWS}")
        require(named in (0, cameras), f"stereo clip: views {self.views}; valid: {cameras} by name, or none")
        require(self.fps > 0 and self.duration_s > 0, f"stereo clip: {self.duration_s} s at {self.fps} fps")
        require(self.length >= 2, f"stereo clip: length {self.length}; valid: 2 or more")
        require(min(self.size) > 0, f"stereo clip: size {self.size}")
        require(1 <= self.zoom <= MOST_ZOOM, f"stereo clip: zoom {self.zoom}; valid: 1 to {MOST_ZOOM:g}")

    @property
    def layout(self) -> tuple[tuple[int, int], ...]:
        """(view, t) of each picture of the clip."""
        later = ((view, t) for view in range(1, self.cameras) for t in range(1, self.length))
        return (*((0, t) for t in range(self.length)), *later)

    def asked(self, scene_s: float, end_s: float) -> Array:
        """Return the times (length,) [s] of the pictures of one view, for a piece from its scene image to its end.

        A piece that is too short repeats its last picture.
        """
        end = min(end_s, scene_s + self.duration_s)
        k = np.arange(self.length)
        if self.part == "spread":
            return np.asarray(scene_s + k / (self.length - 1) * (end - scene_s))
        if self.part == "begin" or end - scene_s <= (self.length - 1) / self.fps:
            return np.asarray(np.minimum(scene_s + k / self.fps, end))
        last = end - (self.length - 1 - k) / self.fps
        return np.where(k == 0, scene_s, last)

    def shown_fps(self, scene_s: float, end_s: float) -> float:
        """Return the rate by which a plan times the clip."""
        span = min(end_s - scene_s, self.duration_s)
        return (self.length - 1) / span if self.part == "spread" and span > 0 else self.fps


_SLOW = StereoClip(fps=5.0, duration_s=3.0, time_ids=TimeIds(5, 200, 0.02))
STEREO_TASKS: Mapping[str, StereoClip] = {
    "rotation": StereoClip(),
    "push-shape": replace(StereoClip(), goal=GoalBlend()),
    "scooping": _SLOW,
    "sweeping": _SLOW,
}
"""The published recipe of each task."""


def stereo_clip(task: str) -> StereoClip:
    """Return the recipe of a task; that of rotation for a task which the paper does not have."""
    return STEREO_TASKS.get(task, STEREO_TASKS["rotation"])


@dataclass(frozen=True)
class ActionRecipe:
    """What a policy learns to say, k numbers for each control step (Video Policy, arXiv 2508.00795).

    parts: in order; default is that of the real robot, 3 + 6 + 1 + 1 = 11: position and rotation of the gripper
    relative to where it is at the window's first picture, opening [m] relative to then, force [N] as it is. The
    rotation's form is unpublished. ("given",) takes the columns of the demo's own action stream (7 in simulation).
    relative_to: "current" that first pose, "previous" the step before (a delta). offset: action i says where the
    gripper is `offset` steps after control step i. pose, opening, force, given: streams, "" for the only
    one of its kind; a tracked pose goes before a sensor's. max_gap_s: longer holes in a stream are not bridged.
    """

    parts: tuple[ActionPart, ...] = ("position", "rotation_6d", "opening", "force")
    steps: int = 32
    relative_to: Literal["current", "previous"] = "current"
    offset: int = 1
    pose: str = ""
    opening: str = ""
    force: str = ""
    given: str = ""
    max_gap_s: float = 0.25

    def __post_init__(self) -> None:
        alone = "given" not in self.parts or self.parts == ("given",)
        require(bool(self.parts) and alone, f"actions: parts {self.parts}; valid: some of {list(WIDTHS)}, or given")
        require(len(set(self.parts)) == len(self.parts), f"actions: parts {self.parts}: one is there twice")
        require(self.steps > 0 and self.offset >= 0, f"actions: steps {self.steps}, offset {self.offset}")

    @property
    def k(self) -> int:
        """Numbers a step; 0 for ("given",): as many as its stream has columns."""
        return sum(WIDTHS.get(part, 0) for part in self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each of the k numbers."""
        return tuple(f"{part}/{i}" for part in self.parts for i in range(WIDTHS.get(part, 0)))


@dataclass(frozen=True)
class MultiViewWindow:
    """A window of Video Policy: [pad, camera 1 x 8, camera 2 x 8, camera 3 x 8], 25 pictures.

    Each camera's first picture is the current one, the others follow `stride` control steps apart; pictures and
    stride make the video's horizon, actions.steps that of the actions. stride 0 shows only the current picture.
    rate_hz: of control. size (width, height) [px]: 256x256 in simulation, 256x192 and then 448x320 on the robot.
    fitting of other aspects is unpublished: "crop" around the middle, "stretch" all of it. pad: what stands before
    the first camera. past_end: a window that runs out of its demo repeats what was last, or is left out.
    every: control steps between windows. actions None: video alone, from demos that know no actions too.
    """

    cameras: tuple[str, ...] = ("gripper", "left", "right")
    rate_hz: float = 30.0
    pictures: int = 8
    stride: int = 4
    size: tuple[int, int] = (256, 192)
    fitting: Fitting = "crop"
    pad: Pad = "current"
    past_end: PastEnd = "repeat"
    every: int = 1
    actions: ActionRecipe | None = field(default_factory=ActionRecipe)
    time_ids: TimeIds = TimeIds(6, 100, 0.02)

    def __post_init__(self) -> None:
        require(len(set(self.cameras)) == len(self.cameras) > 0, f"window: cameras {self.cameras}")
        require(self.rate_hz > 0 and self.pictures > 0, f"window: {self.pictures} pictures at {self.rate_hz} Hz")
        require(self.stride >= 0 and self.every > 0, f"window: stride {self.stride}, every {self.every}")
        require(min(self.size) > 0, f"window: size {self.size}")

    @property
    def layout(self) -> tuple[tuple[int, int], ...]:
        """(camera, control step after the current one) of each picture, the pad first."""
        shown = [(c, self.stride * j) for c in range(len(self.cameras)) for j in range(self.pictures)]
        return ((0, 0), *shown)

    @property
    def reach(self) -> int:
        """How many control steps after the current one a whole window needs."""
        actions = self.actions.steps - 1 + self.actions.offset if self.actions else 0
        return max(self.stride * (self.pictures - 1), actions)

    def starts(self, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the control steps (S,) at which a window can start; usable (N,): steps whose motion is known."""
        count = len(usable)
        # a window is fine when no unusable step lies in what it needs
        bad = np.concatenate([[0], np.cumsum(~usable)])
        first = np.arange(0, count, self.every)
        last = np.minimum(first + self.reach + 1, count)
        fine = bad[last] - bad[first] == 0
        if self.past_end == "leave out":
            fine &= first + self.reach < count
        return np.asarray(first[fine])


def nearest(times: Array, asked: Array | Sequence[float]) -> NDArray[np.int64]:
    """Return the place in rising times (N,) that lies nearest to each asked one (M,); the earlier of two."""
    require(len(times) > 0, "times: there are none")
    at = np.asarray(asked, float)
    after = np.clip(np.searchsorted(times, at), 1, max(1, len(times) - 1))
    before = after - 1
    late = np.minimum(after, len(times) - 1)
    # a hair, so that times which agree to a nanosecond count as the same
    return np.asarray(np.where(times[late] - at < at - times[before] - 1e-9, late, before))
