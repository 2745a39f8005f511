"""The window's process goes before other programs while arms move, where the operating system grants it."""

import contextlib
import os
import sys
import threading

from hardware.robots.realtime import WINDOW_PRIORITY, schedule

# fifteen steps are a factor of about 28 in the share of a busy core (sched(7))
NICER = -15


class Haste:
    """Threads of this process before those of others between `begin` and `end`. Never raises.

    realtime: at a real-time priority below that of the servo processes, where it is granted, else at a better nice
    value. Linux grants both to root and to users with a limit for them (docs/safety.md says how). A nice value is
    not enough for the window: on two busy cores it waited 30 ms and more behind a servo process on one core while
    the simulation, nicer by 25 steps, drew on the other. Without either, a key is heard late on a busy computer.
    """

    def __init__(self, realtime: bool = False) -> None:
        self._lock = threading.Lock()
        self._wanted, self._realtime = realtime, False
        self._nice: int | None = None

    @property
    def on(self) -> bool:
        return self._realtime or self._nice is not None

    def begin(self) -> None:
        """Hurry from now on; safe to call again."""
        with self._lock:
            if self.on or sys.platform != "linux":
                return
            self._realtime = self._wanted and schedule(True, WINDOW_PRIORITY, inherited=False)
            if not self._realtime:
                nice = os.getpriority(os.PRIO_PROCESS, 0)
                if _renice(min(nice, NICER)):
                    self._nice = nice

    def end(self) -> None:
        """Be as others again; safe to call again."""
        with self._lock:
            if self._realtime:
                schedule(False, inherited=False)
            if self._nice is not None:
                _renice(self._nice)
            self._realtime, self._nice = False, None


def _renice(nice: int) -> bool:
    """Give all threads of this process a nice value; return whether that was granted."""
    try:
        for thread in os.listdir("/proc/self/task"):
            # a thread may end while we look at it
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, int(thread), nice)
    except OSError:
        return False
    return True
