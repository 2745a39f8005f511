"""Real-time scheduling while an arm moves, for its process and for the window, where the operating system grants
it."""

import contextlib
import os
import sys
from collections.abc import Iterator

# commands go before the window, and the window before everything that is not about moving arms
PRIORITY, WINDOW_PRIORITY = 5, 1
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


def schedule(ahead: bool, priority: int = PRIORITY, inherited: bool = True) -> bool:
    """Let all threads of this process go before ordinary ones, or beside them; return whether it was granted.

    inherited False: threads and processes that they start are ordinary ones; then it must be so for both ways.
    """
    if sys.platform != "linux" or os.environ.get(OFF):
        return False
    policy, priority = (os.SCHED_RR, priority) if ahead else (os.SCHED_OTHER, 0)
    if not inherited:
        policy |= os.SCHED_RESET_ON_FORK  # which an ordinary user may not take back
    try:
        for thread in os.listdir("/proc/self/task"):
            # a thread may end while we look at it
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(int(thread), policy, os.sched_param(priority))
    except OSError:
        return False
    return True
