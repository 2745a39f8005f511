"""`dataset steps`: mark where the steps of a task begin, by who reaches in; an edit that can be undone."""

import argparse

from app.datasets.library import Dataset, DatasetError
from app.datasets.wishes import SetMarks
from app.verbs.options import closing
from app.verbs.output import DONE, REFUSED, Output, Refused
from app.workspace import Workspace
from hardware.recording.note import NOTE, EpisodeFileError, read_note
from models.data.annotations import AS_RECORDED, read_annotation
from models.data.clips_pictures import scene_photo
from models.data.dataset_index import DemoRow
from models.data.errors import DreamFileError
from models.data.session_demo import episode_demos
from models.data.steps import find_steps

HELP = "mark where the steps of each episode begin, where nobody did yet"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `dataset steps` takes besides the folder."""
    parser.add_argument("--camera", default="", help="which camera is looked through (default: the first)")
    parser.add_argument("--again", action="store_true", help="mark those anew that are marked already")


def run(arguments: argparse.Namespace, _workspace: Workspace, output: Output) -> int:
    """Look through every episode; exit 3 where one could not be read or marked."""
    found: dict[str, list[float]] = {}
    problems: dict[str, str] = {}
    try:
        dataset = Dataset(arguments.dataset)
    except EpisodeFileError as error:
        raise Refused(f"dataset: {error}") from error
    with closing(dataset):
        for row in {row.folder: row for row in dataset.rows}.values():
            output.progress(f"looking through {row.folder}")
            try:
                times = _mark(dataset, row, arguments.camera, arguments.again)
            except (DatasetError, DreamFileError, EpisodeFileError, KeyError) as error:
                problems[str(row.folder)] = str(error)
                continue
            if times is not None:
                found[str(row.folder)] = times
    lines = [f"{len(found)} episodes marked, {len(problems)} not"]
    lines += [f"  {folder}: {len(times)} steps" for folder, times in found.items()]
    lines += [f"  {problem}" for problem in problems.values()]
    output.result({"ok": not problems, "steps": found, "problems": problems}, lines)
    return REFUSED if problems else DONE


def _mark(dataset: Dataset, row: DemoRow, camera: str, again: bool) -> list[float] | None:
    """Mark one episode; return when its steps begin [s], None where it was left as it is."""
    if read_annotation(row.folder).marks and not again:
        return None
    (demo,) = episode_demos(row.folder, read_note(row.folder / NOTE), AS_RECORDED)
    names = [stream.name for stream in demo.streams.values() if stream.kind == "camera"]
    if not names:
        raise DatasetError(f"{row.folder}: it has no camera")
    name = camera or names[0]
    marks = find_steps(demo, name, scene_photo(demo, name))
    proposal = dataset.propose(SetMarks(row.key, marks))
    if proposal.changes:
        dataset.do(proposal, "dataset steps")
    return [mark.t for mark in marks]
