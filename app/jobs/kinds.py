"""The kinds of jobs: one table. A new kind is a function in a module of its own and a row here."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.jobs.types import JobError, JobSpec

ArgumentKind = Literal["path", "new path", "text", "number", "whole number", "yes or no", "texts", "paths", "table"]
Pauses = Literal["at a safe point", "anywhere", "never"]
TABLE = "app.jobs.kinds:KINDS"

_TYPES: Mapping[str, tuple[type, ...]] = {
    "path": (str,),
    "new path": (str,),
    "text": (str,),
    "number": (int, float),
    "whole number": (int,),
    "yes or no": (bool,),
    "texts": (list, tuple),
    "paths": (list, tuple),
    "table": (dict,),
}


@dataclass(frozen=True)
class Argument:
    """One argument of a kind. A "path" and each of "paths" must be there when the job is submitted and when it
    starts; a "new path" is where it writes."""

    name: str
    kind: ArgumentKind
    about: str
    required: bool = False

    def problem(self, value: object) -> str:
        """Return what is wrong with a value, "" where nothing is."""
        if not isinstance(value, _TYPES[self.kind]) or isinstance(value, bool) != (self.kind == "yes or no"):
            return f"{_short(value)}; valid: a {self.kind} ({self.about})"
        rows = value if isinstance(value, list | tuple) else [value]
        if self.kind in ("texts", "paths") and not all(isinstance(row, str) for row in rows):
            return f"{_short(value)}; valid: {self.kind} ({self.about})"
        for path in map(str, rows if self.kind in ("path", "paths", "new path") else ()):
            if not Path(path).is_absolute():
                return f"{path[:200]!r}; valid: an absolute path ({self.about})"
            if self.kind != "new path" and not Path(path).exists():
                return f"{path} is not there; valid: {self.about}"
        return ""


@dataclass(frozen=True)
class KindRow:
    """One kind of job. run: "module:function", imported by the job's process alone (app.jobs.context.JobFunction).

    pauses: "at a safe point": the function raises Paused there; "anywhere": what it wrote is whole at every moment
    and the same call goes on with it, so the process is simply ended; "never". grace_s: how long a job that is
    cancelled may tidy up before its processes are killed.
    """

    kind: str
    title: str
    about: str
    run: str
    arguments: tuple[Argument, ...]
    pauses: Pauses = "at a safe point"
    grace_s: float = 30.0

    def check(self, spec: JobSpec) -> None:
        """Raise JobError where arguments are missing, unknown or wrong."""
        known = {argument.name: argument for argument in self.arguments}
        for name in spec.arguments:
            if name not in known:
                raise JobError(f"job {spec.title!r}: arguments.{name}: unknown; valid: {list(known)}")
        for argument in self.arguments:
            if argument.name not in spec.arguments:
                if argument.required:
                    raise JobError(
                        f"job {spec.title!r}: arguments.{argument.name}: missing; valid: {argument.about}"
                    )
            elif problem := argument.problem(spec.arguments[argument.name]):
                raise JobError(f"job {spec.title!r}: arguments.{argument.name}: {problem}")


KINDS: Mapping[str, KindRow] = {
    row.kind: row
    for row in (
        KindRow(
            "train",
            "Train",
            "train a video model on demos",
            "app.jobs.train:run",
            (
                Argument("data", "path", "the demos: what `main.py train --data` takes", required=True),
                Argument("out", "new path", "the run's folder", required=True),
                Argument("config", "table", "what to train: the values of a config"),
                Argument("config_file", "path", "or a file that has them"),
                Argument("set", "texts", "with config_file: section.field=value"),
                Argument("resume", "yes or no", "go on with the run that is in `out`"),
            ),
            grace_s=600.0,  # it saves a checkpoint
        ),
        KindRow(
            "dream",
            "Dream",
            "dream many candidates, of photos or of simulated tables",
            "app.jobs.dream:run",
            (
                Argument("model", "path", "folder of the video model", required=True),
                Argument("out", "new path", "folder of the dreams", required=True),
                Argument("photos", "paths", "a photo for each view of the model"),
                Argument("calibration", "path", "of the photos' cameras"),
                Argument("rig", "text", "a simulated rig, or whose cameras took the photos; default: sim"),
                Argument("task", "text", "what is to be done: tools, and the simulated table"),
                Argument("tables", "whole number", "how many simulated tables; default: 1"),
                Argument("first_table", "whole number", "the first of them; default: 0"),
                Argument("tools", "table", "role -> a tool of the library, or its file; default: the task's"),
                Argument("text", "text", "what is to be done, in words; default: the table's"),
                Argument("candidates", "whole number", "dreams of each scene; default: 1"),
                Argument("seed", "whole number", "of the first candidate; default: 0"),
                Argument("steps", "whole number", "of denoising; default: as published"),
                Argument("guidance", "number", "1, the default, is none"),
                Argument("decode_chunk", "whole number", "frames decoded together; fewer take less memory"),
                Argument("device", "text", "cpu or cuda; default: a GPU where there is one"),
                Argument("precision", "text", "float32, bfloat16 or float16"),
            ),
            grace_s=120.0,
        ),
        KindRow(
            "evaluate",
            "Evaluate",
            "let policies work at held-out tables of the simulated rig, and score them",
            "app.jobs.evaluate:run",
            (
                Argument("policies", "texts", "of dreamitate, oracle, demonstrator, nothing", required=True),
                Argument("task", "text", "push-shape, sweeping, rotation or scooping", required=True),
                Argument("trials", "whole number", "how many tables", required=True),
                Argument("out", "new path", "folder of the trials; those that are there are kept", required=True),
                Argument("model", "path", "folder of the video model that dreamitate dreams with"),
                Argument("seed", "whole number", "of the first table; default: 0"),
                Argument("rig", "text", "a simulated rig; default: one with the arms that the paper has"),
                Argument("candidates", "whole number", "dreams a step, of which the best is taken; default: 1"),
                Argument("steps", "whole number", "of denoising; default: as published"),
                Argument("device", "text", "cpu or cuda; default: a GPU where there is one"),
            ),
        ),
        KindRow(
            "track_demos",
            "Track demos",
            "find the tools of recorded demos in 3-D, one episode after the other",
            "app.jobs.track_demos:run",
            (
                Argument("dataset", "path", "a session or a folder of sessions: every kept episode of it"),
                Argument("episodes", "paths", "folders of episodes: these"),
                Argument("tools", "table", "role -> a tool of the library, or its file; default: the task's"),
                Argument("fps", "number", "pictures a second; default: the task's clip rate"),
                Argument("tracker", "text", "a tracker of models/tracking/trackers.py"),
                Argument("again", "yes or no", "track those too that have a track"),
            ),
        ),
        KindRow(
            "export",
            "Export",
            "write a data set in another program's format",
            "app.jobs.exchange:run_export",
            (
                Argument("source", "path", "a session, a folder of sessions, or what import reads", required=True),
                Argument("demos", "texts", "of sessions, these alone: SESSION:NUMBER:PIECE; default: all"),
                Argument("out", "new path", "a folder that is not there yet", required=True),
                Argument("format", "text", "lerobot, umi or mcap", required=True),
                Argument("fps", "number", "rows a second; default: that of the fastest camera"),
                Argument("robot", "text", "lerobot: robot_type"),
            ),
            pauses="anywhere",
        ),
        KindRow(
            "import",
            "Import",
            "read another program's data set into a session",
            "app.jobs.exchange:run_import",
            (
                Argument("source", "path", "a LeRobot, UMI, HDF5 or video data set", required=True),
                Argument("out", "new path", "a session, or a folder that is not there yet", required=True),
                Argument("fps", "number", "umi: rows a second; default: 59.94"),
            ),
            pauses="anywhere",
        ),
    )
}  # fmt: skip


def kinds_of(table: str) -> Mapping[str, KindRow]:
    """Return a table by "module:NAME"; who starts a supervisor says which one it reads."""
    module, _, name = table.partition(":")
    found: Mapping[str, KindRow] = getattr(importlib.import_module(module), name)
    return found


def kind_row(kinds: Mapping[str, KindRow], kind: str) -> KindRow:
    """Return the row of a kind. Raises JobError that lists the valid names."""
    if kind not in kinds:
        raise JobError(f"job: kind: {kind!r}; valid: {list(kinds)}")
    return kinds[kind]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
