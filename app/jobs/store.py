"""The jobs of a workspace on the disk: a folder each, and one lock under which their states change.

WORKSPACE/jobs/0007/ holds spec.json (never changed), state.json (how it stands), control.json (what is wanted of
it), progress.json (how far it is, written by its process alone), process.lock (locked as long as its process lives)
and log.txt. Every file is whole or as it was before; one that cannot be read costs its own job alone.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from app.jobs.processes import take
from app.jobs.types import STATES, WANTED, JobError, JobSpec, State, Wanted
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.text_files import read_table, to_json

SPEC, STATE, CONTROL, PROGRESS = "spec.json", "state.json", "control.json", "progress.json"
PROCESS_LOCK, LOG = "process.lock", "log.txt"
SUPERVISOR_LOCK, SUPERVISOR_LOG = ".supervisor.lock", "supervisor.log"
LOCK_S = 5.0
_LAST = ".last"


@dataclass(frozen=True)
class JobState:
    """state.json; the fields are those of JobRecord. handle: what the backend needs to find the process again."""

    state: State
    attempt: int = 1
    queued: float | None = None
    started: float | None = None
    ended: float | None = None
    spent_s: float = 0.0
    handle: Mapping[str, object] = field(default_factory=dict)
    exit: int | None = None
    problem: str = ""
    result: Mapping[str, object] = field(default_factory=dict)

    def closed(
        self,
        to: State,
        at: float,
        *,
        exit: int | None = None,
        problem: str = "",
        result: Mapping[str, object] | None = None,
    ) -> "JobState":
        """Return it without its process, which ended at a wall time."""
        spent = self.spent_s + max(0.0, at - (self.started or at))
        return replace(
            self, state=to, ended=at, spent_s=spent, handle={}, exit=exit, problem=problem, result=result or {}
        )


@dataclass(frozen=True)
class Control:
    """control.json. now: do not wait for a safe point or for tidying up."""

    wanted: Wanted = "run"
    now: bool = False


@dataclass(frozen=True)
class Progress:
    """progress.json. at: wall time [s] when its process wrote it."""

    fraction: float = 0.0
    text: str = ""
    left_s: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    at: float = 0.0


class JobStore:
    """May be used from several threads and processes at once; what is written depends on what was read only under
    `locked`. Reading raises DreamFileError naming file and field; writing raises OSError."""

    def __init__(self, root: Path) -> None:
        """root: WORKSPACE/jobs."""
        self.root = root

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who changes states. Raises JobError where another program holds it for long, OSError."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not take(handle, LOCK_S):
                raise JobError(f"{self.root}: another program has held its lock for {LOCK_S:g} s; try again")
            yield
        finally:
            os.close(handle)

    def ids(self) -> list[str]:
        """All jobs, the oldest first."""
        try:
            names = os.listdir(self.root)
        except FileNotFoundError:
            return []
        return sorted(
            (name for name in names if name.isdecimal() and name.isascii()), key=lambda name: (int(name), name)
        )

    def folder(self, id: str) -> Path:
        """Return the folder of a job; "7" is "0007". Raises JobError where there is none."""
        ids = self.ids()
        if id in ids:
            return self.root / id
        same = [known for known in ids if id.isdecimal() and id.isascii() and int(known) == int(id)]
        if not same:
            raise JobError(
                f"job {id[:80]!r} is not there; valid: {', '.join(ids[-20:]) or 'there are no jobs yet'}"
            )
        return self.root / same[0]

    def add(self, spec: JobSpec, queued: float) -> str:
        """Make the folder of a new job that is queued, whole or not at all, and return its id. Under `locked`."""
        number = max([self._last(), *map(int, self.ids())]) + 1
        id = f"{number:04d}"
        part = Path(tempfile.mkdtemp(prefix=".new-", dir=self.root))
        try:
            write_whole(part / SPEC, to_json(asdict(spec)))
            self.write_state(part, JobState("queued", queued=queued))
            part.chmod(0o755)
            part.rename(self.root / id)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        with suppress(OSError):  # it only keeps the numbers of removed jobs from being given again
            write_whole(self.root / _LAST, str(number))
        return id

    def remove(self, folder: Path) -> None:
        """Take a job's folder away. Under `locked`."""
        aside = folder.with_name(f".gone-{folder.name}")
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def spec(self, folder: Path) -> JobSpec:
        """Return what to do."""
        at = Fields(read_table(folder / SPEC), folder / SPEC)
        try:
            return JobSpec(
                at.get("kind", str, "a kind of job"),
                at.get("title", str, "a line of text"),
                at.get("arguments", dict, "a table", {}),
                at.get("needs_gpu", bool, "true or false", False),
                at.get("cloned_from", str, "a job's id", ""),
            )
        except JobError as error:
            raise DreamFileError(folder / SPEC, "spec", str(error)) from error

    def state(self, folder: Path) -> JobState:
        """Return how it stands by its file."""
        at = Fields(read_table(folder / STATE), folder / STATE)
        state = at.get("state", str, f"one of {list(STATES)}")
        if state not in STATES:
            raise at.wrong("state", repr(state)[:80], f"one of {list(STATES)}")
        return JobState(
            state=state,
            attempt=at.get("attempt", int, "a whole number", 1),
            queued=_time(at, "queued"),
            started=_time(at, "started"),
            ended=_time(at, "ended"),
            spent_s=at.number("spent_s", "seconds", 0.0),
            handle=at.get("handle", dict, "a table", {}),
            exit=None if at.values.get("exit") is None else at.get("exit", int, "a whole number"),
            problem=at.get("problem", str, "a text", ""),
            result=at.get("result", dict, "a table", {}),
        )

    def write_state(self, folder: Path, state: JobState) -> None:
        """Under `locked`."""
        write_whole(folder / STATE, to_json({one.name: getattr(state, one.name) for one in fields(state)}))

    def control(self, folder: Path) -> Control:
        """Return what is wanted of it: to run, where nobody said, or the file cannot be read."""
        with suppress(DreamFileError):
            values = read_table(folder / CONTROL)
            wanted = values.get("wanted")
            if wanted in WANTED:
                return Control(wanted, values.get("now") is True)
        return Control()

    def write_control(self, folder: Path, control: Control) -> None:
        """Under `locked`."""
        write_whole(folder / CONTROL, to_json(asdict(control)))

    def progress(self, folder: Path) -> Progress:
        """Return how far it is; nothing where its process said nothing yet, or a power cut spoilt it."""
        with suppress(DreamFileError):
            at = Fields(read_table(folder / PROGRESS), folder / PROGRESS)
            values = at.get("values", dict, "a table", {})
            return Progress(
                min(max(at.number("fraction", "0 to 1", 0.0), 0.0), 1.0),
                at.get("text", str, "a text", ""),
                _time(at, "left_s"),
                {str(k): float(v) for k, v in values.items() if isinstance(v, int | float)},
                at.number("at", "seconds", 0.0),
            )
        return Progress()

    def write_progress(self, folder: Path, progress: Progress) -> None:
        """Whole, but not brought to the disk: it is written all the time, and is told anew after a power cut."""
        part = folder / f".{PROGRESS}.part"
        part.write_text(to_json(asdict(progress)), encoding="utf-8")
        part.replace(folder / PROGRESS)

    def _last(self) -> int:
        with suppress(OSError, ValueError):
            return int((self.root / _LAST).read_text(encoding="utf-8")[:20])
        return 0


def _time(at: Fields, key: str) -> float | None:
    return None if at.values.get(key) is None else at.number(key, "seconds")
