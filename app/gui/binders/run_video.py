"""What a camera saw in a run, for page Inspect: one picture at a time, decoded as it is asked for."""

import time
from pathlib import Path
from typing import Protocol

import av
import numpy as np

from app.execution.run_folder import RunFolder
from hardware.recording.mcap_log import EpisodeReader, open_episode
from hardware.recording.note import EpisodeFileError
from hardware.recording.recover import recover
from hardware.types import Image
from models.data.errors import DreamFileError

WRITTEN_S = 5.0  # a recording that goes on is written several times a second


class RunVideo(Protocol):
    """A FrameSource over one camera of a run."""

    @property
    def duration(self) -> float:
        """[s]"""
        ...

    def frame_at(self, view: str, t: float) -> Image | None:
        """Return the picture at t [s]; forward is cheap, backward decodes from the last key frame."""
        ...

    def close(self) -> None: ...


def open_video(folder: Path) -> RunVideo | None:
    """Return what the first camera of a run saw, None where there was no camera. A run that a crash cut short is
    made readable first. Raises ValueError naming a file that cannot be read."""
    recording, older = RunFolder(folder).recording, _older_videos(folder)
    try:
        if recording.exists():
            reader = _opened(recording)
            if reader.cameras:
                return RecordedVideo(reader, min(reader.cameras))
            reader.close()
    except (EpisodeFileError, OSError) as error:
        raise ValueError(str(error)) from error
    return Mp4Video(older[0]) if older else None


def has_video(folder: Path) -> bool:
    """Return whether a camera recorded a run."""
    run = RunFolder(folder)
    try:
        return bool(_older_videos(folder)) or (run.recording.exists() and bool(run.read().get("cameras")))
    except (DreamFileError, OSError):
        return False


def _older_videos(folder: Path) -> list[Path]:
    """Runs before the recorder left a video file for each camera."""
    return sorted((folder / "cameras").glob("*.mp4"))


def _opened(recording: Path) -> EpisodeReader:
    try:
        return open_episode(recording)
    except EpisodeFileError as error:
        if time.time() - recording.stat().st_mtime < WRITTEN_S:
            raise EpisodeFileError(f"{recording}: it is being recorded; look at it again once it ended") from error
        recover(recording)
        return open_episode(recording)


class RecordedVideo:
    """One camera of a recording, each picture at its true time."""

    def __init__(self, reader: EpisodeReader, camera: str) -> None:
        """Owns the reader from here on. Raises EpisodeFileError."""
        self._reader, self._camera = reader, camera
        try:
            times = reader.times(camera).t_host
        except BaseException:
            reader.close()
            raise
        self._span = (float(times.min()), float(times.max())) if len(times) else (0.0, 0.0)

    @property
    def duration(self) -> float:
        return self._span[1] - self._span[0]

    def frame_at(self, view: str, t: float) -> Image | None:
        try:
            frame = self._reader.frame_at(self._camera, self._span[0] + t)
        except EpisodeFileError:
            return None
        return frame.rgb if frame is not None else None

    def close(self) -> None:
        self._reader.close()


class Mp4Video:
    """A video file. Raises ValueError naming a file that is none."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._container = av.open(str(file))
            self._stream = self._container.streams.video[0]
        except (av.FFmpegError, IndexError, OSError) as error:
            raise ValueError(f"{file}: it is not a readable video ({error})") from error
        self._base = float(self._stream.time_base or 0)
        self._start = float((self._stream.start_time or 0) * self._base)
        self._shown: tuple[float, float, Image] | None = None  # from, until [s], picture
        self._frames = self._container.decode(self._stream)

    @property
    def duration(self) -> float:
        if self._stream.duration is not None:
            return float(self._stream.duration * self._base)
        return float(self._container.duration or 0) / 1e6

    def frame_at(self, view: str, t: float) -> Image | None:
        shown = self._shown
        if shown and shown[0] <= t < shown[1]:
            return shown[2]
        if shown is None or t < shown[0] or t > shown[1] + 1.0:
            self._seek(t)
        return self._read_to(t)

    def close(self) -> None:
        self._container.close()

    def _seek(self, t: float) -> None:
        self._container.seek(int((t + self._start) / self._base), stream=self._stream, backward=True)
        self._frames = self._container.decode(self._stream)
        self._shown = None

    def _read_to(self, t: float) -> Image | None:
        for frame in self._frames:
            at = float(frame.time or 0.0) - self._start
            length = float(frame.duration or 0) * self._base or 1 / 30
            if at + length > t:
                picture = np.ascontiguousarray(frame.to_ndarray(format="rgb24"))
                self._shown = (min(at, t), at + length, picture)
                break
        return self._shown[2] if self._shown else None
