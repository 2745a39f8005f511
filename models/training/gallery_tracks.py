"""Whether a tracker can follow the tools of a dream as it follows them in the demo: what dreams are for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hardware.geometry import inverse
from hardware.tools import BUILT_IN_TOOLS
from hardware.types import Image, Tool
from models.data.clips_dataset import StereoSample
from models.data.imports import read_tool
from models.evaluation.metrics import track_agreement
from models.tracking.trackers import TrackerChoice, make_tracker
from models.training.settings import SettingError
from models.types import Dream, Track, View


def gallery_tools(texts: Sequence[str]) -> dict[str, Tool]:
    """Return tools by role of "ROLE=NAME": a built-in tool, or a file. Raises SettingError, DreamFileError."""
    tools = {}
    for text in texts:
        role, equals, name = text.partition("=")
        if not role or not equals or not name:
            raise SettingError(
                "gallery.tools", repr(text), f"ROLE=NAME; a file, or one of {', '.join(BUILT_IN_TOOLS)}"
            )
        tools[role] = read_tool(role, BUILT_IN_TOOLS.get(name, Path(name)))
    return tools


class TrackFigures:
    """Compares tracks; what was shown is tracked once."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools, self._shown = tools, dict[str, Track]()

    def of(self, key: str, sample: StereoSample, shown: Image, dreamt: Image) -> dict[str, float]:
        """Return figures by name, "ROLE/position_mm" and such; empty without tools or calibrated cameras.

        key: of the clip; shown, dreamt (V, T, H, W, 3).
        """
        if not self._tools or not _placed(sample):
            return {}
        track = make_tracker(TrackerChoice())
        if key not in self._shown:
            self._shown[key] = track(_dream(sample, shown, self._tools))
        dream = _dream(sample, dreamt, self._tools)
        found = track_agreement(dream, track(dream), self._shown[key])
        return {f"{role}/{name}": value for role, row in found.items() for name, value in row.values().items()}


def _placed(sample: StereoSample) -> bool:
    return all(camera is not None and camera.T_world_cam is not None for camera in sample.cameras)


def _dream(sample: StereoSample, pictures: Image, tools: Mapping[str, Tool]) -> Dream:
    """Return pictures (V, T, H, W, 3) as a clip for the tracker."""
    cameras = [camera for camera in sample.cameras if camera is not None]
    placed = [(camera, T) for camera in cameras if (T := camera.T_world_cam) is not None]
    T_world_view1 = placed[0][1]
    views = tuple(
        View(camera, inverse(T_world_view1) @ T_world_cam, frames)
        for (camera, T_world_cam), frames in zip(placed, pictures, strict=True)
    )
    return Dream("gallery", sample.fps, views, dict(tools), T_world_view1, "calibrated")
