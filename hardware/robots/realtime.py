"""Real-time scheduling for the process of a moving arm, where the operating system grants it."""

import contextlib
import os
import sys
from collections.abc import Iterator

PRIORITY = 5
OFF = "DREAMDECK_NO_REALTIME"


@contextlib.contextmanager
def realtime() -> Iterator[bool]:
    """Let all threads of this process go before ordinary ones; yield whether that was granted.

    Round robin at a low real-time priority. Linux grants it to root and to users with an rtprio limit
    (docs/safety.md says how). Elsewhere, and where the environment sets DREAMDECK_NO_REALTIME, nothing changes,
    and a busy computer shows as late commands.
    """
    granted = schedule(True)
    try:
        yield granted
    finally:
        if granted:
            schedule(False)


def schedule(ahead: bool) -> bool:
    """Let all threads of this process go before ordinary ones, or beside them; return whether it was granted."""
    if sys.platform != "linux" or os.environ.get(OFF):
        return False
    policy, priority = (os.SCHED_RR, PRIORITY) if ahead else (os.SCHED_OTHER, 0)
    try:
        for thread in os.listdir("/proc/self/task"):
            # a thread may end while we look at it
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
    except OSError:
        return False
    return True
