"""What a run of all arms tells of itself: where it is, how it ended, and what every arm was told and did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hardware.geometry import Array
from hardware.robots.run_memory import ArmMemory

RunState = Literal["closed", "idle", "prepared", "running", "pausing", "ended"]
End = Literal["done", "paused", "stopped", "fault"]


@dataclass(frozen=True)
class Progress:
    """Where a run is. plan_time [s] of the slowest arm, of duration [s]; end and message once it has ended.

    end: "done" the plan ran to its end; "paused" it stands on the path; "stopped" a person or the window's silence
    stopped it; "fault" an arm, link, process or a rule of motion did: message says which and what to do.
    """

    state: RunState
    plan_time: float
    duration: float
    end: End | None = None
    message: str = ""


@dataclass(frozen=True, eq=False)
class ArmRecord:
    """What one arm was told and did, N commands.

    plan_time (N,) [s]; t_sent, t_measured (N,) [s, host monotonic]; commanded, sent, measured (N, J) [rad];
    measured: what the arm said last before the command.
    """

    plan_time: Array
    t_sent: Array
    t_measured: Array
    commanded: Array
    sent: Array
    measured: Array


@dataclass(frozen=True, eq=False)
class RunResult:
    """An ended run: how, why in words, at which plan time [s] of the slowest arm, and every arm's record."""

    end: End
    message: str
    plan_time: float
    arms: Mapping[str, ArmRecord]


def record_of(memory: ArmMemory) -> ArmRecord:
    """The record so far."""
    times, joints = memory.rows()
    return ArmRecord(times[:, 0], times[:, 1], times[:, 2], joints[:, 0], joints[:, 1], joints[:, 2])
