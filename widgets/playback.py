"""The one clock of a page: what time of the clip or plan is shown now, and whether it runs."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

SPEEDS = (0.1, 2.0)
TICK_MS = 30  # 33 pictures a second: more of them leave two cores no time for anything else


class Playback(QObject):
    """Play, pause, loop, step and seek over a stretch of time [s].

    While it plays, the shown time follows from the monotonic clock and the moment of the last change, never from
    adding ticks up: late ticks skip pictures but cannot make it drift.
    """

    time_changed = Signal(float)
    playing_changed = Signal(bool)
    loop_changed = Signal(bool)
    speed_changed = Signal(float)
    range_changed = Signal(float, float)

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._start, self._end, self._frame = 0.0, 0.0, 1 / 30
        self._time, self._speed, self._loop = 0.0, 1.0, True
        self._anchor = (0.0, 0.0)  # (clock, shown time) at the last change while playing
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    @property
    def time(self) -> float:
        """The time shown now [s]."""
        return self._time

    @property
    def range(self) -> tuple[float, float]:
        """The stretch that is played, start and end [s]."""
        return self._start, self._end

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    @property
    def loop(self) -> bool:
        return self._loop

    @property
    def speed(self) -> float:
        """1 is real time."""
        return self._speed

    def set_range(self, start: float, end: float, frame: float = 1 / 30) -> None:
        """Play from start to end [s]; one step is `frame` seconds. The shown time is kept where it fits."""
        if not (end >= start and frame > 0):
            raise ValueError(
                f"playback: range {start}..{end} s with frames of {frame} s; need start <= end, frame > 0"
            )
        self._start, self._end, self._frame = start, end, frame
        self.range_changed.emit(start, end)
        self._show(self._time)

    @Slot()
    def play(self) -> None:
        """Run from the shown time; from the start where it stands at the end."""
        if self.playing or self._end <= self._start:
            return
        if self._time >= self._end:
            self._show(self._start)
        self._anchor = (self._clock(), self._time)
        self._timer.start()
        self.playing_changed.emit(True)

    @Slot()
    def pause(self) -> None:
        if self.playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    @Slot()
    def toggle(self) -> None:
        """Play or pause."""
        self.pause() if self.playing else self.play()

    @Slot(bool)
    def set_loop(self, loop: bool) -> None:
        """Whether the end leads to the start again."""
        self._loop = loop
        self.loop_changed.emit(loop)

    @Slot(float)
    def set_speed(self, speed: float) -> None:
        """Set the speed, 1 is real time; it is held to 0.1..2."""
        self._speed = min(max(speed, SPEEDS[0]), SPEEDS[1])
        self._anchor = (self._clock(), self._time)
        self.speed_changed.emit(self._speed)

    @Slot(float)
    def seek(self, t: float) -> None:
        """Show time t [s], held to the range; goes on playing where it played."""
        self._show(t)

    @Slot(int)
    def step(self, frames: int) -> None:
        """Pause and move by whole frames, onto the grid that begins at the start of the range."""
        self.pause()
        at = round((self._time - self._start) / self._frame, 6)
        grid = int(at // 1) if frames > 0 else -int(-at // 1)
        self._show(self._start + (grid + frames) * self._frame)

    @Slot()
    def to_start(self) -> None:
        self._show(self._start)

    @Slot()
    def to_end(self) -> None:
        self._show(self._end)

    def _show(self, t: float) -> None:
        self._time = min(max(t, self._start), self._end)
        self._anchor = (self._clock(), self._time)
        self.time_changed.emit(self._time)

    @Slot()
    def _tick(self) -> None:
        t = self._anchor[1] + (self._clock() - self._anchor[0]) * self._speed
        if t < self._end:
            self._time = t
        elif self._loop:
            self._time = self._start + (t - self._start) % (self._end - self._start)
            self._anchor = (self._clock(), self._time)
        else:
            self._time = self._end
            self.pause()
        self.time_changed.emit(self._time)


def main() -> None:
    """Print the time of a two-second loop at half speed for three seconds."""
    from PySide6.QtCore import QCoreApplication

    app = QCoreApplication([])
    playback = Playback()
    playback.set_range(0.0, 2.0)
    playback.set_speed(0.5)
    playback.time_changed.connect(lambda t: print(f"{t:.3f} s", end="\r"))
    playback.play()
    QTimer.singleShot(3000, app.quit)
    app.exec()


if __name__ == "__main__":
    main()
