"""Trackers that see one view alone: what they return, and the built-in one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from hardware.geometry import Array
from hardware.types import require
from models.tracking.stereo_tracker import track
from models.types import Dream, Hint, PoseSource

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class ViewTrack:
    """One tool as one camera alone sees it, over T frames.

    T_view_tool (T, 4, 4) in that camera's frame, nan where lost; confidence (T,) 0..1; source (T,).
    """

    T_view_tool: Array
    confidence: Array
    source: tuple[PoseSource, ...]

    def __post_init__(self) -> None:
        n = len(self.source)
        require(
            self.T_view_tool.shape == (n, 4, 4), f"view track: poses are {self.T_view_tool.shape}, not ({n}, 4, 4)"
        )
        require(self.confidence.shape == (n,), f"view track: confidence is {self.confidence.shape}, not ({n},)")


class PerViewTracker(Protocol):
    """Tracks every tool in one view of a dream, knowing nothing of the others.

    hints: the boxes of that view. Progress and cancel are those of `stereo_tracker.track`.
    """

    def __call__(
        self,
        dream: Dream,
        view: int,
        *,
        hints: Sequence[Hint],
        progress: Progress | None,
        cancelled: IsCancelled | None,
    ) -> Mapping[str, ViewTrack]: ...


def one_view(dream: Dream, view: int) -> Dream:
    """Return the dream as if that camera were the only one; its frame is then the first view's."""
    seen = dream.views[view]
    alone = replace(seen, T_view1_view=np.eye(4))
    return replace(dream, views=(alone,), T_world_view1=dream.T_world_view1 @ seen.T_view1_view)


def built_in(
    dream: Dream,
    view: int,
    *,
    hints: Sequence[Hint],
    progress: Progress | None,
    cancelled: IsCancelled | None,
) -> Mapping[str, ViewTrack]:
    """The built-in tracker with one camera only: depth comes from the tool's size in the picture."""
    found = track(one_view(dream, view), hints=hints, progress=progress, cancelled=cancelled)
    return {
        name: ViewTrack(tool.T_view1_tool, tool.frame_confidence, tool.source) for name, tool in found.tools.items()
    }
