"""Opens the window: the whole of `main.py` without arguments."""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.crash import FlightRecorder
from app.gui.desk import Desk
from app.gui.program import Program, open_program
from app.ledger import LedgerError
from app.settings import ledger_file
from app.workspace import Workspace
from hardware.rig import Rig
from widgets.theme import apply_theme


def application() -> QApplication:
    """Return the one application, dressed."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        return app
    app = QApplication(sys.argv[:1])
    app.setApplicationName("Dreamdeck")
    app.setOrganizationName("dreamdeck")
    apply_theme(app)
    return app


def open_window(workspace: Workspace, rig: Rig, dream: Path | None = None, notices: Sequence[str] = ()) -> int:
    """Show the window until it is closed; return the exit status.

    dream: a folder to open at once; notices: what a person must know of this start.
    """
    _log_more()
    recorder = FlightRecorder(workspace.logs)
    crashes = recorder.start()
    try:
        app = application()
        program, other_ledger = _program(workspace, rig)
        desk = Desk(app, program)
        # a Python handler runs only between Python calls: the desk's own timers give it the chance
        before = signal.signal(signal.SIGINT, lambda *_: desk.window.close())
        desk.show()
        desk.welcome([*notices, *filter(None, [other_ledger])], crashes)
        if dream is not None:
            QTimer.singleShot(0, lambda: desk.open_dream(dream))
        try:
            status = int(app.exec())
        finally:
            desk.close()
            signal.signal(signal.SIGINT, before)
    finally:
        recorder.stop()
    if desk.restart_wanted:
        _again()
    return status


def _program(workspace: Workspace, rig: Rig) -> tuple[Program, str]:
    """Open the program; a chosen ledger that cannot be opened does not keep the window from opening."""
    try:
        return open_program(workspace, rig), ""
    except LedgerError as error:
        if ledger_file(workspace) == workspace.ledger:
            raise
        return open_program(
            workspace, rig, workspace.ledger
        ), f"The workspace's own ledger is used instead: {error}"


def _log_more() -> None:
    """The window's log and its file take notes as well; what goes to stderr stays as it was."""
    root = logging.getLogger()
    for handler in root.handlers:
        handler.setLevel(max(handler.level, root.level))
    root.setLevel(min(root.level, logging.INFO))


def _again() -> None:
    """Start the same program in this process's place, so that it reads its settings anew."""
    os.environ.pop("QT_SCALE_FACTOR", None)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
