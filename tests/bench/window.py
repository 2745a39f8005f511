"""The whole window at 1600x900: how often page Dream is painted while it plays, and how fast a key reaches Stop.

The display is whatever Qt finds: `xvfb-run` with Mesa is what the figures in docs/benchmarks.md are measured on.
The way from Stop to the wire is measured in tests/bench/stop.py.
"""

import json
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QWindow
from PySide6.QtWidgets import QApplication, QWidget

from app.dreams.example import example_folder
from app.dreams.session import DreamSession
from app.execution.session import ExecutionSession
from app.gui.desk import Desk
from app.gui.program import Program
from app.gui.start import application
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.rig import load_rig
from models.data.dream_folder import load_dream, save_track
from models.tracking.trackers import TrackerChoice
from tests.app.jobs import still_track

SECONDS, PRESSES = 6.0, 200


class _Arms(ExecutionSession):
    """Nothing is connected; it says that it moves, and when it was told to stop."""

    pressed_at = stopped_at = 0.0

    def stop(self, reason: str = "") -> None:
        self.stopped_at = time.perf_counter()


class _Paints(QObject):
    """Counts the paint events of one widget."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def run() -> dict[str, object]:
    """Return painted pictures per second of each part while playing, and key press to stop [ms]."""
    with tempfile.TemporaryDirectory() as root:
        app, desk, arms = _open(open_workspace(Path(root)))
        try:
            figures = _playing(app, desk)
            figures |= _stopping(app, desk, arms)
        finally:
            arms.state = "offline"
            desk.window.close()
    return {**figures, "platform": app.platformName(), "size": [1600, 900]}


def _open(workspace: Workspace) -> tuple[QApplication, Desk, _Arms]:
    folder = example_folder(workspace)
    save_track(
        folder,
        load_dream(folder),
        still_track(folder, (), None, TrackerChoice(), lambda _f, _t: None, lambda: False),
    )
    app, ledger, rig = application(), Ledger(workspace.ledger), load_rig()
    arms = _Arms(rig, workspace, ledger)
    desk = Desk(app, Program(workspace, rig, ledger, DreamSession(workspace, ledger), arms), remember=False)
    desk.show()
    desk.window.resize(1600, 900)
    desk.open_dream(folder)
    _turn(app, 5.0)
    return app, desk, arms


def _playing(app: QApplication, desk: Desk) -> dict[str, object]:
    page = desk.dream_page
    parts: dict[str, QWidget] = {"picture": page.videos["top"], "scene": page.scene, "timeline": page.timeline}
    counters = {name: _Paints(part) for name, part in parts.items()}
    for name, part in parts.items():
        part.installEventFilter(counters[name])
    page.playback.play()
    _turn(app, SECONDS)
    page.playback.pause()
    for name, part in parts.items():
        part.removeEventFilter(counters[name])
    return {f"{name}_per_s": round(counter.count / SECONDS, 1) for name, counter in counters.items()}


def _stopping(app: QApplication, desk: Desk, arms: _Arms) -> dict[str, object]:
    """The dream plays on meanwhile, and keys come at any moment: the wait for a paint counts."""
    rng, window = np.random.default_rng(0), desk.window.windowHandle()
    taken = []
    for press in range(PRESSES):
        arms.state, arms.stopped_at = "running", 0.0
        desk.dream_page.playback.play()
        key = (Qt.Key.Key_Escape, Qt.Key.Key_Space)[press % 2]
        person = threading.Thread(target=_press, args=(arms, window, key, float(rng.uniform(0.01, 0.08))))
        person.start()
        _turn(app, 0.2)
        person.join()
        _turn(app, 0.0 if arms.stopped_at else 1.0)
        taken.append(1000 * (arms.stopped_at - arms.pressed_at))
    late = np.percentile(taken, [50, 99, 100])
    return dict(zip(("stop_median_ms", "stop_p99_ms", "stop_max_ms"), np.round(late, 2).tolist(), strict=True))


def _press(arms: _Arms, window: QWindow, key: Qt.Key, after: float) -> None:
    time.sleep(after)
    arms.pressed_at = time.perf_counter()
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QCoreApplication.postEvent(window, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier))


def _turn(app: QApplication, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        app.processEvents()
        time.sleep(0.001)


def main() -> None:
    print(json.dumps(run(), indent=1))


if __name__ == "__main__":
    main()
