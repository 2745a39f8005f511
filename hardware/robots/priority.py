"""The window's process goes before other programs while arms move, where the operating system grants it."""

import contextlib
import os
import sys
import threading

# fifteen steps are a factor of about 28 in the share of a busy core (sched(7)); real-time priority is the servo's
NICER = -15


class Haste:
    """Threads of this process at a better nice value between `begin` and `end`. Never raises.

    Linux grants it to root and to users with a limit for nice (docs/safety.md says how). Without it a window on a
    busy computer hears a key late.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before: int | None = None

    @property
    def on(self) -> bool:
        return self._before is not None

    def begin(self) -> None:
        """Hurry from now on; safe to call again."""
        with self._lock:
            if self._before is None and sys.platform == "linux":
                before = os.getpriority(os.PRIO_PROCESS, 0)
                if _renice(min(before, NICER)):
                    self._before = before

    def end(self) -> None:
        """Be as others again; safe to call again."""
        with self._lock:
            before, self._before = self._before, None
            if before is not None:
                _renice(before)


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
