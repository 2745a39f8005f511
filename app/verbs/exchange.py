"""`dataset export|import`: data sets to and from the formats of other programs."""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.verbs.output import DONE, Output, Refused, StoppedByPerson
from app.workspace import Workspace
from hardware.recording.session import SessionBusy
from models.data.demo import Demo
from models.data.exchange import LEAST_FPS, MAX_FPS, MAX_RATE, READ, WRITTEN, ExchangeStopped


def add(inner: "argparse._SubParsersAction[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Add both to `dataset`."""
    p = inner.add_parser(
        "export",
        parents=[shared],
        help="write a data set in another program's format",
        description="Write kept episodes, as they are trimmed and labelled, into a new folder. Ctrl+C leaves "
        "nothing; what a crash or a full disk left is gone on with by the same command.",
    )
    p.add_argument(
        "dataset", type=Path, metavar="DIR", help="a session, a folder of sessions, or what import reads"
    )
    p.add_argument("--format", choices=WRITTEN, required=True, help="of what is written")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet")
    p.add_argument(
        "--fps", type=float, default=0.0, metavar="F", help="rows a second (default: that of the fastest camera)"
    )
    p.add_argument("--robot", default="", metavar="NAME", help="lerobot: robot_type")
    p.add_argument("--episodes", metavar="LIST", help="only these, by place, such as 1,3-5 (default: all)")
    p.set_defaults(run=_export)
    p = inner.add_parser(
        "import",
        parents=[shared],
        help="read another program's data set into a session",
        description=f"Add the demonstrations of a file or folder to a session, all or none. Read are: "
        f"{'; '.join(text for name, text in READ.items() if name != 'session')}.",
    )
    p.add_argument("source", type=Path, metavar="SRC", help="file or folder")
    p.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="a session, or a folder that is not there yet"
    )
    p.add_argument("--fps", type=float, default=0.0, metavar="F", help="umi: rows a second (default: 59.94)")
    p.set_defaults(run=_import)


def _export(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    # the libraries of these formats take half a second to load: only where they are used
    from app.datasets.exchange import export_demos
    from app.datasets.exchange_orders import ExportOptions
    from models.data.exchange_sources import open_demos

    if arguments.fps and not LEAST_FPS <= arguments.fps <= MAX_FPS:
        raise Refused(f"--fps: {arguments.fps:g}; valid: {LEAST_FPS:g} to {MAX_FPS:g}")
    demos = open_demos(arguments.dataset)
    if arguments.episodes is not None:
        demos = _chosen(demos, arguments.episodes)
    options = ExportOptions(arguments.fps, arguments.robot)
    try:
        report = export_demos(
            demos,
            arguments.out,
            arguments.format,
            options,
            lambda share, text: output.progress(f"{share:4.0%} {text}"),
        )
    except (KeyboardInterrupt, ExchangeStopped) as error:
        raise StoppedByPerson("stopped; nothing is left of the export") from error
    lines = [f"{len(demos)} episodes in {arguments.out}"]
    lines += [f"  {key.replace('_', ' ')}: {_told(value)}" for key, value in report.items() if value]
    output.result({"out": str(arguments.out), "format": arguments.format, **report}, lines)
    return DONE


def _import(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    from app.datasets.exchange import import_demos
    from models.data.exchange_sources import open_demos

    if not 0 <= arguments.fps <= MAX_RATE:
        raise Refused(f"--fps: {arguments.fps:g}; valid: above 0, at most {MAX_RATE:g}")
    demos = open_demos(arguments.source, fps=arguments.fps)
    try:
        done = import_demos(demos, arguments.out, lambda share, text: output.progress(f"{share:4.0%} {text}"))
    except SessionBusy as error:
        raise Refused(f"--out: {error}") from error
    except (KeyboardInterrupt, ExchangeStopped) as error:
        raise StoppedByPerson("stopped; nothing was imported") from error
    lines = [f"{len(done.episodes)} episodes in {arguments.out}"]
    if done.there_already:
        lines.append(f"  {len(done.there_already)} were there already")
    values = {"out": str(arguments.out), "episodes": done.episodes, "there_already": done.there_already}
    output.result(values, lines)
    return DONE


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{count}: {why}" for why, count in value.items())
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _chosen(demos: Sequence[Demo], text: str) -> list[Demo]:
    """Return demos by a list of places such as 1,3-5. Raises Refused."""
    found: list[Demo] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,7})(?:-(\d{1,7}))?", part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= len(demos):
            raise Refused(f"--episodes: {part!r}; valid: places from 1 to {len(demos)}, such as 1,3-5")
        found += [demo for demo in demos[first - 1 : last] if demo not in found]
    return found
