"""The dream folder: a dream and all that was done to it, in files that other programs can read.

dream.toml, calibration.json, views/NAME.mp4 (lossless), scene/NAME.*, tools/ROLE/, track.json, edits.json; see
docs/dream-folder.md. A folder is written whole or not at all.
"""

import shutil
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np

from models.data.calibration_file import Calibration, load_calibration, save_calibration
from models.data.errors import DreamFileError
from models.data.fields import Fields, safe_name
from models.data.poses_file import read_poses, write_poses
from models.data.text_files import read_table, to_toml
from models.data.tool_folder import load_tool_folder, save_tool
from models.data.video_file import read_clip, write_lossless
from models.types import Dream, Placement, Track, View

FORMAT = 1
PLACEMENTS = get_args(Placement)


def save_dream(dream: Dream, folder: Path, *, scenes: Mapping[str, Path] | None = None) -> None:
    """Write a dream as a new folder; scenes: original photos by view, copied as they are.

    Raises DreamFileError where something is there already or cannot be written; then nothing is left behind.
    """
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise DreamFileError(folder, "folder", "exists and is not empty", "a new or an empty folder")
    part: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        part.chmod(0o755)
        _write(dream, part, scenes or {})
        part.rename(folder)
    except OSError as error:
        raise DreamFileError(
            folder, "folder", f"cannot be written: {error}", "a folder on a disk with room"
        ) from error
    finally:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)


def load_dream(folder: Path) -> Dream:
    """Read a dream folder back exactly. Raises DreamFileError naming file and field."""
    fields = _header(folder)
    calibration = load_calibration(folder / "calibration.json")
    if calibration.T_world_view1 is None:
        raise DreamFileError(folder / "calibration.json", "T_world_view1", "is missing", "a 4x4 rigid transform")
    names = [camera.name for camera in calibration.cameras]
    with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
        clips = list(pool.map(lambda name: read_clip(folder / "views" / f"{name}.mp4"), names))
    try:
        return Dream(
            name=fields.file_name("name"),
            fps=fields.number("fps", "pictures a second, over 0"),
            views=tuple(map(View, calibration.cameras, calibration.T_view1_view, clips)),
            tools={role: load_tool_folder(folder / "tools" / role) for role in _roles(fields)},
            T_world_view1=calibration.T_world_view1,
            placement=_placement(fields),
            provenance=dict(fields.table("provenance", "a table").values) if "provenance" in fields.values else {},
        )
    except DreamFileError:
        raise
    except ValueError as error:
        raise DreamFileError(folder, "dream", str(error)) from error


def save_track(folder: Path, dream: Dream, track: Track, name: str = "track.json") -> None:
    """Put a track into its dream's folder, in place of the one before. Raises OSError."""
    write_poses(folder / name, track, dream)


def load_track(folder: Path, name: str = "track.json") -> Track | None:
    """Return the folder's track, None where it has none yet. Raises DreamFileError."""
    path = folder / name
    return read_poses(path) if path.exists() else None


def is_dream_folder(path: Path) -> bool:
    """Return whether that looks like a dream folder, without opening it."""
    return (path / "dream.toml").is_file()


def _write(dream: Dream, folder: Path, scenes: Mapping[str, Path]) -> None:
    for name in (dream.name, *(view.name for view in dream.views), *dream.tools):
        safe_name(name, lambda problem: DreamFileError(folder, "name", problem, "letters, digits, - and _"))
    for view in dream.views:
        (folder / "views").mkdir(exist_ok=True)
        write_lossless(folder / "views" / f"{view.name}.mp4", view.frames, dream.fps)
        if view.name in scenes:
            (folder / "scene").mkdir(exist_ok=True)
            shutil.copyfile(scenes[view.name], folder / "scene" / f"{view.name}{scenes[view.name].suffix.lower()}")
    for role, tool in dream.tools.items():
        (folder / "tools" / role).mkdir(parents=True)
        save_tool(folder / "tools" / role, tool)
    cameras, poses = tuple(v.camera for v in dream.views), tuple(v.T_view1_view for v in dream.views)
    save_calibration(folder / "calibration.json", Calibration(cameras, poses, np.asarray(dream.T_world_view1)))
    (folder / "dream.toml").write_text(to_toml(_dream_table(dream)), encoding="utf-8")


def _dream_table(dream: Dream) -> dict[str, object]:
    return {
        "format": FORMAT,
        "name": dream.name,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "fps": dream.fps,
        "frames": len(dream),
        "views": [view.name for view in dream.views],
        "tools": list(dream.tools),
        "placement": dream.placement,
        "provenance": dict(dream.provenance),
    }


def _header(folder: Path) -> Fields:
    path = folder / "dream.toml"
    if not folder.is_dir():
        raise DreamFileError(folder, "folder", "does not exist", "a dream folder, with a dream.toml in it")
    if not path.is_file():
        raise DreamFileError(folder, "dream.toml", "is missing", "a dream folder (see `dream import`)")
    fields = Fields(read_table(path), path)
    version = fields.number("format", f"{FORMAT}")
    if version != FORMAT:
        raise fields.wrong("format", f"{version:g}", f"{FORMAT}: this program is older or newer than the folder")
    return fields


def _roles(fields: Fields) -> list[str]:
    valid = "a list of roles, each the name of a folder below tools/"
    roles = fields.get("tools", list, valid)
    return [safe_name(str(role), lambda problem: fields.wrong("tools", problem, valid)) for role in roles]


def _placement(fields: Fields) -> Placement:
    name = fields.get("placement", str, f"one of {PLACEMENTS}")
    for placement in PLACEMENTS:
        if name == placement:
            return placement  # type: ignore[no-any-return]
    raise fields.wrong("placement", repr(name), f"one of {PLACEMENTS}")
