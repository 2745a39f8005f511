"""What is wrong with a stream's samples, one after the other: gaps, stalls, doubles, clocks that go back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from hardware.stream import Sample

FlawKind = Literal[
    "recorder dropped", "device dropped", "stalled", "duplicate", "time went back", "wrong size", "bad time",
    "not coded",
]  # fmt: skip
KINDS: Mapping[object, FlawKind] = {kind: kind for kind in get_args(FlawKind)}
STALL_PERIODS, SHORTEST_STALL_S = 3.5, 0.1
FREE_STALL_S = 1.0  # of a stream that promised no rate: a busy computer that draws slowly is not a stall


@dataclass(frozen=True)
class Flaw:
    """Something that a stream did. t_host [s] when; count: of samples; seconds: how much of the stream it cost."""

    stream: str
    kind: FlawKind
    t_host: float
    count: int
    seconds: float
    text: str


class StreamWatch:
    """Looks at every sample of one stream in order."""

    def __init__(self, stream: str, rate_hz: float, *, free_running: bool = False) -> None:
        """free_running: rate_hz is only the most; what is missing is then counted at the pace that it has."""
        self._stream, self._asked, self._free = stream, 1.0 / rate_hz, free_running
        self._last: Sample | None = None
        self._began, self._seen = 0.0, 0
        self._missed = 0

    def look(self, sample: Sample) -> tuple[bool, tuple[Flaw, ...]]:
        """Return whether the sample is worth keeping, and what is wrong with it against the one before."""
        if not (_sound(sample.t_host) and _sound(sample.t_device)):
            return False, (self._flaw("bad time", sample, 1, f"host {sample.t_host}, device {sample.t_device}"),)
        last = self._last
        if last is None:
            self._last, self._began = sample, sample.t_host
            return True, ()
        if sample.index == last.index:
            return False, (self._flaw("duplicate", sample, 1, f"sample {sample.index} came twice"),)
        flaws = tuple(self._against(sample, last))
        self._last, self._seen = sample, self._seen + 1
        return True, flaws

    def dropped(self, t_host: float, count: int) -> Flaw:
        """Say that `count` samples were gone before they could be recorded."""
        self._missed += count  # the gap that they leave in the device's counter is not the device's
        text = f"{count} samples were gone before they were recorded; the computer is too slow for these streams"
        return Flaw(self._stream, "recorder dropped", t_host, count, count * self._period, text)

    def end(self, t_start: float, t_end: float) -> tuple[Flaw, ...]:
        """Say how long the stream was silent before a recording from t_start to t_end ended [s, host]."""
        since = t_start if self._last is None else max(t_start, self._last.t_host)
        return self._silence(since, t_end)

    def problem(self, kind: FlawKind, sample: Sample, text: str) -> Flaw:
        return self._flaw(kind, sample, 1, text)

    def _against(self, sample: Sample, last: Sample) -> list[Flaw]:
        flaws = []
        gap, self._missed = sample.index - last.index - 1 - self._missed, 0
        if gap > 0:
            flaws.append(self._flaw("device dropped", sample, gap, f"the device's counter skips {gap}"))
        if sample.t_device < last.t_device or sample.t_host < last.t_host:
            back = max(last.t_device - sample.t_device, last.t_host - sample.t_host)
            flaws.append(self._flaw("time went back", sample, 1, f"its clock went back by {back:.3f} s"))
        elif gap <= 0:
            flaws += self._silence(last.t_host, sample.t_host)
        return flaws

    def _silence(self, since: float, until: float) -> tuple[Flaw, ...]:
        silent = until - since
        if silent <= (FREE_STALL_S if self._free else max(STALL_PERIODS * self._asked, SHORTEST_STALL_S)):
            return ()
        missing = max(1, round(silent / self._period) - 1)
        return (Flaw(self._stream, "stalled", until, missing, silent, f"silent for {silent:.2f} s"),)

    @property
    def _period(self) -> float:
        """Seconds from sample to sample: what was asked for, of a free-running stream what it reached so far."""
        if not self._free or self._last is None or self._seen < 2:
            return self._asked
        return max(self._asked, (self._last.t_host - self._began) / self._seen)

    def _flaw(self, kind: FlawKind, sample: Sample, count: int, text: str) -> Flaw:
        return Flaw(self._stream, kind, sample.t_host, count, count * self._period, text)


def _sound(seconds: float) -> bool:
    """A time that fits into unsigned nanoseconds."""
    return math.isfinite(seconds) and 0 <= seconds < 1.8e10
