"""Takes the pictures of docs/datasets.md: simulated demos on page Demos, looked through with the keyboard alone.

`python -m tests.demos_tour [FOLDER]` records a few demos on the simulated rigs first.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from widgets.views.video_view import VideoView

ROOT = Path(__file__).parent.parent
NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
RECORDED = (
    ("sim", "rotation", "6", "384x256", "Turn it"),
    ("sim", "scooping", "3", "384x256", "Scoop the beans into the bowl"),
    ("sim-handheld", "pick-and-place", "4", "384x256", "Put it into the bowl"),
)


class DemosTour:
    """A person at the keyboard who looks through what was recorded."""

    def __init__(self, workspace: Path, pictures: Path) -> None:
        from app.gui.desk import Desk
        from app.gui.program import open_program
        from app.gui.start import application
        from app.workspace import open_workspace
        from hardware.rig import load_rig

        self._app, self._pictures = application(), pictures
        self.desk = Desk(self._app, open_program(open_workspace(workspace), load_rig("sim")), remember=False)
        self.page, self.demos = self.desk.demos_page, self.desk.program.demos
        self.desk.show()
        self.desk.window.resize(1600, 900)
        self.look_on(0.3)

    def look_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def until(self, there: Callable[[], object], limit: float = 300.0) -> None:
        end = time.monotonic() + limit
        while not there() or self.demos.work is not None:
            if time.monotonic() > end:
                raise TimeoutError(f"it did not come within {limit:.0f} s; it says: {self.demos.message!r}")
            self.look_on(0.02)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self._app.focusWidget() or self.desk.window, key, held)
        self.look_on(0.2)
        self.until(lambda: True)

    def ready(self) -> None:
        """Until the chosen demo plays, its filmstrip is there, and nothing is said any more."""
        binder = next(b for b in self.desk.binders if "demos.split" in b.handlers())
        self.until(lambda: binder.playing.ready and binder.playing.filmed)  # type: ignore[attr-defined]
        self.look_on(0.5)

    def shoot(self, name: str) -> None:
        self.look_on(0.4)
        self.desk.window.grab().save(str(self._pictures / f"{name}.png"))

    def go(self) -> None:
        """Every step with its picture."""
        page = self.page
        self.desk.board.trigger("go.demos")
        self.until(lambda: self.demos.rows)
        page.show_query("task:pick")
        self.ready()
        page.playback.seek(2.2)
        self.shoot("demos-1-look")
        page.show_query("")
        page.table.selectRow(0)
        self.ready()
        page.playback.seek(0.4)
        self.press(Qt.Key.Key_I)
        page.playback.seek(1.2)
        self.press(Qt.Key.Key_S)
        self.press(Qt.Key.Key_K)
        self.ready()
        self.shoot("demos-2-cut")
        self.press(Qt.Key.Key_A, CTRL)
        self.press(Qt.Key.Key_N)
        self.until(lambda: self.demos.proposal is not None)
        self.shoot("demos-3-bulk")
        self.press(Qt.Key.Key_Escape)
        self.press(Qt.Key.Key_G)
        self.until(lambda: self.demos.looking is None and self.demos.looks)
        self.shoot("demos-4-statistics")
        self.press(Qt.Key.Key_G)
        page.table.selectRow(3)
        self.ready()
        self.press(Qt.Key.Key_T, CTRL)
        self.until(lambda: self.demos.row(page.table.current).tracked)
        self.ready()
        page.playback.seek(1.0)
        self.look_on(6.0)
        self.shoot("demos-5-tracked")
        self._correct()
        self._paint()
        self._exchange()
        self._throw_away()

    def _correct(self) -> None:
        page, tracking = self.page, self.desk.program.tracking
        view, video = next(iter(page.videos.items()))
        self.press(Qt.Key.Key_C)
        (x, y), *_ = video._tools[0].axes
        page.box_drawn.emit(view, page.tools.chosen, x - 24, y - 20, x + 24, y + 20)
        self.until(lambda: tracking.busy)
        self.until(lambda: not tracking.busy)
        self.press(Qt.Key.Key_Right)
        self.press(Qt.Key.Key_X)
        self.press(Qt.Key.Key_Right)
        self.ready()
        self.look_on(6.0)
        self._drag(video, (10, 6))
        self.shoot("demos-6-correct")
        QTest.mouseRelease(video, Qt.MouseButton.LeftButton)
        self.until(lambda: tracking.busy or self.demos.undo_text == "track: pose")
        self.press(Qt.Key.Key_C)

    def _drag(self, video: VideoView, by: tuple[int, int]) -> None:
        """Take hold of the first tool's outline and pull."""
        x, y = video._zoom.to_widget(np.vstack(list(video._tools[0].outline))).mean(axis=0)
        QTest.mousePress(video, Qt.MouseButton.LeftButton, NONE, QPoint(round(x), round(y)))
        for part in (0.5, 1.0):
            QTest.mouseMove(video, QPoint(round(x + part * by[0]), round(y + part * by[1])))
            self.look_on(0.1)

    def _paint(self) -> None:
        page = self.page
        page.playback.seek(1.8)
        self.press(Qt.Key.Key_P)
        page.masks.find_wanted.emit()
        self.look_on(0.5)
        self.until(lambda: page.masks._rows.topLevelItemCount())
        view, video = next(iter(page.videos.items()))
        centre = [(0.5 * video._zoom.size[0] + dx, 0.55 * video._zoom.size[1]) for dx in range(-12, 12, 2)]
        video.stroke_drawn.emit(view, True, centre)
        self.look_on(0.5)
        self.shoot("demos-7-mask")
        self.press(Qt.Key.Key_P)

    def _exchange(self) -> None:
        form = self.page.exchange
        self.page.show_query("task:rotation")
        self.press(Qt.Key.Key_E, CTRL | Qt.KeyboardModifier.ShiftModifier)
        self.until(lambda: form._start.isEnabled())
        self.shoot("demos-9-export")
        self.press(Qt.Key.Key_Escape)
        self.page.show_query("")

    def _throw_away(self) -> None:
        page = self.page
        for row in (7, 8):
            page.table.selectRow(row)
            self.press(Qt.Key.Key_Delete)
        self.press(Qt.Key.Key_Delete, CTRL)
        self.until(lambda: page.trash._rows.topLevelItemCount() == 2)
        page.trash.destroy_asked.emit(page.trash._all)
        self.shoot("demos-8-trash")

    def close(self) -> None:
        self.desk.close()


def main() -> None:
    """Record, look, and write the pictures."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("MUJOCO_GL", "egl")
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    with tempfile.TemporaryDirectory() as folder:
        for day, (rig, task, count, size, words) in enumerate(RECORDED, 1):
            session = Path(folder) / "recordings" / f"2026-03-{day:02d}"
            command = [sys.executable, "main.py", "record", "--rig", rig, "--task", task, "--episodes", count]
            command += ["--size", size, "--instruction", words, "--dataset", str(session), "--workspace", folder]
            subprocess.run(command, cwd=ROOT, check=True)
        tour = DemosTour(Path(folder), pictures)
        try:
            tour.go()
        finally:
            tour.close()


if __name__ == "__main__":
    main()
