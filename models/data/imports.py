"""Dreams in the layouts of others become our own nouns; a mistake in any file refuses the whole import."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from hardware.geometry import Array
from hardware.rig import SIM_RIG, load_rig
from hardware.tools import load_mesh, load_tool
from hardware.types import Camera, Image, Tool
from models.data.calibration_file import Calibration, load_calibration
from models.data.errors import DreamFileError
from models.data.fields import safe_name
from models.data.photo import model_input, read_photo
from models.data.tool_folder import is_tool_folder, library_tool
from models.data.video_file import read_clip
from models.types import Dream, Placement, View

CLIP = 13  # pictures of one view, t = 0..12
PUBLISHED_FRAMES = 2 * CLIP - 1
ROLES = ("left", "right")


def read_dreamitate(
    video: Path,
    scenes: tuple[Path, Path],
    calibration: Path,
    tools: Mapping[str, Path],
    *,
    fps: float = 6.0,
    name: str = "",
) -> Dream:
    """Read a dream in the published layout (Dreamitate, arXiv 2406.16862, section 3.2).

    video: an mp4 of 25 pictures [view 1 t0..t12, view 2 t1..t12]; view 2 at t0 is the second scene photo, cropped
    and resized as the model saw it. tools: mesh files by role (left, right), in metres unless the `<mesh>.toml`
    beside it says otherwise. fps: of the clip, whatever rate the mp4 is played at. name: the video's own, if empty.

    Raises DreamFileError naming file and field for anything that is missing, damaged, or does not fit.
    """
    name = safe_name(name or video.stem, lambda p: DreamFileError(video, "name", p, "letters, digits, - and _"))
    if not 0.5 <= fps <= 120:
        raise DreamFileError(video, "fps", f"{fps:g}", "0.5 to 120 pictures a second")
    cameras = load_calibration(calibration)
    if len(cameras.cameras) != 2:
        raise DreamFileError(calibration, "views", f"has {len(cameras.cameras)} views", "two views")
    loaded = {role: read_tool(role, mesh) for role, mesh in _roles(tools).items()}
    pictures = _pictures(video, cameras, calibration)
    first = _second_view_start(scenes, cameras, pictures[0])
    clips = (pictures[:CLIP], np.concatenate([first[None], pictures[CLIP:]]))
    views = tuple(
        straight_view(camera, T, frames)
        for camera, T, frames in zip(cameras.cameras, cameras.T_view1_view, clips, strict=True)
    )
    T_world_view1, placement = _placement(cameras)
    return Dream(
        name=name,
        fps=float(fps),
        views=views,
        tools=loaded,
        T_world_view1=T_world_view1,
        placement=placement,
        provenance=_provenance((video, *scenes, calibration, *tools.values()), cameras),
    )


def _roles(tools: Mapping[str, Path]) -> Mapping[str, Path]:
    if not tools:
        raise DreamFileError("--tools", "role", "no tool is given", f"ROLE=MESH with a role of {list(ROLES)}")
    for role, mesh in tools.items():
        if role not in ROLES:
            raise DreamFileError(mesh, "tool role", f"{role!r} is unknown", f"one of {list(ROLES)}")
    return tools


def read_tool(role: str, mesh: Path) -> Tool:
    """Return the tool of a mesh in metres with the default mount, or as its own .toml says.

    Raises DreamFileError.
    """
    sidecar = mesh.with_suffix(".toml")
    try:
        if mesh.name == "tool.toml" and is_tool_folder(mesh.parent):
            return library_tool(mesh.parent)
        if mesh.suffix.lower() == ".toml":
            return load_tool(mesh)
        if sidecar.is_file():
            return load_tool(sidecar)
        load_mesh(mesh, "m")
        return load_tool(mesh)
    except FileNotFoundError as error:
        raise DreamFileError(
            mesh,
            f"tools.{role}",
            "does not exist",
            "a mesh file (OBJ, PLY, STL or 3MF), or the tool.toml of a tool",
        ) from error
    except (OSError, ValueError) as error:
        problem = str(error).removeprefix(f"{mesh}: ")
        valid = "a mesh with faces, in metres, 5 mm to 1 m large; other units and mounts: a .toml beside it"
        raise DreamFileError(mesh, f"tools.{role}", problem, valid) from error


def _pictures(video: Path, cameras: Calibration, calibration: Path) -> Image:
    pictures = read_clip(video)
    if len(pictures) != PUBLISHED_FRAMES:
        valid = f"{PUBLISHED_FRAMES}: view 1 at t = 0..12, then view 2 at t = 1..12"
        raise DreamFileError(video, "frame count", str(len(pictures)), valid)
    size = (pictures.shape[2], pictures.shape[1])
    for camera in cameras.cameras:
        if camera.size != size:
            problem = f"{size[0]}x{size[1]}, but {calibration} says that view {camera.name} is "
            valid = f"a video and a calibration of one size ({camera.size[0]}x{camera.size[1]} here)"
            raise DreamFileError(video, "size", problem + f"{camera.size[0]}x{camera.size[1]}", valid)
    return pictures


def _second_view_start(scenes: tuple[Path, Path], cameras: Calibration, start: Image) -> Image:
    """Return view 2 at t0, from its photo; both photos are read, so that swapped ones are told."""
    size = cameras.cameras[0].size
    first, second = (model_input(read_photo(path), size, path) for path in scenes)
    away = [float(np.abs(photo.astype(int) - start).mean()) for photo in (first, second)]
    if away[1] < 0.5 * away[0]:
        problem = "looks like the start of view 2, and the other photo like that of view 1: they are swapped"
        raise DreamFileError(scenes[0], "scene photo", problem, "the photo of view 1 first, then that of view 2")
    return second


def straight_view(camera: Camera, T_view1_view: Array, frames: Image) -> View:
    """Straighten a distorted view, so that everything after this sees a pinhole camera."""
    if not camera.distortion.any():
        return View(Camera(camera.name, camera.K, camera.size), T_view1_view, frames)
    straight = np.stack([cv2.undistort(frame, camera.K, camera.distortion) for frame in frames])
    return View(Camera(camera.name, camera.K, camera.size), T_view1_view, straight.astype(np.uint8))


def _placement(cameras: Calibration) -> tuple[Array, Placement]:
    """Return where view 1 stands: as calibrated, else (recorded as assumed) where the simulated rig's first is."""
    if cameras.T_world_view1 is not None:
        return cameras.T_world_view1, "calibrated"
    T_world_cam = load_rig(SIM_RIG).cameras[0].camera.T_world_cam
    if T_world_cam is None:
        raise ValueError(f"{SIM_RIG}: cameras[0] has no pose")
    return T_world_cam, "assumed"


def _provenance(files: tuple[Path, ...], cameras: Calibration) -> Mapping[str, object]:
    return {
        "source": "dreamitate",
        "imported": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "undistorted": any(bool(camera.distortion.any()) for camera in cameras.cameras),
        "files": [{"name": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()} for file in files],
    }
