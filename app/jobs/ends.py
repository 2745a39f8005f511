"""How a job ended whose process could not say it: by the status of the process, where anybody knows it."""

import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from app.jobs.store import JobState, JobStore
from app.jobs.types import State
from app.worker import OUT_OF_MEMORY

STATUS: Mapping[State, int] = {
    "done": 0,
    "failed": 1,
    "cancelled": 10,
    "paused": 11,
    "queued": 11,
    "interrupted": 12,
}
"""The exit status of a job's process by how it ended."""
_STATES: Mapping[int, State] = {STATUS[state]: state for state in ("done", "cancelled", "paused", "interrupted")}
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_UNKNOWN = "its process ended without a word: it was killed, or the computer went off"
_GO_ON = "resume goes on from what it last saved"


def closed(store: JobStore, folder: Path, state: JobState, at: float | None, status: int | None = None) -> JobState:
    """Return the state of a job whose process is gone. at: when that was, None: when it was last heard of."""
    to, problem = outcome(status, store.control(folder).wanted == "cancel")
    if at is None:
        at = max(store.progress(folder).at, state.started or 0.0)
    return state.closed(to, at, exit=status, problem=problem)


def outcome(status: int | None, cancelled: bool) -> tuple[State, str]:
    """Return how a job ended, and why in words. status: of its process, negative for a signal, None: unknown."""
    if cancelled:
        return "cancelled", ""
    if status is None:
        return "interrupted", f"{_UNKNOWN}; {_GO_ON}"
    if status in _STATES:
        return _STATES[status], ""
    if status >= 0:
        return "failed", f"its process ended with status {status}; its log says why"
    name = _signal_name(-status)
    if -status in _FROM_OUTSIDE:
        by = f" by a person, or for want of memory: {OUT_OF_MEMORY}" if -status == signal.SIGKILL else ""
        return "interrupted", f"its process was ended ({name}){by}; {_GO_ON}"
    return "failed", f"its process crashed ({name}); its log says where; a retry goes on from what it last saved"


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
