"""All arms of a rig seen from the window's process: one servo process per arm, one stop, one start instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hardware.geometry import Array
from hardware.rig import Rig
from hardware.safety import Approval, Connection
from hardware.types import ArmState, Plan, Tool

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


class ArmGroup:
    """Owner of the servo processes. `heartbeat`, `stop`, `pause`, `states`, `progress`, `records` never wait.

    The other methods wait for the arms (connect: seconds) and belong in one background thread; `stop` may be called
    from any thread at any time. tools, nonces (`EmulatorProcess.nonce`) and control_ports by arm name.
    """

    def __init__(
        self,
        rig: Rig,
        tools: Mapping[str, Tool],
        *,
        nonces: Mapping[str, bytes] | None = None,
        control_ports: Mapping[str, int] | None = None,
    ) -> None:
        raise NotImplementedError

    def connect(self, timeout: float = 30.0) -> Mapping[str, Connection]:
        """Start the servo processes, connect every arm; return its connection by arm name (limits read back, ours
        against the controller's kinematics, emulated verified or not, a fresh id). Raises ArmError."""
        raise NotImplementedError

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The live connections: what `safety.approve_plan` takes. Empty before connect."""
        raise NotImplementedError

    def states(self) -> Mapping[str, ArmState]:
        """The newest state of every arm (about 50 Hz while idle, every cycle while moving)."""
        raise NotImplementedError

    def prepare(self, plan: Plan, approval: Approval, *, scene: str = "") -> None:
        """Hand a plan to all arms; each verifies approval, limits, pose and every sample itself, and enters servo
        mode. Raises safety.ApprovalError or ArmError; nothing moved then."""
        raise NotImplementedError

    def start(self) -> None:
        """All arms run what was prepared, from one shared instant. The approval must still be live."""
        raise NotImplementedError

    def stop(self, reason: str = "a person pressed Stop") -> None:
        """Stop all arms now. Never raises."""
        raise NotImplementedError

    def pause(self) -> None:
        """Slow to a stand on the path; the run then ends as "paused"."""
        raise NotImplementedError

    def resume(self, plan: Plan, approval: Approval, *, scene: str = "") -> None:
        """Prepare and start the rest: a plan from where the arms stand (`planning`), freshly approved."""
        raise NotImplementedError

    def heartbeat(self) -> None:
        """Say that the window's thread lives: 500 ms of silence stops moving arms."""
        raise NotImplementedError

    def progress(self) -> Progress:
        raise NotImplementedError

    def records(self) -> Mapping[str, ArmRecord]:
        """What every arm was told and did so far in this run, for live curves."""
        raise NotImplementedError

    def result(self) -> RunResult | None:
        """The run that ended last; None while one runs or before the first."""
        raise NotImplementedError

    def clear_errors(self) -> None:
        """Clear every arm's error. Raises ArmError where the cause is still there."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop, disconnect and end the servo processes; safe to call twice."""
        raise NotImplementedError
