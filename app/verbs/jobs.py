"""`jobs`: what runs in the background of a workspace, whether a window is open or not."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from app.jobs.jobs import Jobs
from app.jobs.types import JobRecord, JobSpec, Slots
from app.verbs.options import Verb
from app.verbs.output import DONE, REFUSED, Output, Refused, StoppedByPerson
from app.workspace import Workspace

POLL_S = 0.5
Deed = Callable[[Jobs, argparse.Namespace], None]


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add the verb to the command line."""
    top = verbs.add_parser(
        "jobs",
        help="jobs in the background: list, pause, resume, cancel",
        description="Jobs of the workspace: training, tracking, exports. They run whether a window is open or not.",
    )
    inner = top.add_subparsers(dest="what", required=True, metavar="list|show|add|clone|wait|pause|resume|retry|..")
    _add_looks(inner, shared)
    _add_new(inner, shared)
    for name, help_text, deed in (
        ("pause", "let it save at its next safe point and end its process", lambda jobs, a: jobs.pause(a.id)),
        ("resume", "go on with a paused or interrupted job", lambda jobs, a: jobs.resume(a.id)),
        ("retry", "try a failed or cancelled job again", lambda jobs, a: jobs.retry(a.id)),
        ("cancel", "end a job; it may tidy up first", lambda jobs, a: jobs.cancel(a.id, now=a.now)),
        ("remove", "take a job that does not run out of the list", lambda jobs, a: jobs.remove(a.id)),
    ):
        p = inner.add_parser(name, parents=[shared], help=help_text, description=f"{help_text.capitalize()}.")
        _add_id(p)
        if name == "cancel":
            p.add_argument("--now", action="store_true", help="kill its processes; nothing is tidied up")
        p.set_defaults(run=_do, deed=deed)


def _add_looks(
    inner: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser
) -> None:
    p = inner.add_parser("list", parents=[shared], help="all jobs", description="List all jobs, the newest first.")
    p.set_defaults(run=_list)
    p = inner.add_parser(
        "show",
        parents=[shared],
        help="one job and the end of its log",
        description="Show one job and what it printed.",
    )
    _add_id(p)
    p.add_argument("--lines", type=int, default=20, metavar="N", help="of its log (default: %(default)s)")
    p.set_defaults(run=_show)
    p = inner.add_parser(
        "wait",
        parents=[shared],
        help="wait until a job, or all of them, neither waits nor runs",
        description="Wait until a job, or all of them, neither waits nor runs; exit 3 where it is not done then. "
        "Ctrl+C ends the waiting, not the job.",
    )
    p.add_argument("id", nargs="?", metavar="ID", help="number of a job (default: all)")
    p.set_defaults(run=_wait)
    p = inner.add_parser(
        "slots",
        parents=[shared],
        help="how many run at once",
        description="Say or choose how many jobs run at once.",
    )
    p.add_argument("--gpu", type=int, metavar="N", help="jobs with a GPU (default: one for each GPU)")
    p.add_argument("--cpu", type=int, metavar="N", help="jobs without (default: one for every four cores)")
    p.set_defaults(run=_slots)


def _add_new(inner: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    p = inner.add_parser(
        "add",
        parents=[shared],
        help="queue a job",
        description="Queue a job of a kind; without a kind that is known, the message lists them, and without an "
        "argument that is needed, what it takes.",
    )
    p.add_argument("kind", metavar="KIND", help="such as track_demos, export, import")
    _add_arguments(p)
    p.add_argument("--gpu", action="store_true", help="it waits for a GPU and has it for itself")
    p.set_defaults(run=_new)
    p = inner.add_parser(
        "clone",
        parents=[shared],
        help="queue a job again with changes",
        description="Queue a job like another one, with some arguments changed; NAME= takes one out.",
    )
    _add_id(p)
    _add_arguments(p)
    p.set_defaults(run=_clone)


def _add_arguments(p: argparse.ArgumentParser) -> None:
    p.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="its arguments: a text, or JSON")
    p.add_argument("--title", default="", help="what it is called in lists")


def _add_id(p: argparse.ArgumentParser) -> None:
    p.add_argument("id", metavar="ID", help="number of the job, as list has it")


def _list(_arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    jobs = Jobs(workspace)
    jobs.wake()
    records = jobs.records()
    output.result(
        {"jobs": [_values(record) for record in records]}, [_line(record) for record in records] or ["no jobs"]
    )
    return DONE


def _show(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    jobs = Jobs(workspace)
    jobs.wake()
    record = jobs.record(arguments.id)
    log = jobs.log_tail(record.id, max(0, arguments.lines)) if arguments.lines > 0 else ""
    lines = [_line(record), f"  folder: {record.folder}"]
    lines += [f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in record.spec.arguments.items()]
    lines += [f"  {name}: {value}" for name, value in record.result.items()]
    output.result({"job": {**_values(record), "log_tail": log}}, [*lines, *([log] if log else [])])
    return DONE


def _new(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    jobs = Jobs(workspace)
    row = jobs.kinds.get(arguments.kind)
    title = arguments.title or (row.title if row is not None else arguments.kind)
    given = {name: value for name, value in _given(arguments.arguments).items() if value is not None}
    return _submit(jobs, JobSpec(arguments.kind, title, given, arguments.gpu), output)


def _clone(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    jobs = Jobs(workspace)
    return _submit(jobs, jobs.clone(arguments.id, _given(arguments.arguments), title=arguments.title), output)


def _submit(jobs: Jobs, spec: JobSpec, output: Output) -> int:
    id = jobs.submit(replace(spec, arguments=_absolute(jobs, spec)))
    record = jobs.record(id)
    output.result({"job": _values(record)}, [_line(record)])
    return DONE


def _absolute(jobs: Jobs, spec: JobSpec) -> dict[str, object]:
    """Paths as they are meant here: the job runs elsewhere."""
    row = jobs.kinds.get(spec.kind)
    paths = {a.name for a in (row.arguments if row else ()) if a.kind in ("path", "new path")}
    return {
        name: str(Path(value).expanduser().absolute()) if name in paths and isinstance(value, str) else value
        for name, value in spec.arguments.items()
    }


def _do(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    jobs = Jobs(workspace)
    id = jobs.record(arguments.id).id
    arguments.deed(jobs, arguments)
    if arguments.what == "remove":
        output.result({"removed": id}, [f"{id} removed"])
        return DONE
    record = jobs.record(id)
    output.result({"job": _values(record)}, [_line(record)])
    return DONE


def _wait(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    jobs = Jobs(workspace)
    ids = (
        [jobs.record(arguments.id).id]
        if arguments.id
        else [record.id for record in jobs.records() if _busy(record)]
    )
    try:
        while True:
            jobs.wake()
            records = [record for record in jobs.records() if record.id in ids]
            busy = [record for record in records if _busy(record)]
            if not busy:
                break
            output.progress(_line(min(busy, key=lambda record: record.state != "running")))
            time.sleep(POLL_S)
    except KeyboardInterrupt as error:
        raise StoppedByPerson("no longer waiting; the jobs go on") from error
    not_done = [record for record in records if record.state != "done"]
    output.result(
        {"ok": not not_done, "jobs": [_values(r) for r in records]}, [_line(r) for r in records] or ["no jobs"]
    )
    return REFUSED if not_done else DONE


def _slots(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    jobs = Jobs(workspace)
    slots = jobs.slots()
    if arguments.gpu is not None or arguments.cpu is not None:
        gpu = slots.gpu if arguments.gpu is None else arguments.gpu
        slots = Slots(gpu, slots.cpu if arguments.cpu is None else arguments.cpu)
        jobs.set_slots(slots)
    output.result({"slots": asdict(slots)}, [f"{slots.gpu} with a GPU, {slots.cpu} without"])
    return DONE


def _busy(record: JobRecord) -> bool:
    return record.state in ("queued", "running")


def _given(words: Sequence[str]) -> dict[str, object]:
    given: dict[str, object] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not name or not equals or name in given:
            raise Refused(f"{word!r}; valid: NAME=VALUE, each name once, such as out=/data/export")
        try:
            given[name] = json.loads(text) if text else None
        except ValueError:
            given[name] = text
    return given


def _values(record: JobRecord) -> dict[str, object]:
    values = asdict(record)
    spec = values.pop("spec")
    return {**spec, **values, "folder": str(record.folder), "log": str(record.log)}


def _line(record: JobRecord) -> str:
    state = {"run": "", "pause": ", about to pause", "cancel": ", about to end"}[record.wanted]
    told = [f"{record.id}  {record.state}{state}"]
    if record.state in ("running", "paused", "interrupted"):
        told.append(f"{record.fraction:.0%}")
    if record.left_s is not None:
        told.append(f"{_time(record.left_s)} left")
    if record.silent_s > 30:
        told.append(f"not heard of for {_time(record.silent_s)}")
    told.append(f"{record.spec.kind}: {record.spec.title}")
    told += [words for words in (record.text, record.problem) if words]
    return "  ".join(told)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


VERB: Verb = add
