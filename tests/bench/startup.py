"""How long it takes until the window is there and answers, and its longest pause while rig and worker start."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import open_workspace
from hardware.rig import load_rig

IMPORTS = "import app.gui.start"
CONNECT_S = 60.0


def run() -> dict[str, object]:
    """Return [s] of imports in a new interpreter and of opening, [ms] of the longest pause while the rig starts."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    imported = time.perf_counter() - begin
    with tempfile.TemporaryDirectory() as root:
        begin = time.perf_counter()
        app = application()
        desk = Desk(app, open_program(open_workspace(Path(root)), load_rig()), remember=False)
        desk.show()
        app.processEvents()
        opened = time.perf_counter() - begin
        try:
            pauses = _pauses(app, desk)
        finally:
            desk.close()
            QCoreApplication.processEvents()
    return {
        "imports_s": round(imported, 2),
        "opened_s": round(opened, 2),
        "longest_pause_ms": round(1000 * max(pauses)),
        "connected_s": round(sum(pauses), 2),
        "platform": app.platformName(),
    }


def _pauses(app: QApplication, desk: Desk) -> list[float]:
    """Connect the rig; how long each turn of the window's loop took meanwhile [s]."""
    desk.board.trigger("arms.connect")
    turns, end = [], time.perf_counter() + CONNECT_S
    while time.perf_counter() < end and desk.program.execution.state in ("offline", "connecting"):
        before = time.perf_counter()
        app.processEvents()
        turns.append(time.perf_counter() - before)
        time.sleep(0.001)
    return turns or [0.0]


def main() -> None:
    print(json.dumps(run(), indent=1))


if __name__ == "__main__":
    main()
