"""Renders every page as PNG without a display: `main.py --screenshot DIR`."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.gui.actions import INNER, PAGES
from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import Workspace
from hardware.rig import Rig

log = logging.getLogger(__name__)
OPEN_S, TRACK_S, CONNECT_S, SETTLE_S = 120.0, 300.0, 60.0, 0.6
SHOWN_FRAME = 0.6  # of the clip: both tools are at work


def render_pages(folder: Path, workspace: Workspace, rig: Rig) -> list[Path]:
    """Write one PNG a page, the built-in example open, tracked and planned; return the files.

    Raises OSError where the folder cannot be written. What takes too long is left out with a warning.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    folder.mkdir(parents=True, exist_ok=True)
    app = application()
    desk = Desk(app, open_program(workspace, rig), remember=False)
    desk.show()
    try:
        _prepare(app, desk)
        return [_shoot(app, desk, page, folder) for page in (*PAGES, *INNER)]
    finally:
        desk.close()
        app.processEvents()


def _prepare(app: QApplication, desk: Desk) -> None:
    program = desk.program
    desk.board.trigger("dream.example")
    _wait(app, "the built-in example", OPEN_S, lambda: program.dreaming.dream is not None)
    _wait(app, "its track", TRACK_S, lambda: program.dreaming.track is not None)
    desk.board.trigger("arms.connect")
    _let_run(app, 0.1)
    _wait(app, "the arms", CONNECT_S, lambda: program.execution.state not in ("offline", "connecting"))
    _wait(app, "its plan", TRACK_S, lambda: program.dreaming.progress is None)
    play = desk.dream_page.playback
    play.pause()
    start, end = play.range
    play.seek(start + SHOWN_FRAME * (end - start))


def _shoot(app: QApplication, desk: Desk, page: str, folder: Path) -> Path:
    desk.window.show_page(page)
    _let_run(app, SETTLE_S)
    file = folder / f"{page}.png"
    if not desk.window.grab().save(str(file)):
        raise OSError(f"{file}: the picture could not be written")
    return file


def _wait(app: QApplication, what: str, limit: float, there: Callable[[], bool]) -> None:
    end = time.monotonic() + limit
    while not there():
        if time.monotonic() > end:
            log.warning("%s did not come within %.0f s; the pictures are without it", what, limit)
            return
        _let_run(app, 0.02)


def _let_run(app: QApplication, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.005)
