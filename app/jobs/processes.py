"""Processes that outlive who started them, and that are known by the lock they hold as long as they live.

The lock is taken by who starts the process and inherited by it: there is no moment in which nobody holds it, so two
windows can never start the same thing twice. The system lets go of it when the process ends, however it ends.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = Path(__file__).parent.parent.parent


def start_holding(
    lock: Path, module: str, arguments: Sequence[str], log: Path, more: Mapping[str, str], wait_s: float = 2.0
) -> subprocess.Popen[bytes] | None:
    """Start `python -m module arguments.. HANDLE` in a session of its own, in the folder of the lock, its output at
    the end of `log`; None where another process holds the lock. more: of its environment. Raises OSError."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not take(handle, wait_s):
            return None
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", module, *arguments, str(handle)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=lock.parent,
                env=_environment(more),
                pass_fds=(handle,),
                start_new_session=True,
            )
    finally:
        os.close(handle)


def keep_inherited(handle: int) -> None:
    """Hold the lock for this very process: what it starts or forks does not hold it after its end."""
    os.set_inheritable(handle, False)
    os.register_at_fork(after_in_child=lambda: os.close(handle))


def take(handle: int, timeout_s: float, *, shared: bool = False) -> bool:
    """Lock an open file; False where others hold it for longer."""
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)


def held(path: Path) -> bool:
    """Whether a process holds the lock of this file."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not take(handle, 0.0, shared=True)
    finally:
        os.close(handle)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    path = os.environ.get("PYTHONPATH")
    found = {"PYTHONPATH": os.pathsep.join([str(PROGRAM), *([path] if path else [])]), "PYTHONUNBUFFERED": "1"}
    return {"OPENBLAS_NUM_THREADS": "1", **os.environ, **found, **more}
