"""One folder per execution: plan.json, run.json, curves.npz and episode.mcap, the recording. See docs/cli.md."""

import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from hardware.plan_file import save_plan
from hardware.recording.mcap_log import MCAP
from hardware.robots.arm_group import ArmRecord, RunResult
from hardware.types import Plan
from hardware.whole_file import write_whole
from models.data.text_files import read_table, to_json


@dataclass(frozen=True)
class RunFolder:
    """The files of one execution."""

    path: Path

    @property
    def recording(self) -> Path:
        return self.path / MCAP

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    def read(self) -> Mapping[str, object]:
        """Return run.json: what it was, how it ended, and the outcome once one is given. Raises DreamFileError."""
        return read_table(self.path / "run.json")

    def write(self, **more: object) -> None:
        """Add to run.json, whole or not at all. Raises OSError."""
        target = self.path / "run.json"
        values = {**(self.read() if target.exists() else {}), **more}
        write_whole(target, to_json(values))

    def write_curves(self, records: Mapping[str, ArmRecord]) -> None:
        """Write every arm's record, whole or not at all: arrays named ARM/FIELD. Raises OSError."""
        arrays = {
            f"{arm}/{field.name}": np.asarray(getattr(record, field.name))
            for arm, record in records.items()
            for field in fields(ArmRecord)
        }
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays)
        write_whole(self.path / "curves.npz", file.getvalue())

    def curves(self) -> Mapping[str, ArmRecord]:
        """Return every arm's record. Raises OSError or ValueError where it is not there or damaged."""
        with np.load(self.path / "curves.npz", allow_pickle=False) as file:
            arms = dict.fromkeys(key.rpartition("/")[0] for key in file.files)
            return {arm: ArmRecord(**{f.name: file[f"{arm}/{f.name}"] for f in fields(ArmRecord)}) for arm in arms}


def new_run(runs: Path, plan: Plan) -> RunFolder:
    """Make the folder of an execution that is about to start. Raises OSError."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        path = runs / (f"{stamp}-{plan.dream}" if number == 0 else f"{stamp}-{plan.dream}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        folder = RunFolder(path)
        save_plan(plan, folder.plan)
        return folder
    raise OSError(f"{runs}: a thousand runs in one second; is the clock standing still?")


def write_end(folder: RunFolder, result: RunResult, problem: str, recorded: Mapping[str, object]) -> None:
    """Write how a run ended. recorded: facts about the recording; problem: what it lacks. Raises OSError."""
    folder.write(
        end=result.end,
        message=result.message,
        plan_time_s=result.plan_time,
        recording=problem or "complete",
        recorded=recorded,
    )
