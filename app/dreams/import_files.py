"""Importing published dreams: by exact files (the verb), or from what was dropped on the window."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from app.workspace import Workspace
from models.data.calibration_file import load_calibration
from models.data.dream_folder import load_dream, save_dream
from models.data.errors import DreamFileError
from models.data.imports import ROLES, read_dreamitate
from models.types import Dream

CALIBRATION_NAMES = ("calib.json", "calibration.json", "calibration.toml", "calib.toml")
PICTURES = (".png", ".jpg", ".jpeg")
MESHES = (".obj", ".ply", ".stl", ".3mf")


def import_dream(
    video: Path,
    scenes: tuple[Path, Path],
    calibration: Path,
    tools: Mapping[str, Path],
    out: Path,
    *,
    fps: float = 6.0,
    name: str = "",
) -> Dream:
    """Read a dream in the published layout and write it as the dream folder `out`.

    Raises DreamFileError naming file and field; nothing is written then.
    """
    dream = read_dreamitate(video, scenes, calibration, tools, fps=fps, name=name)
    save_dream(dream, out, scenes={view.name: scene for view, scene in zip(dream.views, scenes, strict=True)})
    return dream


def import_dropped(paths: tuple[Path, ...], workspace: Workspace) -> Path:
    """Import what was dropped into the workspace and return its folder; the same files again: the same folder.

    What was not dropped is looked for beside the video: NAME_VIEW.png or VIEW.png by the calibration's view names,
    calib.json, tool_ROLE.obj or ROLE.obj. Raises DreamFileError saying which file is missing or wrong.
    """
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    video = _one(files, (".mp4",), "video", "one mp4 file")
    beside = [*files, *sorted(video.parent.iterdir())]
    calibration = _named(beside, CALIBRATION_NAMES, video, "calibration")
    views = [camera.name for camera in load_calibration(calibration).cameras]
    scenes = [_named(beside, _with(PICTURES, f"{video.stem}_{v}", v), video, f"scene photo of {v}") for v in views]
    if len(scenes) != 2:
        raise DreamFileError(calibration, "views", f"has {len(scenes)} views", "two views")
    tools = {role: mesh for role in ROLES if (mesh := _mesh(beside, role)) is not None}
    if not tools:
        raise DreamFileError(
            video.parent, "tools", "no mesh is there", "tool_left.obj, tool_right.obj or one of them"
        )
    dream = read_dreamitate(video, (scenes[0], scenes[1]), calibration, tools)
    return _store(dream, dict(zip(views, scenes, strict=True)), workspace)


def _store(dream: Dream, scenes: Mapping[str, Path], workspace: Workspace) -> Path:
    for number in range(1, 1000):
        folder = workspace.dreams / (dream.name if number == 1 else f"{dream.name}-{number}")
        if not folder.exists():
            save_dream(dream, folder, scenes=scenes)
            return folder
        if _files(load_dream(folder)) == _files(dream):
            return folder
    raise DreamFileError(workspace.dreams, dream.name, "exists a thousand times", "a workspace with some room")


def _files(dream: Dream) -> object:
    return dream.provenance.get("files")


def _one(files: Iterable[Path], suffixes: tuple[str, ...], field: str, valid: str) -> Path:
    found = [file for file in files if file.suffix.lower() in suffixes]
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise DreamFileError("what was dropped", field, f"{len(found)} ({names})", valid)
    return found[0]


def _with(suffixes: tuple[str, ...], *stems: str) -> tuple[str, ...]:
    return tuple(stem + suffix for stem in stems for suffix in suffixes)


def _named(files: list[Path], names: tuple[str, ...], video: Path, field: str) -> Path:
    for name in names:
        for file in files:
            if file.name.lower() == name.lower():
                return file
    raise DreamFileError(
        video.parent, field, "is not beside the video and was not dropped", f"one of {list(names)}"
    )


def _mesh(files: list[Path], role: str) -> Path | None:
    names = _with(MESHES, f"tool_{role}", role)
    return next((file for name in names for file in files if file.name.lower() == name), None)
