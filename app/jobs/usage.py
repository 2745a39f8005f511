"""What processes and the machine use: CPU and memory by psutil, GPUs by NVIDIA's own program where there is one."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable

import psutil

from app.jobs.types import Gpu, Usage

_MIB = 2**20
_ANSWER_S, _KEEP_S = 5.0, 3.0
_GPUS = "index,uuid,name,memory.total,memory.used,utilization.gpu"


class Processors:
    """How busy the processor is; each figure is the mean since the one before it."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[float, float]] = {}
        psutil.cpu_percent()

    def busy(self) -> float:
        """Return how many cores of the machine are busy."""
        return float(psutil.cpu_percent()) / 100 * (psutil.cpu_count() or 1)

    def used_by(self, family: tuple[psutil.Process, ...]) -> Usage:
        """Return what a process, the first one, and those below it use."""
        seconds, memory = 0.0, 0
        for one in family:
            try:
                times = one.cpu_times()
                seconds += times.user + times.system
                memory += one.memory_info().rss
            except psutil.Error:
                continue
        now = time.monotonic()
        before, then = self._before.get(family[0].pid, (seconds, now))
        self._before[family[0].pid] = (seconds, now)
        return Usage(max(0.0, seconds - before) / (now - then) if now > then else 0.0, memory)


class _Asked:
    """The last answer of a slow question, for a few seconds."""

    def __init__(self, ask: Callable[[], list[list[str]]]) -> None:
        self._ask = ask
        self._rows: list[list[str]] = []
        self._until = float("-inf")

    def rows(self) -> list[list[str]]:
        if time.monotonic() >= self._until:
            self._rows = self._ask()
            self._until = time.monotonic() + _KEEP_S
        return self._rows


def nvidia_gpus() -> tuple[Gpu, ...]:
    """Return the GPUs that this program may use: those of CUDA_VISIBLE_DEVICES where it is set. Empty without
    any."""
    rows = (row for row in _cards.rows() if len(row) == 6)
    return tuple(
        Gpu(index, name, _bytes(total), _bytes(used), int(busy) / 100 if busy.isdecimal() else None)
        for index, uuid, name, total, used, busy in rows
        if _may_use(index, uuid)
    )


def gpu_memory_of(pids: Iterable[int]) -> int | None:
    """Return what processes hold of GPU memory [bytes]; None where none of them is known to (in a container
    NVIDIA's program does not see them)."""
    wanted = {str(pid) for pid in pids}
    found = [_bytes(row[1]) for row in _apps.rows() if len(row) == 2 and row[0] in wanted and row[1].isdecimal()]
    return sum(found) if found else None


def _bytes(mebibytes: str) -> int:
    """0 where the driver does not say: memory that is shared with the processor."""
    return int(mebibytes) * _MIB if mebibytes.isdecimal() else 0


def _may_use(index: str, uuid: str) -> bool:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return True
    words = [word.strip() for word in visible.split(",")]
    return any(word == index or (word.startswith("GPU-") and uuid.startswith(word)) for word in words)


def _nvidia(question: str) -> list[list[str]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        answer = subprocess.run(
            [program, question, "--format=csv,noheader,nounits"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWER_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return [[word.strip() for word in line.split(",")] for line in answer.stdout.splitlines()]


_cards = _Asked(lambda: _nvidia(f"--query-gpu={_GPUS}"))
_apps = _Asked(lambda: _nvidia("--query-compute-apps=pid,used_memory"))
