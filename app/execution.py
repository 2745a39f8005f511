"""The session behind Approve and Execute: one rig, its arms and cameras, one plan, one run at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.events import Listener
from app.ledger import Ledger
from app.workspace import Workspace
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import ArmLimits, ArmState, Check, Frame, Plan, Tool

State = Literal[
    "offline",  # nothing started
    "connecting",  # starting the simulated rig and the arms, reading limits back
    "ready",  # connected; a plan may be set, looked at and approved
    "approved",  # a live approval of exactly the plan that is set
    "running",
    "paused",  # standing; going on takes a fresh approval
    "stopped",  # a person or a watchdog stopped it
    "done",  # the plan ended by itself
    "fault",  # an arm or link failed; `message` says which and what to do
    "closed",
]
Topic = Literal["state", "limits", "plan", "approval", "progress", "message"]


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A plan to play back. t (N,) [s]; clip_frame (N,), nan outside the work; by arm: q (N, J) [rad],
    T_world_tool (N, 4, 4), tip speed (N,) [m/s]."""

    t: Array
    clip_frame: Array
    q: Mapping[str, Array]
    T_world_tool: Mapping[str, Array]
    tip_speed: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Curves:
    """Planned against measured so far, by arm. t (N,) plan time [s]; commanded, sent, measured (N, J) [rad]."""

    t: Mapping[str, Array]
    commanded: Mapping[str, Array]
    sent: Mapping[str, Array]
    measured: Mapping[str, Array]


@dataclass(frozen=True)
class RunProgress:
    """plan_time [s] of `duration` [s]; phase: approach, work or retreat; clip_frame: the dream's frame, or None."""

    plan_time: float
    duration: float
    phase: str
    clip_frame: float | None


class ExecutionSession:
    """Owned by one thread: every method is called there, and listeners are called there, by `pump()` at the latest.

    Read: `rig`, `state`, `message` (for a person), `limits` by arm (read back; empty before connect), `arms` (the
    newest ArmState by arm), `checks` (approve-time checks: kinematics agree, limits hold, emulated), `plan`,
    `approval` (None or the live one), `approval_left_s`, `progress`, `run_folder` (of the last run).
    """

    def __init__(self, rig: Rig, workspace: Workspace, ledger: Ledger) -> None:
        raise NotImplementedError

    rig: Rig
    state: State
    message: str
    limits: Mapping[str, ArmLimits]
    arms: Mapping[str, ArmState]
    checks: tuple[Check, ...]
    plan: Plan | None
    approval: object | None  # hardware.safety.Approval
    approval_left_s: float
    progress: RunProgress | None
    run_folder: Path | None

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        raise NotImplementedError

    def pump(self) -> None:
        """Take in states, ends and faults; void what expired. Never blocks. Every 30 ms or so."""
        raise NotImplementedError

    def heartbeat(self) -> None:
        """Say that the owner's thread lives: 500 ms of silence stops moving arms. Owner's thread only."""
        raise NotImplementedError

    def connect(self, tools: Mapping[str, Tool]) -> None:
        """Start the simulated rig where it is one, connect all arms with their tools (by role), read limits.

        Runs in the background; ends in state ready or fault.
        """
        raise NotImplementedError

    def disconnect(self) -> None:
        raise NotImplementedError

    def set_plan(self, plan: Plan | None, parent: str = "") -> None:
        """Set what is to be run; voids an approval. parent: the ledger's id of the track it was made from."""
        raise NotImplementedError

    def rehearsal(self) -> Rehearsal:
        """Return the plan's playback; ValueError without a plan."""
        raise NotImplementedError

    def forbidden(self) -> tuple[str, ...]:
        """Why Approve is off, in sentences; empty when it may be given."""
        raise NotImplementedError

    def approve(self, person: str) -> None:
        """Approve exactly this plan, these arms, this calibration and these limits for 120 s. Raises ValueError."""
        raise NotImplementedError

    def execute(self) -> None:
        """Run the approved plan on all arms; records cameras and curves. Raises ValueError without approval."""
        raise NotImplementedError

    def stop(self, reason: str = "a person pressed Stop") -> None:
        """Stop all arms now. Never raises, never waits, may be called at any time and from any thread."""
        raise NotImplementedError

    def pause(self) -> None:
        """Slow to a stand on the path; going on needs `set_plan` of the rest and a fresh approval."""
        raise NotImplementedError

    def latest_frames(self) -> Mapping[str, Frame]:
        """Return each camera's newest picture (none before connect). Pull this at the display's rate."""
        raise NotImplementedError

    def curves(self) -> Curves:
        raise NotImplementedError

    def outcome(self, success: bool, tags: tuple[str, ...] = (), note: str = "") -> str:
        """Put a person's judgement of the last run in the ledger; returns its id."""
        raise NotImplementedError

    def wait(self, timeout: float) -> State:
        """Pump, with heartbeats, until nothing runs any more. Without a window only."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop, disconnect, end every process. Safe to call twice."""
        raise NotImplementedError
