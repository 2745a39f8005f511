"""One clock for everything on page Dream: which frame of the dream and which moment of the plan it shows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hardware.geometry import Array
from hardware.types import Plan

Mode = Literal["dream", "plan"]


@dataclass(frozen=True, eq=False)
class DreamClock:
    """mode "dream": seconds of the clip, frame i at i / fps; mode "plan": seconds of the plan."""

    fps: float
    frames: int
    plan: Plan | None = None
    mode: Mode = "dream"

    @property
    def span(self) -> tuple[float, float]:
        """Start and end [s]; the clip's last frame is shown for its whole time."""
        if self.mode == "plan" and self.plan is not None:
            return float(self.plan.t[0]), float(self.plan.t[-1])
        return 0.0, self.frames / self.fps

    def frame(self, t: float) -> float:
        """The dream's frame (fractional) at t [s], held before and after the work."""
        if self.mode == "dream" or self.plan is None:
            value = t * self.fps
        else:
            times, frames = _work(self.plan)
            value = float(np.interp(t, times, frames)) if len(times) else 0.0
        return min(max(value, 0.0), self.frames - 1.0)

    def index(self, t: float) -> int:
        """The picture shown at t [s]."""
        return int(self.frame(t) + 1e-6)

    def plan_time(self, t: float) -> float | None:
        """The plan's time [s] at t [s]; None without a plan or where the plan does not show that frame."""
        if self.plan is None:
            return None
        if self.mode == "plan":
            return t
        times, frames = _work(self.plan)
        at = t * self.fps
        if not len(times) or not frames[0] - 0.5 <= at <= frames[-1] + 1.0:
            return None
        return float(np.interp(at, frames, times))

    def time_of_frame(self, index: int) -> float:
        """When frame `index` is shown [s]; frames that the plan leaves out lie at its work's ends."""
        if self.mode == "dream" or self.plan is None:
            return index / self.fps
        times, frames = _work(self.plan)
        return float(np.interp(index, frames, times)) if len(times) else 0.0

    def time_of_plan(self, plan_time: float) -> float:
        """When the plan's time is shown [s]."""
        if self.mode == "plan" or self.plan is None:
            return plan_time
        times, frames = _work(self.plan)
        return float(np.interp(plan_time, times, frames)) / self.fps if len(times) else 0.0

    @property
    def shown(self) -> range:
        """The frames that the clock comes by: all of the dream, or those of the plan's work."""
        if self.mode == "dream" or self.plan is None:
            return range(self.frames)
        _, frames = _work(self.plan)
        if not len(frames):
            return range(1)
        first = int(np.ceil(frames[0] - 1e-6))
        return range(first, max(int(np.floor(frames[-1] + 1e-6)), first) + 1)

    def frame_times(self) -> Array:
        """When each frame of `shown` is shown [s]."""
        return np.array([self.time_of_frame(i) for i in self.shown])


def _work(plan: Plan) -> tuple[Array, Array]:
    """Plan times [s] of the work phase and the clip frames shown then, both rising."""
    shown = np.isfinite(plan.clip_frame)
    return plan.t[shown], np.maximum.accumulate(plan.clip_frame[shown])
