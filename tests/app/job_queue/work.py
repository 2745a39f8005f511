"""Kinds of jobs that take no time, or too much, or their own life."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.jobs.context import JobContext, Paused
from app.jobs.kinds import Argument, KindRow
from app.worker import Cancel

TABLE = "tests.app.job_queue.work:KINDS"
STEPS = (
    Argument("steps", "whole number", "how many"),
    Argument("step_s", "number", "how long each takes [s]"),
    Argument("out", "new path", "a file with a line for each attempt"),
)


def count(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Count steps; a pause keeps how far it came."""
    saved = job.folder / "step.txt"
    begun = int(saved.read_text()) if saved.exists() else 0
    if "out" in arguments:
        with open(arguments["out"], "a") as out:
            out.write(f"{job.folder.name} attempt {job.attempt} from {begun}\n")
    steps = arguments.get("steps", 1)
    for step in range(begun, steps):
        time.sleep(arguments.get("step_s", 0.0))
        job.report((step + 1) / steps, f"step {step + 1}", values={"step": step + 1.0})
        saved.write_text(str(step + 1))
        if job.wanted() == "pause":
            raise Paused
        if job.wanted() == "cancel":
            raise Cancel
    return {"counted": steps}


def fail(_: Mapping[str, Any], job: JobContext) -> None:
    print("so far so good", flush=True)
    raise ValueError("left.obj: units: these are millimetres")


def want_memory(_: Mapping[str, Any], job: JobContext) -> None:
    raise MemoryError


def crash(_: Mapping[str, Any], job: JobContext) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave_a_child(arguments: Mapping[str, Any], job: JobContext) -> None:
    """Start a process, and be killed."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(arguments["out"]).write_text(str(child.pid))
    os.kill(os.getpid(), signal.SIGKILL)


def deaf(_: Mapping[str, Any], job: JobContext) -> None:
    job.report(0.1, "waiting")
    time.sleep(60)


KINDS: Mapping[str, KindRow] = {
    row.kind: row
    for row in (
        KindRow("count", "Count", "", f"{__name__}:count", STEPS),
        KindRow("fail", "Fail", "", f"{__name__}:fail", ()),
        KindRow("want_memory", "Want memory", "", f"{__name__}:want_memory", ()),
        KindRow("crash", "Crash", "", f"{__name__}:crash", ()),
        KindRow("leave_a_child", "Leave a child", "", f"{__name__}:leave_a_child", STEPS),
        KindRow("deaf", "Deaf", "", f"{__name__}:deaf", (), grace_s=0.2),
        KindRow("anywhere", "Anywhere", "", f"{__name__}:deaf", (), pauses="anywhere"),
        KindRow("never", "Never", "", f"{__name__}:deaf", (), pauses="never"),
    )
}
