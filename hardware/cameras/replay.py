"""Streams of a recorded episode as devices, at their own timing, from the beginning again at its end."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hardware.recording.mcap_log import EpisodeReader, open_episode
from hardware.recording.note import EpisodeFileError
from hardware.recording.session import is_session, open_session
from hardware.stream import DeviceError, Picture, Sample, StreamInfo, StreamKind


class ReplayClock:
    """When the streams of an episode began to play: one for all of them, so that their skew stays as recorded."""

    def __init__(self) -> None:
        self._start: float | None = None

    def start(self) -> float:
        """Return the host time at which playing began [s]; the first call begins."""
        if self._start is None:
            self._start = time.monotonic()
        return self._start


class ReplaySource:
    """One stream. Gaps, duplicates and uneven times come as they were recorded."""

    def __init__(
        self, name: str, path: str, stream: str, clock: ReplayClock, kinds: tuple[StreamKind, ...]
    ) -> None:
        """path: an episode or its MCAP file, or a session, of which the first kept episode is played."""
        self._name, self._path, self._stream, self._clock, self._kinds = name, Path(path), stream, clock, kinds
        self._reader: EpisodeReader | None = None
        self._samples: Iterator[tuple[float, Sample]] = iter(())
        self._waiting: tuple[float, Sample] | None = None

    def open(self) -> StreamInfo:
        try:
            self._reader = reader = open_episode(_episode(self._path))
            info = self._info(reader)
            self._samples = _played(reader, info)
            self._waiting = self._first()
        except EpisodeFileError as error:
            self.close()
            raise DeviceError(f"{self._name}: {error}") from error
        except DeviceError:
            self.close()
            raise
        sample = self._waiting[1]
        layout = sample.pixel_format if isinstance(sample, Picture) else "rgb24"
        details = {**info.details, "replay of": str(reader.path)}
        return replace(info, name=self._name, pixel_format=layout, link="replay", details=details)

    def next(self, timeout: float) -> Sample | None:
        try:
            due, sample = self._waiting or next(self._samples)
        except (EpisodeFileError, StopIteration) as error:
            raise DeviceError(f"{self._name}: {error}") from error
        wait = self._clock.start() + due - time.monotonic()
        self._waiting = (due, sample)
        time.sleep(max(0.0, min(wait, timeout)))
        if wait > timeout:
            return None
        self._waiting = None
        return replace(sample, stream=self._name, t_host=time.monotonic())

    def close(self) -> None:
        self._samples, self._waiting = iter(()), None
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _info(self, reader: EpisodeReader) -> StreamInfo:
        valid = [name for name, info in reader.streams.items() if info.kind in self._kinds]
        if self._stream not in valid:
            there = ", ".join(valid) or "none"
            raise DeviceError(f"{self._name}: {reader.path} has no such stream {self._stream!r}; valid: {there}")
        info = reader.streams[self._stream]
        return replace(info, camera=reader.calibration(self._stream) if info.kind == "camera" else None)

    def _first(self) -> tuple[float, Sample]:
        # one that joins later goes on where the others are
        played = time.monotonic() - self._clock.start()
        for due, sample in self._samples:
            if due >= played - 0.1:
                return due, sample
        raise DeviceError(f"{self._name}: its recording is empty")


def _episode(path: Path) -> Path:
    if not is_session(path):
        return path
    kept = open_session(path).kept()
    if not kept:
        raise EpisodeFileError(f"{path}: this session has no kept episode; record one, or name another")
    return kept[0].folder


def _played(reader: EpisodeReader, info: StreamInfo) -> Iterator[tuple[float, Sample]]:
    """Yield (time since the episode's start [s], sample), the episode again and again."""
    start, end = reader.span
    length = end - start + 1.0 / info.rate_hz
    count, turn, t_shift = 0, 0, 0.0
    while True:
        first: Sample | None = None
        last: Sample | None = None
        for sample in _recorded(reader, info):
            first = first or sample
            last = sample
            at = count + sample.index - first.index
            yield (
                turn * length + sample.t_host - start,
                replace(sample, index=at, t_device=sample.t_device + t_shift),
            )
        if first is None or last is None:
            return
        count += last.index - first.index + 1
        turn, t_shift = turn + 1, t_shift + length


def _recorded(reader: EpisodeReader, info: StreamInfo) -> Iterator[Sample]:
    if info.kind == "camera":
        for frame in reader.frames(info.name):
            yield Picture(info.name, frame.index, frame.t_host, frame.t_device, frame.rgb)
    elif info.kind == "pose":
        yield from reader.poses(info.name)
    else:
        yield from reader.readings(info.name)
