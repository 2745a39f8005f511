"""The other end of ur_link.py: starts that process, asks it with a deadline, and ends it whatever it hangs in."""

import contextlib
import logging
import socket
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from hardware.robots.base import ArmError

log = logging.getLogger(__name__)
ROOT = Path(__file__).parent.parent.parent
CLOSE_S = 1.5
_PROGRAM = "import sys; sys.path.insert(0, {root!r}); from hardware.robots.ur_link import serve; serve({fd})"


class NoAnswer(ArmError):
    """The answer did not come in time."""


class UrProcess:
    """One process with ur-rtde. `ask` comes from one thread. title names the arm in every message."""

    def __init__(self, title: str) -> None:
        self._title, self._number = title, 0
        # what ur-rtde prints: for the log, once the process has ended
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        ours, theirs = socket.socketpair()
        with theirs:
            fd = theirs.fileno()
            program = _PROGRAM.format(root=str(ROOT), fd=fd)
            # the title is for those who look at a list of processes
            self._process = subprocess.Popen(
                [sys.executable, "-c", program, title],
                pass_fds=(fd,),
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
            )
        self._pipe: Pipe[Any, Any] = Pipe(ours.detach())

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, timeout: float, name: str, *arguments: Any) -> Any:
        """Return the answer. Raises NoAnswer after timeout [s], ArmError where it was not done or the link lost."""
        self._send(name, arguments)
        return self.answer(timeout)

    def answer(self, timeout: float) -> Any:
        """Wait for the answer to the newest request; older ones that come late are left out."""
        deadline = time.monotonic() + timeout
        try:
            while self._pipe.poll(max(deadline - time.monotonic(), 0.0)):
                number, done, value = self._pipe.recv()
                if number != self._number:
                    continue
                if done:
                    return value
                raise ArmError(f"{self._title}: it could not {value}")
        except (EOFError, OSError) as error:
            raise self._lost() from error
        raise NoAnswer(f"{self._title}: it does not answer within {timeout:.2f} s; check cable and power")

    def close(self, politely: bool = True) -> None:
        """End the process; safe to call twice."""
        if politely and self._process.poll() is None:
            with contextlib.suppress(ArmError):
                self.ask(CLOSE_S, "close")
        with contextlib.suppress(OSError):
            self._pipe.close()
        try:
            self._process.wait(0.2 if politely else 0.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._tell()

    def _send(self, name: str, arguments: tuple[Any, ...]) -> None:
        self._number += 1
        try:
            self._pipe.send((self._number, name, arguments))
        except (OSError, ValueError) as error:
            raise self._lost() from error

    def _lost(self) -> ArmError:
        return ArmError(f"{self._title}: the link was lost (ur-rtde ended); check cable and power, then connect")

    def _tell(self) -> None:
        if not self._printed.closed:
            self._printed.seek(0)
            for line in self._printed.read().decode("utf-8", "replace").splitlines()[-20:]:
                log.info("SDK: %s", line)
            self._printed.close()
