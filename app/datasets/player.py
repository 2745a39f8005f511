"""Pictures and curves of one recorded episode for a page: everything is read in a thread, nothing here waits."""

import bisect
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array
from hardware.recording.mcap_log import EpisodeReader
from hardware.recording.note import EpisodeFileError, EpisodeNote
from hardware.types import Camera, Image, Tool
from models.data.annotations import AS_RECORDED
from models.data.demo import DemoStream
from models.data.episode_track import EpisodeTrack
from models.data.errors import DreamFileError
from models.data.session_demo import episode_demos

log = logging.getLogger(__name__)
WIDEST = 960  # larger pictures are thinned out before they are shown
STRIP, STRIP_WIDTH = 24, 160  # pictures of the filmstrip, and how wide they are


ToolsOf = Callable[[EpisodeTrack], Mapping[str, Tool]]


@dataclass(frozen=True, eq=False)
class EpisodeCurves:
    """What is shown of an episode besides pictures. times (N,) [s since its start] and values (N, columns) of every
    stream that is no camera; picture_times of the first camera (T,), camera_times of each; cameras: those that were
    calibrated, as their pictures are shown; step: of each camera, every how many pixels are shown; tools: those of
    the track whose shape is known, by role."""

    streams: Mapping[str, DemoStream]
    times: Mapping[str, Array]
    values: Mapping[str, Array]
    picture_times: Array
    track: EpisodeTrack | None = None
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    camera_times: Mapping[str, Array] = field(default_factory=dict)
    step: Mapping[str, int] = field(default_factory=dict)
    tools: Mapping[str, Tool] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Strip:
    """A FrameSource of a few pictures by their times, for a filmstrip."""

    times: list[float]
    pictures: list[Image]

    def frame_at(self, view: str, t: float) -> Image | None:
        if not self.times:
            return None
        return self.pictures[max(0, bisect.bisect_right(self.times, t + 1e-6) - 1)]


class EpisodePlayer:
    """A FrameSource over a whole episode, from construction to `close`; t is seconds since the episode's start.

    `frame_at` gives the newest picture that is decoded and asks for the one at t: call it again when `version` has
    changed. Read: `version`, `cameras` (empty until they are known), `curves` and `film` (a FrameSource of a few
    small pictures), None until they are read, `problem`.
    """

    def __init__(self, folder: Path, note: EpisodeNote, tools: ToolsOf = lambda _track: {}) -> None:
        """folder: of a finished episode; tools(track): what it is a track of, asked in the thread. What cannot be
        read becomes `problem`."""
        self._tools = tools
        (self._demo,) = episode_demos(folder, note, AS_RECORDED)
        self._recording = self._demo.recording
        self._note = note
        self._again = False
        self._wanted: dict[str, float] = {}
        self._shown: dict[str, tuple[int, Image]] = {}
        self._strip = Strip([], [])
        self._changed = threading.Condition()
        self._ended = False
        self.version, self.problem = 0, ""
        self.cameras: tuple[str, ...] = ()
        self.curves: EpisodeCurves | None = None
        self.film: Strip | None = None
        self._thread = threading.Thread(target=self._run, name="episode player", daemon=True)
        self._thread.start()

    def frame_at(self, view: str, t: float) -> Image | None:
        """Return the newest picture of a camera that there is, and let the one at t come."""
        with self._changed:
            if self._wanted.get(view) != t:
                self._wanted[view] = t
                self._changed.notify()
        shown = self._shown.get(view)
        return shown[1] if shown is not None else None

    def read_again(self) -> None:
        """Read the curves anew: what lies beside the recording has changed. Then `curves` is another one."""
        with self._changed:
            self._again = True
            self._changed.notify()

    def end(self) -> None:
        """Let the thread end; `ended` says when it has."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def close(self) -> None:
        """End the thread and wait for it. Safe to call twice."""
        self.end()
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._recording.open() as reader:
                self._play(reader)
        except (EpisodeFileError, DreamFileError, OSError) as error:
            self.problem = str(error)
            self.version += 1
            log.info("no playback: %s", error)

    def _play(self, reader: EpisodeReader) -> None:
        """What is asked for comes first, curves and filmstrip in between."""
        times = {name: self._demo.times(name) for name in reader.cameras if reader.count(name)}
        tasks = [self._read_curves, *self._strip_tasks(times)]
        self.cameras = tuple(times)
        self.version += 1
        while not self._ended:
            with self._changed:
                asked = dict(self._wanted)
            for view, t in asked.items():
                if view in times:
                    self._show(reader, view, max(0, int(np.searchsorted(times[view], t + 1e-6, side="right")) - 1))
            if self._again:
                self._again = False
                (self._demo,) = episode_demos(self._recording.folder, self._note, AS_RECORDED)
                tasks.insert(0, self._read_curves)
            if tasks:
                tasks.pop(0)()
                continue
            with self._changed:
                self._changed.wait_for(lambda seen=asked: self._ended or self._again or self._wanted != seen)  # type: ignore[misc]

    def _show(self, reader: EpisodeReader, view: str, at: int) -> None:
        if view not in self._shown or self._shown[view][0] != at:
            self._shown[view] = at, thinned(reader.frame(view, at).rgb, WIDEST)
            self.version += 1

    def _read_curves(self) -> None:
        demo = self._demo
        others = {name: stream for name, stream in demo.streams.items() if stream.kind != "camera"}
        cameras = [name for name, stream in demo.streams.items() if stream.kind == "camera"]
        times, values = ({name: read(name) for name in others} for read in (demo.times, demo.values))
        seen = {name: _thinned_camera(camera) for name in cameras if (camera := demo.camera(name)) is not None}
        taken = {name: demo.times(name) for name in cameras}
        step = {name: _step(size[0], WIDEST) for name in cameras if (size := demo.streams[name].size) is not None}
        first = taken[cameras[0]] if cameras else np.zeros(0)
        track = demo.recording.track
        tools = self._tools(track) if track is not None else {}
        self.curves = EpisodeCurves(demo.streams, times, values, first, track, seen, taken, step, tools)
        self.version += 1

    def _strip_tasks(self, times: Mapping[str, Array]) -> list[Callable[[], None]]:
        if not times:
            return []
        view, at = next(iter(times.items()))
        places = np.unique(np.linspace(0, len(at) - 1, STRIP).round().astype(int))
        return [partial(self._add_to_strip, view, float(at[k]), int(k), k == places[-1]) for k in places]

    def _add_to_strip(self, view: str, t: float, at: int, last: bool) -> None:
        with self._recording.open() as reader:  # one of its own: the player's decoder stays where it plays
            picture = thinned(reader.frame(view, at).rgb, STRIP_WIDTH)
        self._strip.times.append(t)
        self._strip.pictures.append(picture)
        if last:
            self.film = self._strip
            self.version += 1


def thinned(picture: Image, widest: int) -> Image:
    """Return a picture with every n-th pixel, at most `widest` of them across."""
    step = _step(picture.shape[1], widest)
    made: NDArray[np.uint8] = np.ascontiguousarray(picture[::step, ::step])
    return made


def _step(width: int, widest: int) -> int:
    return max(1, -(-width // widest))


def _thinned_camera(camera: Camera) -> Camera:
    """Return a camera for pictures that were thinned out: every n-th pixel centre is the next one."""
    step = _step(camera.size[0], WIDEST)
    size = (-(-camera.size[0] // step), -(-camera.size[1] // step))
    return replace(camera, K=np.diag([1 / step, 1 / step, 1.0]) @ camera.K, size=size)
