"""Where in its plan a run is, in words and in the dream's own frames."""

from dataclasses import dataclass

import numpy as np

from hardware.types import Plan


@dataclass(frozen=True)
class RunProgress:
    """plan_time [s] of `duration` [s]; phase: approach, work or retreat; clip_frame: the dream's frame, or None."""

    plan_time: float
    duration: float
    phase: str
    clip_frame: float | None


def where(plan: Plan, plan_time: float) -> RunProgress:
    """Return phase and clip frame at a plan time [s]."""
    phase = next((p.name for p in plan.phases if plan_time <= p.end), plan.phases[-1].name)
    frame = float(plan.clip_frame[min(int(np.searchsorted(plan.t, plan_time)), len(plan.t) - 1)])
    return RunProgress(plan_time, plan.duration, phase, frame if np.isfinite(frame) else None)
