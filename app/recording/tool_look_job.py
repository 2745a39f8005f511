"""Whether a tracker finds the tools in some pictures of a take: a job of a worker process."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from app.recording.checks import TOOL_TRACKING
from app.recording.scene_checks import reached_in
from app.worker import Cancelled, Report
from hardware.geometry import Array, inverse
from hardware.recording.mcap_log import EpisodeReader, open_episode
from hardware.recording.note import Verdict
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.types import Camera, Image
from models.tracking.stereo_tracker import LEAST, sightings
from models.types import Dream, View

GLANCES, LOOKS = 12, 5  # places of a take that are glanced at; those that are searched for the tools
BEGUN = 0.02  # part of a picture that a person fills who is at work
MOST_VIEWS = 2
SPAN_S = 0.5  # of the replay that shows a place where a tool is not found


@dataclass(frozen=True, eq=False)
class _Placed:
    """A camera that the tools are looked for with, and its bare scene (H, W, 3)."""

    camera: Camera
    T_world_cam: Array
    scene: Image


def look_for_tools(
    session: Path, number: int, tools: Mapping[str, str], report: Report, cancelled: Cancelled
) -> tuple[Verdict, ...]:
    """The worker's job: `untracked`, at the lowest priority, for the next take is worth more."""
    os.nice(19 - os.nice(0))
    return untracked(session, number, tools, cancelled)


def untracked(session: Path, number: int, tools: Mapping[str, str], cancelled: Cancelled) -> tuple[Verdict, ...]:
    """Return a verdict for each tool that is found in less than half of the pictures looked at.

    tools: role -> built-in tool. Nothing is said where no picture shows somebody at work, or no camera is placed.
    Raises EpisodeFileError.
    """
    folders = [session / "episodes" / f"{number:06d}{end}" for end in (".part", "")]
    folder = next((folder for folder in folders if folder.is_dir()), folders[-1])
    with open_episode(folder) as reader:
        dream, at = _dream(reader, folder, tools)
    if dream is None:
        return ()
    found = sightings(dream, cancelled=cancelled)
    return tuple(v for role, seen in found.items() if (v := verdict(role, tools[role], seen, at)) is not None)


def verdict(role: str, tool: str, strengths: tuple[float, ...], at: tuple[float, ...]) -> Verdict | None:
    """What is said of a tool by how surely it is found at times [s] since the take's start; None: well enough."""
    missed = [t for t, strength in zip(at, strengths, strict=True) if strength < LEAST]
    seen = len(at) - len(missed)
    if 2 * seen >= len(at):
        return None
    text = f"{role}: a tracker finds the {tool} in {seen} of {len(at)} pictures; turn its print to the cameras"
    spans = tuple((max(0.0, t - SPAN_S / 2), t + SPAN_S / 2) for t in missed)
    return Verdict(TOOL_TRACKING, "mark" if seen else "bad", text, role, spans)


def _dream(reader: EpisodeReader, folder: Path, tools: Mapping[str, str]) -> tuple[Dream | None, tuple[float, ...]]:
    """The bare scene and the pictures to search as a clip, and when they were taken [s]; None where none are."""
    known = {role: load_tool(BUILT_IN_TOOLS[tool]) for role, tool in tools.items() if tool in BUILT_IN_TOOLS}
    placed = [seen for name in reader.cameras if (seen := _placed(reader, folder, name)) is not None][:MOST_VIEWS]
    if not known or not placed:
        return None, ()
    start, end = reader.span
    shown = {}
    for t in (np.arange(GLANCES) + 0.5) / GLANCES * (end - start):
        frames = [reader.frame_at(seen.camera.name, start + float(t)) for seen in placed]
        pictures = [frame.rgb for frame in frames if frame is not None]
        if len(pictures) == len(placed) and _at_work(pictures, [seen.scene for seen in placed]):
            shown[float(t)] = pictures
    at = tuple(_evenly(list(shown), LOOKS))
    if not at:
        return None, ()
    T_world_view1 = placed[0].T_world_cam
    views = tuple(
        View(
            seen.camera,
            inverse(T_world_view1) @ seen.T_world_cam,
            np.stack([seen.scene, *(shown[t][k] for t in at)]),
        )
        for k, seen in enumerate(placed)
    )
    return Dream(folder.name, 1.0, views, known, T_world_view1, "calibrated"), at


def _placed(reader: EpisodeReader, folder: Path, name: str) -> _Placed | None:
    """A calibrated pinhole camera whose place is known, with its bare scene; None where any of that is missing."""
    camera = reader.calibration(name)
    bgr = cv2.imread(str(folder / f"scene_{name}.png"))
    if camera is None or camera.T_world_cam is None or camera.model != "pinhole" or bgr is None:
        return None
    scene = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    return _Placed(camera, camera.T_world_cam, scene) if scene.shape[1::-1] == camera.size else None


def _at_work(pictures: list[Image], scenes: list[Image]) -> bool:
    """Whether somebody reaches into any of these pictures that was not there in the bare scene."""
    return any(reached_in(scene, rgb) > BEGUN for rgb, scene in zip(pictures, scenes, strict=True))


def _evenly(times: list[float], count: int) -> list[float]:
    return [times[round(i)] for i in np.linspace(0, len(times) - 1, min(count, len(times)))] if times else []
