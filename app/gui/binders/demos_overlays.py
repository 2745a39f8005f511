"""Tracked tools drawn over the pictures of a recorded episode: outline, axes, path, how sure it is, boxes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.datasets.player import EpisodeCurves
from app.gui.binders.dream_pictures import outlined
from app.gui.binders.held_pose import Standing
from hardware.geometry import Array, inverse
from hardware.types import Camera
from models.corrections import EpisodeEye
from models.data.episode_track import EpisodeTrack
from models.types import Hint, PoseSource
from widgets.theme import tool_color
from widgets.views.outline import mesh_edges, tip_path
from widgets.views.types import HintBox, ToolOverlay

ORIGIN = np.zeros(3)
Box = tuple[float, float, float, float]


class DemoOverlays:
    """What is drawn over each view at a time, worked out once for each frame of the track.

    hints: boxes to draw; given: poses T_view1_tool by role that are shown in the frame that is looked at in place
    of the track's; kept: by role and frame, those that a person gave since the track was read.
    """

    def __init__(self, curves: EpisodeCurves) -> None:
        self._track = curves.track
        self._cameras: Mapping[str, Camera] = curves.cameras
        self._edges = {role: mesh_edges(tool.mesh) for role, tool in curves.tools.items()}
        self.hints: tuple[Hint, ...] = curves.track.track.hints if curves.track is not None else ()
        self.given: Mapping[str, Array] = {}
        self.kept: dict[tuple[str, int], Array] = {}
        self._drawn: dict[tuple[str, int], tuple[ToolOverlay, ...]] = {}
        self._paths: dict[tuple[str, str], Array] = {}

    @property
    def tracked(self) -> bool:
        """Whether there is a track."""
        return self._track is not None

    def at(self, view: str, t: float) -> tuple[ToolOverlay, ...]:
        """Return the tools in a view at t [s since the episode's start]; nothing outside of the track's times."""
        track, frame = self._track, self.frame_at(t)
        T_cam_view1 = self._T_cam_view1(view)
        if track is None or frame is None or T_cam_view1 is None:
            return ()
        if self.given or self.kept:
            return self._make(track, view, frame, T_cam_view1)
        if (view, frame) not in self._drawn:
            self._drawn[view, frame] = self._make(track, view, frame, T_cam_view1)
        return self._drawn[view, frame]

    def standing(self, role: str, frame: int) -> Standing | None:
        """Return where a tool stands in a frame, by its track or as a person put it there since."""
        tool = self._track.track.tools.get(role) if self._track is not None else None
        T = self.kept.get((role, frame))
        if T is None and tool is not None and tool.found[frame]:
            T = tool.T_view1_tool[frame]
        return Standing(role, frame, T) if T is not None else None

    def eye(self, view: str) -> EpisodeEye | None:
        """Return a camera and where it stands to the first of the track, None where nobody knows."""
        T_cam_view1 = self._T_cam_view1(view)
        return EpisodeEye(self._cameras[view], inverse(T_cam_view1)) if T_cam_view1 is not None else None

    def can_drag(self, role: str) -> bool:
        """Whether a tool has an outline to take hold of."""
        return role in self._edges

    def frame_at(self, t: float) -> int | None:
        """Return the track's frame at t [s since the episode's start], None where it has none."""
        track = self._track
        if track is None:
            return None
        frame = int(np.abs(track.times - t).argmin())
        step = float(np.median(np.diff(track.times))) if len(track.times) > 1 else 1.0
        return frame if abs(track.times[frame] - t) <= step else None

    def time_of(self, frame: int) -> float:
        """Return when a frame of the track was taken [s], the nearest one where there is no such frame; 0 for the
        photo before the episode."""
        times = self._track.times if self._track is not None else np.zeros(1)
        return max(0.0, float(times[min(max(frame, 0), len(times) - 1)]))

    def boxes(self, view: str, t: float) -> tuple[HintBox, ...]:
        """Return a person's boxes in a view at t."""
        frame = self.frame_at(t)
        here = [h for h in self.hints if (h.view, h.t) == (view, frame)] if view in self._cameras else []
        return tuple(HintBox(h.tool, self.ink(h.tool), self._moved(h.box, view, to_tracked=False)) for h in here)

    def tracked_box(self, view: str, box: Box) -> Box:
        """Return a box of the shown picture as one of the picture that was tracked. Raises ValueError for a camera
        that was not."""
        if self._track is None or view not in self._track.K or view not in self._cameras:
            there = list(self._track.K) if self._track is not None else []
            raise ValueError(f"{view}: this camera was not tracked; valid: {there}; older tracks: track it anew")
        return self._moved(box, view, to_tracked=True)

    def ink(self, role: str) -> str:
        """Return a tool's colour."""
        roles = list(self._track.track.tools) if self._track is not None else []
        return tool_color(role, roles.index(role) if role in roles else 0)

    def _moved(self, box: Box, view: str, to_tracked: bool) -> Box:
        K_shown = self._cameras[view].K
        K_tracked = self._track.K.get(view, K_shown) if self._track is not None else K_shown
        ways = (K_tracked, K_shown) if to_tracked else (K_shown, K_tracked)
        A = ways[0] @ np.linalg.inv(ways[1])  # the same rays: fitting a picture moves and scales its pixels
        (x0, y0, _), (x1, y1, _) = ((A @ [x, y, 1.0]).tolist() for x, y in (box[:2], box[2:]))
        return x0, y0, x1, y1

    def _make(self, track: EpisodeTrack, view: str, frame: int, T_cam_view1: Array) -> tuple[ToolOverlay, ...]:
        camera, made = self._cameras[view], []
        for role, tool in track.track.tools.items():
            path, now = self._path(track, view, role, T_cam_view1), self.standing(role, frame)
            overlay = ToolOverlay(role, self.ink(role), past=path[: frame + 1], future=path[frame:], state="lost")
            if now is not None:
                T = self.given.get(role, now.T_view1_tool)
                moved = role in self.given or (role, frame) in self.kept
                state: PoseSource = "corrected" if moved else tool.source[frame]
                overlay = replace(
                    outlined(overlay, self._edges.get(role), camera, T_cam_view1 @ T),
                    confidence=np.nan if state == "corrected" else float(tool.frame_confidence[frame]),
                    state=state,
                )
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
