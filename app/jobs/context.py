"""What the function of a job is given: how to tell how far it is, and what is wanted of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from app.jobs.types import Wanted
from app.worker import Cancel
from app.workspace import Workspace


class Paused(Exception):
    """Raised by a job's function at a safe point after `wanted()` said "pause": all it needs to go on is on the
    disk.

    The job is "paused" then, its process gone and its slot free; resuming calls the function again.
    """


class JobContext(Protocol):
    """One attempt of one job. May be used from several threads of its process.

    folder: the job's own, where it may keep what only it needs; attempt: 1 at first, more when it goes on or is
    tried again: then it goes on from what it finds.
    """

    @property
    def folder(self) -> Path: ...

    @property
    def workspace(self) -> Workspace: ...

    @property
    def attempt(self) -> int: ...

    def report(
        self,
        fraction: float,
        text: str = "",
        *,
        left_s: float | None = None,
        values: Mapping[str, float] | None = None,
    ) -> None:
        """Say how far it is, as often as it likes; time left is reckoned from the fraction where it is not
        given."""
        ...

    def wanted(self) -> Wanted:
        """Return "run", "pause" (save, then raise Paused) or "cancel" (tidy up, then raise Cancel)."""
        ...

    def cancelled(self) -> bool:
        """Whether "cancel" is wanted; for functions that know only that."""
        ...


JobFunction = Callable[[Mapping[str, object], JobContext], Mapping[str, object] | None]
"""Gets the spec's arguments; returns JSON values for JobRecord.result. What it raises is the job's problem."""


def stop_if_wanted(job: JobContext) -> None:
    """At a safe point: raise Paused or Cancel where that is wanted."""
    wanted = job.wanted()
    if wanted == "pause":
        raise Paused
    if wanted == "cancel":
        raise Cancel
