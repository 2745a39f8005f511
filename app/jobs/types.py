"""What a job is: what to do (JobSpec), how it stands (JobRecord), what it and the machine use (Usage, Machine)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from models.data.fields import safe_name

State = Literal["queued", "running", "paused", "done", "failed", "cancelled", "interrupted"]
Wanted = Literal["run", "pause", "cancel"]
STATES: tuple[State, ...] = get_args(State)
WANTED: tuple[Wanted, ...] = get_args(Wanted)
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
LONGEST_TITLE = 200


class JobError(ValueError):
    """A job cannot be had, or not that way. The message names job and field, and what would be valid."""


@dataclass(frozen=True)
class JobSpec:
    """What to do. kind: a row of app/jobs/kinds.py, which lists its arguments; arguments: JSON values, paths
    absolute.

    needs_gpu: it waits for a GPU slot and sees that one GPU alone; without, it waits for a CPU slot and sees none.
    cloned_from: id of the job whose spec this one began as. Raises JobError.
    """

    kind: str
    title: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    needs_gpu: bool = False
    cloned_from: str = ""

    def __post_init__(self) -> None:
        safe_name(
            self.kind, lambda problem: JobError(f"job: kind: {problem}; valid: 1 to 64 letters, digits, - or _")
        )
        if not self.title.strip() or len(self.title) > LONGEST_TITLE or not self.title.isprintable():
            raise JobError(f"job: title: {self.title[:80]!r}; valid: one line of 1 to {LONGEST_TITLE} characters")
        try:
            json.dumps(self.arguments, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise JobError(f"job: arguments: {error}; valid: texts, finite numbers, lists and tables") from error

    @property
    def out(self) -> Path | None:
        """The folder or file that it makes: its argument `out`, where its kind has one."""
        out = self.arguments.get("out")
        return Path(out) if isinstance(out, str) and out else None


@dataclass(frozen=True)
class Usage:
    """What the processes of a job use. cpu: cores (1.5: one and a half); memory, gpu_memory [bytes]; None:
    unknown."""

    cpu: float
    memory: int
    gpu_memory: int | None = None


@dataclass(frozen=True)
class Gpu:
    """One GPU of the machine. memory, memory_used [bytes], 0: unknown; busy: 0..1, None: unknown."""

    index: str
    name: str
    memory: int
    memory_used: int
    busy: float | None = None


@dataclass(frozen=True)
class Machine:
    """The machine that jobs run on. cores: how many; cpu: of them busy; memory, memory_used [bytes]."""

    cores: int
    cpu: float
    memory: int
    memory_used: int
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True)
class Slots:
    """How many jobs run at once: with a GPU, and without. Raises JobError."""

    gpu: int
    cpu: int

    def __post_init__(self) -> None:
        for name, count in (("gpu", self.gpu), ("cpu", self.cpu)):
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 64:
                raise JobError(f"slots: {name}: {count!r}; valid: 0 to 64")


@dataclass(frozen=True)
class JobRecord:
    """How a job stands, as of one look at its folder.

    id: its number, "0007"; folder: WORKSPACE/jobs/ID; wanted: what was asked of a running one ("pause": it goes on
    to its next safe point); attempt: from 1, one more with each resume or retry; fraction 0..1; text: what it does
    now; left_s [s], None: unknown; values: the numbers it last reported (step, loss, ..); queued, started, ended:
    wall time [s since 1970], None: not yet, started and ended of the last attempt; spent_s: time it has run, all
    attempts together; silent_s: since a running one was last heard of, else 0; exit: its status, negative: the
    signal; problem: why it failed or was interrupted, and what to do; result: what it said it made; usage: while it
    runs. A folder that cannot be read is "failed" and its problem names the file; where even the spec is gone, the
    kind is "unreadable".
    """

    id: str
    folder: Path
    spec: JobSpec
    state: State
    wanted: Wanted = "run"
    attempt: int = 1
    fraction: float = 0.0
    text: str = ""
    left_s: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    queued: float | None = None
    started: float | None = None
    ended: float | None = None
    spent_s: float = 0.0
    silent_s: float = 0.0
    pid: int | None = None
    gpu: str = ""
    exit: int | None = None
    problem: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    usage: Usage | None = None

    @property
    def log(self) -> Path:
        """All that its processes printed, every attempt; may not be there yet."""
        return self.folder / "log.txt"

    @property
    def over(self) -> bool:
        return self.state in OVER
