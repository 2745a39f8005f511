"""The streaming loop of one servo process: one command a cycle, and in every cycle the stop is looked at first."""

import time
from dataclasses import dataclass, replace

import numpy as np

from hardware.gate import Gate, Refusal, Sent
from hardware.geometry import Array
from hardware.giving_way import LATE_S, Aside, GivingWay
from hardware.robots.base import ArmDriver, ArmError
from hardware.robots.run_memory import Phase
from hardware.robots.servo_path import ServoPath
from hardware.robots.servo_watch import Watch
from hardware.types import ArmState

AHEAD = 3
CLEARANCE_EVERY = 5
SETTLED_RAD, SETTLE_S = 0.005, 2.0


@dataclass(frozen=True, eq=False)
class Job:
    """What was prepared: the path of this arm, its gate, and how it gives way (None: not at all)."""

    path: ServoPath
    gate: Gate
    giving: GivingWay | None = None


class Outlet:
    """The one way to the wire: a command that the gate refuses never gets to the driver."""

    def __init__(self, gate: Gate, driver: ArmDriver) -> None:
        self._gate, self._driver = gate, driver
        self._previous: Sent | None = None

    def offer(self, q: Array, t: float, measured: ArmState, clearance: float | None = None) -> Array | Refusal:
        """Send q (J,) [rad] for time t [s] and return what was really sent, or why it was not. Raises ArmError."""
        admitted = self._gate.admit(self._previous, q, t, measured, clearance)
        if isinstance(admitted, Refusal):
            return admitted
        sent = self._driver.send_joints(admitted.q)
        self._previous = admitted
        return sent


class Streamer(Watch):
    """Runs one job. `run` returns when the arm stands: at the end, paused, or stopped."""

    _clearance: float | None = None

    def run(self, job: Job, start_at: float) -> bool:
        """Stream from start_at [s, host monotonic]; return whether the path ended (or paused) without a stop."""
        return self.guarded(lambda: self._stream(job, start_at) and self._settle(job, self.links.memory.target))

    def _stream(self, job: Job, start_at: float) -> bool:
        path, outlet, k, at, dt = job.path, Outlet(job.gate, self.driver), 0, start_at, job.gate.dt
        aside, late = Aside.none(), round(LATE_S / dt)
        while k < len(path) or (not aside.back and k < len(path) + late):
            if not self.in_time(at):
                return False
            if path.pause_at is None and self.links.stop.pause_at is not None:
                path = replace(path, pause_at=max(self.links.stop.pause_at, k))
                self.links.memory.paused = path.pause_at is not None and path.pause_at < len(path.t)
            # a late cycle is not caught up with: the arms would have to move faster than approved
            at = max(at + dt, time.monotonic())
            if self._ahead(k):
                continue
            planned, now = path.command(k), time.monotonic()
            aside, command = self._beside(job.giving, aside, planned)
            if aside.spent:
                return self.fail(_in_the_way(self.name, aside))
            sent = outlet.offer(command, k * dt, self.measured, self._clearance)
            if isinstance(sent, Refusal):
                return self.fail(f"{sent.text} (at {path.plan_time(k):.2f} s of the plan)")
            self.links.memory.record(path.plan_time(k), now, self.measured, command, sent)
            k += 1
            self.look()
            if k % CLEARANCE_EVERY == 1 and (k < len(path) or not aside.back):
                # of the next few commands before they are sent
                few = np.stack([path.command(k), path.command(min(k + CLEARANCE_EVERY, len(path) - 1))])
                self._clearance = self.nearest(few + command - planned)
        return True

    def _beside(self, giving: GivingWay | None, aside: Aside, q: Array) -> tuple[Aside, Array]:
        """Where the tip is beside its path now, and the command (J,) that holds it there; q (J,): of the path."""
        if giving is None:
            return aside, q
        if self.measured.wrench is None:
            raise ArmError(f"{self.name}: it does not tell the force at its tool any more; check its sensor")
        aside = giving.step(aside, q, self.measured.wrench)
        return aside, giving.beside(q, aside)

    def _ahead(self, k: int) -> bool:
        """Whether this arm has to wait for a slower one: all of them move on one clock."""
        running = [arm.index for arm in self.links.arms if arm.phase in (Phase.PREPARED, Phase.RUNNING)]
        return k > min(running, default=k) + AHEAD

    def _settle(self, job: Job, target: Array | None) -> bool:
        """Wait until the arm stands at the last command, as long as SETTLE_S."""
        end = time.monotonic() + SETTLE_S
        while target is not None and time.monotonic() < end:
            if not self.sleep(time.monotonic() + job.gate.dt):
                return False
            self.look()
            if float(np.abs(self.measured.q - target).max()) < SETTLED_RAD:
                return True
        return True


def _in_the_way(arm: str, aside: Aside) -> str:
    gave, force = f"{aside.distance * 1e3:.0f} mm", f"{float(np.linalg.norm(aside.force)):.0f} N"
    return f"{arm}: it gave way by {gave} and still feels {force}; look what is in its way, then plan again"
