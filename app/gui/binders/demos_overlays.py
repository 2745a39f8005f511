"""Tracked tools drawn over the pictures of a recorded episode: axes, path, how sure the tracker is."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.dataset_player import EpisodeCurves
from hardware.geometry import Array, inverse
from hardware.types import Camera
from models.data.episode_track import EpisodeTrack
from widgets.theme import tool_color
from widgets.views.outline import project_axes, tip_path
from widgets.views.types import ToolOverlay

ORIGIN = np.zeros(3)


class DemoOverlays:
    """What is drawn over each view at a time, worked out once for each frame of the track."""

    def __init__(self, curves: EpisodeCurves) -> None:
        self._track = curves.track
        self._cameras: Mapping[str, Camera] = curves.cameras
        self._kept: dict[tuple[str, int], tuple[ToolOverlay, ...]] = {}
        self._paths: dict[tuple[str, str], Array] = {}

    def at(self, view: str, t: float) -> tuple[ToolOverlay, ...]:
        """Return the tools in a view at t [s since the episode's start]; nothing outside of the track's times."""
        track = self._track
        T_cam_view1 = self._T_cam_view1(view)
        if track is None or T_cam_view1 is None:
            return ()
        frame = int(np.abs(track.times - t).argmin())
        step = float(np.median(np.diff(track.times))) if len(track.times) > 1 else 1.0
        if abs(track.times[frame] - t) > step:
            return ()
        if (view, frame) not in self._kept:
            self._kept[view, frame] = self._make(track, view, frame, T_cam_view1)
        return self._kept[view, frame]

    def _make(self, track: EpisodeTrack, view: str, frame: int, T_cam_view1: Array) -> tuple[ToolOverlay, ...]:
        camera, made = self._cameras[view], []
        for index, (role, tool) in enumerate(track.track.tools.items()):
            path = self._path(track, view, role, T_cam_view1)
            overlay = ToolOverlay(role, tool_color(role, index), past=path[: frame + 1], future=path[frame:])
            if tool.found[frame]:
                axes = project_axes(camera, T_cam_view1 @ tool.T_view1_tool[frame])
                sure = float(tool.frame_confidence[frame])
                overlay = replace(overlay, axes=axes, confidence=sure, state=tool.source[frame])
            else:
                overlay = replace(overlay, state="lost")
            made.append(overlay)
        return tuple(made)

    def _path(self, track: EpisodeTrack, view: str, role: str, T_cam_view1: Array) -> Array:
        if (view, role) not in self._paths:
            poses = T_cam_view1 @ track.track.tools[role].T_view1_tool
            self._paths[view, role] = tip_path(self._cameras[view], poses, ORIGIN)
        return self._paths[view, role]

    def _T_cam_view1(self, view: str) -> Array | None:
        """Map the first view's frame to that of a camera, None where they do not stand in one world."""
        if self._track is None or view not in self._cameras:
            return None
        first = self._track.views[0]
        if view == first:
            return np.eye(4)
        T_world_cam = self._cameras[view].T_world_cam
        T_world_view1 = self._cameras[first].T_world_cam if first in self._cameras else None
        return None if T_world_cam is None or T_world_view1 is None else inverse(T_world_cam) @ T_world_view1
