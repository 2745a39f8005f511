"""What a person wants exchanged, and what would come of it, as plain values; `exchange.json` outlives a crash."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.datasets.exchange_part import ExchangeRefused, Room, part_of
from hardware.recording.note import NOTE, read_note
from hardware.whole_file import write_whole
from models.data.annotations import read_annotation
from models.data.dataset_index import DemoKey
from models.data.demo import Demo
from models.data.errors import DreamFileError
from models.data.exchange import WRITTEN
from models.data.fields import Fields
from models.data.session_demo import episode_demos
from models.data.text_files import read_table

IMPORTING = ".import.part"
log = logging.getLogger(__name__)


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


# what was begun and not finished


def remember(path: Path, order: Order | None) -> None:
    """Keep what runs now, None: nothing does. Raises OSError."""
    if order is None:
        path.unlink(missing_ok=True)
        return
    kind = "export" if isinstance(order, ExportOrder) else "import"
    write_whole(path, json.dumps({"format": 1, "kind": kind, **asdict(order)}, default=str))


def remembered(path: Path) -> Order | None:
    """Return what was begun and left half done, None where there is no such thing, or nothing of it is left."""
    if not path.exists():
        return None
    try:
        order = _order(Fields(read_table(path), path))
    except (DreamFileError, ValueError) as error:
        log.info("%s is read past: %s", path, error)
        return None
    return order if order.part.is_dir() else None


def _order(fields: Fields) -> Order:
    out = Path(fields.get("out", str, "a folder"))
    if fields.get("kind", str, "export or import") == "import":
        return ImportOrder(Path(fields.get("source", str, "a file or folder")), out, fields.number("fps", "hertz"))
    form = fields.get("form", str, f"one of {list(WRITTEN)}")
    if form not in WRITTEN:
        raise fields.wrong("form", repr(form), f"one of {list(WRITTEN)}")
    options = fields.table("options", "fps and robot")
    return ExportOrder(
        tuple(_key(fields, row) for row in fields.get("demos", list, "a list of demos")),
        out,
        form,
        ExportOptions(options.number("fps", "rows a second"), options.get("robot", str, "a name", "")),
    )


def _key(fields: Fields, row: object) -> DemoKey:
    if isinstance(row, list) and len(row) == 3 and isinstance(row[0], str):
        session, number, piece = row
        if type(number) is int and type(piece) is int:
            return session, number, piece
    raise fields.wrong("demos", repr(row)[:60], "[session, number, piece]")
