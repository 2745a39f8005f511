"""Plays a recorded take over and over for the live grid: decoded in a thread, the newest picture of each camera,
and beside it what each sensor said then."""

import bisect
import heapq
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hardware.recording.mcap_log import EpisodeReader
from hardware.recording.note import EpisodeFileError
from hardware.stream import Pose, Reading
from hardware.types import Frame

log = logging.getLogger(__name__)
WIDTH = 640  # larger pictures are thinned out before they are shown
END_S = 0.8  # the last picture stays for so long before it starts anew


class TakeReplay:
    """A LatestSource from construction to `close`. Read: `seconds` (where it is), `duration`, `problem`."""

    def __init__(self, folder: Path) -> None:
        """folder: of a finished episode. What cannot be read becomes `problem`."""
        self._folder = folder
        self._frames: dict[str, Frame] = {}
        self._sensors: Mapping[str, Sequence[Reading | Pose]] = {}
        self._start = 0.0
        self._seek: float | None = None
        self._ended = threading.Event()
        self._count = 0
        self.seconds, self.duration, self.problem = 0.0, 0.0, ""
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)
        self._thread.start()

    def latest(self, name: str) -> Frame | None:
        return self._frames.get(name)

    @property
    def values(self) -> Mapping[str, Reading | Pose]:
        """What each sensor had said last, by stream; one that had said nothing yet is left out."""
        now = self._start + self.seconds
        counts = {name: bisect.bisect_right(said, now, key=_host_time) for name, said in self._sensors.items()}
        return {name: self._sensors[name][count - 1] for name, count in counts.items() if count}

    def play_from(self, seconds: float) -> None:
        """Go on from there, in seconds since the take's start."""
        self._seek = seconds

    def close(self) -> None:
        """End the thread and let go of the file. Safe to call twice."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with EpisodeReader(self._folder) as reader:
                start, end = reader.span
                self._start, self._sensors = start, _sensors(reader)
                self.duration = end - start
                while reader.cameras and not self._ended.is_set():
                    self._once(reader, start)
                    self._ended.wait(END_S)
        except (EpisodeFileError, OSError) as error:
            self.problem = str(error)
            log.info("no replay: %s", error)

    def _once(self, reader: EpisodeReader, start: float) -> None:
        """Play to the end, or to where a person wants to go on from elsewhere."""
        wanted, self._seek = self._seek or 0.0, None
        begun = time.monotonic() - wanted
        for frame in _in_time(reader):
            at = frame.t_host - start
            while at > time.monotonic() - begun:
                if self._ended.wait(min(0.02, max(0.001, at - (time.monotonic() - begun)))):
                    return
                if self._seek is not None:
                    return
            if self._ended.is_set():
                return
            if at < wanted:
                continue
            self._show(frame)
            self.seconds = at

    def _show(self, frame: Frame) -> None:
        self._count += 1  # numbers that never come twice: to a view, the next round is new
        step = max(1, -(-frame.rgb.shape[1] // WIDTH))
        small = np.ascontiguousarray(frame.rgb[::step, ::step])
        self._frames[frame.camera] = Frame(frame.camera, self._count, frame.t_host, frame.t_device, small)


def _sensors(reader: EpisodeReader) -> dict[str, Sequence[Reading | Pose]]:
    kinds = {name: info.kind for name, info in reader.streams.items()}
    poses = {name: reader.poses(name) for name, kind in kinds.items() if kind == "pose"}
    return {
        **poses,
        **{name: reader.readings(name) for name, kind in kinds.items() if kind in ("opening", "force")},
    }


def _host_time(sample: Reading | Pose) -> float:
    return sample.t_host


def _in_time(reader: EpisodeReader) -> Iterator[Frame]:
    """The pictures of all cameras in the order in which they came."""
    return heapq.merge(*(reader.frames(name) for name in reader.cameras), key=lambda frame: frame.t_host)
