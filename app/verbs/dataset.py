"""`dataset info|verify|recover`: what a folder of recorded episodes holds, and whether it is whole; with them
`export|import` of `app.verbs.exchange`, and what finds things in demos: `track|masks|steps`."""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from app.verbs import dataset_masks, dataset_steps, dataset_track, exchange
from app.verbs.options import Verb, closing
from app.verbs.output import DONE, REFUSED, Output, Refused
from app.workspace import Workspace
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import EpisodeFileError
from hardware.recording.recover import whole
from hardware.recording.session import Entry, Session, SessionBusy, open_session

Run = Callable[[argparse.Namespace, Workspace, Output], int]


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    dataset = verbs.add_parser(
        "dataset",
        help="look at, check, mend, track, export and import recordings",
        description="Recorded episodes.",
    )
    inner = dataset.add_subparsers(
        dest="what", required=True, metavar="info|verify|recover|track|masks|steps|export|import"
    )
    about = {
        "info": "say what is in it",
        "verify": "read every saved episode from front to back, with its checksums; exit 3 where one is damaged",
        "recover": "make episodes readable that a crash or a power cut left unfinished",
    }
    for name, run in _RUN.items():
        p = inner.add_parser(name, parents=[shared], help=about[name], description=about[name].capitalize() + ".")
        p.add_argument("dataset", type=Path, metavar="DIR", help="a session, or a folder of sessions")
        if name == "verify":
            p.add_argument("--pictures", action="store_true", help="decode every picture too")
        if name == "recover":
            p.add_argument(
                "--keep", action="store_true", help="keep what was recovered; else it waits to be looked at"
            )
        p.set_defaults(run=run)
    for name, finder in _FINDERS.items():
        p = inner.add_parser(name, parents=[shared], help=finder.HELP, description=finder.HELP.capitalize() + ".")
        p.add_argument("dataset", type=Path, metavar="DIR", help="a session, or a folder of sessions")
        finder.add_options(p)
        p.set_defaults(run=finder.run)
    exchange.add(inner, shared)


def _sessions(folder: Path) -> list[Session]:
    if not folder.is_dir():
        raise Refused(f"dataset: {folder}: there is no such folder; valid: one that `record` made")
    if (folder / "episodes").is_dir():
        return [open_session(folder)]
    found = [open_session(f) for f in sorted(folder.iterdir()) if (f / "episodes").is_dir()]
    if not found:
        raise Refused(f"dataset: {folder}: there is no session in it; valid: one that `record` made")
    return found


def _info(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    sessions = [_session_info(session) for session in _sessions(arguments.dataset)]
    lines = []
    for s in sessions:
        lines.append(f"{s['folder']}: {s['kept']} kept, {s['unfinished']} unfinished, {s['discarded']} discarded")
        lines.append(f"  {s['seconds']:.1f} s, {s['megabytes']:.1f} MB, clock {', '.join(s['clocks']) or 'none'}")  # type: ignore[arg-type]
        lines += [f"  {task}: {count}" for task, count in s["tasks"].items()]  # type: ignore[attr-defined]
        lines += [f"  {stream}: {count} samples" for stream, count in s["samples"].items()]  # type: ignore[attr-defined]
        lines += [f"  broken: {problem}" for problem in s["problems"]]  # type: ignore[attr-defined]
    output.result({"sessions": sessions}, lines)
    return DONE


def _session_info(session: Session) -> Mapping[str, object]:
    kept = session.kept()
    notes = [entry.note for entry in kept if entry.note is not None]
    samples: Counter[str] = Counter()
    for note in notes:
        samples.update(note.samples)
    return {
        "folder": str(session.folder),
        "kept": len(kept),
        "unfinished": len(session.unfinished()),
        "discarded": len(session.discarded()),
        "tasks": dict(Counter(note.task for note in notes)),
        "seconds": sum(note.duration_s for note in notes),
        "megabytes": sum(note.mcap_bytes for note in notes) / 1e6,
        "samples": dict(samples),
        "clocks": sorted({note.clock for note in notes}),
        "marked": sum(bool(note.verdicts) for note in notes),
        "succeeded": sum(note.success is True for note in notes),
        "problems": [entry.problem for entry in kept if entry.problem],
    }


def _verify(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    checked, damaged = [], {}
    for session in _sessions(arguments.dataset):
        for entry in session.kept():
            output.progress(f"reading {entry.folder}")
            checked.append(str(entry.folder))
            problem = _fault(entry, arguments.pictures)
            if problem:
                damaged[str(entry.folder)] = problem
    lines = [f"{len(checked)} episodes read, {len(damaged)} damaged"]
    lines += [f"  {problem}" for problem in damaged.values()]
    output.result({"ok": not damaged, "episodes": checked, "damaged": damaged}, lines)
    return REFUSED if damaged else DONE


def _fault(entry: Entry, pictures: bool) -> str:
    """Return what is wrong with a kept episode, "" for nothing."""
    if entry.note is None:
        return entry.problem
    try:
        found = whole(entry.folder / MCAP)
        if found is None:
            return f"{entry.folder / MCAP}: unfinished or damaged"
        if entry.note.mcap_sha256 and found.sha256 != entry.note.mcap_sha256:
            return f"{entry.folder / MCAP}: it is not the file that was saved (its sha256 differs)"
        with open_episode(entry.folder) as reader:
            counted = {name: len(reader.times(name).index) for name in reader.streams}
            if entry.note.samples and counted != {name: entry.note.samples.get(name, 0) for name in counted}:
                return f"{entry.folder}: episode.json tells of {dict(entry.note.samples)}, the file holds {counted}"
            for name in reader.cameras if pictures else ():
                for _ in reader.frames(name):
                    pass
    except OSError as error:
        return f"{entry.folder / MCAP}: it cannot be read ({error.strerror})"
    except EpisodeFileError as error:
        return str(error)
    return ""


def _recover(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    recovered, lost = {}, {}
    for session in _sessions(arguments.dataset):
        with closing(session):
            try:
                session.lock()
            except SessionBusy as error:
                raise Refused(f"dataset: {error}") from error
            for entry in session.unfinished():
                try:
                    note, found = session.recover(entry.folder)
                except (EpisodeFileError, FileNotFoundError) as error:
                    lost[str(entry.folder)] = str(error)
                    continue
                folder = session.keep(entry.folder, note) if arguments.keep else entry.folder
                recovered[str(folder)] = {"seconds": note.duration_s, "messages": found.messages}
    lines = [f"{len(recovered)} recovered, {len(lost)} without anything to recover"]
    lines += [f"  {folder}: {row['seconds']:.1f} s" for folder, row in recovered.items()]
    lines += [f"  {problem}" for problem in lost.values()]
    output.result({"recovered": recovered, "lost": lost, "kept": arguments.keep}, lines)
    return DONE


_FINDERS: Mapping[str, ModuleType] = {"track": dataset_track, "masks": dataset_masks, "steps": dataset_steps}
_RUN: Mapping[str, Run] = {"info": _info, "verify": _verify, "recover": _recover}
VERB: Verb = add
