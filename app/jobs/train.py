"""The job that trains a video model; a pause or a cancel saves a checkpoint first."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.jobs.context import JobContext, Paused
from app.jobs.made import tell_of_training
from app.jobs.store import SPEC
from app.worker import Cancel
from models.training.config import TrainConfig, config_from, read_config
from models.training.job import in_words
from models.training.progress import Progress
from models.training.trainer import train


def run(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Train (app/jobs/kinds.py has the arguments); a later attempt goes on from the newest whole checkpoint.

    Raises Paused, Cancel, TrainingError, DreamFileError.
    """
    out = Path(arguments["out"])
    out.parent.mkdir(parents=True, exist_ok=True)

    def report(progress: Progress) -> None:
        numbers = {"step": progress.step, "steps": progress.steps, "loss": progress.loss,
                   "samples_per_s": progress.samples_per_s}  # fmt: skip
        values = {name: float(number) for name, number in numbers.items() if number is not None}
        text = in_words(replace(progress, left_s=None))  # the time left is told apart
        job.report(progress.fraction, text, left_s=progress.left_s, values=values)

    resume = arguments.get("resume", False) or job.attempt > 1
    cache = job.workspace.root / "cache"
    outcome = train(
        _config(arguments, job), Path(arguments["data"]), out, report, job.wanted, resume=resume, cache=cache
    )
    print(outcome.text, flush=True)
    if outcome.checkpoint is not None:
        tell_of_training(job.workspace, out, outcome.checkpoint, print)
    if outcome.state == "paused":
        raise Paused
    if outcome.state == "cancelled":
        raise Cancel
    return {"step": outcome.step, "checkpoint": str(outcome.checkpoint), "text": outcome.text}


def _config(arguments: Mapping[str, Any], job: JobContext) -> TrainConfig:
    if "config" in arguments:
        return config_from(arguments["config"], job.folder / SPEC)
    return read_config(Path(arguments["config_file"]), arguments.get("set", ()))
