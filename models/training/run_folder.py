"""A run's folder: what it was told, where it came from, its curves, pictures and log. Knows no torch.

config.toml        what it was told              metrics.jsonl   a line for each step: step, time, values
provenance.json    data, program, machine        events/         the same for TensorBoard
checkpoints/       step_000500/ ..               gallery/        step_000500/*.png, metrics.json
log.txt            what happened, in words
"""

import fcntl
import json
import time
from collections.abc import Mapping
from pathlib import Path

from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.text_files import read_table, to_json
from models.training.config import TrainConfig, config_from, config_text, locked_differences
from models.training.event_file import EventFile
from models.training.progress import TrainingError
from models.training.settings import SettingError

CONFIG, PROVENANCE, METRICS, LOG = "config.toml", "provenance.json", "metrics.jsonl", "log.txt"
CHECKPOINTS, GALLERY, EVENTS = "checkpoints", "gallery", "events"


def read_run_config(folder: Path) -> TrainConfig:
    """Return what a run was told. Raises DreamFileError."""
    path = folder / CONFIG
    try:
        return config_from(read_table(path), path)
    except SettingError as error:
        raise DreamFileError(path, error.field, error.problem, error.valid) from error


def read_metrics(folder: Path) -> list[dict[str, object]]:
    """Return the lines of a run's metrics; one that is not whole ends them."""
    rows: list[dict[str, object]] = []
    try:
        lines = (folder / METRICS).read_bytes().splitlines()
    except FileNotFoundError:
        return rows
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not isinstance(row, dict) or not isinstance(row.get("step"), int):
            break
        rows.append(row)
    return rows


class RunFolder:
    """The folder of one run while it runs; one process has it at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises TrainingError where another process has it, OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = open(folder / ".lock", "wb")  # noqa: SIM115 - closed by close()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise TrainingError(f"{folder}: another program trains in it; wait for it, or take another") from error
        self._events: EventFile | None = None

    @property
    def checkpoints(self) -> Path:
        return self.folder / CHECKPOINTS

    @property
    def gallery(self) -> Path:
        return self.folder / GALLERY

    @property
    def holds_run(self) -> bool:
        return (self.folder / CONFIG).exists()

    def check(self, config: TrainConfig, resume: bool) -> None:
        """Raise TrainingError where a run lies here that must not be touched, or is of another kind."""
        if not self.holds_run:
            return
        if not resume:
            raise TrainingError(f"{self.folder}: there is a run already: --resume it, or choose another --out")
        differences = locked_differences(config, read_run_config(self.folder))
        if differences:
            raise TrainingError(
                f"{self.folder}: this run cannot go on with other settings: {'; '.join(differences)}; set them "
                "back, or begin another run with --out"
            )

    def begin(self, config: TrainConfig, provenance: Mapping[str, object], step: int) -> None:
        """Write what the run is told and go on after a step; what was noted of later ones is taken out."""
        for made in (self.checkpoints, self.gallery):
            made.mkdir(exist_ok=True)
        write_whole(self.folder / CONFIG, config_text(config))
        write_whole(self.folder / PROVENANCE, to_json(provenance))
        kept = [row for row in read_metrics(self.folder) if isinstance(row["step"], int) and row["step"] <= step]
        write_whole(self.folder / METRICS, "".join(json.dumps(row) + "\n" for row in kept))
        self._events = EventFile(self.folder / EVENTS, step)

    def provenance(self) -> Mapping[str, object]:
        """Return what is noted of where the run came from; empty before it began. Raises DreamFileError."""
        path = self.folder / PROVENANCE
        return read_table(path) if path.exists() else {}

    def note(self, step: int, values: Mapping[str, float]) -> None:
        """Add values to the curves. Raises OSError."""
        row = {"step": step, "time": round(time.time(), 3), "values": dict(values)}
        _append(self.folder / METRICS, json.dumps(row))
        if self._events is not None:
            self._events.scalars(step, values)

    def picture(self, step: int, name: str, file: Path, size: tuple[int, int]) -> None:
        """Show a PNG file of size (width, height) in TensorBoard."""
        if self._events is not None:
            self._events.picture(step, name, file.read_bytes(), size)

    def log(self, text: str) -> None:
        """Add a line to the log."""
        _append(self.folder / LOG, f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}")

    def close(self) -> None:
        """Safe to call twice."""
        if self._events is not None:
            self._events.close()
        self._lock.close()


def _append(path: Path, line: str) -> None:
    with open(path, "ab", buffering=0) as file:
        file.write(line.encode() + b"\n")
