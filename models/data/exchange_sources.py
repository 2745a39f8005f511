"""Demonstrations of any format that can be read: which one a file or folder is, and its demos."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hardware.recording.session import is_session
from models.data.demo import Demo
from models.data.errors import DreamFileError
from models.data.exchange import READ
from models.data.hdf5_demos import SUFFIXES, read_hdf5
from models.data.lerobot import is_lerobot, read_lerobot
from models.data.session_demo import open_session_demos
from models.data.umi import read_umi
from models.data.video_folder import has_videos, read_video_folder

Reader = Callable[[Path], list[Demo]]


def format_of(path: Path) -> str:
    """Return which format of `READ` a file or folder is. Raises DreamFileError for none."""
    if path.is_dir():
        if is_lerobot(path):
            return "lerobot"
        if (path / "episodes").is_dir() or any(is_session(f) for f in path.iterdir() if f.is_dir()):
            return "session"
        if has_videos(path):
            return "videos"
    elif path.is_file():
        if path.suffix.lower() in SUFFIXES:
            return "hdf5"
        if path.name.lower().endswith(".zip"):
            return "umi"
    else:
        raise DreamFileError(path, "file", "does not exist", "; ".join(READ.values()))
    raise DreamFileError(path, "format", "is none that can be read", "; ".join(READ.values()))


def open_demos(path: Path, *, fps: float = 0.0) -> list[Demo]:
    """Return the demos of a file or folder. fps: of a UMI file, 0: what it says, else 59.94.

    Raises DreamFileError, EpisodeFileError.
    """
    readers: Mapping[str, Reader] = {
        "session": open_session_demos,
        "lerobot": read_lerobot,
        "hdf5": read_hdf5,
        "umi": lambda p: read_umi(p, fps=fps),
        "videos": read_video_folder,
    }
    return readers[format_of(path)](path)
