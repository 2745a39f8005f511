"""Evaluations for tests, in a process of its own: they draw."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.evaluation.bench import Look, TrialBench
from app.evaluation.evaluating import Wish, evaluate
from app.evaluation.trials import Policy, Trial, read_trials
from app.jobs import evaluate as evaluate_job
from app.jobs.context import Paused
from app.workspace import open_workspace
from hardware.rig import load_rig
from hardware.types import Check, Plan
from models.data.dream_folder import is_dream_folder
from models.video.config import small
from models.video.sample_options import SampleOptions
from models.video.stereo import StereoVideoModel
from tests.app.job_queue.context import Context


def wish(folder: Path, task: str, trials: int, *policies: Policy) -> Wish:
    return Wish(policies, task, trials, folder / "out", load_rig("sim-ur5e"), seed=20, size=(384, 224))


def evaluated(folder: Path, task: str, trials: int, *policies: Policy) -> tuple[Trial, ...]:
    return evaluate(wish(folder, task, trials, *policies), open_workspace(folder / "workspace"), _quiet)


def stopped_and_gone_on_with(folder: Path, task: str) -> tuple[list[str], list[str], tuple[Trial, ...]]:
    """Whose trials were whole when it was stopped, what was told afterwards, and all in the end."""
    asked, workspace = wish(folder, task, 1), open_workspace(folder / "workspace")
    told: list[str] = []
    whole: list[str] = []
    try:
        evaluate(asked, workspace, _quiet, _after(4))
    except KeyboardInterrupt:
        whole = [trial.policy for trial in read_trials(asked.out)]
    made = evaluate(asked, workspace, lambda _share, text: told.append(text))
    return whole, told, made


def dreamt_by_a_model_that_knows_nothing(folder: Path) -> tuple[Trial, bool]:
    """The trial, and whether its dream is kept."""
    shape = small(length=5, size=(192, 128), widths=(32, 32, 64, 64))
    StereoVideoModel.create(shape, seed=1).save(folder / "model")
    asked = wish(folder, "sweeping", 1)
    dreaming = {"model": folder / "model", "options": SampleOptions(steps=1), "device": "cpu"}
    asked = replace(asked, policies=("dreamitate",), **dreaming)
    made = evaluate(asked, open_workspace(folder / "workspace"), _quiet)
    trial = next(trial for trial in made if trial.policy == "dreamitate")
    return trial, is_dream_folder(asked.out / "trials" / "dreamitate-0000" / "step-1")


def refused_plan(plan: Plan) -> tuple[str, float]:
    """What is said of a plan that breaks a rule, and how far the object went [mm]."""
    broken = replace(plan, checks=(Check("tip speed", "violation", "is 3 m/s", "left"),))
    with TrialBench(Look(load_rig("sim-ur5e"), size=(96, 56)), "push-shape", 4) as bench:
        before = bench.moment().T_world_thing["thing"]
        try:
            bench.execute(broken)
        except ValueError as error:
            return str(error), float(1e3 * abs(bench.moment().T_world_thing["thing"] - before).max())
    return "", 0.0


def job_paused_and_resumed(folder: Path) -> tuple[bool, object, list[float]]:
    """Whether it paused, what it gave in the end, and the shares that were told then."""
    arguments = {"policies": ["nothing"], "task": "rotation", "trials": 1, "out": str(folder / "out")}
    workspace, paused = open_workspace(folder / "workspace"), False
    try:
        evaluate_job.run(arguments, Context(workspace, folder, after=1, then="pause"))
    except Paused:
        paused = True
    context = Context(workspace, folder)
    return paused, evaluate_job.run(arguments, context), [share for share, _ in context.told]


def _after(count: int) -> Callable[[], None]:
    """Raises KeyboardInterrupt when it is called that often."""
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls >= count:
            raise KeyboardInterrupt

    return check


def _quiet(_share: float, _text: str) -> None:
    return None
