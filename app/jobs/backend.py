"""Where jobs run: one interface, and this machine behind it. Another place, such as a cluster, is another class."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import psutil

from app.jobs.kinds import KindRow
from app.jobs.processes import held, start_holding
from app.jobs.store import LOG, PROCESS_LOCK
from app.jobs.types import Machine, Usage
from app.jobs.usage import Processors, gpu_memory_of, nvidia_gpus

Handle = Mapping[str, object]
ANY_GPU = "any"


class Backend(Protocol):
    """What the queue needs of a place where jobs run. A handle is JSON values: it is kept on the disk, and another
    process finds the job again by it."""

    def machine(self) -> Machine:
        """What there is, and how busy it is."""
        ...

    def start(self, folder: Path, row: KindRow, gpu: str) -> Handle | None:
        """Start the process of a job; gpu: index of the one it may use, ANY_GPU, or "" for none. None: one runs
        already.

        Raises OSError where it cannot be started.
        """
        ...

    def alive(self, folder: Path) -> bool:
        """Whether a process of this job runs, whoever started it."""
        ...

    def exit_status(self, handle: Handle) -> int | None:
        """Return how a job ended, negative for a signal; None while it runs, or where this object did not start
        it."""
        ...

    def kill(self, handle: Handle) -> None:
        """End it with all that it started, now. Does nothing where it is gone."""
        ...

    def usage(self, handle: Handle) -> Usage | None:
        """What it uses now; None where it is gone."""
        ...


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    status: int | None = None


class LocalBackend:
    """This machine. Whether a job runs is told by the lock of its folder (app/jobs/processes.py); number and start
    time of its process serve to measure and to kill it, so no other process that was given its number is meant."""

    def __init__(self) -> None:
        self._children: dict[int, _Child] = {}
        self._processors = Processors()

    def machine(self) -> Machine:
        memory = psutil.virtual_memory()
        used = int(memory.total - memory.available)
        return Machine(psutil.cpu_count() or 1, self._processors.busy(), int(memory.total), used, nvidia_gpus())

    def start(self, folder: Path, row: KindRow, gpu: str) -> Handle | None:
        arguments = [str(folder), row.run, row.pauses]
        # numbered as nvidia-smi does
        visible = {} if gpu == ANY_GPU else {"CUDA_VISIBLE_DEVICES": gpu, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        child = start_holding(folder / PROCESS_LOCK, "app.jobs.process", arguments, folder / LOG, visible)
        if child is None:
            return None
        self._children[child.pid] = _Child(child)
        with suppress(psutil.Error):
            return {"pid": child.pid, "born": psutil.Process(child.pid).create_time(), "gpu": gpu}
        return {"gpu": gpu}

    def alive(self, folder: Path) -> bool:
        return held(folder / PROCESS_LOCK)

    def exit_status(self, handle: Handle) -> int | None:
        child = self._children.get(_pid(handle))
        if child is None:
            return None
        if child.status is None and _ended(child.process.pid):
            # before it is waited for nobody else can have its number: the group is surely what it left behind
            _kill_group(child.process.pid)
            child.status = child.process.wait()
        return child.status

    def kill(self, handle: Handle) -> None:
        process = _process(handle)
        for one in () if process is None else (process, *_below(process)):
            with suppress(psutil.Error):
                one.kill()

    def usage(self, handle: Handle) -> Usage | None:
        process = _process(handle)
        if process is None:
            return None
        family = (process, *_below(process))
        found = self._processors.used_by(family)
        return replace(found, gpu_memory=gpu_memory_of({one.pid for one in family})) if handle.get("gpu") else found


def _pid(handle: Handle) -> int:
    pid = handle.get("pid")
    return pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 1 else 0


def _process(handle: Handle) -> psutil.Process | None:
    """The process of a handle; None where it is gone, or its number is another one's now."""
    pid, born = _pid(handle), handle.get("born")
    if not pid or not isinstance(born, int | float):
        return None
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - born) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _below(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return list(process.children(recursive=True))
    return []


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
