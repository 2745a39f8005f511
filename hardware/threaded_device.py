"""A device with a thread that takes every sample from its driver, and brings it back when it was gone."""

import logging
import threading
import time
from typing import Protocol

from hardware.stream import DeviceError, Ring, Sample, StreamHealth, StreamInfo
from hardware.stream_tally import Tally

log = logging.getLogger(__name__)
RING_S = 2.0
TURN_S = 0.1
RETRY_S = 0.5
REOPEN_AFTER_S = 5.0
FIRST_SAMPLE_S = 10.0
STALL_PERIODS, SHORTEST_STALL_S = 10, 0.5


class Source(Protocol):
    """What a driver writes. Only the capture thread calls it; open and next raise DeviceError."""

    def open(self) -> StreamInfo:
        """Open the device; where that fails leave nothing open."""
        ...

    def next(self, timeout: float) -> Sample | None:
        """Wait for the next sample; None where none came in timeout [s]. DeviceError: the device is gone."""
        ...

    def close(self) -> None:
        """Let go of the device; it may be gone already."""
        ...


class ThreadedDevice:
    """A `Device` over a source. Gone or silent for long, it is opened again and again until `disconnect`."""

    def __init__(
        self,
        name: str,
        source: Source,
        *,
        rate_hz: float,
        stall_s: float | None = None,
        first_sample_s: float = FIRST_SAMPLE_S,
        reopen_after_s: float = REOPEN_AFTER_S,
    ) -> None:
        """rate_hz: what is asked for; stall_s: which silence is told, None: ten periods; first_sample_s: how long
        `connect` waits; reopen_after_s: the silence after which it is opened anew. [s]"""
        self._name, self._source, self._rate = name, source, rate_hz
        self._stall_s = max(SHORTEST_STALL_S, STALL_PERIODS / rate_hz) if stall_s is None else stall_s
        self._first_sample_s, self._reopen_after_s = first_sample_s, reopen_after_s
        self._ring = Ring(max(2, round(RING_S * rate_hz)))
        self._tally = Tally(name, rate_hz, self._stall_s)
        self._calls = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended, self._answered = threading.Event(), threading.Event()
        self._info: StreamInfo | None = None
        self._refused: DeviceError | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def ring(self) -> Ring:
        return self._ring

    def connect(self) -> StreamInfo:
        """Open the device and wait for its first sample; safe to call twice. DeviceError: nothing runs then."""
        with self._calls:
            if self._thread is None:
                self._start()
            if self._info is None:
                raise DeviceError(f"{self._name}: it is not open")
            return self._info

    def health(self) -> StreamHealth:
        return self._tally.health(time.monotonic())

    def disconnect(self) -> None:
        with self._calls:
            self._stop()

    def _start(self) -> None:
        self._ended.clear()
        self._answered.clear()
        self._info = self._refused = None
        self._thread = threading.Thread(target=self._run, name=f"capture {self._name}", daemon=True)
        self._thread.start()
        in_time = self._answered.wait(self._first_sample_s)
        if in_time and self._refused is None:
            return
        self._stop()
        raise self._refused or DeviceError(
            f"{self._name}: it gave nothing in {self._first_sample_s:g} s; "
            "check its cable and whether another program uses it"
        )

    def _stop(self) -> None:
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._thread = None
            self._tally.away("it is not connected; connect it first")

    # the capture thread

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._capture()
            except DeviceError as error:
                self._gone(error)
            except Exception as error:
                # foreign SDKs raise anything; one that did must not take its thread away unheard
                log.exception("%s: its driver failed", self._name)
                self._gone(DeviceError(f"{self._name}: its driver failed ({error}); reconnect it"))

    def _capture(self) -> None:
        info = self._source.open()
        try:
            self._tally.opened(time.monotonic(), came_back=self._answered.is_set())
            while not self._ended.is_set():
                sample = self._source.next(TURN_S)
                if sample is not None:
                    self._ring.put(self._tally.count(sample))
                    if not self._answered.is_set():
                        self._info = info
                        self._answered.set()
                elif (silence := self._tally.silence(time.monotonic())) > self._reopen_after_s:
                    raise DeviceError(f"{self._name}: nothing came for {silence:.1f} s; it is being opened again")
        finally:
            self._source.close()

    def _gone(self, error: DeviceError) -> None:
        self._tally.away(str(error))
        if self._answered.is_set():
            self._ended.wait(RETRY_S)
        else:
            self._refused = error
            self._ended.set()
            self._answered.set()
