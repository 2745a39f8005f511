"""How many jobs run at once: WORKSPACE/jobs/slots.json, or what suits the machine."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from app.jobs.types import JobError, Machine, Slots
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.text_files import read_table, to_json

SLOTS = "slots.json"
_CORES_A_JOB = 4


def read_slots(root: Path, machine: Callable[[], Machine]) -> Slots:
    """Return what a person chose, else one for each GPU and one for every four cores. Never raises: a damaged file
    is none."""
    try:
        values = read_table(root / SLOTS)
        return Slots(values.get("gpu"), values.get("cpu"))  # type: ignore[arg-type]  # Slots looks at them
    except (DreamFileError, JobError):
        found = machine()
        return Slots(min(len(found.gpus), 64), min(max(1, found.cores // _CORES_A_JOB), 64))


def write_slots(root: Path, slots: Slots) -> None:
    """Raises OSError."""
    root.mkdir(parents=True, exist_ok=True)
    write_whole(root / SLOTS, to_json(asdict(slots)))
