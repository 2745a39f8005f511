"""Calibrations of what says one number: the opening of the fingers by their markers, and a force. Readings are
taken by themselves when they rest at something new."""

import datetime
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from app.calibration.store import Calibration
from app.calibration.wizard import Asked, Row, Seen, Task, checked_answer
from hardware.calibration.finger_width import LEAST_RANGE, WidthResult, solve_width
from hardware.calibration.force_scale import LEAST_READINGS, ForceResult, Loaded, solve_force, weight
from hardware.calibration.report import Report
from hardware.rig_devices import ArucoConfig
from hardware.sensors.aruco_opening import OpeningMeter
from hardware.stream import Reading
from hardware.types import Camera, Frame

LOOK_S = 0.05
STEADY_S = 1.0  # a reading rests when it wavered no more than it does at rest for so long
STEADY_COUNT = 15
STEADY_OPENING_M, STEADY_FORCE_N = 1e-3, 0.15  # between the highest and the lowest tenth of what came in that time
BEYOND_M = 1e-3  # a rest that far beyond an end is the end
NEW_FORCE_N = 0.3  # nearer than that to the last load, nothing was hung on or taken off
TRAVEL = Asked("The fingers open", "mm", 1e3, 0.005, 0.5, 0.0)
MASS = Asked("Weight on it now", "g", 1e3, 0.0, 20.0, 0.0)


class Steady:
    """The last readings of something. limit: how far they may lie apart at rest."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._values: deque[tuple[float, float | None]] = deque()

    def put(self, value: float | None) -> None:
        """Take a reading, None where it was not seen."""
        now = time.monotonic()
        self._values.append((now, value))
        # slow streams keep as many as are needed, however long that takes
        while len(self._values) > STEADY_COUNT and self._values[1][0] < now - STEADY_S:
            self._values.popleft()

    def clear(self) -> None:
        self._values.clear()

    @property
    def values(self) -> tuple[float | None, ...]:
        return tuple(value for _, value in self._values)

    @property
    def seen(self) -> list[float]:
        return [value for value in self.values if value is not None]

    @property
    def rest(self) -> list[float]:
        """Those of the rest, without what was on the way there; all where they do not rest."""
        level, seen = self.level, self.seen
        return seen if level is None else [value for value in seen if abs(value - level) <= self._limit]

    @property
    def level(self) -> float | None:
        """The middle of the readings where they rest, else None."""
        seen = self.seen
        if len(self._values) < STEADY_COUNT or len(seen) < 0.7 * len(self._values):
            return None
        if self._values[-1][0] - self._values[0][0] < 0.8 * STEADY_S:
            return None
        low, high = np.quantile(seen, [0.1, 0.9])
        return float(np.median(seen)) if high - low <= self._limit else None


class _Resting:
    """What wizards share that take what a sensor says while it rests."""

    def __init__(self, limit: float) -> None:
        self._steady = Steady(limit)

    @property
    def resting(self) -> bool:
        return self._steady.level is not None

    @property
    def can_take(self) -> bool:
        return len(self._steady.seen) >= LEAST_READINGS


@dataclass(frozen=True)
class _End:
    """What the markers measured [m] at one end of the fingers' way."""

    level: float
    values: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class _Look:
    frame: Frame | None
    measured: float | None
    problem: str


class OpeningSession(_Resting):
    """A `Wizard`: the fingers are closed and opened, and rest at either end. Of all rests the two that lie farthest
    apart count. Looking happens in a thread of its own."""

    task: Task = "opening"
    covered = None

    def __init__(
        self, sensor: str, config: ArucoConfig, camera: Camera, grab: Callable[[str], Frame | None]
    ) -> None:
        """config: as it is in use; camera: the one that sees the markers, calibrated; grab(name): its newest
        picture at full size, may take a while."""
        super().__init__(STEADY_OPENING_M)
        self._sensor, self._config, self.cameras = sensor, config, (camera,)
        self._meter, self._grab = OpeningMeter(config, camera), grab
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="calibration")
        self._looking: Future[_Look] | None = None
        self._looked, self._index = 0.0, -1
        self._problem = ""
        self.asked: Asked | None = replace(TRAVEL, value=config.travel)
        self.automatic = True
        self.taken: tuple[_End, ...] = ()
        self.seen: Mapping[str, Seen] = {}
        self.result: WidthResult | None = None
        self.solving = False
        self._closed = False

    @property
    def problem(self) -> str:
        return self._problem

    @property
    def report(self) -> Report | None:
        result = self.result
        return None if result is None else Report(result.verdict, result.words, (), {"noise_m": result.noise})

    @property
    def step(self) -> str:
        if not self.taken:
            return "Close the fingers until they touch, and hold still. It is taken by itself."
        if len(self.taken) == 1:
            return "Close the fingers until they touch, open them as far as they go, and hold still at either end."
        return "Enough. Is the way between them right? Measure it with a ruler."

    @property
    def live(self) -> str:
        return f"{len(self.taken)} of 2 ends taken"

    @property
    def figure(self) -> str:
        seen = self._steady.seen
        return f"{1e3 * seen[-1]:.1f} mm between the markers" if seen else "The markers are not seen"

    @property
    def rows(self) -> tuple[Row, ...]:
        names = ("closed", "open") if len(self.taken) == 2 else ("one end",)
        return tuple(
            Row(f"{name}   {1e3 * end.level:.1f} mm between the markers")
            for name, end in zip(names, self.taken, strict=False)
        )

    def answer(self, number: float) -> None:
        if self.asked is not None:
            self.asked = replace(self.asked, value=checked_answer(self.asked, number))
            self._solve()

    def pump(self) -> None:
        """Take in what was seen; never blocks."""
        if self._closed:
            return
        if self._looking is not None and self._looking.done():
            look, self._looking = self._looking.result(), None
            self._take_in(look)
        if self._looking is None and time.monotonic() - self._looked >= LOOK_S:
            self._looked = time.monotonic()
            self._looking = self._pool.submit(self._look)

    def take(self) -> None:
        if self.can_take:
            self._keep(float(np.median(self._steady.seen)))

    def remove(self, at: int) -> None:
        """Take an end out again."""
        self.taken = tuple(end for k, end in enumerate(self.taken) if k != at)
        self._solve()

    def calibration(self, rig: str) -> Calibration:
        result = self.result
        if result is None:
            raise ValueError(self._problem or f"{len(self.taken)} of 2 ends taken; {self.step}")
        if result.verdict == "again":
            raise ValueError(result.words)
        numbers = {"closed_m": result.closed, "opened_m": result.opened, "travel_m": result.travel}
        made = datetime.datetime.now(datetime.UTC)
        words, sigma = result.words, {"opening_m": result.noise}
        return Calibration("opening", rig, self._sensor, made, result.verdict, words, numbers=numbers, sigma=sigma)

    def close(self) -> None:
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _look(self) -> _Look:
        try:
            frame = self._grab(self._config.camera)
        except (OSError, RuntimeError) as error:
            return _Look(None, None, str(error))
        if frame is None:
            return _Look(None, None, "no picture yet")
        measured = self._meter.measure(np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8))
        numbers = " and ".join(map(str, self._config.markers))
        return _Look(frame, measured, "" if measured is not None else f"markers {numbers} are not seen")

    def _take_in(self, look: _Look) -> None:
        self.seen = {self._config.camera: Seen(problem=look.problem)}
        if look.frame is None or look.frame.index == self._index:
            return
        self._index = look.frame.index
        self._steady.put(look.measured)
        level = self._steady.level
        if self.automatic and level is not None and self._is_new(level):
            self._keep(level)

    def _is_new(self, level: float) -> bool:
        """Whether it is beyond both ends, or is the second one."""
        levels = [end.level for end in self.taken]
        if len(levels) < 2:
            return not levels or abs(level - levels[0]) >= LEAST_RANGE
        return level < min(levels) - BEYOND_M or level > max(levels) + BEYOND_M

    def _keep(self, level: float) -> None:
        ends = sorted([*self.taken, _End(level, self._steady.values)], key=lambda end: end.level)
        if self._config.opened < self._config.closed:
            ends.reverse()
        self.taken = (ends[0], ends[-1]) if len(ends) > 1 else (ends[0],)
        self._steady.clear()
        self._solve()

    def _solve(self) -> None:
        self.result, self._problem = None, ""
        if len(self.taken) < 2 or self.asked is None:
            return
        closed, opened = self.taken
        try:
            self.result = solve_width(closed.values, opened.values, self.asked.value)
        except ValueError as error:
            self._problem = str(error)


class ForceSession(_Resting):
    """A `Wizard`: known weights are hung on the sensor one after the other, the first of them nothing."""

    task: Task = "force"
    covered = None
    cameras: tuple[Camera, ...] = ()
    solving = False

    def __init__(self, sensor: str, newton_per_count: float, reading: Callable[[], Reading | None]) -> None:
        """newton_per_count: that the readings are told by now; reading(): the newest one, None while there is
        none."""
        super().__init__(STEADY_FORCE_N)
        self._sensor, self._scale, self._reading = sensor, newton_per_count, reading
        self._index = -1
        self.seen: Mapping[str, Seen] = {}
        self._answered = True  # a weight was named since the last load
        self.asked: Asked | None = MASS
        self.automatic = True
        self.taken: tuple[Loaded, ...] = ()
        self.result: ForceResult | None = None
        self.problem = ""

    @property
    def report(self) -> Report | None:
        result = self.result
        return None if result is None else Report(result.verdict, result.words, (), {"noise_n": result.noise})

    @property
    def step(self) -> str:
        if not self.taken:
            return "Let nothing touch the sensor. That is the first load."
        if not self._answered:
            more = (
                "" if len(self.taken) < 3 else " Three loads or more are enough; the first one again shows drift."
            )
            return f"Say how heavy the next weight is, then hang it on, or press with it.{more}"
        return "Hang that weight on, and let it rest. It is taken by itself."

    @property
    def live(self) -> str:
        return f"{len(self.taken)} loads taken"

    @property
    def figure(self) -> str:
        seen = self._steady.seen
        return f"{seen[-1]:+.2f} N" if seen else "The sensor says nothing"

    @property
    def rows(self) -> tuple[Row, ...]:
        off = self.result.off if self.result is not None else ()
        told = [f", off by {value:+.2f} N" for value in off]
        return tuple(
            Row(f"{1e3 * load.force / weight(1.0):.0f} g{told[k] if k < len(told) else ''}")
            for k, load in enumerate(self.taken)
        )

    def answer(self, number: float) -> None:
        if self.asked is not None:
            self.asked = replace(self.asked, value=checked_answer(self.asked, number))
            self._answered = True

    def pump(self) -> None:
        """Take in the newest reading."""
        reading = self._reading()
        if reading is None or reading.index == self._index:
            return
        self._index = reading.index
        self._steady.put(reading.value if reading.valid else None)
        level = self._steady.level
        if self.automatic and self._answered and level is not None and self._is_new(level):
            self._keep()

    def take(self) -> None:
        if self.can_take:
            self._keep()

    def remove(self, at: int) -> None:
        self.taken = tuple(load for k, load in enumerate(self.taken) if k != at)
        self._solve()

    def calibration(self, rig: str) -> Calibration:
        result = self.result
        if result is None:
            raise ValueError(self.problem or f"{len(self.taken)} loads; valid: two or more, one of them nothing")
        if result.verdict == "again":
            raise ValueError(result.words)
        # a sensor's own zero is set anew whenever it is connected: only the scale is kept
        numbers = {"newton_per_count": result.newton_per_count}
        sigma = {"noise_n": result.noise}
        made = datetime.datetime.now(datetime.UTC)
        return Calibration(
            "force", rig, self._sensor, made, result.verdict, result.words, numbers=numbers, sigma=sigma
        )

    def close(self) -> None:
        """Nothing runs of its own."""

    def _is_new(self, level: float) -> bool:
        return not self.taken or abs(level - self._scale * float(np.median(self.taken[-1].readings))) >= NEW_FORCE_N

    def _keep(self) -> None:
        mass = self.asked.value if self.asked is not None else 0.0
        counts = tuple(value / self._scale for value in self._steady.rest)
        self.taken = (*self.taken, Loaded(weight(mass), counts))
        self._steady.clear()
        self._answered = False
        self._solve()

    def _solve(self) -> None:
        self.result, self.problem = None, ""
        if len(self.taken) < 2:
            return
        try:
            self.result = solve_force(self.taken)
        except ValueError as error:
            self.problem = str(error)
