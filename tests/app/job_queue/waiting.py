"""Waiting for what other processes do."""

import time
from collections.abc import Callable

from app.jobs.jobs import Jobs
from app.jobs.types import JobRecord, JobSpec

LONGEST_S = 240.0  # a busy machine takes long to start a process; what is wrong fails at once


def until(jobs: Jobs, id: str, fulfilled: Callable[[JobRecord], bool]) -> JobRecord:
    """Return the record of a job once it is so; it fails with what it is instead."""
    deadline = time.monotonic() + LONGEST_S
    while not fulfilled(record := jobs.record(id)):
        assert time.monotonic() < deadline, f"{record}\n{jobs.log_tail(id)}"
        time.sleep(0.03)
    return record


def ended(record: JobRecord) -> bool:
    return record.state not in ("queued", "running")


def counting(steps: int = 1, step_s: float = 0.0, **more: object) -> JobSpec:
    return JobSpec("count", f"Count to {steps}", {"steps": steps, "step_s": step_s, **more})


def settled(record: JobRecord) -> bool:
    """Whether its supervisor has seen how its process ended."""
    return ended(record) and record.exit is not None
