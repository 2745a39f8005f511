"""The cameras' video of a run, for page Inspect: one picture at a time, decoded as it is asked for."""

from pathlib import Path

import av
import numpy as np

from hardware.types import Image


class RunVideo:
    """A FrameSource over one mp4. Raises ValueError naming a file that is no video."""

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
        """[s]"""
        if self._stream.duration is not None:
            return float(self._stream.duration * self._base)
        return float(self._container.duration or 0) / 1e6

    def frame_at(self, view: str, t: float) -> Image | None:
        """Return the picture at t [s]; forward is cheap, backward decodes from the last key frame."""
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
