"""The session behind Approve and Execute: one rig, its arms and cameras, one plan, one run at a time.

Longer than most files on purpose: the states and all that leads from one to the next are to be read in one place.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from app.calibration.measured_tables import with_measured_tables
from app.events import Listener, Listeners
from app.execution.approval_rules import PlanRules, away_from_start, other_tools, outdated
from app.execution.connection_checks import connection_checks
from app.execution.rehearsal import Curves, Rehearsal, curves_of, rehearse
from app.execution.rig_link import USUAL_TABLE, RigLink, open_rig
from app.execution.run import Run, begin_run
from app.execution.run_progress import RunProgress, where
from app.ledger import Ledger
from app.provenance import record_outcome
from app.workspace import Workspace
from hardware.mounting import mounted_for
from hardware.rig import Rig
from hardware.robots.base import ArmError
from hardware.safety import ApprovalError, PlanApproval, approve_plan, release
from hardware.stream import DeviceError
from hardware.types import ArmLimits, ArmState, Check, Frame, Plan, Tool

State = Literal[
    "offline",  # nothing started
    "connecting",  # starting the simulated rig and the arms, reading limits back
    "ready",  # connected; a plan may be set, looked at and approved
    "approved",  # a live approval of exactly the plan that is set
    "running",
    "paused",  # standing; going on takes a plan from here and a fresh approval
    "stopped",  # a person or a watchdog stopped it
    "done",  # the plan ended by itself
    "fault",  # an arm or link failed; `message` says which and what to do
    "closed",
]
Topic = Literal["state", "limits", "plan", "approval", "progress", "message"]
STANDING: tuple[State, ...] = ("ready", "approved", "paused", "stopped", "done")
log = logging.getLogger(__name__)


class ExecutionSession:
    """Owned by one thread: every method is called there, and listeners are called there, by `pump()` at the latest.

    What takes time (starting, connecting, handing a plan over, writing a run) happens in one background thread.

    Read: `rig`, `state`, `message` (for a person), `limits` by arm (read back; empty before connect), `arms` (the
    newest ArmState by arm), `checks` (found at connect: kinematics, limits, emulated), `plan`, `approval` (None or
    the live one), `approval_left_s`, `progress`, `run_folder` and `run_id` (of the last run).
    """

    def __init__(self, rig: Rig, workspace: Workspace, ledger: Ledger) -> None:
        self._workspace, self._ledger = workspace, ledger
        # why no plan of a dream may run because of its cameras, in sentences
        self.camera_reasons: Callable[[], tuple[str, ...]] = tuple
        self._listeners = Listeners()
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="execution")
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._link: RigLink | None = None
        self._run: Run | None = None
        self._stopped = threading.Event()
        self._rules = PlanRules()
        self._plan_parent = ""
        self._finishing = False
        self.rig = rig
        self.state: State = "offline"
        self.message = ""
        self.limits: Mapping[str, ArmLimits] = {}
        self.arms: Mapping[str, ArmState] = {}
        self.checks: tuple[Check, ...] = ()
        self.plan: Plan | None = None
        self.approval: PlanApproval | None = None
        self.progress: RunProgress | None = None
        self.run_folder: Path | None = None
        self.run_id = ""

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    @property
    def link(self) -> RigLink | None:
        """The started rig, for the other sessions that share it; None while nothing is connected."""
        return self._link

    @property
    def approval_left_s(self) -> float:
        """[s] until the approval expires; 0 without one."""
        return max(0.0, self.approval.expires_at - time.monotonic()) if self.approval else 0.0

    @property
    def busy(self) -> bool:
        """Whether something runs, moves or is being written."""
        return self.state in ("connecting", "running") or self._finishing

    def pump(self) -> None:
        """Take in states, ends and faults; void what expired. Never blocks. Every 30 ms or so."""
        while not self._inbox.empty():
            self._inbox.get()()
        if self._link is None:
            return
        self.arms = self._link.group.states()
        if self._stopped.is_set():
            self._heed_stop()
        if self.approval is not None and self.state == "approved":
            self._void_if_changed(self._link)
        if self.state == "running" and self._run is not None and self._run.started:
            self._follow(self._link, self._run)

    def heartbeat(self) -> None:
        """Say that the owner's thread lives: 500 ms of silence stops moving arms. Owner's thread only."""
        if self._link is not None:
            self._link.group.heartbeat()

    def connect(self, tools: Mapping[str, Tool], table: tuple[str, int] = USUAL_TABLE) -> None:
        """Start the simulated rig where it is one, connect all arms with their tools (by role), read limits.

        table: task and number of what is laid on a simulated table.

        Runs in the background; ends in state ready or fault. Raises ValueError while arms move,
        or where what a person measured of the table is broken.
        """
        self._require(self.state not in ("connecting", "running", "closed"), f"the arms are {self.state}")
        self.rig = with_measured_tables(self.rig, self._workspace.root)
        self._withdraw()
        link, self._link = self._link, None
        self._set_state("connecting", "")
        # a plan has settled which arm carries what; without one it is the roles, then the arms that are free
        carried = mounted_for(self.rig, tools, self.plan.arms if self.plan else ())
        self._background.submit(self._connect, link, carried, table)

    def disconnect(self) -> None:
        """End everything that connect started, in the background; a run is stopped first."""
        self.stop("the arms were disconnected")
        self._withdraw()
        link, self._link = self._link, None
        if self.state == "running" and self._run is not None:
            self._background.submit(self._finish, self._run, "stopped")
        if link is not None:
            self._background.submit(link.close)
        self.limits, self.arms, self.checks, self.progress = {}, {}, (), None
        if self.state != "closed":
            self._set_state("offline", "")

    def clear_errors(self) -> None:
        """Clear every arm's error, in the background; ends in ready, or in fault where the cause is still there."""
        link = self._link
        if link is None or self.state in ("running", "connecting"):
            return
        self._withdraw()
        self._background.submit(self._clear_errors, link)

    def set_plan(self, plan: Plan | None, parent: str = "") -> None:
        """Set what is to be run; voids an approval. parent: the ledger's id of the track it was made from."""
        self._require(self.state != "running", "a plan is running: stop it first")
        self._withdraw()
        self.plan, self._plan_parent, self.progress = plan, parent, None
        self._listeners.tell("plan")

    def rehearsal(self) -> Rehearsal:
        """Return the plan's playback; ValueError without a plan."""
        return rehearse(self._require_plan(), self.rig, self._link.tools if self._link else {})

    def forbidden(self) -> tuple[str, ...]:
        """Why Approve is off, in sentences; empty when it may be given."""
        plan, link = self.plan, self._link
        if plan is None:
            return ("there is no plan yet: plan the motion first",)
        if link is None:
            return ("the arms are not connected: connect them first",)
        if self.state not in STANDING:
            return (f"the arms are {self.state}: {self.message or 'wait until they stand'}",)
        moved = self.camera_reasons() if plan.track_sha256 else ()  # a move by hand needs no camera
        standing = away_from_start(plan, self.arms)
        return (*self._rules.reasons(plan, link), *standing, *other_tools(plan, link), *moved)

    def approve(self, person: str | None) -> None:
        """Approve exactly this plan, these arms, this calibration and these limits for 120 s.

        person None: nobody was asked, which only emulated arms allow. Raises ValueError with the first reason
        against it.
        """
        reasons = self.forbidden()
        self._require(not reasons, reasons[0] if reasons else "")
        plan, link = self._require_plan(), self._link
        self._require(link is not None, "the arms are not connected")
        if link is None:
            return
        self._withdraw()
        self._stopped.clear()
        try:
            self.approval = approve_plan(
                plan, person=person, connections=link.group.connections, now=time.monotonic(), scene=link.scene
            )
        except ApprovalError as error:
            raise ValueError(str(error)) from error
        self._listeners.tell("approval")
        self._set_state("approved", "")

    def execute(self) -> None:
        """Run the approved plan on all arms; records cameras and curves. Raises ValueError without approval."""
        plan, approval, link = self._require_plan(), self.approval, self._link
        if approval is None or link is None or self.state != "approved":
            raise ValueError("there is no live approval: approve the plan first")
        self._stopped.clear()
        self._run = Run(plan, approval, link, self._workspace.runs, self._ledger, self._plan_parent, self._stopped)
        self.approval, self.progress = None, RunProgress(0.0, plan.duration, plan.phases[0].name, None)
        self.run_folder, self.run_id = None, ""
        self._set_state("running", "")
        self._background.submit(self._begin, self._run)

    def stop(self, reason: str = "a person pressed Stop") -> None:
        """Stop all arms now. Never raises, never waits, may be called at any time and from any thread."""
        self._stopped.set()
        link = self._link
        if link is not None:
            link.group.stop(reason)

    def pause(self) -> None:
        """Slow to a stand on the path; going on takes a plan from there and a fresh approval."""
        if self._link is not None and self.state == "running":
            self._link.group.pause()

    def latest_frames(self) -> Mapping[str, Frame]:
        """Return each camera's newest picture (none before connect). Pull this at the display's rate."""
        return self._link.frames() if self._link is not None else {}

    def curves(self) -> Curves:
        """Return planned against measured of the run that is on, or of the last one."""
        return curves_of(self._link.group.records() if self._link is not None else {})

    def outcome(self, success: bool, tags: tuple[str, ...] = (), note: str = "") -> str:
        """Put a person's judgement of the last run in the ledger; returns its id.

        Raises ValueError without a run, LedgerError where it could not be written (it is in the run's folder then).
        """
        run = self._run
        if run is None or run.folder is None or not run.id:
            raise ValueError("there is no run to judge yet")
        self._require(self.state != "running", "the run has not ended yet")
        outcome = record_outcome(self._ledger, run.folder, run.id, success, tags, note)
        problem = "" if self._finishing else run.save()
        if problem:
            self.message = problem
            self._listeners.tell("message")
        return outcome

    def wait(self, timeout: float) -> State:
        """Pump, with heartbeats, until nothing runs any more. Without a window only."""
        deadline = time.monotonic() + timeout
        self.pump()
        while self.busy and time.monotonic() < deadline:
            self.heartbeat()
            time.sleep(0.02)
            self.pump()
        return self.state

    def close(self) -> None:
        """Stop, disconnect, end every process. Safe to call twice."""
        if self.state == "closed":
            return
        self.state = "closed"
        self.disconnect()
        self._background.shutdown(wait=True)
        while not self._inbox.empty():
            self._inbox.get()()

    # in the background thread

    def _connect(self, old: RigLink | None, tools: Mapping[str, Tool], table: tuple[str, int]) -> None:
        if old is not None:
            old.close()
        try:
            link = open_rig(self.rig, tools, task=table[0], seed=table[1])
        except (ArmError, DeviceError, OSError, TimeoutError, ValueError) as error:
            message = str(error)
            self._inbox.put(lambda: self._connect_failed(message))
        except Exception as error:
            log.exception("connecting failed")
            message = f"{type(error).__name__}: {error}"
            self._inbox.put(lambda: self._connect_failed(message))
        else:
            self._inbox.put(lambda: self._connected(link))

    def _clear_errors(self, link: RigLink) -> None:
        try:
            link.group.clear_errors()
        except ArmError as error:
            message = str(error)
            self._inbox.put(lambda: self._set_state("fault", message))
        else:
            self._inbox.put(lambda: self._set_state("ready", ""))

    def _begin(self, run: Run) -> None:
        ended, message = begin_run(run)
        self._inbox.put(lambda: self._began(run, ended, message))

    def _finish(self, run: Run, state: State) -> None:
        message = run.finish()
        self._inbox.put(lambda: self._finished(state, message))

    # what came in, in the owner's thread

    def _connected(self, link: RigLink) -> None:
        if self.state != "connecting":
            # closed or disconnected while it was starting
            link.close()
            return
        self._link = link
        connections = link.group.connections
        self.limits = {name: connection.limits for name, connection in connections.items()}
        self.arms = link.group.states()
        self.checks = connection_checks(connections, self.rig)
        self._listeners.tell("limits")
        self._set_state("ready", "")

    def _connect_failed(self, message: str) -> None:
        if self.state == "connecting":
            self._set_state("fault", message)

    def _began(self, run: Run, ended: State | None, message: str) -> None:
        self.run_folder = run.folder.path if run.folder else None
        self.run_id = run.id
        if ended is not None and self.state == "running":
            self.progress = None
            self._set_state(ended, message)

    def _follow(self, link: RigLink, run: Run) -> None:
        progress = link.group.progress()
        self.progress = where(run.plan, progress.plan_time)
        self._listeners.tell("progress")
        if progress.end is None or progress.state != "ended":
            return
        run.ended = True
        self._finishing = True
        self._set_state(progress.end, progress.message)
        self._background.submit(self._finish, run, progress.end)

    def _finished(self, state: State, message: str) -> None:
        self._finishing = False
        if message:
            self.message = f"{self.message} {message}".strip()
            self._listeners.tell("message")
        self._listeners.tell("state")

    # helpers

    def _heed_stop(self) -> None:
        """Stop while nothing moves: what was approved is void, and a paused run is over."""
        if self.state == "approved":
            self._withdraw()
            self._set_state("ready", "Stop was pressed after the approval: approve again")
        elif self.state == "paused":
            self._withdraw()
            self._set_state("stopped", "Stop was pressed while the run was paused")

    def _void_if_changed(self, link: RigLink) -> None:
        if self.approval is None or self.plan is None:
            return
        reason = outdated(self.approval, self.plan, link, self.arms, time.monotonic())
        if reason:
            self._withdraw()
            self._set_state("ready", reason)

    def _withdraw(self) -> None:
        """End the approval that is held, if any."""
        if self.approval is None:
            return
        release(self.approval)
        self.approval = None
        if self.state == "approved":
            self.state = "ready"
            self._listeners.tell("state")
        self._listeners.tell("approval")

    def _require_plan(self) -> Plan:
        if self.plan is None:
            raise ValueError("there is no plan yet: plan the motion first")
        return self.plan

    def _require(self, condition: bool, message: str) -> None:
        if not condition:
            raise ValueError(message)

    def _set_state(self, state: State, message: str) -> None:
        if self.state == "closed":
            return
        changed, self.state, self.message = self.message != message, state, message
        if changed:
            self._listeners.tell("message")
        self._listeners.tell("state")
