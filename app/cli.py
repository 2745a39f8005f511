"""The verbs of main.py: one table, one place where what went wrong becomes an exit status."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.ledger import LedgerError
from app.settings import read_settings
from app.verbs import (
    calibration,
    dataset,
    dream,
    emulate,
    evaluate,
    execute,
    jobs,
    model,
    plan,
    record,
    rig,
    track,
    train,
)
from app.verbs.options import Verb, read_rig
from app.verbs.output import DEVICE, DONE, REFUSED, STOPPED, Output, Refused, StoppedByPerson
from app.window_start import stricter, window_rig, window_workspace
from app.workspace import WorkspaceError, open_workspace
from hardware.robots.base import ArmError
from hardware.safety import ApprovalError
from hardware.stream import DeviceError
from models.data.errors import DreamFileError

VERBS: Sequence[Verb] = (
    rig.VERB,
    calibration.VERB,
    record.VERB,
    dataset.VERB,
    dream.VERB,
    track.VERB,
    train.VERB,
    model.VERB,
    plan.VERB,
    execute.VERB,
    evaluate.VERB,
    jobs.VERB,
    emulate.VERB,
)
EPILOG = (
    "exit status: 0 done, 2 wrong usage, 3 input refused, 4 a device or controller said no, 5 stopped by a person"
)


def main(arguments: Sequence[str]) -> int:
    """Run one verb; return the exit status."""
    try:
        parsed = parser().parse_args(list(arguments))
    except SystemExit as end:
        return int(end.code or DONE)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if parsed.verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    output = Output(parsed.json)
    try:
        if parsed.run is None:
            return _window(parsed, output)
        return int(parsed.run(parsed, open_workspace(parsed.workspace), output))
    except DreamFileError as error:
        output.error(REFUSED, str(error), file=error.file, field=error.field, valid=error.valid)
        return REFUSED
    except (Refused, LedgerError, WorkspaceError, ApprovalError, ValueError, FileNotFoundError) as error:
        output.error(REFUSED, str(error))
        return REFUSED
    except (ArmError, DeviceError, TimeoutError, OSError) as error:
        output.error(DEVICE, str(error))
        return DEVICE
    except (KeyboardInterrupt, StoppedByPerson) as error:
        output.error(STOPPED, str(error) or "stopped")
        return STOPPED


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    shared = argparse.ArgumentParser(add_help=False)
    _add_common(shared, argparse.SUPPRESS)
    top = argparse.ArgumentParser(
        prog="main.py",
        description="Dreamdeck: inspect the video a generator dreams, then let the robot do it. Without a verb the "
        "window opens.",
        epilog=EPILOG,
    )
    _add_common(top, None)
    top.add_argument("--rig", metavar="FILE|sim", help="rig of the window (default: the settings' one, else sim)")
    top.add_argument("--screenshot", type=Path, metavar="DIR", help="render every page as PNG, without a display")
    top.add_argument("--open", type=Path, metavar="DREAM", help="dream folder to open in the window")
    top.set_defaults(run=None)
    verbs = top.add_subparsers(metavar="VERB", dest="verb")
    for verb in VERBS:
        verb(verbs, shared)
    return top


def _add_common(target: argparse.ArgumentParser, default: object) -> None:
    suppressed = default is argparse.SUPPRESS
    target.add_argument(
        "--workspace",
        type=Path,
        metavar="DIR",
        default=default,
        help="where dreams, runs and the ledger are kept (default: the platform's user data folder)",
    )
    off = argparse.SUPPRESS if suppressed else False
    target.add_argument(
        "--json", action="store_true", default=off, help="one JSON document on stdout instead of text"
    )
    target.add_argument("--verbose", action="store_true", default=off, help="more log on stderr")


def _window(parsed: argparse.Namespace, output: Output) -> int:
    """Open the window, or take its pictures. What the settings say wrongly is told there; an option is refused."""
    workspace, moved = (open_workspace(parsed.workspace), "") if parsed.workspace else window_workspace()
    settings, problems = read_settings(workspace.settings)
    rig, other_rig = (read_rig(parsed.rig), "") if parsed.rig else window_rig(settings)
    rig = stricter(rig, settings)
    os.environ.setdefault("QT_SCALE_FACTOR", settings.scale)  # Qt reads it once, when it is loaded
    # Qt is needed here only; every verb runs without it
    if parsed.screenshot is not None:
        from app.gui.screenshot import render_pages

        files = render_pages(parsed.screenshot, workspace, rig)
        output.result({"files": [str(file) for file in files]}, [str(file) for file in files])
        return DONE
    from app.gui.start import open_window

    notices = tuple(notice for notice in (moved, other_rig, *problems) if notice)
    return open_window(workspace, rig, parsed.open, notices)
