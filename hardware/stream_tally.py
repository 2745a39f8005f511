"""What one stream delivered so far: rate, drops, duplicates, reversals, absences. One thread tells, any asks."""

import threading
from collections import deque
from dataclasses import replace

from hardware.stream import Sample, StreamHealth

RECENT_S = 5.0
RATE_S = 1.0


class Tally:
    """Counts for `StreamHealth`, and indices that rise over every reopening."""

    def __init__(self, name: str, rate_hz: float, stall_s: float) -> None:
        """stall_s: silence of that length [s] is a stall."""
        self._name, self._rate, self._stall_s = name, rate_hz, stall_s
        self._lock = threading.Lock()
        self._arrivals: deque[float] = deque(maxlen=max(2, int(4 * rate_hz * RATE_S)))
        self._received = self._drops = self._duplicates = self._reversals = self._reopened = 0
        self._offset = 0
        self._last: Sample | None = None
        self._fresh = True
        self._since = 0.0
        self._away = "it is not connected; connect it first"
        self._odd: tuple[float, str] = (-RECENT_S, "")

    def opened(self, now: float, came_back: bool = False) -> None:
        """Tell that the device is open, and from now [s] on expected to deliver; came_back: after it was away."""
        with self._lock:
            self._reopened += came_back
            self._since, self._away, self._fresh = now, "", True

    def away(self, problem: str) -> None:
        """Tell that the device is gone, and why."""
        with self._lock:
            self._away = problem

    def count(self, sample: Sample) -> Sample:
        """Count a sample; return it with the index that readers see."""
        with self._lock:
            last = self._last
            if last is not None and self._fresh:
                lost = max(0, round((sample.t_host - last.t_host) * self._rate) - 1)
                self._offset = last.index + 1 + lost - sample.index
            sample = replace(sample, index=sample.index + self._offset) if self._offset else sample
            if last is not None and not self._fresh:
                self._compare(last, sample)
            self._fresh, self._last = False, sample
            self._received += 1
            self._arrivals.append(sample.t_host)
            return sample

    def silence(self, now: float) -> float:
        """Return for how long nothing has come [s]."""
        with self._lock:
            return self._silence(now)

    def health(self, now: float) -> StreamHealth:
        with self._lock:
            # a thread that was not run for a while must not look like a camera that stood still
            recent = [t for t in self._arrivals if now - t <= RATE_S]
            span = recent[-1] - recent[0] if len(recent) > 1 else 0.0
            fps = max(len(recent) - 1, 0) / span if span > 0 else 0.0
            age = now - self._last.t_host if self._last else now - self._since if self._since else float("inf")
            return StreamHealth(
                self._received,
                fps,
                age,
                self._drops,
                not self._away,
                self._problem(now),
                self._duplicates,
                self._reversals,
                self._reopened,
            )

    def _compare(self, last: Sample, sample: Sample) -> None:
        step = sample.index - last.index
        if step > 1:
            self._drops += step - 1
        elif step == 0:
            self._duplicates += 1
            self._odd = (sample.t_host, f"it gave sample {sample.index} twice; another cable or port may help")
        if step < 0 or sample.t_device < last.t_device:
            self._reversals += 1
            what = "counter" if step < 0 else "clock"
            self._odd = (sample.t_host, f"its {what} went back; reconnect it, its times cannot be trusted here")

    def _silence(self, now: float) -> float:
        return now - max(self._since, self._last.t_host if self._last else 0.0)

    def _problem(self, now: float) -> str:
        if self._away:
            return self._named(self._away)
        if (silence := self._silence(now)) > self._stall_s:
            return f"{self._name}: nothing came for {silence:.1f} s; check its cable and its light"
        return self._named(self._odd[1]) if now - self._odd[0] < RECENT_S else ""

    def _named(self, problem: str) -> str:
        return problem if problem.startswith(self._name) else f"{self._name}: {problem}"
