"""The cameras' video of a run: one mp4 per camera, each picture's true time beside it.

A player shows the pictures at their real distance in time; the exact times, and every gap, are in NAME.json.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av

from hardware.types import Frame
from models.data.text_files import to_json

log = logging.getLogger(__name__)
POLL_S = 0.015  # twice in every picture of a 30 fps camera
TICKS = 1000  # a video's own clock, per second


class RunRecorder:
    """Records from construction to `stop`, in a thread of its own. Pictures are pulled; none is waited for."""

    def __init__(self, folder: Path, frames: Callable[[], Mapping[str, Frame]]) -> None:
        """folder: an existing one; frames: gives each camera's newest picture."""
        self._folder, self._frames = folder, frames
        self._ended = threading.Event()
        self._videos: dict[str, _Video] = {}
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name="run recorder")
        self._thread.start()

    def stop(self) -> None:
        """Finish the files. Safe to call twice."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._ended.wait(POLL_S):
                self._take()
        except Exception as error:  # a full disk must not take the run down with it
            self.problem = f"the cameras' video stopped early: {error}"
            log.exception("recording stopped early")
        finally:
            self._close()

    def _take(self) -> None:
        for name, frame in self._frames().items():
            if name not in self._videos:
                self._videos[name] = _Video(self._folder, name, frame)
            self._videos[name].add(frame)

    def _close(self) -> None:
        for name, video in self._videos.items():
            try:
                video.close()
            except Exception as error:
                self.problem = self.problem or f"the video of camera {name} could not be finished: {error}"
                log.exception("video of camera %s", name)


class _Video:
    """One camera's file and its list of times."""

    def __init__(self, folder: Path, name: str, first: Frame) -> None:
        self._sidecar, self._start = folder / f"{name}.json", first.t_host
        self._last, self._tick = -1, -1
        self._times: list[dict[str, object]] = []
        # fragments: what was recorded before a crash can be played
        self._file = av.open(str(folder / f"{name}.mp4"), "w", options={"movflags": "frag_keyframe+empty_moov"})
        self._stream = self._file.add_stream("libx264", rate=30)
        self._stream.height, self._stream.width = first.rgb.shape[:2]
        self._stream.pix_fmt, self._stream.time_base = "yuv420p", Fraction(1, TICKS)
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.options = {"preset": "ultrafast", "crf": "20", "bf": "0", "g": "15"}

    def add(self, frame: Frame) -> None:
        """Add a picture unless it is the last one again."""
        if frame.index == self._last:
            return
        self._last = frame.index
        self._tick = max(self._tick + 1, round((frame.t_host - self._start) * TICKS))
        picture = av.VideoFrame.from_ndarray(frame.rgb, format="rgb24")
        picture.pts, picture.time_base = self._tick, Fraction(1, TICKS)
        self._file.mux(self._stream.encode(picture))
        self._times.append({"index": frame.index, "t_host": frame.t_host, "t_device": frame.t_device})

    def close(self) -> None:
        self._file.mux(self._stream.encode())
        self._file.close()
        clock = {"clock": "host monotonic [s]", "wall_minus_host_s": time.time() - time.monotonic()}
        self._sidecar.write_text(to_json({**clock, "frames": self._times}), encoding="utf-8")
