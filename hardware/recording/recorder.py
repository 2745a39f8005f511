"""From rings to one MCAP file: a thread for each stream, one that writes, nothing lost without being told."""

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, Full, Queue

import numpy as np

from hardware.recording.encoder import Coded, Encoder, picture_size
from hardware.recording.files import Files
from hardware.recording.flaws import Flaw, StreamWatch
from hardware.recording.mcap_writer import Clock, EpisodeWriter, clock_now
from hardware.recording.quality import quality
from hardware.stream import ArmSample, Picture, Pose, Ring, Sample, StreamInfo

log = logging.getLogger(__name__)
SYNC_S = 0.25  # half of what is promised: a disk that is busy for as long again breaks no promise
MEASURE_S = 0.5  # how often a picture's sharpness and brightness are measured
WAIT_S = 0.02
QUEUED = 2000  # coded samples that wait for a slow disk, some 10 s of a rig (40 MB); behind them the rings fill
NO_PIXELS = np.zeros((0, 0, 3), np.uint8)
NEWEST_FLAWS = 50

Item = Callable[[EpisodeWriter], None]


@dataclass(frozen=True)
class Progress:
    """A recording as it is now. samples, flaws by stream; flaws: samples concerned by kind; newest: the last flaws;
    synced_s: how long ago the file was last brought to the disk; problem: "" or why nothing more is written."""

    seconds: float
    samples: Mapping[str, int]
    flaws: Mapping[str, Mapping[str, int]]
    newest: tuple[Flaw, ...]
    synced_s: float
    problem: str = ""


@dataclass(frozen=True)
class Ended:
    """A recording that ended. span: host time of its first and last sample [s]; finished: the file is whole and on
    the disk, else it is readable after `recover`; problem: why it is not."""

    finished: bool
    span: tuple[float, float]
    samples: Mapping[str, int]
    flaws: tuple[Flaw, ...]
    sha256: str
    bytes: int
    problem: str = ""


@dataclass
class _Stream:
    info: StreamInfo
    ring: Ring
    cursor: int = 0
    watch: StreamWatch = field(init=False)
    encoder: Encoder | None = None
    measured: float = -1e9

    def __post_init__(self) -> None:
        self.watch = StreamWatch(self.info.name, self.info.rate_hz, free_running=self.info.free_running)


class Recorder:
    """Records from construction to `stop` everything that comes into the rings from now on."""

    def __init__(
        self,
        path: Path,
        streams: Mapping[str, tuple[StreamInfo, Ring]],
        *,
        files: Files | None = None,
        clock: Clock | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> None:
        """path: of a new .mcap file. Raises OSError where it cannot be made or written."""
        file = (files or Files()).create(path)
        infos = tuple(info for info, _ in streams.values())
        try:
            self._writer = EpisodeWriter(file, infos, clock or clock_now(), facts)
            self._writer.sync()
        except BaseException:
            file.close()
            raise
        self._file = file
        self._queue: Queue[Item] = Queue(QUEUED)
        self._lock = threading.Lock()
        self._samples: Counter[str] = Counter()
        self._flaws: list[Flaw] = []
        self._newest: deque[Flaw] = deque(maxlen=NEWEST_FLAWS)
        self._by_stream: dict[str, Counter[str]] = {info.name: Counter() for info in infos}
        self._span = [float("inf"), float("-inf")]
        self._started = self._synced = time.monotonic()
        self._until = float("inf")
        self._problem = ""
        self._stopping, self._drained = threading.Event(), threading.Event()
        self._ended: Ended | None = None
        made = [_Stream(info, ring, ring.count) for info, ring in streams.values()]
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), name=f"record {stream.info.name}")
            for stream in made
        ]
        self._writing = threading.Thread(target=self._write, name="record file")
        for thread in (self._writing, *self._readers):
            thread.start()

    @property
    def progress(self) -> Progress:
        with self._lock:
            return Progress(
                time.monotonic() - self._started,
                dict(self._samples),
                {name: dict(count) for name, count in self._by_stream.items()},
                tuple(self._newest),
                time.monotonic() - self._synced,
                self._problem,
            )

    def stop(self, at: float | None = None) -> Ended:
        """Record what had come until `at` [s, host; None: now], finish the file and bring it to the disk. Safe to
        call twice."""
        if self._ended is None:
            self._until = time.monotonic() if at is None else at
            self._stopping.set()
            for thread in self._readers:
                thread.join()
            self._drained.set()
            self._writing.join()
            self._ended = self._finish()
        return self._ended

    def _finish(self) -> Ended:
        sha256 = ""
        if not self._problem:
            try:
                sha256 = self._writer.finish()
            except OSError as error:
                self._fail(error)
        if self._problem:
            self._writer.abandon()
        span = (self._span[0], self._span[1]) if self._samples else (self._started, self._started)
        return Ended(
            not self._problem,
            span,
            dict(self._samples),
            tuple(self._flaws),
            sha256,
            self._file.tell(),
            self._problem,
        )

    # one thread for each stream

    def _read(self, stream: _Stream) -> None:
        try:
            while not self._stopping.is_set():
                stream.ring.wait(stream.cursor, WAIT_S)
                self._take(stream)
            self._take(stream)
            for flaw in stream.watch.end(self._started, self._until):
                self._flaw(flaw)
        except Exception as error:
            log.exception("recording of %s ended early", stream.info.name)
            with self._lock:
                self._problem = self._problem or f"{stream.info.name}: it is not recorded any more: {error}"

    def _take(self, stream: _Stream) -> None:
        samples, cursor, missed = stream.ring.after(stream.cursor)
        stream.cursor = cursor
        if missed:
            t = samples[0].t_host if samples else time.monotonic()
            self._flaw(stream.watch.dropped(t, missed))
        for sample in samples:
            # one that arrives while the rest is written belongs to no recording; a time that is none is told
            if not sample.t_host > self._until:
                self._one(stream, sample)

    def _one(self, stream: _Stream, sample: Sample) -> None:
        keep, flaws = stream.watch.look(sample)
        for flaw in flaws:
            self._flaw(flaw)
        if not keep:
            return
        item = self._picture(stream, sample) if isinstance(sample, Picture) else _plain(sample)
        if item is None or not self._put(item):
            return
        with self._lock:
            self._samples[stream.info.name] += 1
            self._span = [min(self._span[0], sample.t_host), max(self._span[1], sample.t_host)]

    def _picture(self, stream: _Stream, picture: Picture) -> Item | None:
        measure = picture.t_host - stream.measured >= MEASURE_S or picture.t_host < stream.measured
        try:
            coded = self._code(stream, picture)
        except ValueError as error:
            self._flaw(stream.watch.problem("wrong size", picture, str(error)))
            return None
        told = replace(picture, pixels=NO_PIXELS)  # what waits for the disk is small
        if not measure:
            return lambda writer: writer.video(told, coded)
        stream.measured = picture.t_host
        found = quality(picture)

        def write(writer: EpisodeWriter) -> None:
            writer.video(told, coded)
            writer.picture_state(told, found)

        return write

    def _code(self, stream: _Stream, picture: Picture) -> Coded:
        if stream.encoder is None:
            size = stream.info.camera.size if stream.info.camera else None
            size = size or picture_size(picture.pixels, picture.pixel_format)
            stream.encoder = Encoder(size, stream.info.rate_hz)
        return stream.encoder.encode(picture)

    def _flaw(self, flaw: Flaw) -> None:
        with self._lock:
            self._flaws.append(flaw)
            self._newest.append(flaw)
            self._by_stream[flaw.stream][flaw.kind] += flaw.count
        self._put(lambda writer: writer.flaw(flaw))

    def _put(self, item: Item) -> bool:
        """Give to the writer; wait while the disk is slow, for then the ring counts what is lost."""
        while not self._problem:
            try:
                self._queue.put(item, timeout=WAIT_S)
            except Full:
                continue
            return True
        return False

    # the thread that writes

    def _write(self) -> None:
        due = time.monotonic() + SYNC_S
        try:
            while not (self._drained.is_set() and self._queue.empty()):
                with contextlib.suppress(Empty):
                    self._queue.get(timeout=max(0.001, min(WAIT_S, due - time.monotonic())))(self._writer)
                if time.monotonic() >= due:
                    self._writer.sync()
                    self._synced = time.monotonic()
                    due = self._synced + SYNC_S
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        text = f"the recording stopped: {error.strerror or error}; make room or choose another disk"
        log.error("%s", text)
        with self._lock:
            self._problem = self._problem or text


def _plain(sample: Sample) -> Item:
    if isinstance(sample, Pose):
        return lambda writer: writer.pose(sample)
    if isinstance(sample, ArmSample):
        return lambda writer: writer.arm(sample)
    if isinstance(sample, Picture):
        raise TypeError("a picture is coded first")
    return lambda writer: writer.reading(sample)


def flaw_counts(flaws: tuple[Flaw, ...]) -> dict[str, dict[str, int]]:
    """Return stream -> kind -> samples concerned."""
    counts: dict[str, dict[str, int]] = {}
    for flaw in flaws:
        by = counts.setdefault(flaw.stream, {})
        by[flaw.kind] = by.get(flaw.kind, 0) + flaw.count
    return counts
