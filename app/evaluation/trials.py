"""What became of each trial, in a file that a killed evaluation leaves whole.

OUT/evaluation.json      what all trials share; another evaluation is refused there
OUT/trials.jsonl         a row for each trial, replaced whole with every trial
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, get_args

from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.text_files import read_table, read_text, to_json

Policy = Literal["nothing", "demonstrator", "oracle", "dreamitate"]
POLICIES: Mapping[Policy, str] = {
    "nothing": "nothing happens",
    "demonstrator": "the scripted person works by hand",
    "oracle": "arms follow a video of the scripted person, in place of a dream",
    "dreamitate": "arms follow what the model dreams",
}
"""Every policy with what it is, for a person; app/evaluation/policies.py has what each does."""

REFERENCES: tuple[Policy, ...] = ("nothing", "demonstrator")
"""Those that others are held against; they cost a second or two a table."""

Link = Literal["", "dream", "track", "plan", "execution"]
LINKS: tuple[Link, ...] = get_args(Link)
SETUP, TRIALS = "evaluation.json", "trials.jsonl"


@dataclass(frozen=True)
class Step:
    """One look, dream and motion of a trial. measures, success: of the table after it, by the task's rule; lost,
    reason: which link lost it, "" where the motion was made; seconds by stage; facts: of track and plan."""

    success: bool
    measures: Mapping[str, float]
    lost: Link = ""
    reason: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One table and what a policy made of it. number: from 0; seed: of the table; success, measures, text: of the
    best step, by the task's rule; seconds: of all of it."""

    policy: Policy
    number: int
    seed: int
    objects: tuple[str, ...]
    success: bool
    measures: Mapping[str, float]
    text: str
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0

    @property
    def lost(self) -> Link:
        """Which link lost it: the one that lost most steps, "execution" where every motion was made; "" where it
        succeeded, or there was no link."""
        if self.success or self.policy in REFERENCES:
            return ""
        links: list[Link] = [step.lost for step in self.steps if step.lost]
        return max(links, key=links.count) if links else "execution"

    @property
    def reason(self) -> str:
        """Why that link lost it, in words."""
        return next((step.reason for step in self.steps if step.lost and step.lost == self.lost), "")


class TrialFile:
    """The trials of one folder; one program at a time. Close it at the end."""

    def __init__(self, out: Path, setup: Mapping[str, object]) -> None:
        """Open the folder, or begin it. setup: what all of its trials share, plain values.

        Raises DreamFileError naming what is different where other trials lie there, or what is broken; OSError.
        """
        out.mkdir(parents=True, exist_ok=True)
        self._path = out / TRIALS
        self._handle = os.open(out / SETUP, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(self._handle, out)
            _agree(out / SETUP, setup)
            self._trials = {(trial.policy, trial.number): trial for trial in read_trials(out)}
        except BaseException:
            self.close()
            raise

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All there are, in the order in which they were made."""
        return tuple(self._trials.values())

    def has(self, policy: Policy, number: int) -> bool:
        return (policy, number) in self._trials

    def add(self, trial: Trial) -> None:
        """Keep a trial. Raises OSError; the file is then as it was."""
        made = {**self._trials, (trial.policy, trial.number): trial}
        write_whole(self._path, "".join(f"{_line(one)}\n" for one in made.values()))
        self._trials = made

    def close(self) -> None:
        """Let another program in. Safe to call twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def read_trials(out: Path) -> tuple[Trial, ...]:
    """Read the trials of a folder, () where there are none. Raises DreamFileError naming the line."""
    path = out / TRIALS
    if not path.exists():
        return ()
    lines = read_text(path).splitlines()
    return tuple(_trial(line, path, number) for number, line in enumerate(lines, 1))


def _lock(handle: int, out: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        problem, valid = "another evaluation runs here", "wait for it, or another folder"
        raise DreamFileError(out, "folder", problem, valid) from error


def _agree(path: Path, setup: Mapping[str, object]) -> None:
    if not path.stat().st_size:
        path.write_text(to_json(setup), encoding="utf-8")  # in place: the lock is this very file's
        return
    there, asked = read_table(path), json.loads(to_json(setup))
    for key in {**there, **asked}:
        if there.get(key) != asked.get(key):
            problem = f"{there.get(key)!r} of the trials that are there, now {asked.get(key)!r}"
            raise DreamFileError(path, key, problem, "the same, or another folder")


def _line(trial: Trial) -> str:
    return json.dumps(json.loads(to_json(asdict(trial))), ensure_ascii=False)


def _trial(line: str, path: Path, number: int) -> Trial:
    try:
        values = json.loads(line)
        steps = tuple(Step(**step) for step in values.pop("steps"))
        return Trial(**{**values, "objects": tuple(values["objects"]), "steps": steps})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DreamFileError(path, f"line {number}", f"is no trial: {error}", "what `evaluate` wrote") from error
