"""An evaluation: policies at the same held-out tables, trial by trial, gone on with where it was ended."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from app.evaluation.bench import Look, TrialBench
from app.evaluation.one_trial import run_trial
from app.evaluation.policies import Desk, Execute
from app.evaluation.real_time import RealTimeArms
from app.evaluation.trials import POLICIES, REFERENCES, Policy, Trial, TrialFile
from app.worker import Report, Worker
from app.workspace import Workspace
from hardware.rig import Rig
from hardware.types import require
from models.data.clips import STEREO_TASKS
from models.tracking.trackers import TrackerChoice
from models.video.config_file import read_config
from models.video.identity import weights_sha256
from models.video.sample_options import SampleOptions

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Wish:
    """What is to be evaluated. policies: beside the references; seed: of the first table, the next has one more;
    size (width, height) of the cameras' pictures, None: each camera's own; real_time: on emulated controllers, in
    place of a virtual clock."""

    policies: tuple[Policy, ...]
    task: str
    trials: int
    out: Path
    rig: Rig
    model: Path | None = None
    seed: int = 0
    size: tuple[int, int] | None = None
    options: SampleOptions = field(default_factory=SampleOptions)
    device: str = ""
    tracker: TrackerChoice = field(default_factory=TrackerChoice)
    real_time: bool = False

    def __post_init__(self) -> None:
        unknown = [name for name in self.policies if name not in POLICIES]
        require(not unknown, f"policy: {unknown}; valid: {list(POLICIES)}")
        require(self.task in STEREO_TASKS, f"task: {self.task!r}; valid: {list(STEREO_TASKS)}")
        require(self.trials >= 1, f"trials: {self.trials}; valid: 1 or more")
        require(0 <= self.seed < 2**31, f"seed: {self.seed}; valid: 0 or more")
        require(self.model is not None or "dreamitate" not in self.policies, "model: is missing; valid: its folder")
        real = [arm.name for arm in self.rig.arms if not arm.emulated]
        simulated = self.rig.simulated and not real
        require(simulated, f"rig {self.rig.name}: it is real; valid: a simulated one with emulated arms")

    @property
    def setup(self) -> Mapping[str, object]:
        """What all trials of a folder share."""
        rig, options = self.rig, self.options
        dreamt = {} if self.model is None else {
            "weights_sha256": weights_sha256(self.model),
            "sampling": {**asdict(options), "guidance": list(options.guidance)},
        }  # fmt: skip
        return {
            "format": FORMAT, "task": self.task, "held_out": True, "seed": self.seed, "rig": rig.name,
            "rig_sha256": rig.sha256, "size": list(self.size) if self.size else None, "tracker": self.tracker.name,
            "clock": "real" if self.real_time else "virtual", **dreamt,
        }  # fmt: skip


def evaluate(
    wish: Wish, workspace: Workspace, say: Report, check: Callable[[], None] = lambda: None
) -> tuple[Trial, ...]:
    """Make the trials that are not there yet; return all of the folder.

    say (fraction, text); check: called now and then: what it raises ends the evaluation, and what is whole stays.
    Raises DreamFileError where other trials lie there, JobFailed where the model cannot dream, ValueError, OSError;
    of a real-time one what arms raise.
    """
    names = tuple(name for name in POLICIES if name in (*REFERENCES, *wish.policies))
    look = Look(wish.rig, read_config(wish.model) if wish.model else None, wish.size)
    with ExitStack() as opened:
        file = TrialFile(wish.out, wish.setup)
        opened.callback(file.close)
        worker = Worker()
        opened.callback(worker.close)
        execute: Execute = TrialBench.execute
        if wish.real_time:
            arms = RealTimeArms(wish.rig, workspace)
            opened.callback(arms.close)
            execute = arms.execute
        desk = Desk(wish.rig, worker, wish.model, wish.options, wish.device, wish.tracker, execute, say, check)
        todo = [(number, name) for number in range(wish.trials) for name in names]
        for k, (number, name) in enumerate(todo):
            check()
            if not file.has(name, number):
                told = _part(say, k, len(todo), f"table {number + 1} of {wish.trials}, {name}")
                seed = wish.seed + number
                file.add(run_trial(name, number, seed, look, wish.task, replace(desk, say=told), wish.out))
        say(1.0, f"{wish.trials} tables")
        return file.trials


def _part(say: Report, k: int, count: int, where: str) -> Report:
    return lambda share, text: say((k + share) / count, f"{where}: {text}")
