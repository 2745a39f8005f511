"""Scenes that were looked at before: the one that a dream began with, the bare one before a recorded demo."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.dreams.scene import Scene, fitted_camera, poses_to_first, refuse_company, shown_picture
from app.workspace import Workspace
from hardware.geometry import Array
from hardware.recording.mcap_log import EpisodeReader
from hardware.recording.session import is_session, open_session
from hardware.types import Camera, Image, Tool
from models.data.dream_folder import load_dream
from models.data.errors import DreamFileError
from models.data.photo import read_photo
from models.types import Placement
from models.video.config import VideoConfig

MOST = 50


@dataclass(frozen=True)
class RecordedScene:
    """The bare scene before a recorded demo. folder: the episode's."""

    folder: Path
    task: str
    title: str


def recorded_scenes(workspace: Workspace) -> list[RecordedScene]:
    """Return the newest demos of the workspace that hold a picture of the bare scene, the newest first."""
    root = workspace.recordings
    found: list[RecordedScene] = []
    for session in sorted(root.iterdir() if root.is_dir() else (), reverse=True):
        if not is_session(session):
            continue
        for entry in reversed(open_session(session).kept()):
            if entry.note is not None and entry.note.scene:
                title = " · ".join(filter(None, (f"{session.name} #{entry.note.number}", entry.note.task)))
                found.append(RecordedScene(entry.folder, entry.note.task, title))
        if len(found) >= MOST:
            break
    return found[:MOST]


def scene_of_dream(folder: Path, config: VideoConfig, *, text: str = "", override: str = "") -> Scene:
    """Return the scene that a dream began with, its cameras where they stood then, and its tools.

    A dream that came without photos of it begins with its scene. Raises DreamFileError where the dream has other
    views than the model.
    """
    dream = load_dream(folder)
    _refuse_views(folder, len(dream.views), config)
    files = [_photo(folder / "scene", view.name) for view in dream.views]
    photos = [view.frames[0] if f is None else read_photo(f) for view, f in zip(dream.views, files, strict=True)]
    cameras = [view.camera for view in dream.views]
    origin = {"kind": "dream", "dream": dream.name, "folder": str(folder)}
    poses = tuple(view.T_view1_view for view in dream.views)
    T_world_view1 = np.asarray(dream.T_world_view1)
    return _scene(photos, folder, cameras, poses, T_world_view1, dream.placement, dream.tools, config,
                  text=text, override=override, origin=origin)  # fmt: skip


def scene_of_episode(
    folder: Path, config: VideoConfig, tools: Mapping[str, Tool], *, text: str = "", override: str = ""
) -> Scene:
    """Return the bare scene before a recorded demo, its cameras as they were calibrated then.

    Raises EpisodeFileError, DreamFileError where a camera was not calibrated or nobody took the picture.
    """
    with EpisodeReader(folder) as reader:
        known = {name: reader.calibration(name) for name in reader.cameras[: config.views]}
    _refuse_views(folder, len(known), config)
    cameras = [_placed(folder, name, camera) for name, camera in known.items()]
    files = {name: _photo(folder, f"scene_{name}") for name in known}
    missing = [name for name, file in files.items() if file is None]
    if missing:
        raise DreamFileError(folder, f"scene_{missing[0]}.png", "is missing", "a picture of the bare scene")
    photos = [read_photo(file) for file in files.values() if file is not None]
    origin = {"kind": "episode", "episode": str(folder)}
    T_world_view1 = np.asarray(cameras[0].T_world_cam)
    return _scene(photos, folder, cameras, poses_to_first(cameras), T_world_view1, "calibrated", tools, config,
                  text=text, override=override, origin=origin)  # fmt: skip


def _scene(
    photos: list[Image],
    folder: Path,
    cameras: list[Camera],
    T_view1_view: tuple[Array, ...],
    T_world_view1: Array,
    placement: Placement,
    tools: Mapping[str, Tool],
    config: VideoConfig,
    *,
    text: str,
    override: str,
    origin: Mapping[str, object],
) -> Scene:
    pictures = np.stack([shown_picture(photo, config, folder) for photo in photos])
    fitted = tuple(fitted_camera(c, p, config, folder) for c, p in zip(cameras, photos, strict=True))
    refuse_company({}, {c.name: p for c, p in zip(fitted, photos, strict=True)}, override=override)
    said = {**origin, "override": override} if override else dict(origin)
    return Scene(fitted, T_view1_view, pictures, tuple(photos), T_world_view1, placement, tools, text, said)


def _refuse_views(folder: Path, count: int, config: VideoConfig) -> None:
    if count != config.views:
        raise DreamFileError(folder, "views", f"it has {count}", f"{config.views}, as the model has")


def _placed(folder: Path, name: str, camera: Camera | None) -> Camera:
    if camera is None or camera.T_world_cam is None or camera.model == "fisheye":
        problem = "was not calibrated" if camera is None else "nobody knew where it stood, or it is a fisheye"
        raise DreamFileError(folder, f"camera {name}", problem, "calibrated cameras with straight lenses")
    return camera


def _photo(folder: Path, name: str) -> Path | None:
    files = (folder / f"{name}{suffix}" for suffix in (".png", ".jpg", ".jpeg"))
    return next((file for file in files if file.is_file()), None)
