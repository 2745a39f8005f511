"""The demos of a session as rows of a table, without opening a recording; read again only where files changed.

`SESSION/index.json` holds the rows as they were read last, each episode's with size and time of the files that they
come from. It is never the truth: a row counts only while those files are the same, and a file that is missing,
damaged or of another version is read past and written anew.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from hardware.recording.note import NOTE, EpisodeFileError, EpisodeNote, Level, read_note
from hardware.whole_file import write_whole
from models.data.annotations import ANNOTATION, AS_RECORDED, Annotation, Piece, read_annotation
from models.data.episode_track import TRACK
from models.data.errors import DreamFileError
from models.data.session_demo import Recording, SessionDemo

INDEX = "index.json"
FORMAT = 1
LARGEST = 256 * 2**20
_SOURCES = (NOTE, ANNOTATION, TRACK)
_NUMBER = re.compile(r"\d{6}")
_RANK: Sequence[Level] = ("ok", "mark", "bad")
Signature = tuple[int, ...]
DemoKey = tuple[str, int, int]
"""Session folder, number of the episode, key of the piece."""
DemoCut = tuple[DemoKey, float, float]
"""A demo with its start and length: another one after a trim."""
Report = Callable[[int, int], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DemoRow:
    """One demo in the table. number, piece: of its episode in its session, and of the piece in it; pieces: how many
    the episode has; start [s since the episode's start]; level: the worst of the verdicts, "" where nothing was
    checked; started: wall time of the recording; edited: a person said something of it since; tracked: its tools
    were; problem: why its files cannot be used, the rest is then what is known; session: its folder."""

    number: int
    piece: int = 1
    pieces: int = 1
    id: str = ""
    task: str = ""
    object: str = ""
    condition: str = ""
    instruction: str = ""
    success: bool | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    start: float = 0.0
    duration_s: float = 0.0
    level: str = ""
    streams: tuple[str, ...] = ()
    started: str = ""
    edited: bool = False
    tracked: bool = False
    problem: str = ""
    session: str = ""

    @property
    def folder(self) -> Path:
        """Where the episode lies."""
        return Path(self.session) / "episodes" / f"{self.number:06d}"

    @property
    def usable(self) -> bool:
        """Whether it can be played and edited: its note could be read."""
        return bool(self.id)

    @property
    def key(self) -> DemoKey:
        return self.session, self.number, self.piece

    @property
    def cut(self) -> DemoCut:
        return self.key, self.start, self.duration_s


_COLUMNS = [field.name for field in fields(DemoRow) if field.name != "session"]


def episode_rows(folder: Path) -> tuple[DemoRow, ...]:
    """Read the rows of one episode: one for each piece. Never raises for what lies in the files."""
    unknown = DemoRow(int(folder.name[:6]), session=str(folder.parent.parent))
    try:
        note = read_note(folder / NOTE)
    except EpisodeFileError as error:
        return (replace(unknown, problem=str(error)),)
    edited = (folder / ANNOTATION).exists()
    try:
        annotation, problem = read_annotation(folder), ""
    except DreamFileError as error:
        annotation, problem = AS_RECORDED, f"{error}; shown as it was recorded"
    tracked = (folder / TRACK).exists()
    rows = rows_of(folder, note, annotation)
    return tuple(replace(row, edited=edited, tracked=tracked, problem=problem) for row in rows)


def rows_of(folder: Path, note: EpisodeNote, annotation: Annotation) -> tuple[DemoRow, ...]:
    """Return what the rows of an episode would be with these words said of it."""
    return tuple(_row(folder, note, annotation, piece) for piece in annotation.pieces)


def session_rows(session: Path, report: Report = lambda done, of: None) -> tuple[DemoRow, ...]:
    """Return the rows of a session's kept episodes by number and time; report(done, of) now and then.

    Raises OSError where the folder itself cannot be read.
    """
    known = _read_index(session)
    with os.scandir(session / "episodes") as entries:
        names = sorted(entry.name for entry in entries if _NUMBER.fullmatch(entry.name))
    found: dict[str, tuple[Signature, tuple[DemoRow, ...]]] = {}
    for done, name in enumerate(names):
        if done % 200 == 0:
            report(done, len(names))
        path = f"{session}/episodes/{name}"
        signature = signature_of(path)
        if name in known and known[name][0] == signature:
            found[name] = known[name]
        elif os.path.isdir(path):  # it may have been moved to the trash just now
            found[name] = (signature, episode_rows(Path(path)))
    report(len(names), len(names))
    if found != known:
        _write_index(session / INDEX, found)
    return tuple(row for _, rows in found.values() for row in rows)


def signature_of(folder: str) -> Signature:
    """Return time [ns] and size of each file that a row comes from, zeros for one that is not there."""
    return tuple(value for name in _SOURCES for value in _stat(f"{folder}/{name}"))


def _stat(path: str) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _row(folder: Path, note: EpisodeNote, annotation: Annotation, piece: Piece) -> DemoRow:
    demo = SessionDemo(Recording(folder), note, piece)
    labels = demo.labels
    return DemoRow(
        number=int(folder.name[:6]),
        piece=piece.key,
        pieces=len(annotation.pieces),
        id=demo.id,
        task=labels.task,
        object=labels.object,
        condition=labels.condition,
        instruction=labels.instruction,
        success=labels.success,
        tags=labels.tags,
        note=labels.note,
        start=piece.start,
        duration_s=demo.duration_s,
        level=max((v.level for v in note.verdicts), key=_RANK.index, default=""),
        streams=note.streams,
        started=note.started,
        session=str(folder.parent.parent),
    )


def _read_index(session: Path) -> dict[str, tuple[Signature, tuple[DemoRow, ...]]]:
    path = session / INDEX
    try:
        if path.stat().st_size > LARGEST:
            return {}
        values = json.loads(path.read_bytes())
        if values["format"] != FORMAT or values["columns"] != _COLUMNS:
            return {}
        return {
            name: (tuple(signature), tuple(_rows(rows, int(name), str(session))))
            for name, signature, rows in values["episodes"]
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        log.info("%s is read past: %s", path, error)
        return {}


def _rows(rows: list[list[object]], number: int, session: str) -> Iterator[DemoRow]:
    for row in rows:
        values = [tuple(v) if isinstance(v, list) else v for v in row]
        fits = len(values) == len(_TYPES) and all(isinstance(v, t) for v, t in zip(values, _TYPES, strict=True))
        if (
            not fits
            or values[0] != number
            or not all(isinstance(text, str) for v in values if isinstance(v, tuple) for text in v)
        ):
            raise ValueError("a row is not what it should be")
        yield DemoRow(*values, session)  # type: ignore[arg-type, call-arg]


def _write_index(path: Path, found: dict[str, tuple[Signature, tuple[DemoRow, ...]]]) -> None:
    episodes = [
        [name, signature, [[getattr(row, c) for c in _COLUMNS] for row in rows]]
        for name, (signature, rows) in found.items()
    ]
    try:
        write_whole(path, json.dumps({"format": FORMAT, "columns": _COLUMNS, "episodes": episodes}))
    except (OSError, ValueError) as error:
        log.info("%s is not kept: %s", path, error)  # the next start reads the episodes again


_NONE = type(None)
_TYPES: tuple[type | tuple[type, ...], ...] = (
    int, int, int, str, str, str, str, str, (bool, _NONE), tuple, str, (int, float), (int, float), str, tuple, str,
    bool, bool, str,
)  # fmt: skip
