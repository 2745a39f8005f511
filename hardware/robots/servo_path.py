"""The commands of one run, in order: the plan's own samples bit for bit, or on pausing the slowing down along them.

Pure: command number k is sent at k * step after the start; it names its plan time and joints.
"""

from dataclasses import dataclass

import numpy as np

from hardware.geometry import Array
from hardware.trajectory import sample

PAUSE_RAMP_S = 0.5


@dataclass(frozen=True, eq=False)
class ServoPath:
    """t (N,) plan time [s] in even steps, q (N, J) [rad]; pause_at: the command where slowing down begins."""

    t: Array
    q: Array
    pause_at: int | None = None

    @property
    def step(self) -> float:
        """[s]"""
        return float((self.t[-1] - self.t[0]) / (len(self.t) - 1)) if len(self.t) > 1 else 0.0

    @property
    def ramp(self) -> int:
        """Commands from full speed to standing."""
        return max(1, round(PAUSE_RAMP_S / self.step)) if self.step else 1

    def __len__(self) -> int:
        """Number of commands of the run."""
        return len(self.t) if self.pause_at is None else min(len(self.t), self.pause_at) + self.ramp + 1

    def plan_time(self, k: int) -> float:
        """Plan time [s] of command k."""
        if self.pause_at is None or k <= self.pause_at:
            return float(self.t[min(k, len(self.t) - 1)])
        # the integral of a rate that falls from 1 to 0 by a quintic: no jump in speed or acceleration
        x = min((k - self.pause_at) / self.ramp, 1.0)
        slowed = x - (x**6 - 3 * x**5 + 2.5 * x**4)
        start = float(self.t[min(self.pause_at, len(self.t) - 1)])
        return min(start + slowed * self.ramp * self.step, float(self.t[-1]))

    def command(self, k: int) -> Array:
        """Joints (J,) [rad] of command k: the plan's own numbers while nobody pauses."""
        if self.pause_at is None or k <= self.pause_at:
            return np.asarray(self.q[min(k, len(self.q) - 1)])
        at = self.plan_time(k)
        # a window around the place: the sampler needs neighbours only, and its ends are not this window's
        i = min(int((at - self.t[0]) / self.step), len(self.t) - 2)
        low, high = max(i - 3, 0), min(i + 5, len(self.t))
        return np.asarray(sample(self.t[low:high], self.q[low:high], at))
