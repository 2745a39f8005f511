"""A zip for whoever is to find out what went wrong: log, settings, versions. No video, no picture, no dream."""

import importlib.metadata
import platform
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from app.crash import CRASH, LOG
from app.workspace import Workspace

_LARGEST, _CRASHES = 4_000_000, 5
PACKAGES = (
    "dreamdeck",
    "PySide6-Essentials",
    "numpy",
    "scipy",
    "mujoco",
    "mink",
    "vispy",
    "opencv-contrib-python-headless",
    "av",
    "torch",
    "xarm-python-sdk",
    "ur-rtde",
    "pyrealsense2",
    "pypylon",
)


def write_report(workspace: Workspace, folder: Path, shown: str, facts: Mapping[str, str]) -> Path:
    """Write problem_TIME.zip into folder and return it. shown: the log as the window has it; facts: more versions.

    Raises OSError where it cannot be written; then nothing of it is left.
    """
    target = folder / f"dreamdeck_problem_{time.strftime('%Y-%m-%d_%H-%M-%S')}.zip"
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("versions.txt", "\n".join(f"{k}: {v}" for k, v in {**versions(), **facts}.items()))
            archive.writestr("shown_log.txt", shown)
            for file in _files(workspace):
                archive.writestr(file.name, _end_of(file))
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return target


def versions() -> dict[str, str]:
    """Return the versions of program, Python, system and the packages that matter."""
    found = {"python": sys.version.replace("\n", " "), "system": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _files(workspace: Workspace) -> list[Path]:
    crashes = sorted(workspace.logs.glob(f"{CRASH}_*.txt"), reverse=True)[:_CRASHES]
    logs = sorted(workspace.logs.glob(f"{LOG}*"))
    settings = sorted(workspace.root.glob("settings.toml*"))
    return [file for file in (*logs, *crashes, *settings, workspace.root / "window.json") if file.is_file()]


def _end_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _LARGEST))
        return stream.read()
