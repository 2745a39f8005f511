"""All arms of a rig seen from the window's process: one servo process per arm, one stop, one start instant."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hardware.connection import Connection
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.robots.base import ArmError
from hardware.robots.jog import FRAMES, Frame, Jog
from hardware.robots.orders import ClearError, Connect, Enable, HeldBy, Hold, Prepare, Start
from hardware.robots.priority import Haste
from hardware.robots.run_memory import Cause, Phase
from hardware.robots.run_result import ArmRecord, End, Progress, RunResult, RunState, record_of
from hardware.robots.servo_hold import LAPSED
from hardware.robots.servo_processes import ServoProcesses
from hardware.safety import Approval, ApprovalError, MotionGrant, check_approval, check_grant, release, renew_grant
from hardware.types import ArmState, Plan, Tool, require

__all__ = ["ArmGroup", "ArmRecord", "End", "HoldState", "Jog", "Progress", "RunResult", "RunState"]

ANSWER_S = 20.0
START_DELAY_S = 0.15
PAUSE_MARGIN = 5
LET_GO_S = 1.0


@dataclass(frozen=True)
class HoldState:
    """What has become of the control that a person holds. arm: which one it moves, "" before the first hold.

    "none": nothing is held; "beginning": the arm gets ready; "following": message says why it does not go where it
    is asked to, if it does not; "over": message says why where it was not let go; hold again to go on.
    """

    state: Literal["none", "beginning", "following", "over"]
    arm: str = ""
    message: str = ""


class ArmGroup:
    """Owner of the servo processes. What a window calls all the time never waits: `heartbeat`, `stop`, `pause`,
    `states`, `progress`, `records`, `jog`, `release_hold`, `hold_state`.

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
        self._rig = rig
        self._servos = ServoProcesses(rig, tools, nonces or {}, control_ports or {})
        self._haste = Haste(realtime=True)
        self._grant: MotionGrant | None = None
        self._holds, self._held_arm, self._hold_begun, self._hold_failed = 0, "", False, ""
        self._openings: dict[str, float] = {}
        self._gripping = ""
        self._connections: dict[str, Connection] = {}
        self._prepared: tuple[Plan, Approval] | None = None
        self._plan: Plan | None = None

    def connect(self, timeout: float = 30.0) -> Mapping[str, Connection]:
        """Start the servo processes where they do not run yet and connect every arm.

        Return every arm's connection by name: limits read back, our kinematics against the controller's, whether it
        is a verified emulator, and a fresh id that voids approvals given before. Raises ArmError.
        """
        self._connections, self._prepared = {}, None
        self.release_hold()
        if not self._servos.all_alive:
            self._end_processes()
            self._servos.begin()
        self._connections = self._servos.ask(Connect(), self._servos.names, timeout)
        told = {name: connection.opening for name, connection in self._connections.items()}
        self._openings, self._gripping = {n: x for n, x in told.items() if x is not None}, ""
        return self.connections

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The live connections: what `safety.approve_plan` takes. Empty before connect."""
        return dict(self._connections)

    def states(self) -> Mapping[str, ArmState]:
        """The newest state of every arm (about 50 Hz while idle, every cycle while moving)."""
        found = {name: memory.state() for name, memory in self._servos.by_name()}
        return {name: state for name, state in found.items() if state is not None}

    def commands(self) -> Mapping[str, Array]:
        """The newest joint command (J,) [rad] of every arm that a plan or a held control moves. Never waits."""
        moving = (memory for memory in self._servos.by_name() if memory[1].phase in (Phase.RUNNING, Phase.HELD))
        return {name: target for name, memory in moving if (target := memory.target) is not None}

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
        self._servos.stop_line.reset()
        order = Prepare(plan, approval, scene, self._servos.stop_line.stops)
        self._servos.ask(order, [arm.arm for arm in plan.arms], ANSWER_S)
        self._prepared = plan, approval

    def start(self) -> None:
        """All arms run what was prepared, from one shared instant. Raises ApprovalError where that expired."""
        self._refuse_running()
        if self._prepared is None:
            raise ApprovalError("nothing is prepared; approve a plan and prepare it first")
        (plan, approval), self._prepared = self._prepared, None
        if not time.monotonic() < approval.expires_at:
            raise ApprovalError("the approval expired before the start; approve again")
        self._haste.begin()
        self.heartbeat()
        self._plan = plan
        at = time.monotonic() + START_DELAY_S
        for name in (arm.arm for arm in plan.arms):
            self._servos.send(name, Start(at))
        self._await_start([arm.arm for arm in plan.arms], at)

    def stop(self, reason: str = "a person pressed Stop") -> None:
        """Stop all arms now. Never raises, never waits."""
        self._servos.stop_line.stop(0, Cause.STOPPED, reason)

    def pause(self) -> None:
        """Slow to a stand on the path, all arms from the same sample on; the run then ends as "paused"."""
        if self._running() and self._servos.stop_line.pause_at is None:
            furthest = max(memory.index for memory in self._servos.memories if memory.phase == Phase.RUNNING)
            self._servos.stop_line.pause(furthest + PAUSE_MARGIN)

    def resume(self, plan: Plan, approval: Approval, *, scene: str = "") -> None:
        """Prepare and start the rest: a plan from where the arms stand now, freshly approved."""
        self.prepare(plan, approval, scene=scene)
        self.start()

    def heartbeat(self) -> None:
        """Say that the window's thread lives: 500 ms of silence stops moving arms."""
        self._servos.stop_line.heartbeat()

    def progress(self) -> Progress:
        """Where the run is, or how it ended."""
        if self._plan is None:
            state: RunState = "prepared" if self._prepared else "idle" if self._connections else "closed"
            return Progress(state, 0.0, 0.0 if self._prepared is None else self._prepared[0].duration)
        if self._running():
            self._watch()
        at, duration = self._plan_time(), self._plan.duration
        if self._running():
            return Progress("running" if self._servos.stop_line.pause_at is None else "pausing", at, duration)
        if self._prepared is not None:
            return Progress("prepared", 0.0, self._prepared[0].duration)
        self._haste.end()
        end, message = self._end()
        return Progress("ended", at, duration, end, message)

    def records(self) -> Mapping[str, ArmRecord]:
        """What every arm of the plan was told and did so far in this run, for live curves."""
        arms = () if self._plan is None else tuple(arm.arm for arm in self._plan.arms)
        return {name: record_of(memory) for name, memory in self._servos.by_name() if name in arms}

    def result(self) -> RunResult | None:
        """The run that ended last; None while one runs or before the first."""
        progress = self.progress()
        if progress.end is None:
            return None
        return RunResult(progress.end, progress.message, progress.plan_time, self.records())

    def clear_errors(self) -> None:
        """Clear every arm's error. Raises ArmError where the cause is still there."""
        self._refuse_running()
        self._servos.ask(ClearError(), self._servos.names, ANSWER_S)

    def enable(self, arm: str) -> None:
        """Switch an arm's motors on; it does not move. Raises ArmError where an error is to be cleared first."""
        self._refuse_running()
        self._servos.ask(Enable(), [arm], ANSWER_S)

    def hold_to_jog(self, arm: str, grant: MotionGrant) -> None:
        """Begin to follow `jog`, from `safety.grant_motion` for the connected arms and by the rules of its limits.

        Waits until the arm is ready: some 20 ms, or up to a second where its limits are read back first. Call it in
        the background, and `jog` from the window's thread meanwhile, or the grant lapses. Raises ApprovalError,
        ArmError; nothing moved then.
        """
        self._begin_hold(arm, grant, "jog")

    def hold_to_guide(self, arm: str, grant: MotionGrant) -> None:
        """As hold_to_jog, but the arm is led by hand (freedrive) until `release_hold`; renew with `jog(None)`."""
        self._begin_hold(arm, grant, "hand")

    def hold_to_grip(self, arm: str, grant: MotionGrant, opening: float) -> None:
        """As hold_to_jog, but only the gripper goes to an opening, 0 closed to 1 open; renew with `jog(None)`.

        The hold is over once it is there, or something is between its jaws; `release_hold` before stops it.
        """
        self._begin_hold(arm, grant, "grip", opening)

    def openings(self) -> Mapping[str, float]:
        """How far every gripper was open when it last said so, 0 closed to 1, by arm. Never waits."""
        told = self._servos.hold.opening
        if told is not None and self._gripping in self._openings:
            self._openings[self._gripping] = told
        return dict(self._openings)

    def jog(self, wanted: Jog | None) -> None:
        """Say every 30 ms or so, while the control is held, which way to go; None: stand, but the hold goes on.

        Each call renews the grant. After 80 ms without one the arm stands; after 0.3 s the hold is over. Tip speed
        is at most the granted one, the arm's limit, and what can be stopped in time (0.09 m/s at 2 m/s^2); where a
        limit or an obstacle is near the arm stands and `hold_state` says why. Never waits. Raises ValueError for a
        frame that is not known.
        """
        if self._grant is None:
            return
        frame, velocity = self._in_arm(wanted) if wanted is not None else ("base", np.zeros(6))
        try:
            self._grant = renew_grant(self._grant, time.monotonic())
        except ApprovalError:
            self._hold_failed = LAPSED
            self.release_hold()
            return
        self._servos.hold.renew(self._grant, frame, velocity)

    def release_hold(self) -> None:
        """The control was let go: the arm stands within 0.1 s. Never raises or waits, may be called at any time."""
        self._servos.hold.release()
        grant, self._grant = self._grant, None
        if grant is not None:
            release(grant)
            self._haste.end()

    def hold_state(self) -> HoldState:
        """What has become of the control that is held. Never waits."""
        line, reason = self._servos.hold, self._servos.stop_line.reason()
        if not self._held_arm:
            return HoldState("none")
        if self._hold_failed:
            return HoldState("over", self._held_arm, self._hold_failed)
        if self._hold_begun and (line.is_over or not self._servos.all_alive):
            self.release_hold()
            return HoldState("over", self._held_arm, reason.words if reason else line.words)
        return HoldState("following" if self._hold_begun else "beginning", self._held_arm, line.words)

    def held_record(self) -> ArmRecord | None:
        """What the arm that is held, or was last, was told and did: its first 20,000 commands. None before."""
        return next((record_of(memory) for name, memory in self._servos.by_name() if name == self._held_arm), None)

    def close(self) -> None:
        """Stop, disconnect and end the servo processes; safe to call twice."""
        self._end_processes()
        self._connections, self._prepared = {}, None

    def __enter__(self) -> "ArmGroup":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> bool:
        return self._servos.moving(Phase.RUNNING)

    def _refuse_running(self) -> None:
        if self._running():
            raise ArmError("the arms are running; stop or pause first")
        deadline = time.monotonic() + LET_GO_S
        while self._grant is None and self._servos.moving(Phase.HELD) and time.monotonic() < deadline:
            time.sleep(0.005)
        if self._servos.moving(Phase.HELD):
            raise ArmError("an arm is being moved by a held control; let go first")

    def _watch(self) -> None:
        """The servo processes watch each other; the last one left has nobody but the window."""
        if self._servos.dead and self._servos.stop_line.reason() is None:
            words = f"{self._servos.dead[0]}: its servo process has ended"
            self._servos.stop_line.stop(0, Cause.FAULT, words)

    def _plan_time(self) -> float:
        """[s] of the slowest arm."""
        times = [float(record.plan_time[-1]) for record in self.records().values() if len(record.plan_time)]
        return min(times) if len(times) == len(self.records()) and times else 0.0

    def _end(self) -> tuple[End, str]:
        reason = self._servos.stop_line.reason()
        if reason is not None:
            return ("stopped" if reason.cause == Cause.STOPPED else "fault"), reason.words
        dead = self._servos.dead
        if dead or not self._servos.started:
            return "fault", f"{', '.join(dead) or 'all'}: its servo process has ended"
        if any(memory.paused for memory in self._servos.memories):
            return "paused", "paused on the path"
        return "done", "the plan ran to its end"

    def _await_start(self, arms: Iterable[str], at: float) -> None:
        """Return when every arm has begun (or has ended already), so that `progress` tells of this run."""
        deadline = at + START_DELAY_S
        waiting = {name: memory for name, memory in self._servos.by_name() if name in set(arms)}
        while time.monotonic() < deadline and any(m.phase == Phase.PREPARED for m in waiting.values()):
            time.sleep(0.002)

    def _end_processes(self) -> None:
        self.release_hold()
        if self._running() or self._servos.moving(Phase.HELD):
            self.stop("the program closes")
        self._servos.end()
        self._haste.end()

    def _begin_hold(self, arm: str, grant: MotionGrant, by: HeldBy, opening: float = 0.0) -> None:
        self._refuse_running()
        if arm not in self._connections:
            raise ApprovalError(f"{arm}: it is not connected; connect first")
        check_grant(grant, self._connections[arm], time.monotonic())
        self._prepared = self._plan = None
        self._servos.stop_line.reset()
        self._holds += 1
        self._held_arm, self._hold_begun, self._hold_failed = arm, False, ""
        self.openings()
        self._gripping = arm if by == "grip" else ""
        self._servos.hold.begin(self._holds, grant)
        self._grant = grant
        self._haste.begin()
        self.heartbeat()
        try:
            self._servos.ask(Hold(self._holds, grant, by, self._servos.stop_line.stops, opening), [arm], ANSWER_S)
        except (ArmError, ApprovalError) as error:
            self._hold_failed = str(error)
            self.release_hold()
            raise
        self._hold_begun = True

    def _in_arm(self, jog: Jog) -> tuple[Frame, Array]:
        """A camera's axes become the base's; the other frames the servo process knows itself."""
        for frame in FRAMES:
            if jog.frame == frame:
                return frame, jog.velocity
        cameras = {config.camera.name: config.camera for config in self._rig.cameras}
        T_world_cam = cameras[jog.frame].T_world_cam if jog.frame in cameras else None
        if T_world_cam is None:
            placed = [name for name, camera in cameras.items() if camera.T_world_cam is not None]
            raise ValueError(f"jog: frame {jog.frame!r} is not one of {[*FRAMES, *placed]}")
        R = self._rig.arm(self._held_arm).T_world_base[:3, :3].T @ T_world_cam[:3, :3]
        return "base", np.concatenate([R @ jog.velocity[:3], R @ jog.velocity[3:]])
