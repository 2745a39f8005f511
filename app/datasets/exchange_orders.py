"""What a person wants exchanged, and what would come of it, as plain values; orders as jobs and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.datasets.exchange_part import ExchangeRefused, Room, part_of
from app.jobs.types import JobSpec
from hardware.recording.note import NOTE, read_note
from models.data.annotations import read_annotation
from models.data.dataset_index import DemoKey
from models.data.demo import Demo
from models.data.session_demo import episode_demos

IMPORTING = ".import.part"
EXPORT, IMPORT = "export", "import"
KINDS = (EXPORT, IMPORT)


@dataclass(frozen=True)
class ExportOptions:
    """fps: rows a second, 0: as many as the fastest camera has pictures; robot: LeRobot's robot_type."""

    fps: float = 0.0
    robot: str = ""


@dataclass(frozen=True)
class ExportOrder:
    """Write these demos, in this order, as a new folder. form: one of WRITTEN."""

    demos: tuple[DemoKey, ...]
    out: Path
    form: str = "lerobot"
    options: ExportOptions = field(default_factory=ExportOptions)

    @property
    def part(self) -> Path:
        """Where it grows."""
        return part_of(self.out)

    @property
    def text(self) -> str:
        return f"Export to {self.out.name}"


@dataclass(frozen=True)
class ImportOrder:
    """Add what a file or folder holds to a session. fps: of a UMI file, 0: what it says."""

    source: Path
    out: Path
    fps: float = 0.0

    @property
    def part(self) -> Path:
        return self.out / IMPORTING

    @property
    def text(self) -> str:
        return f"Import of {self.source.name}"


Order = ExportOrder | ImportOrder


@dataclass(frozen=True)
class Outlook:
    """What an order would do. demos, seconds: how much; kept, lost: sentences; room: None where nobody got so far;
    resumed: a half-done one is gone on with; there_already: demos that the session has; refusal: why it cannot be
    done, "" where it can."""

    demos: int = 0
    seconds: float = 0.0
    kept: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    room: Room | None = None
    resumed: bool = False
    there_already: int = 0
    refusal: str = ""


def chosen_demos(keys: tuple[DemoKey, ...]) -> list[Demo]:
    """Return demos of sessions by their keys, as they are cut and labelled now; no recording is opened.

    Raises ExchangeRefused for one that is not there any more, EpisodeFileError, DreamFileError.
    """
    found: dict[tuple[str, int], Mapping[int, Demo]] = {}
    made: list[Demo] = []
    for session, number, piece in keys:
        folder = Path(session) / "episodes" / f"{number:06d}"
        if (session, number) not in found:
            demos = episode_demos(folder, read_note(folder / NOTE), read_annotation(folder))
            found[session, number] = {demo.piece.key: demo for demo in demos}
        if piece not in found[session, number]:
            raise ExchangeRefused(f"{folder}: part {piece} is not there any more; look again")
        made.append(found[session, number][piece])
    return made


# orders as jobs


def spec_of(order: Order) -> JobSpec:
    """Return the job that carries an order out; app/jobs/kinds.py has its arguments."""
    where: dict[str, object] = {"out": str(order.out.absolute())}
    if isinstance(order, ImportOrder):
        rate = {"fps": order.fps} if order.fps else {}
        return JobSpec(IMPORT, order.text, {**where, "source": str(order.source.absolute()), **rate})
    demos = [f"{Path(session).absolute()}:{number}:{piece}" for session, number, piece in order.demos]
    source = Path(order.demos[0][0]).absolute() if order.demos else order.out.parent
    options = {name: value for name, value in vars(order.options).items() if value}
    return JobSpec(
        EXPORT, order.text, {**where, "source": str(source), "demos": demos, "format": order.form, **options}
    )


def order_of(spec: JobSpec) -> Order:
    """Return the order that a job carries out, a verb's too: of a whole data set, without its demos."""
    told: Mapping[str, Any] = spec.arguments
    out, fps = Path(told["out"]), float(told.get("fps", 0.0))
    if spec.kind == IMPORT:
        return ImportOrder(Path(told["source"]), out, fps)
    return ExportOrder(
        keys_of(told.get("demos", ())), out, told["format"], ExportOptions(fps, told.get("robot", ""))
    )


def keys_of(demos: Sequence[str]) -> tuple[DemoKey, ...]:
    """Return the keys of demos that a job was told: SESSION:NUMBER:PIECE. Raises ExchangeRefused."""
    try:
        parts = [demo.rsplit(":", 2) for demo in demos]
        return tuple((session, int(number), int(piece)) for session, number, piece in parts)
    except ValueError as error:
        raise ExchangeRefused(f"demos: {error}; valid: SESSION:NUMBER:PIECE, each") from error
