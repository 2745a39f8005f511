"""The streaming loop of one servo process: one command a cycle, and in every cycle the stop is looked at first."""

import contextlib
import selectors
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection as Pipe

import numpy as np

from hardware.collision import CollisionModel
from hardware.gate import Gate, Refusal, Sent
from hardware.geometry import Array
from hardware.robots.base import ArmDriver, ArmError
from hardware.robots.realtime import realtime
from hardware.robots.run_memory import ArmMemory, Cause, Phase, StopLine, drain, silent_peers
from hardware.robots.servo_path import ServoPath
from hardware.types import ArmState

HEARTBEAT_S = 0.5
PEER_SILENCE_S = 0.4
LATE_S = 0.3
AHEAD = 3
CLEARANCE_EVERY = 5
SETTLED_RAD, SETTLE_S = 0.005, 2.0
WINDOW, WAKE, ORDER = "the window", "wake", "order"


@dataclass(frozen=True, eq=False)
class Links:
    """How one servo process hears the others.

    me: its number; arms: everybody's memory in the order of names; lifelines: pipes that end when a process does,
    by arm name for the other servo processes and WINDOW for the window's.
    """

    me: int
    names: tuple[str, ...]
    arms: tuple[ArmMemory, ...]
    stop: StopLine
    lifelines: Mapping[str, Pipe]

    @property
    def memory(self) -> ArmMemory:
        return self.arms[self.me]

    def fault(self, words: str) -> None:
        """Stop all arms for a fault of this one."""
        self.stop.stop(self.me + 1, Cause.FAULT, words)

    def silence(self, words: str) -> None:
        """Stop all arms because the window does not answer any more."""
        self.stop.stop(self.me + 1, Cause.STOPPED, words)


class Waiter:
    """Sleeps until a time or until something happens on one of the links, whichever is first."""

    def __init__(self, links: Links, orders: Pipe) -> None:
        self._links, self._orders = links, orders
        self._wake = links.stop.reader(links.me)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, selectors.EVENT_READ, WAKE)
        self._selector.register(orders, selectors.EVENT_READ, ORDER)
        for name, pipe in links.lifelines.items():
            self._selector.register(pipe, selectors.EVENT_READ, name)

    def until(self, t: float) -> str | None:
        """Return None at t [s]; before it WAKE for a stop, ORDER for an order, or whose process has ended: an arm's
        name or WINDOW."""
        events = self._selector.select(max(t - time.monotonic(), 0.0))
        if not events:
            return None
        what = str(events[0][0].data)
        if what == WAKE:
            drain(self._wake)
        elif what in self._links.lifelines:
            # an ended pipe stays readable for ever
            self._selector.unregister(self._links.lifelines[what])
        return what

    @contextlib.contextmanager
    def without_orders(self) -> Iterator[None]:
        """While the arm runs, orders wait: only stops and ends are listened to."""
        self._selector.unregister(self._orders)
        try:
            yield
        finally:
            self._selector.register(self._orders, selectors.EVENT_READ, ORDER)

    def close(self) -> None:
        self._selector.close()


@dataclass(frozen=True, eq=False)
class Job:
    """What was prepared: the path of this arm and its gate."""

    path: ServoPath
    gate: Gate


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


class Streamer:
    """Runs one job. `run` returns when the arm stands: at the end, paused, or stopped."""

    def __init__(self, driver: ArmDriver, links: Links, waiter: Waiter, collision: CollisionModel) -> None:
        self._driver, self._links, self._waiter, self._collision = driver, links, waiter, collision
        self._name = links.names[links.me]
        self._stops = links.stop.stops
        self._measured: ArmState
        self._clearance: float | None = None

    def run(self, job: Job, start_at: float, stops: int) -> bool:
        """Stream from start_at [s, host monotonic]; return whether the path ended (or paused) without a stop.

        stops: the count of stops when the job was prepared; any later one counts.
        """
        self._stops = stops
        memory = self._links.memory
        try:
            self._measured = self._driver.read_state()
            with self._waiter.without_orders(), realtime():
                return self._stream(job, start_at) and self._settle(job, memory.target)
        except ArmError as error:
            self._links.fault(str(error))
        except Exception as error:  # whatever breaks in here must stop the arms first and be told after
            self._links.fault(f"{self._name}: the servo process failed: {type(error).__name__}: {error}")
        self._halt()
        return False

    def _stream(self, job: Job, start_at: float) -> bool:
        path, outlet, k, at, dt = job.path, Outlet(job.gate, self._driver), 0, start_at, job.gate.dt
        while k < len(path):
            if not self._sleep(at):
                return False
            late = time.monotonic() - at
            if late > LATE_S:
                return self._fail(f"{self._name}: the computer was {late * 1e3:.0f} ms late with a command")
            if path.pause_at is None and self._links.stop.pause_at is not None:
                path = replace(path, pause_at=max(self._links.stop.pause_at, k))
                self._links.memory.paused = path.pause_at is not None and path.pause_at < len(path.t)
            # a late cycle is not caught up with: the arms would have to move faster than approved
            at = max(at + dt, time.monotonic())
            if self._ahead(k):
                continue
            command, now = path.command(k), time.monotonic()
            sent = outlet.offer(command, k * dt, self._measured, self._clearance)
            if isinstance(sent, Refusal):
                return self._fail(f"{sent.text} (at {path.plan_time(k):.2f} s of the plan)")
            self._links.memory.record(path.plan_time(k), now, self._measured, command, sent)
            k += 1
            self._look(path, k)
        return True

    def _look(self, path: ServoPath, k: int) -> None:
        """Read the arm, and the clearance of the next few commands before they are sent."""
        self._measured = self._driver.read_state()
        self._links.memory.publish(self._measured)
        if self._measured.error_code:
            raise ArmError(f"{self._name}: the controller reports error {self._measured.error_code}")
        if k % CLEARANCE_EVERY == 1 and k < len(path):
            mine = np.stack([path.command(k), path.command(min(k + CLEARANCE_EVERY, len(path) - 1))])
            self._clearance = self._nearest(mine)

    def _nearest(self, mine: Array) -> float:
        """The nearest distance [m] on the way between two commands (2, J), the other arms where they are told."""
        q = {self._name: mine}
        for name, memory in zip(self._links.names, self._links.arms, strict=True):
            state, target = memory.state(), memory.target
            if name != self._name and state is not None:
                q[name] = np.broadcast_to(state.q if target is None else target, mine.shape)
        return float(self._collision.check(q).nearest.min())

    def _ahead(self, k: int) -> bool:
        """Whether this arm has to wait for a slower one: all of them move on one clock."""
        running = [arm.index for arm in self._links.arms if arm.phase in (Phase.PREPARED, Phase.RUNNING)]
        return k > min(running, default=k) + AHEAD

    def _sleep(self, at: float) -> bool:
        """Wait for the next cycle; False: the arms are to stop, and this one was told so."""
        while True:
            self._links.memory.beat()
            if not self._go_on():
                self._halt()
                return False
            what = self._waiter.until(at)
            if what is None:
                return self._go_on() or self._halt()
            if what == WINDOW:
                self._links.silence("the window's process has ended")
            elif what in self._links.lifelines:
                self._links.fault(f"{what}: its servo process has ended")

    def _go_on(self) -> bool:
        links = self._links
        if links.stop.stops != self._stops:
            return False
        if links.stop.silence > HEARTBEAT_S:
            links.silence(f"the window did not answer for {links.stop.silence * 1e3:.0f} ms")
            return False
        for i in silent_peers(links.arms, links.me, PEER_SILENCE_S):
            links.fault(
                f"{links.names[i]}: its servo process did not answer for {links.arms[i].silence * 1e3:.0f} ms"
            )
            return False
        return True

    def _settle(self, job: Job, target: Array | None) -> bool:
        """Wait until the arm stands at the last command, as long as SETTLE_S."""
        end = time.monotonic() + SETTLE_S
        while target is not None and time.monotonic() < end:
            if not self._sleep(time.monotonic() + job.gate.dt):
                return False
            self._measured = self._driver.read_state()
            self._links.memory.publish(self._measured)
            if self._measured.error_code:
                raise ArmError(f"{self._name}: the controller reports error {self._measured.error_code}")
            if float(np.abs(self._measured.q - target).max()) < SETTLED_RAD:
                return True
        return True

    def _fail(self, words: str) -> bool:
        self._links.fault(words)
        return self._halt()

    def _halt(self) -> bool:
        """Stop this arm; the reason is on the stop line already. Always False."""
        try:
            self._driver.stop()
        except ArmError as error:
            self._links.fault(str(error))
        with contextlib.suppress(ArmError):
            self._links.memory.publish(self._driver.read_state())
        return False
