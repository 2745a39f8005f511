"""How a servo process hears the others while its arm moves: stops, ends of processes, silences. Stop is first."""

import contextlib
import selectors
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

import numpy as np

from hardware.collision import CollisionModel
from hardware.geometry import Array
from hardware.robots.base import ArmDriver, ArmError
from hardware.robots.hold_line import HoldLine
from hardware.robots.realtime import realtime
from hardware.robots.run_memory import ArmMemory, Cause, StopLine, drain, silent_peers
from hardware.types import ArmState

HEARTBEAT_S = 0.5
PEER_SILENCE_S = 0.4
LATE_S = 0.3
WINDOW, WAKE, ORDER = "the window", "wake", "order"


@dataclass(frozen=True, eq=False)
class Links:
    """How one servo process hears the others.

    me: its number; arms: everybody's memory in the order of names; lifelines: pipes that end when a process does,
    by arm name for the other servo processes and WINDOW for the window's; hold: what a person asks for who holds a
    control.
    """

    me: int
    names: tuple[str, ...]
    arms: tuple[ArmMemory, ...]
    stop: StopLine
    lifelines: Mapping[str, Pipe]
    hold: HoldLine

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


class Watch:
    """The part of every motion that listens. stops: the count of stops when the motion was asked for; any later one
    ends it. `measured` is what the arm said last."""

    measured: ArmState

    def __init__(
        self, driver: ArmDriver, links: Links, waiter: Waiter, collision: CollisionModel, stops: int
    ) -> None:
        self.driver, self.links, self.waiter = driver, links, waiter
        self._collision, self._stops = collision, stops
        self.name = links.names[links.me]

    def guarded(self, motion: Callable[[], bool]) -> bool:
        """Move, at real-time priority and deaf to orders; return whether it ended without a stop."""
        try:
            self.look()
            with self.waiter.without_orders(), realtime():
                return motion()
        except ArmError as error:
            self.links.fault(str(error))
        except Exception as error:  # whatever breaks in here must stop the arms first and be told after
            self.links.fault(f"{self.name}: the servo process failed: {type(error).__name__}: {error}")
        return self.halt()

    def in_time(self, at: float) -> bool:
        """Wait for the next cycle; False: the arms were stopped, or the computer is too late to go on."""
        if not self.sleep(at):
            return False
        late = time.monotonic() - at
        if late > LATE_S:
            return self.fail(f"{self.name}: the computer was {late * 1e3:.0f} ms late with a command")
        return True

    def look(self) -> None:
        """Read the arm and publish it. Raises ArmError where it is in error."""
        self.measured = self.driver.read_state()
        self.links.memory.publish(self.measured)
        if self.measured.error_code:
            raise ArmError(f"{self.name}: the controller reports {self.measured.error}")

    def nearest(self, mine: Array) -> float:
        """The nearest distance [m] on the way between two commands (2, J), the other arms where they are told."""
        q = {self.name: mine}
        for name, memory in zip(self.links.names, self.links.arms, strict=True):
            state, target = memory.state(), memory.target
            if name != self.name and state is not None:
                # an arm of another make has another number of joints
                other = state.q if target is None else target
                q[name] = np.broadcast_to(other, (len(mine), len(other)))
        return float(self._collision.check(q).nearest.min())

    def sleep(self, at: float) -> bool:
        """Wait for the next cycle; False: the arms are to stop, and this one was told so."""
        while True:
            self.links.memory.beat()
            if not self.go_on():
                self.halt()
                return False
            what = self.waiter.until(at)
            if what is None:
                return self.go_on() or self.halt()
            if what == WINDOW:
                self.links.silence("the window's process has ended")
            elif what in self.links.lifelines:
                self.links.fault(f"{what}: its servo process has ended")

    def go_on(self) -> bool:
        links = self.links
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

    def fail(self, words: str) -> bool:
        self.links.fault(words)
        return self.halt()

    def halt(self) -> bool:
        """Stop this arm; the reason is on the stop line already. Always False."""
        try:
            self.driver.stop()
        except ArmError as error:
            self.links.fault(str(error))
        with contextlib.suppress(ArmError):
            self.links.memory.publish(self.driver.read_state())
        return False
