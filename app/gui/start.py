"""Opens the window: the whole of `main.py` without arguments."""

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.gui.desk import Desk
from app.gui.program import open_program
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


def open_window(workspace: Workspace, rig: Rig, dream: Path | None = None) -> int:
    """Show the window until it is closed; return the exit status. dream: a folder to open at once."""
    app = application()
    desk = Desk(app, open_program(workspace, rig))
    # a Python handler runs only between Python calls: the desk's own timers give it the chance
    before = signal.signal(signal.SIGINT, lambda *_: desk.window.close())
    desk.show()
    if dream is not None:
        QTimer.singleShot(0, lambda: desk.open_dream(dream))
    try:
        return int(app.exec())
    finally:
        desk.close()
        signal.signal(signal.SIGINT, before)
