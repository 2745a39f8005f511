"""Data sets to and from other programs' formats: whole or not at all, with progress, cancel and going on."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from app.datasets.exchange_orders import IMPORTING, ExportOptions
from app.datasets.exchange_part import (
    ExchangeRefused,
    Part,
    check_room,
    check_target,
    part_of,
    plan_of,
)
from hardware.recording.note import NOTE, EpisodeNote, read_note
from hardware.recording.session import Session
from models.data.demo import Demo
from models.data.exchange import Cancelled, Progress, stop_if
from models.data.exchange_mcap import export_mcap
from models.data.exchange_session import imported_note, write_episode
from models.data.lerobot_export import export_lerobot
from models.data.umi import export_umi


@dataclass(frozen=True)
class Imported:
    """episodes: numbers that the session gave; there_already: ids that it had."""

    episodes: tuple[int, ...]
    there_already: tuple[str, ...]


Exporter = Callable[[Sequence[Demo], Path, ExportOptions, Progress, Cancelled], object]
EXPORTS: Mapping[str, Exporter] = {
    "lerobot": lambda d, f, o, p, c: export_lerobot(d, f, p, c, fps=o.fps, robot=o.robot),
    "umi": lambda d, f, o, p, c: export_umi(d, f, p, c, fps=o.fps),
    "mcap": lambda d, f, o, p, c: export_mcap(d, f, p, c),
}


def export_demos(
    demos: Sequence[Demo],
    out: Path,
    form: str,
    options: ExportOptions,
    progress: Progress = lambda share, text: None,
    cancelled: Cancelled = lambda: False,
) -> Mapping[str, object]:
    """Write demos as a new folder in one of `EXPORTS`; return what it holds.

    A cancel or bad input leaves nothing; a crash or a full disk leaves OUT.part, and the same call goes on with it.
    Raises ExchangeRefused, DreamFileError, EpisodeFileError, OSError, ExchangeStopped.
    """
    if not demos:
        raise ExchangeRefused("there is no episode to export; valid: a data set with kept episodes")
    check_target(out)
    check_room(out, demos, form)
    part = Part(part_of(out), plan_of(form, demos, **asdict(options)))
    try:
        report = EXPORTS[form](demos, part.folder, options, progress, cancelled)
        part.keep(out)
    except OSError:
        part.leave()
        raise
    except BaseException:
        part.drop()
        raise
    progress(1.0, "done")
    return {"resumed": part.resumed, **asdict(report)}  # type: ignore[call-overload]


def import_demos(
    demos: Sequence[Demo],
    out: Path,
    progress: Progress = lambda share, text: None,
    cancelled: Cancelled = lambda: False,
) -> Imported:
    """Add demos to a session, which is made where it is missing: all of them or none.

    One that the session has already is left out. Raises as `export_demos`, SessionBusy.
    """
    fresh = not out.exists()
    check_session(out)
    if not demos:
        raise ExchangeRefused("there is no episode to import")
    check_room(out, demos)
    session = Session(out)
    session.lock()
    try:
        return _import(demos, session, progress, cancelled)
    except BaseException as error:
        if fresh and not isinstance(error, OSError):
            shutil.rmtree(out, ignore_errors=True)
        raise
    finally:
        session.close()


def check_session(out: Path) -> None:
    """Raise ExchangeRefused where nothing can be imported into."""
    if out.exists() and any(out.iterdir()) and not (out / "episodes").is_dir():
        raise ExchangeRefused(f"{out}: it is no session; valid: a session, or a folder that is not there yet")


def fresh_demos(demos: Sequence[Demo], out: Path) -> list[tuple[int, Demo, EpisodeNote]]:
    """Return those that a session has not yet, with their place and their note. Raises ExchangeRefused."""
    check_session(out)
    known = {entry.note.id: entry.note for entry in Session(out).kept() if entry.note is not None}
    notes = ((k, demo, _fresh_note(demo, known)) for k, demo in enumerate(demos))
    return [(k, demo, note) for k, demo, note in notes if note is not None]


def _import(demos: Sequence[Demo], session: Session, progress: Progress, cancelled: Cancelled) -> Imported:
    part = Part(session.folder / IMPORTING, plan_of("import", demos))
    try:
        wanted = fresh_demos(demos, session.folder)
        for step, (k, demo, note) in enumerate(wanted):
            stop_if(cancelled)
            progress(step / len(wanted), f"episode {step + 1} of {len(wanted)}")
            folder = part.folder / f"{k:06d}"
            if not (folder / NOTE).is_file():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                session.write_note(folder, write_episode(demo, folder, note, cancelled))
        numbers = []
        for k, _, _ in wanted:
            folder = part.folder / f"{k:06d}"
            numbers.append(session.adopt(folder, read_note(folder / NOTE)).number)
    except OSError:
        part.leave()
        raise
    except BaseException:
        part.drop()
        raise
    part.drop()
    progress(1.0, "done")
    fresh = {demo.id for _, demo, _ in wanted}
    return Imported(tuple(numbers), tuple(demo.id for demo in demos if demo.id not in fresh))


def _fresh_note(demo: Demo, known: Mapping[str, EpisodeNote]) -> EpisodeNote | None:
    """Return the note for a demo, None where the session has it; another one of the same id gets its own."""
    note = imported_note(demo)
    unique, k = note.id, 2
    while unique in known:
        origin = known[unique].details.get("imported path", "")
        if origin in ("", note.details.get("imported path", "")):
            return None
        unique, k = f"{note.id}-{k}", k + 1
    return replace(note, id=unique)
