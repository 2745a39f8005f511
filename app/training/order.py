"""A training as a job: its spec from a config, and the config back from its spec."""

from collections.abc import Mapping
from pathlib import Path

from app.jobs.types import JobRecord, JobSpec
from app.training.choices import free_folder
from app.workspace import Workspace
from models.data.errors import DreamFileError
from models.training.config import TrainConfig, config_from, to_table
from models.training.run_folder import read_run_config
from models.training.settings import SettingError

KIND = "train"


def train_spec(
    config: TrainConfig, title: str, data: Path, workspace: Workspace, *, gpus: bool, cloned_from: str = ""
) -> JobSpec:
    """Return the job that trains a config on demos, in a folder of the workspace that is not there yet.

    gpus: whether the machine has any. Raises JobError.
    """
    out = free_folder(workspace.trainings, title)
    arguments = {"config": _plain(to_table(config)), "data": str(data.absolute()), "out": str(out)}
    return JobSpec(KIND, title, arguments, needs_gpu(config, gpus), cloned_from)


def needs_gpu(config: TrainConfig, gpus: bool) -> bool:
    """Whether a training asks for a GPU, on a machine that has some or none."""
    return config.train.device == "cuda" or (config.train.device == "auto" and gpus)


def cloned_config(record: JobRecord) -> tuple[TrainConfig, Path]:
    """Return what a training was told: its config and its data set. Raises DreamFileError."""
    arguments = record.spec.arguments
    data = Path(str(arguments.get("data", "")))
    table = arguments.get("config")
    if not isinstance(table, Mapping):
        if record.spec.out is None:
            raise DreamFileError(record.folder, "arguments", "it does not say what is trained")
        return read_run_config(record.spec.out), data
    try:
        return config_from(table, record.folder), data
    except SettingError as error:
        raise DreamFileError(record.folder, f"config.{error.field}", error.problem, error.valid) from error


def _plain(value: object) -> object:
    """Tuples as lists, as JSON has them: what is queued and what is read back are one."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
