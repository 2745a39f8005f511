"""Folders of plain videos as demos: pictures and their times, no actions; the source for training a video model."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.data.demo import Demo, DemoLabels, DemoStream
from models.data.errors import DreamFileError
from models.data.exchange import FileDemo, PlainNames, Samples
from models.data.exchange_video import CONTAINERS, VideoFile
from models.data.text_files import read_text

MAX_FILES = 100_000
MAX_CAMERAS = 16


def has_videos(folder: Path) -> bool:
    return any(_is_video(f) for part in (folder, *_subfolders(folder)) for f in part.iterdir())


def read_video_folder(folder: Path) -> list[Demo]:
    """Return a demo for each video in a folder, and one for each folder in it, whose videos are its cameras.

    A text file of the same name beside (NAME.txt) is the instruction. Raises DreamFileError where one is damaged.
    """
    demos = [_demo(folder, file.stem, [file]) for file in _videos(folder)]
    demos += [_demo(folder, part.name, files) for part in _subfolders(folder) if (files := _videos(part))]
    if not demos:
        raise DreamFileError(folder, "videos", "none is there", f"files of {sorted(CONTAINERS)}")
    return sorted(demos, key=lambda demo: demo.id)


def _demo(folder: Path, name: str, files: Sequence[Path]) -> Demo:
    if len(files) > MAX_CAMERAS:
        raise DreamFileError(folder / name, "videos", f"{len(files)}", f"at most {MAX_CAMERAS} cameras of one demo")
    names = PlainNames()
    videos = {names.make(file.stem) if len(files) > 1 else "camera": VideoFile(file) for file in files}
    for video in videos.values():
        video.close()
    text = folder / f"{name}.txt"
    return FileDemo(
        f"{folder.name}.{name}",
        DemoLabels(folder.name, read_text(text).strip()[:2000] if text.is_file() else ""),
        {camera: DemoStream(camera, "camera", _rate(video), video.size) for camera, video in videos.items()},
        max(float(video.times[-1]) for video in videos.values()),
        {"path": str(files[0] if len(files) == 1 else files[0].parent), "format": "video folder"},
        lambda: _samples(videos),
        {camera: _Whole(video) for camera, video in videos.items()},
    )


def _samples(videos: Mapping[str, VideoFile]) -> Mapping[str, Samples]:
    return {name: Samples(video.times, np.zeros((len(video.times), 0))) for name, video in videos.items()}


def _rate(video: VideoFile) -> float:
    steps = np.diff(video.times)
    return float(np.clip(1 / np.median(steps), 0.1, 1000)) if len(steps) and np.median(steps) > 0 else 1.0


def _videos(folder: Path) -> list[Path]:
    found = sorted(f for f in folder.iterdir() if _is_video(f))
    if len(found) > MAX_FILES:
        raise DreamFileError(folder, "videos", str(len(found)), f"at most {MAX_FILES}")
    return found


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in CONTAINERS and path.is_file() and not path.name.startswith(".")


def _subfolders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))


class _Whole:
    """A video file as the pictures of a demo."""

    def __init__(self, file: VideoFile) -> None:
        self._file = file

    def pictures(self, indices: Sequence[int]) -> NDArray[np.uint8]:
        return self._file.pictures(indices)

    def coded(self) -> Iterator[tuple[bytes, bool]]:
        return self._file.coded(0, len(self._file.times))
