"""`dataset masks`: find where the object of push-shape lies at the end of each episode; the last is the goal."""

import argparse
from pathlib import Path

from app.verbs.output import DONE, REFUSED, Output, Refused
from app.workspace import Workspace
from hardware.recording.note import EpisodeFileError, EpisodeNote
from hardware.recording.session import open_session
from models.data.annotations import AS_RECORDED
from models.data.clips import stereo_clip
from models.data.errors import DreamFileError
from models.data.masks import MASKS, write_masks
from models.data.masks_found import find_masks
from models.data.session_demo import episode_demos, sessions_in

HELP = "find the object at the end of each episode of push-shape: the goal of its clips"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `dataset masks` takes besides the folder."""
    parser.add_argument(
        "--again", action="store_true", help="look again where masks are, and lose their brush strokes"
    )


def run(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    """Look at every episode of a task that has a goal; exit 3 where one could not be read."""
    found: dict[str, list[str]] = {}
    problems: dict[str, str] = {}
    for folder, note in _episodes(arguments.dataset):
        if (folder / MASKS).exists() and not arguments.again:
            continue
        output.progress(f"looking at {folder}")
        try:
            (demo,) = episode_demos(folder, note, AS_RECORDED)
            masks = find_masks(demo, [demo.duration_s])
            write_masks(folder, masks)
            found[str(folder)] = [mask.camera for mask in masks]
        except (DreamFileError, EpisodeFileError, OSError) as error:
            problems[str(folder)] = str(error)
    empty = [folder for folder, cameras in found.items() if not cameras]
    lines = [f"{len(found)} episodes looked at, nothing found in {len(empty)}, {len(problems)} could not be read"]
    lines += [f"  nothing found: {folder}" for folder in empty] + [f"  {problem}" for problem in problems.values()]
    output.result({"ok": not problems, "found": found, "problems": problems}, lines)
    return REFUSED if problems else DONE


def _episodes(dataset: Path) -> list[tuple[Path, EpisodeNote]]:
    try:
        entries = [e for folder in sessions_in(dataset) for e in open_session(folder).kept()]
    except EpisodeFileError as error:
        raise Refused(f"dataset: {error}") from error
    return [(e.folder, e.note) for e in entries if e.note is not None and stereo_clip(e.note.task).goal is not None]
