"""How well one camera's stream does: frames a second and age. Pure, so that it can be trusted."""

from collections import deque
from dataclasses import dataclass

from hardware.types import Frame
from widgets.views.types import Level

WINDOW = 2.0  # [s] over which the rate is taken
STALE, DEAD = 0.25, 1.0  # [s] without a new frame


@dataclass(frozen=True)
class Health:
    """fps achieved, age [s] of the newest frame, size (width, height) [px], each with what to think of it."""

    fps: float
    age: float
    size: tuple[int, int]
    fps_level: Level
    age_level: Level

    @property
    def worst(self) -> Level:
        """The worse of the two levels."""
        levels: tuple[Level, ...] = ("alarm", "warning", "ok")
        return next(level for level in levels if level in (self.fps_level, self.age_level))


class StreamHealth:
    """Watches the frames of one camera; `wanted` is the rate it should reach, 0 where nobody knows.

    A view that looks less often than the camera delivers sees only some frames: the rate is taken from the frames'
    own numbers and times, not from how many were seen.
    """

    def __init__(self, wanted: float = 0.0) -> None:
        self._wanted = wanted
        self._seen: deque[tuple[int, float]] = deque()
        self._last: Frame | None = None

    def see(self, frame: Frame) -> bool:
        """Take note of the newest frame; return whether it is a new one."""
        if self._last is not None and (frame.index, frame.t_host) == (self._last.index, self._last.t_host):
            return False
        if self._last is not None and frame.index <= self._last.index:
            self._seen.clear()  # the stream was started again
        self._last = frame
        self._seen.append((frame.index, frame.t_host))
        while self._seen[-1][1] - self._seen[0][1] > WINDOW:
            self._seen.popleft()
        return True

    def report(self, now: float) -> Health | None:
        """Return how the stream does at host time now [s]; None before the first frame."""
        if self._last is None:
            return None
        age = max(now - self._last.t_host, 0.0)
        fps = self._fps(now)
        height, width = self._last.rgb.shape[:2]
        age_level: Level = "ok" if age < STALE else "warning" if age < DEAD else "alarm"
        return Health(fps, age, (width, height), self._fps_level(fps), age_level)

    def _fps(self, now: float) -> float:
        recent = [(i, t) for i, t in self._seen if now - t <= WINDOW]
        if len(recent) < 2 or recent[-1][1] <= recent[0][1]:
            return 0.0
        # a stream that has stopped slows down in the figure while its last frames grow old
        late = now - recent[-1][1]
        late = late if late > STALE else 0.0
        return (recent[-1][0] - recent[0][0]) / (recent[-1][1] + late - recent[0][1])

    def _fps_level(self, fps: float) -> Level:
        if self._wanted <= 0:
            return "ok" if fps > 0 else "alarm"
        return "ok" if fps >= 0.9 * self._wanted else "warning" if fps >= 0.5 * self._wanted else "alarm"
