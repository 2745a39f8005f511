"""One execution from approval to record. The methods here wait for arms and disks: background thread only."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.execution.rig_link import RigLink
from app.execution.run_folder import RunFolder, new_run, write_end
from app.execution.run_recorder import RunRecorder, facts_of, problem_of
from app.ledger import Ledger, LedgerError
from app.provenance import record_end, record_run
from hardware.robots.arm_group import RunResult
from hardware.robots.base import ArmError
from hardware.safety import ApprovalError, PlanApproval
from hardware.types import Plan

End = Literal["ready", "stopped", "fault"]
RESULT_TIMEOUT_S = 2.0
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Run:
    """What is run, on what, and what has become of it. stopped: set by whoever wants no motion any more."""

    plan: Plan
    approval: PlanApproval
    link: RigLink
    runs: Path
    ledger: Ledger
    plan_parent: str
    stopped: threading.Event
    folder: RunFolder | None = None
    id: str = ""
    recorder: RunRecorder | None = None
    started: bool = False
    ended: bool = False
    unsaved: list[Callable[[], None]] = field(default_factory=list)

    def finish(self) -> str:
        """Write the curves and the end, finish the recording; return what went wrong with that, for a person."""
        problem, recorded = self._stop_recorder()
        result = self._result()
        if self.folder is None or result is None:
            return problem
        folder, ledger = self.folder, self.ledger
        # each by itself: a full disk in one place must not keep the others from knowing
        self.unsaved = [
            lambda: folder.write_curves(result.arms),
            lambda: write_end(folder, result, problem, recorded),
            lambda: record_end(ledger, self.id, result.end, result.message, result.plan_time),
        ]
        return f"{problem} {self.save()}".strip()

    def save(self) -> str:
        """Write what could not be written so far; return what still cannot, for a person. It is kept in memory."""
        left, problems = [], []
        for write in self.unsaved:
            try:
                write()
            except (OSError, LedgerError) as error:
                left.append(write)
                problems.append(str(error))
        self.unsaved = left
        if not problems:
            return ""
        log.error("the record of run %s is not complete: %s", self.folder and self.folder.path, problems)
        return f"The record of this run is not complete, and is tried again with its outcome: {'; '.join(problems)}"

    def _result(self) -> RunResult | None:
        """A run that is being stopped has its result a moment later."""
        deadline = time.monotonic() + RESULT_TIMEOUT_S
        while (result := self.link.group.result()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return result

    def _stop_recorder(self) -> tuple[str, Mapping[str, object]]:
        if self.recorder is None:
            return "", {}
        ended = self.recorder.stop()
        return problem_of(ended), facts_of(ended)


def begin_run(run: Run) -> tuple[End | None, str]:
    """Record what is about to happen, then start it; return (None, "") once the arms run, else why they do not.

    The record comes first: nothing is executed that the ledger does not know of.
    """
    try:
        run.folder = new_run(run.runs, run.plan)
        emulated = all(run.link.group.connections[arm.arm].emulated for arm in run.plan.arms)
        made = run.ledger, run.plan, run.approval, run.folder, run.plan_parent, emulated
        run.id = record_run(*made, run.link.tools)
        run.recorder = RunRecorder(run.folder, run.link, {"execution": run.id, "plan_sha256": run.plan.sha256})
        run.folder.write(cameras=list(run.link.cameras))
        run.link.group.prepare(run.plan, run.approval, scene=run.link.scene)
        if run.stopped.is_set():
            return _given_up(run, "stopped", "it was stopped before it began")
        run.link.runs += 1
        run.link.group.start()
        if run.stopped.is_set():
            run.link.group.stop()
    except (OSError, LedgerError) as error:
        return _given_up(run, "ready", f"nothing was run, since it could not be recorded: {error}")
    except ApprovalError as error:
        return _given_up(run, "ready", f"nothing was run: {error}")
    except ArmError as error:
        return _given_up(run, "stopped" if run.stopped.is_set() else "fault", str(error))
    except Exception as error:
        log.exception("starting a run failed")
        return _given_up(run, "fault", f"{type(error).__name__}: {error}")
    run.started = True
    return None, ""


def _given_up(run: Run, end: End, message: str) -> tuple[End, str]:
    run.link.group.stop(message)
    problem, _ = run._stop_recorder()
    if run.folder is not None:
        try:
            run.folder.write(end="not started", message=message)
            if run.id:
                record_end(run.ledger, run.id, "not started", message, 0.0)
        except (OSError, LedgerError) as error:
            problem = f"{problem} {error}"
    return end, f"{message} {problem}".strip()
