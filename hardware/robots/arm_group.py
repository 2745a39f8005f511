"""All arms of a rig seen from the window's process: one servo process per arm, one stop, one start instant."""

import contextlib
import multiprocessing
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from hardware.connection import Connection
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.robots.base import ArmError
from hardware.robots.orders import ClearError, Close, Connect, Order, Prepare, Setup, Start, answer
from hardware.robots.run_memory import ArmMemory, Cause, Phase, StopLine
from hardware.robots.servo_loop import WINDOW, Links
from hardware.robots.servo_process import serve
from hardware.safety import Approval, ApprovalError, check_approval, session_key
from hardware.types import ArmState, Plan, Tool, require

ANSWER_S = 20.0
CLOSE_S = 5.0
START_DELAY_S = 0.15
PAUSE_MARGIN = 5

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
        missing = {arm.name for arm in rig.arms} ^ set(tools)
        require(not missing, f"arm group: every arm of the rig needs its tool, and no other; {sorted(missing)}?")
        self._rig, self._tools = rig, dict(tools)
        self._nonces, self._ports = dict(nonces or {}), dict(control_ports or {})
        self._names = tuple(arm.name for arm in rig.arms)
        self._context = multiprocessing.get_context("spawn")
        self._memories = tuple(ArmMemory(self._context) for _ in self._names)
        self._stop_line = StopLine(self._context, len(self._names))
        self._processes: dict[str, BaseProcess] = {}
        self._orders: dict[str, Pipe] = {}
        self._lifeline: Pipe | None = None
        self._connections: dict[str, Connection] = {}
        self._prepared: tuple[Plan, Approval] | None = None
        self._plan: Plan | None = None

    def connect(self, timeout: float = 30.0) -> Mapping[str, Connection]:
        """Start the servo processes where they do not run yet and connect every arm.

        Return every arm's connection by name: limits read back, our kinematics against the controller's, whether it
        is a verified emulator, and a fresh id that voids approvals given before. Raises ArmError.
        """
        self._connections, self._prepared = {}, None
        if not self._all_alive():
            self._end_processes()
            self._begin_processes()
        self._connections = self._ask(Connect(), self._names, timeout)
        return self.connections

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The live connections: what `safety.approve_plan` takes. Empty before connect."""
        return dict(self._connections)

    def states(self) -> Mapping[str, ArmState]:
        """The newest state of every arm (about 50 Hz while idle, every cycle while moving)."""
        found = {name: memory.state() for name, memory in self._by_name()}
        return {name: state for name, state in found.items() if state is not None}

    def prepare(self, plan: Plan, approval: Approval, *, scene: str = "") -> None:
        """Hand a plan to its arms; each verifies approval, limits, pose and every sample itself, and enters servo
        mode. Raises ApprovalError or ArmError; nothing moved then.

        A stop before this call is over with it: the approval was given after.
        """
        self._refuse_running()
        self._prepared = None
        check_approval(approval, plan, self._connections, time.monotonic(), scene=scene)
        missing = {arm.arm for arm in plan.arms} - set(self._connections)
        if missing:
            raise ApprovalError(f"{', '.join(sorted(missing))}: not connected; connect first")
        self._stop_line.reset()
        order = Prepare(plan, approval, scene, self._stop_line.stops)
        self._ask(order, [arm.arm for arm in plan.arms], ANSWER_S)
        self._prepared = plan, approval

    def start(self) -> None:
        """All arms run what was prepared, from one shared instant. Raises ApprovalError where that expired."""
        self._refuse_running()
        if self._prepared is None:
            raise ApprovalError("nothing is prepared; approve a plan and prepare it first")
        (plan, approval), self._prepared = self._prepared, None
        if not time.monotonic() < approval.expires_at:
            raise ApprovalError("the approval expired before the start; approve again")
        self.heartbeat()
        self._plan = plan
        at = time.monotonic() + START_DELAY_S
        for name in (arm.arm for arm in plan.arms):
            self._orders[name].send(Start(at))
        self._await_start([arm.arm for arm in plan.arms], at)

    def stop(self, reason: str = "a person pressed Stop") -> None:
        """Stop all arms now. Never raises, never waits."""
        self._stop_line.stop(0, Cause.STOPPED, reason)

    def pause(self) -> None:
        """Slow to a stand on the path, all arms from the same sample on; the run then ends as "paused"."""
        if self._running() and self._stop_line.pause_at is None:
            furthest = max(memory.index for memory in self._memories if memory.phase == Phase.RUNNING)
            self._stop_line.pause(furthest + PAUSE_MARGIN)

    def resume(self, plan: Plan, approval: Approval, *, scene: str = "") -> None:
        """Prepare and start the rest: a plan from where the arms stand now, freshly approved."""
        self.prepare(plan, approval, scene=scene)
        self.start()

    def heartbeat(self) -> None:
        """Say that the window's thread lives: 500 ms of silence stops moving arms."""
        self._stop_line.heartbeat()

    def progress(self) -> Progress:
        """Where the run is, or how it ended."""
        if self._plan is None:
            state: RunState = "prepared" if self._prepared else "idle" if self._connections else "closed"
            return Progress(state, 0.0, 0.0 if self._prepared is None else self._prepared[0].duration)
        if self._running():
            self._watch()
        at, duration = self._plan_time(), self._plan.duration
        if self._running():
            return Progress("running" if self._stop_line.pause_at is None else "pausing", at, duration)
        if self._prepared is not None:
            return Progress("prepared", 0.0, self._prepared[0].duration)
        end, message = self._end()
        return Progress("ended", at, duration, end, message)

    def records(self) -> Mapping[str, ArmRecord]:
        """What every arm of the plan was told and did so far in this run, for live curves."""
        arms = () if self._plan is None else tuple(arm.arm for arm in self._plan.arms)
        return {name: _record(memory) for name, memory in self._by_name() if name in arms}

    def result(self) -> RunResult | None:
        """The run that ended last; None while one runs or before the first."""
        progress = self.progress()
        if progress.end is None:
            return None
        return RunResult(progress.end, progress.message, progress.plan_time, self.records())

    def clear_errors(self) -> None:
        """Clear every arm's error. Raises ArmError where the cause is still there."""
        self._refuse_running()
        self._ask(ClearError(), self._names, ANSWER_S)

    def close(self) -> None:
        """Stop, disconnect and end the servo processes; safe to call twice."""
        self._end_processes()
        self._connections, self._prepared = {}, None

    def __enter__(self) -> "ArmGroup":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _by_name(self) -> Iterable[tuple[str, ArmMemory]]:
        return zip(self._names, self._memories, strict=True)

    def _all_alive(self) -> bool:
        return bool(self._processes) and all(process.is_alive() for process in self._processes.values())

    def _running(self) -> bool:
        """Whether an arm runs, as far as its process can still say so."""
        return any(
            memory.phase == Phase.RUNNING and name in self._processes and self._processes[name].is_alive()
            for name, memory in self._by_name()
        )

    def _refuse_running(self) -> None:
        if self._running():
            raise ArmError("the arms are running; stop or pause first")

    def _watch(self) -> None:
        """The servo processes watch each other; the last one left has nobody but the window."""
        for name, process in self._processes.items():
            if not process.is_alive() and self._stop_line.reason() is None:
                self._stop_line.stop(0, Cause.FAULT, f"{name}: its servo process has ended")

    def _plan_time(self) -> float:
        """[s] of the slowest arm."""
        times = [float(record.plan_time[-1]) for record in self.records().values() if len(record.plan_time)]
        return min(times) if len(times) == len(self.records()) and times else 0.0

    def _end(self) -> tuple[End, str]:
        reason = self._stop_line.reason()
        if reason is not None:
            return ("stopped" if reason.cause == Cause.STOPPED else "fault"), reason.words
        dead = [name for name, process in self._processes.items() if not process.is_alive()]
        if dead or not self._processes:
            return "fault", f"{', '.join(dead) or 'all'}: its servo process has ended"
        if any(memory.paused for memory in self._memories):
            return "paused", "paused on the path"
        return "done", "the plan ran to its end"

    def _await_start(self, arms: Iterable[str], at: float) -> None:
        """Return when every arm has begun (or has ended already), so that `progress` tells of this run."""
        deadline = at + START_DELAY_S
        waiting = {name: memory for name, memory in self._by_name() if name in set(arms)}
        while time.monotonic() < deadline and any(m.phase == Phase.PREPARED for m in waiting.values()):
            time.sleep(0.002)

    def _begin_processes(self) -> None:
        """Start all servo processes. Each holds the writing end of its lifeline alone: its end is seen by all."""
        lifelines = {name: self._context.Pipe(duplex=False) for name in (*self._names, WINDOW)}
        for memory in self._memories:
            memory.phase = Phase.CLOSED
            memory.beat()
        for me, name in enumerate(self._names):
            ours, theirs = self._context.Pipe()
            heard = {other: pipe[0] for other, pipe in lifelines.items() if other != name}
            links = Links(me, self._names, self._memories, self._stop_line, heard)
            setup = Setup(
                self._rig, name, self._tools, self._nonces.get(name), self._ports.get(name), session_key()
            )
            process = self._context.Process(
                target=serve, args=(setup, links, theirs, lifelines[name][1]), name=f"servo {name}", daemon=True
            )
            process.start()
            theirs.close()
            self._processes[name], self._orders[name] = process, ours
        for name, (reader, writer) in lifelines.items():
            reader.close()
            if name == WINDOW:
                self._lifeline = writer
            else:
                writer.close()

    def _end_processes(self) -> None:
        if self._running():
            self.stop("the program closes")
        processes, orders, lifeline = self._processes, self._orders, self._lifeline
        # other threads may ask for the progress meanwhile: they find nothing that runs
        self._processes, self._orders, self._lifeline = {}, {}, None
        for pipe in orders.values():
            with contextlib.suppress(OSError):
                pipe.send(Close())
        for process in processes.values():
            process.join(CLOSE_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        for pipe in (*orders.values(), *([lifeline] if lifeline is not None else [])):
            pipe.close()

    def _ask(self, order: Order, arms: Iterable[str], timeout: float) -> dict[str, Any]:
        """Send an order to several arms and take all their answers; raise the first refusal after that."""
        arms = list(arms)
        refusals: list[Exception] = []
        found: dict[str, Any] = {}
        for name in arms:
            try:
                self._orders[name].send(order)
            except (KeyError, OSError):
                refusals.append(ArmError(f"{name}: it is not connected; connect first"))
        deadline = time.monotonic() + timeout
        for name in arms if not refusals else []:
            try:
                found[name] = answer(self._orders[name], max(deadline - time.monotonic(), 0.0))
            except TimeoutError:
                refusals.append(ArmError(f"{name}: no answer in {timeout:.0f} s; check cable and power"))
                # a late answer would be taken for the next one
                self._processes[name].kill()
            except (EOFError, OSError):
                refusals.append(ArmError(f"{name}: its servo process has ended; connect again"))
            except (ArmError, ApprovalError) as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]
        return found


def _record(memory: ArmMemory) -> ArmRecord:
    times, joints = memory.rows()
    return ArmRecord(times[:, 0], times[:, 1], times[:, 2], joints[:, 0], joints[:, 1], joints[:, 2])
