"""The job that tracks demos: one episode after the other; a pause waits for the end of the one it is at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.datasets.track_job import track_episode
from app.datasets.tracking import TrackedTool, track_order
from app.jobs.context import JobContext, stop_if_wanted
from app.settings import tracker_settings
from app.tools.library import ToolLibrary
from app.worker import Cancel
from hardware.recording.session import open_session
from hardware.whole_file import write_whole
from models.data.episode_track import TRACK
from models.data.session_demo import sessions_in
from models.tracking.trackers import BUILT_IN, TrackerChoice

_DONE = "done.txt"


class NotAllTracked(ValueError):
    """There are no episodes, or not all could be tracked; the message says how many, and why the first of them."""


def run(arguments: Mapping[str, Any], job: JobContext) -> Mapping[str, object]:
    """Track episodes (app/jobs/kinds.py has the arguments); what has a track already is left as it is.

    An episode that cannot be tracked is told in the log, and the next one begins. Raises Paused, Cancel,
    NotAllTracked at the end.
    """
    folders = _episodes(arguments)
    done = _done(job.folder)
    left = [
        f for f in folders if str(f) not in done and (arguments.get("again", False) or not (f / TRACK).exists())
    ]
    problems: list[str] = []
    for k, folder in enumerate(left):
        stop_if_wanted(job)
        begun = len(folders) - len(left) + k
        print(folder, flush=True)
        try:
            tools = _track(folder, arguments, job, begun, len(folders))
        except (Cancel, MemoryError):
            raise
        except Exception as error:
            if job.cancelled():
                raise Cancel from error
            problems.append(f"{folder.name}: {error}")
            print(f"  {problems[-1]}", flush=True)
            continue
        for role, tool in tools.items():
            print(f"  {role} in {tool.found} of {tool.frames} frames, {tool.sure:.0%} surely", flush=True)
        write_whole(job.folder / _DONE, "".join(f"{one}\n" for one in (*done, str(folder))))
        done = (*done, str(folder))
    job.report(1.0)
    if problems:
        raise NotAllTracked(f"{len(problems)} of {len(folders)} episodes could not be tracked; {problems[0]}")
    return {"tracked": len(left), "had a track": len(folders) - len(left)}


def _episodes(arguments: Mapping[str, Any]) -> list[Path]:
    folders = [Path(folder) for folder in arguments.get("episodes", ())]
    if "dataset" in arguments:
        sessions = sessions_in(Path(arguments["dataset"]))
        folders += [entry.folder for session in sessions for entry in open_session(session).kept()]
    if not folders:
        raise NotAllTracked("there is no episode to track; valid: episodes, or a dataset that has some")
    return list(dict.fromkeys(folders))


def _track(
    folder: Path, arguments: Mapping[str, Any], job: JobContext, begun: int, count: int
) -> Mapping[str, TrackedTool]:
    choice = TrackerChoice(arguments.get("tracker", BUILT_IN), "", tracker_settings(job.workspace))
    library = ToolLibrary(job.workspace.root)
    order = track_order(folder, library, tools=arguments.get("tools"), fps=arguments.get("fps"), choice=choice)
    where = f"episode {begun + 1} of {count}, {folder.name}"

    def report(share: float, text: str) -> None:
        job.report((begun + share) / count, f"{where}: {text}")

    return track_episode(order, report, job.cancelled)


def _done(folder: Path) -> tuple[str, ...]:
    """Episodes that an earlier attempt tracked."""
    path = folder / _DONE
    return tuple(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()
