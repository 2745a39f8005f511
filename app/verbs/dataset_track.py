"""`dataset track`: find the tools of recorded demos in 3-D; the poses become the demos' actions."""

import argparse
from pathlib import Path

from app.datasets.tracking import DemoTracking, Tracking, track_order
from app.settings import tracker_settings
from app.tools.library import ToolLibrary
from app.verbs.options import closing, tools_by_role
from app.verbs.output import DONE, REFUSED, Output, Refused, StoppedByPerson
from app.workspace import Workspace
from hardware.recording.note import EpisodeFileError
from hardware.recording.session import open_session
from models.data.episode_track import TRACK
from models.data.session_demo import sessions_in
from models.tracking.trackers import BUILT_IN, TRACKERS, TrackerChoice

LONGEST_S = 7 * 24 * 3600.0
HELP = "track the tools of recorded demos; the poses become their actions"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `dataset track` takes besides the folder."""
    parser.add_argument(
        "--episodes", nargs="+", type=int, metavar="N", help="only episodes with these numbers (default: all)"
    )
    parser.add_argument("--again", action="store_true", help="track those too that have a track already")
    parser.add_argument(
        "--fps", type=float, help="pictures a second that are tracked (default: the task's clip rate)"
    )
    parser.add_argument(
        "--tools", nargs="+", metavar="ROLE=NAME", help="a tool of the library, or its file, for each role"
    )
    parser.add_argument("--tracker", choices=list(TRACKERS), default=BUILT_IN, help=f"default: {BUILT_IN}")


def run(arguments: argparse.Namespace, workspace: Workspace, output: Output) -> int:
    """Track the episodes one after the other; exit 3 where one of them could not be tracked."""
    episodes, skipped = _episodes(arguments)
    choice = TrackerChoice(arguments.tracker, "", tracker_settings(workspace))
    library, tools = ToolLibrary(workspace.root), tools_by_role(arguments.tools or []) or None
    orders = [track_order(e, library, tools=tools, fps=arguments.fps, choice=choice) for e in episodes]
    with closing(DemoTracking()) as tracking:
        forget = tracking.on_change(lambda _topic: _say(tracking, output))
        try:
            tracking.add(orders)
            tracking.wait(LONGEST_S)
        except KeyboardInterrupt as error:
            done = sum(item.state == "done" for item in tracking.queue)
            raise StoppedByPerson(f"stopped; {done} of {len(orders)} episodes are tracked") from error
        finally:
            forget()
        queue = tracking.queue
    failed = [item for item in queue if item.state != "done"]
    lines = [f"{len(queue) - len(failed)} tracked, {len(failed)} not, {len(skipped)} had a track already"]
    lines += [_line(item) for item in queue]
    values = {"ok": not failed, "episodes": [_values(item) for item in queue], "skipped": list(map(str, skipped))}
    output.result(values, lines)
    return REFUSED if failed else DONE


def _episodes(arguments: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """Return the episodes to track, and those that have a track already."""
    try:
        entries = [e for folder in sessions_in(arguments.dataset) for e in open_session(folder).kept()]
    except EpisodeFileError as error:
        raise Refused(f"dataset: {error}") from error
    if arguments.episodes:
        numbers = {int(e.folder.name) for e in entries}
        missing = sorted(set(arguments.episodes) - numbers)
        if missing:
            raise Refused(f"--episodes: {missing}: there are none of these; valid: {sorted(numbers)}")
        entries = [e for e in entries if int(e.folder.name) in arguments.episodes]
    folders = [e.folder for e in entries]
    there = [] if arguments.again else [f for f in folders if (f / TRACK).exists()]
    return [f for f in folders if f not in there], there


def _say(tracking: DemoTracking, output: Output) -> None:
    for k, item in enumerate(tracking.queue):
        if item.state == "running":
            left = f", {item.left_s:.0f} s left" if item.left_s is not None else ""
            where = f"{k + 1} of {len(tracking.queue)}: {item.episode.name}"
            output.progress(f"{where} {item.fraction:4.0%} {item.text}{left}")


def _values(item: Tracking) -> dict[str, object]:
    tools = {role: vars(tool) for role, tool in item.tools.items()}
    return {"episode": str(item.episode), "state": item.state, "tools": tools, "problem": item.problem}


def _line(item: Tracking) -> str:
    if item.state != "done":
        return f"  {item.episode}: {item.state}{': ' + item.problem if item.problem else ''}"
    told = [f"{role} in {t.found} of {t.frames} frames, {t.sure:.0%} surely" for role, t in item.tools.items()]
    return f"  {item.episode.name}: {'; '.join(told)}"
