"""Talks to a worker script in another environment: a JSON object a line over its pipes, one question at a time.

The worker is a group of processes of its own, so that whatever it starts ends with it. No thread: everything
happens while a question waits for its answer.
"""

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LONGEST_LINE = 4 * 1024 * 1024
TAIL = 2000  # characters of what the worker said on stderr that an error shows
POLL_S = 0.05
CANCEL_GRACE_S, SHUTDOWN_S = 1.0, 2.0


class WorkerError(RuntimeError):
    """The worker said no, broke or does not answer. kind: the worker's own word for it, "" where it had none."""

    def __init__(self, message: str, kind: str = "") -> None:
        self.kind = kind
        super().__init__(message)


class WorkerCancelled(WorkerError):
    """The caller's `cancelled` said True."""


class WorkerLink:
    """One running worker. Use as a context: it is ended however the context ends."""

    def __init__(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start it. Raises WorkerError where it cannot be started."""
        self.name, self._number = name, 0
        self._in, self._said = bytearray(), bytearray()
        try:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerError(f"{name}: {command[0]} cannot be started: {error.strerror}") from error
        self._pipes = [pipe for pipe in (self._process.stdin, self._process.stdout, self._process.stderr) if pipe]
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)

    def __enter__(self) -> "WorkerLink":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, what: str, timeout: float, cancelled: Callable[[], bool] | None = None, **fields: object
    ) -> dict[str, object]:
        """Send a question and return the answer's fields.

        Raises WorkerError where the worker refuses, is silent for `timeout` [s], crashes or does not speak the
        protocol; WorkerCancelled after a cancel. After all but a refusal and an obeyed cancel it is ended.
        """
        self._number += 1
        self._write({"id": self._number, "do": what, **fields})
        deadline, cancel_at = time.monotonic() + timeout, 0.0
        while True:
            answer = self._answer()
            if answer is not None:
                return self._checked(answer, what)
            now = time.monotonic()
            if cancel_at and now > cancel_at + CANCEL_GRACE_S:
                self.kill()
                raise WorkerCancelled(f"{self.name}: cancelled")
            if not cancel_at and cancelled is not None and cancelled():
                self._write({"id": self._number, "do": "cancel"})
                cancel_at = now
            if now > deadline:
                self._give_up(f"no answer to {what!r} within {timeout:g} s")
            # what it started may hold its pipe open: the end of the pipe alone does not tell
            ended = self._process.poll() is not None
            if not self._read() and ended:
                self._give_up("")

    def close(self) -> None:
        """Ask the worker to end, end it if it does not, and leave nothing of it behind. Safe to call twice."""
        if self._process.poll() is None and self._pipes:
            try:
                self._write({"id": 0, "do": "shutdown"})
                self._pipes[0].close()  # end of input: a worker that reads nothing else notices that
                self._process.wait(SHUTDOWN_S)
            except (WorkerError, subprocess.TimeoutExpired):
                pass
        self.kill()

    def kill(self) -> None:
        """End the worker and all that it started, now. Safe to call twice."""
        if self._pipes:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self._process.kill()
            self._process.wait()
        for pipe in self._pipes:
            pipe.close()
        self._pipes = []

    def _checked(self, answer: dict[str, object], what: str) -> dict[str, object]:
        error = answer.get("error")
        if error is None:
            return answer
        said = error if isinstance(error, dict) else {"message": str(error)}
        kind, message = str(said.get("kind", "")), str(said.get("message", "no reason given"))
        if kind == "cancelled":
            raise WorkerCancelled(f"{self.name}: cancelled", kind)
        raise WorkerError(f"{self.name}: {what}: {message}", kind)

    def _write(self, message: Mapping[str, object]) -> None:
        line = json.dumps(message, allow_nan=False).encode() + b"\n"
        deadline = time.monotonic() + SHUTDOWN_S
        while line:
            try:
                line = line[os.write(self._pipes[0].fileno(), line) :]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    self._give_up("it does not read its questions")
                time.sleep(POLL_S)
            except (OSError, IndexError, ValueError):
                self._give_up("")

    def _read(self) -> bool:
        """Take in what the worker said, waiting a moment for it; return whether it said anything."""
        heard = False
        with selectors.DefaultSelector() as ready:
            for pipe, into in zip(self._pipes[1:], (self._in, self._said), strict=False):
                ready.register(pipe, selectors.EVENT_READ, into)
            for key, _ in ready.select(POLL_S):
                chunk = os.read(key.fd, 65536)
                heard |= bool(chunk)
                key.data.extend(chunk)
                if not chunk and key.data is self._in:
                    self._give_up("")
                elif not chunk:
                    self._pipes.pop().close()  # it closed its stderr; that is no fault
        del self._said[:-TAIL]
        if len(self._in) > LONGEST_LINE:
            self._give_up(f"what it says is not the protocol: a line of over {LONGEST_LINE} bytes")
        return heard

    def _answer(self) -> dict[str, object] | None:
        """Return the answer to the last question if it is there; answers to earlier ones are too late."""
        while b"\n" in self._in:
            line, _, rest = bytes(self._in).partition(b"\n")
            self._in[:] = rest
            try:
                message = json.loads(line)
                number = message["id"]
            except (ValueError, TypeError, KeyError, RecursionError):
                self._give_up(f"what it says is not the protocol: {line[:80].decode(errors='replace')!r}")
            if number == self._number:
                return dict(message)
        return None

    def _give_up(self, reason: str) -> None:
        """End the worker and say why, with the last of what it said itself."""
        if not reason:
            try:
                code = self._process.wait(1.0)
                reason = f"it ended unexpectedly ({_ending(code)})"
            except subprocess.TimeoutExpired:
                reason = "it closed its pipe"
        self.kill()
        said = self._said.decode(errors="replace").strip()
        raise WorkerError(f"{self.name}: {reason}" + (f"; it said last: {said[-400:]}" if said else ""))


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
