"""The capture in a process of its own: a crash of a camera's SDK never takes the window down, and the death of the
window never ends a file unfinished."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from hardware.recording.capture import Capture, CaptureStatus, DeviceMaker, Previews, Rings, preview_size
from hardware.recording.recorder import Ended
from hardware.stream import Ring, Sample, StreamInfo
from hardware.types import Frame
from hardware.world.frame_memory import FrameMemory

OPEN_TIMEOUT = 90.0
REPLY_TIMEOUT = 20.0
STATUS_S = 0.1
NICER = -10
FEED_S = 0.05
FED_S = 2.0


@dataclass(frozen=True)
class _Opened:
    """What the devices gave: streams, and the (width, height) of each camera's pictures."""

    streams: Mapping[str, StreamInfo]
    sizes: Mapping[str, tuple[int, int]]


class CaptureGone(RuntimeError):
    """The capture process ended. What was recorded up to then can be recovered."""


class CaptureProcess:
    """A CaptureSource over devices that another process owns; its calls may come from any thread."""

    def __init__(self, makers: Sequence[DeviceMaker]) -> None:
        """Start the process and open the devices. Raises CaptureGone, TimeoutError where it does not come up."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._news, their_news = context.Pipe()
        self._asked = False
        self._lock = threading.Lock()
        self._memories: dict[str, FrameMemory] = {}
        self._infos: dict[str, StreamInfo] = {}
        self._status = CaptureStatus({}, {}, {}, None)
        self._feed: _Feed | None = None
        self._process = context.Process(target=_child, args=(tuple(makers), theirs, their_news), name="capture")
        try:
            self._process.start()
            theirs.close()
            their_news.close()
            opened = self._reply(OPEN_TIMEOUT)
            if not isinstance(opened, _Opened):
                raise CaptureGone(f"the capture process answered {type(opened).__name__}")
            self._infos = dict(opened.streams)
            self._memories = {name: FrameMemory(name, preview_size(s)) for name, s in opened.sizes.items()}
            self._ask("memories", {name: memory.name for name, memory in self._memories.items()})
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def streams(self) -> Mapping[str, StreamInfo]:
        return dict(self._infos)

    def status(self) -> CaptureStatus:
        """Return what the process last said, and ask it again: as old as the call before, and never waited for."""
        try:
            if self._asked and self._news.poll():
                self._status, self._asked = self._news.recv(), False
            if not self._asked:
                self._news.send("status")
                self._asked = True
        except (EOFError, OSError):
            last = self._status
            self._status = CaptureStatus(last.health, last.values, last.missing, None, alive=False)
        return self._status

    def newest(self, stream: str) -> Frame | None:
        memory = self._memories.get(stream)
        try:
            return memory.read() if memory else None
        except TimeoutError:
            return None

    def snapshot(self, stream: str) -> Frame | None:
        found = self._ask("snapshot", stream)
        return found if isinstance(found, Frame) else None

    def zero(self, stream: str) -> None:
        self._ask("zero", stream)

    def start(self, path: Path, facts: Mapping[str, str], beside: Rings | None = None) -> None:
        fed = dict(beside or {})
        self._ask("start", path, dict(facts), tuple(info for info, _ in fed.values()))
        if fed:
            self._feed = _Feed(fed, self._tell)

    def stop(self) -> Ended:
        at = time.monotonic()
        self._end_feed()
        ended = self._ask("stop", at)
        if not isinstance(ended, Ended):
            raise CaptureGone(f"the capture process answered {type(ended).__name__}")
        return ended

    def close(self) -> None:
        """End the process: it finishes what it records. Safe to call twice."""
        with contextlib.suppress(OSError):
            self._pipe.close()
        if self._process.pid is not None:
            self._process.join(10.0)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        self._end_feed()
        self._news.close()
        for memory in self._memories.values():
            memory.close()

    def _end_feed(self) -> None:
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()

    def _tell(self, samples: list[Sample]) -> None:
        """Hand samples over, before any order that comes later; there is no answer."""
        with self._lock:
            self._pipe.send(("feed", samples))

    def _ask(self, *message: object) -> object:
        with self._lock:
            try:
                self._pipe.send(message)
            except OSError as error:
                raise _gone(error) from error
            return self._reply(REPLY_TIMEOUT)

    def _reply(self, timeout: float) -> object:
        try:
            if not self._pipe.poll(timeout):
                raise TimeoutError(f"the capture process has not answered in {timeout:.0f} s")
            reply = self._pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            raise _gone(error) from error
        if isinstance(reply, BaseException):
            raise reply
        return reply


class _Feed:
    """Hands what comes into rings of this process over, until `close`. What does not get through in the time that a
    ring keeps leaves a gap in the samples' counter, which the recorder tells."""

    def __init__(self, rings: Rings, send: Callable[[list[Sample]], None]) -> None:
        self._rings = [ring for _, ring in rings.values()]
        self._cursors = [ring.count for ring in self._rings]
        self._send, self._ended = send, threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed")
        self._thread.start()

    def close(self) -> None:
        """Hand over what had come until now. Raises TimeoutError where the process takes nothing any more."""
        self._ended.set()
        self._thread.join(REPLY_TIMEOUT)
        if self._thread.is_alive():
            raise TimeoutError(f"the capture process has taken nothing in {REPLY_TIMEOUT:.0f} s")

    def _run(self) -> None:
        # where the process is gone, its status and the next order say so
        with contextlib.suppress(OSError):
            while not self._ended.wait(FEED_S):
                self._once()
            self._once()

    def _once(self) -> None:
        found: list[Sample] = []
        for k, ring in enumerate(self._rings):
            samples, self._cursors[k], _ = ring.after(self._cursors[k])
            found += samples
        if found:
            self._send(found)


def _gone(error: BaseException) -> CaptureGone:
    return CaptureGone(f"the capture process has ended ({type(error).__name__}); open the rig again and recover")


def _child(makers: tuple[DeviceMaker, ...], pipe: Connection, news: Connection) -> None:
    # Ctrl+C goes to every process of a terminal; here the pipe's end is what ends it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(NICER)  # before other programs, where it is allowed; behind the processes that move arms
    try:
        capture = Capture(makers)
    except BaseException as error:
        pipe.send(RuntimeError(f"the devices could not be opened: {error}"))
        return
    served = _Served(capture, pipe, news)
    try:
        pipe.send(_Opened(capture.streams, capture.sizes()))
        served.run()
    except (EOFError, OSError):
        pass  # the window is gone
    finally:
        served.close()


class _Served:
    """The child's side: answers, and tells its status several times a second."""

    def __init__(self, capture: Capture, pipe: Connection, news: Connection) -> None:
        self._capture, self._pipe, self._news = capture, pipe, news
        self._memories: dict[str, FrameMemory] = {}
        self._fed: dict[str, Ring] = {}
        self._previews: Previews | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        """Serve orders until the window has gone, and its questions in a thread of their own."""
        teller = threading.Thread(target=self._tell, name="status")
        teller.start()
        try:
            while True:
                what, *arguments = self._pipe.recv()
                if what == "feed":
                    self._put(*arguments)
                else:
                    self._pipe.send(self._answer(what, *arguments))
        finally:
            self._ended.set()
            teller.join()

    def _tell(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while not self._ended.is_set():
                if self._news.poll(STATUS_S):
                    self._news.recv()
                    self._news.send(self._capture.status())

    def close(self) -> None:
        if self._previews is not None:
            self._previews.close()
        self._capture.close()
        for memory in self._memories.values():
            memory.close()

    def _answer(self, what: str, *arguments: object) -> object:
        try:
            return getattr(self, f"_do_{what}")(*arguments)
        except Exception as error:
            return error

    def _do_memories(self, names: dict[str, str]) -> None:
        for name, memory in names.items():
            self._memories[name] = FrameMemory(name, preview_size(self._capture.sizes()[name]), memory)
        self._previews = Previews(self._capture, self._show)

    def _do_zero(self, stream: str) -> None:
        self._capture.zero(stream)

    def _do_start(self, path: Path, facts: dict[str, str], fed: tuple[StreamInfo, ...]) -> None:
        rings = {info.name: (info, Ring(max(2, round(FED_S * info.rate_hz)))) for info in fed}
        self._capture.start(path, facts, rings)
        self._fed = {name: ring for name, (_, ring) in rings.items()}

    def _put(self, samples: list[Sample]) -> None:
        for sample in samples:
            self._fed[sample.stream].put(sample)

    def _do_stop(self, at: float) -> Ended:
        return self._capture.stop(at)

    def _do_snapshot(self, stream: str) -> Frame | None:
        return self._capture.snapshot(stream)

    def _show(self, frame: Frame) -> None:
        memory = self._memories.get(frame.camera)
        if memory is not None and frame.rgb.shape[1::-1] == memory.size:
            memory.write(memory.newest_index() + 1, frame.t_host, frame.t_device, frame.rgb)
