"""Records demos on the default rig with the keyboard alone, as a new user would, and takes a picture of every step.

`python -m tests.record_tour [FOLDER]` records ten takes of two tasks and writes the pictures of docs/record.md; a
short version is a test.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
TASKS = ("push-shape", "sweeping")
SHOTS = ("ready", "recording", "review")
# pictures of the first camera that a take has at the least
FEWEST = 4


class RecordTour:
    """A person at the keyboard: presses keys, waits for what the banner says, takes pictures."""

    def __init__(self, workspace: Path, rig: str = "sim") -> None:
        from app.gui.desk import Desk
        from app.gui.program import open_program
        from app.gui.start import application
        from app.workspace import open_workspace
        from hardware.rig import load_rig

        self._app = application()
        self.desk = Desk(self._app, open_program(open_workspace(workspace), load_rig(rig)), remember=False)
        self.recording, self.page = self.desk.program.recording, self.desk.record_page
        self.pictures: dict[str, QPixmap] = {}
        self.desk.show()
        self.desk.window.resize(1600, 900)
        self.look_on(0.5)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self._app.focusWidget() or self.desk.window, key, held)
        self.look_on(0.1)

    def type(self, text: str) -> None:
        QTest.keyClicks(self._app.focusWidget() or self.desk.window, text)

    def look_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def until(self, what: str, there: Callable[[], bool], limit: float = 180.0) -> None:
        end = time.monotonic() + limit
        while not there():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come within {limit:.0f} s; it says: {self.word!r}")
            self.look_on(0.02)

    @property
    def word(self) -> str:
        return self.page.banner.accessibleName()

    def says(self, word: str) -> None:
        self.until(word, lambda: self.word.startswith(word))

    def picture(self, name: str) -> None:
        if name:
            self.look_on(0.3)
            self.pictures[name] = self.desk.window.grab()

    def cameras_on(self, then: str = "HANDS OUT", off: str = "", on: str = "") -> None:
        self.press(Qt.Key.Key_2, CTRL)
        self.says("CAMERAS OFF")
        self.picture(off)
        self.press(Qt.Key.Key_Space)
        self.says(then)
        self.look_on(1.0)
        self.picture(on)

    def choose_task(self, task: str) -> None:
        """T, its name, Return: no mouse."""
        self.press(Qt.Key.Key_T)
        self.type(task)
        self.press(Qt.Key.Key_Return)
        session = self.recording.session
        self.until(f"the task {task}", lambda: session is not None and session.choice.task == task)
        self.says("HANDS OUT")

    def take(
        self, seconds: float, name: str = "", shots: tuple[str, ...] = SHOTS, held: tuple[Qt.Key, ...] = ()
    ) -> None:
        """From the bare scene to the review; it ends when the task is shown, or after so many seconds. held: keys
        that are held down until the middle of it."""
        self.says("HANDS OUT")
        for _ in range(5):
            self.press(Qt.Key.Key_Space)
            self.until("the scene's picture", lambda: self.word.startswith(("READY", "NOT READY")))
            if self.word.startswith("READY"):
                break
        self.picture(f"{name}-ready" if name and "ready" in shots else "")
        for _ in range(5):  # a busy computer may find a stream silent just then, and says so
            self.press(Qt.Key.Key_Space)
            self.until("an answer", lambda: self.word.startswith(("REC", "NOT DONE", "NOT READY")))
            if self.word.startswith("REC"):
                break
            self.says("READY")
        self.says("REC")
        began = self._drawn()
        for key in held:
            QTest.keyPress(self.desk.window, key)
        self.look_on(min(0.5 * seconds, 1.5))
        self.picture(f"{name}-recording" if name and "recording" in shots else "")
        for key in held:
            QTest.keyRelease(self.desk.window, key)
        end = time.monotonic() + 0.5 * seconds
        table = self.recording.table
        while time.monotonic() < end and not (table is not None and table.shown):
            self.look_on(0.05)
        self.until("its pictures", lambda: self._drawn() >= began + FEWEST)
        self.press(Qt.Key.Key_Space)
        self.says("KEEP IT?")
        session = self.recording.session
        self.until(
            "its verdicts", lambda: session is not None and session.take is not None and session.take.checked
        )
        self.look_on(0.5)
        self.picture(f"{name}-review" if name and "review" in shots else "")

    def _drawn(self) -> int:
        """How many pictures the first camera has drawn."""
        latest = self.recording.latest(self.desk.program.rig.cameras[0].camera.name)
        return latest.index if latest is not None else 0

    def keep(self, name: str = "") -> None:
        before = self.kept
        self.press(Qt.Key.Key_Return)
        self.until("the saved take", lambda: self.kept == before + 1)
        self.picture(name)

    @property
    def kept(self) -> int:
        return self.recording.session.counter.kept if self.recording.session is not None else 0

    def close(self) -> None:
        self.desk.close()
        self.look_on(0.1)


def take_tour(workspace: Path, *, each: int = 5, seconds: float = 24.0) -> dict[str, QPixmap]:
    """Keep `each` takes of both tasks, one of them recorded anew; discard one more. Return the pictures."""
    tour = RecordTour(workspace)
    try:
        tour.cameras_on(off="record-1-off", on="record-2-scene")
        tour.take(seconds, "record-3")
        tour.keep("record-4-saved")
        tour.take(2.0)
        tour.press(Qt.Key.Key_R)  # again: the same table
        for _ in range(each - 1):
            tour.take(seconds)
            tour.keep()
        tour.take(2.0)
        tour.press(Qt.Key.Key_Backspace)
        tour.says("HANDS OUT")
        tour.picture("record-5-discarded")
        tour.choose_task(TASKS[1])
        for number in range(each):
            tour.take(seconds, "record-6" if not number else "", ("recording",))
            tour.keep()
        tour.press(Qt.Key.Key_1, CTRL)
        tour.picture("record-7-rig")
        return tour.pictures
    finally:
        tour.close()


def take_handheld_tour(workspace: Path) -> dict[str, QPixmap]:
    """Zero the force of the simulated handheld gripper, keep a take of the scripted person and one by hand; return
    the pictures."""
    tour = RecordTour(workspace, "sim-handheld")
    try:
        tour.cameras_on("NOT READY", on="record-8-zero")
        tour.press(Qt.Key.Key_Z)
        tour.take(20.0, "record-8-handheld", ("recording",))
        tour.keep()
        tour.page.form.shown_by_changed.emit("me")
        tour.take(3.0, "record-9-by-hand", ("recording",), held=(Qt.Key.Key_Up, Qt.Key.Key_Q))
        tour.keep()
        return tour.pictures
    finally:
        tour.close()


def take_short_tour(workspace: Path) -> None:
    """Keep a take of each task."""
    tour = RecordTour(workspace)
    try:
        tour.cameras_on()
        tour.take(1.5)
        tour.keep()
        tour.choose_task(TASKS[1])
        tour.take(1.5)
        tour.keep()
    finally:
        tour.close()


def main() -> int:
    """Take the tours in workspaces that are thrown away; write their pictures. `--handheld`: the shorter one."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PIL import Image

    from hardware.recording.session import Session

    names = [argument for argument in sys.argv[1:] if argument != "--handheld"]
    tours = [take_handheld_tour] if len(names) < len(sys.argv) - 1 else [take_tour, take_handheld_tour]
    folder = Path(names[0] if names else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, QPixmap] = {}
    for tour in tours:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as workspace:
            pictures |= tour(Path(workspace))
            (day,) = (Path(workspace) / "recordings").iterdir()
            kept = [entry.note for entry in Session(day).kept() if entry.note is not None]
            print(f"{len(kept)} takes kept in {time.monotonic() - began:.0f} s: {[note.task for note in kept]}")
    for name, picture in pictures.items():
        file = folder / f"{name}.png"
        picture.save(str(file))
        Image.open(file).convert("RGB").quantize(256).save(file, optimize=True)
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
