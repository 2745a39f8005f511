"""Trains a small model from the window alone, kills it and lets it go on, and takes a picture of every step.

`python -m tests.train_tour [FOLDER] [--steps N]` records a hundred demos on the default rig by the keyboard, trains
the small config on them for some minutes (N steps of the picture coder, N of the U-Net), a clone of it too, and
writes the pictures of docs/train-page.md; a short version is a test.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.jobs.jobs import Jobs
from app.jobs.types import JobRecord
from tests.record_tour import RecordTour

ROOT = Path(__file__).parent.parent
NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
TASK = "push-shape"
LIMIT_S = 3600.0  # for a training to end
LONGEST_TAKE_S = 48.0


class TrainTour:
    """A person at the window: opens it, writes the form, watches, closes it and opens it again."""

    def __init__(self, workspace: Path, limit_s: float = 600.0) -> None:
        """limit_s: how long anything may take."""
        self.workspace, self._limit_s = workspace, limit_s
        self.pictures: dict[str, QPixmap] = {}
        self.open()

    def open(self) -> None:
        """Open the window on page Train."""
        from app.gui.desk import Desk
        from app.gui.program import open_program
        from app.gui.start import application
        from app.workspace import open_workspace
        from hardware.rig import load_rig

        self._app = application()
        self.desk = Desk(self._app, open_program(open_workspace(self.workspace), load_rig("sim")), remember=False)
        self.page, self.jobs = self.desk.train_page, self.desk.program.jobs
        self.desk.show()
        self.desk.window.resize(1600, 900)
        self.look_on(0.3)
        while self.desk.window.page != "train":  # a busy computer may not have given the window its keys yet
            self.press(Qt.Key.Key_4, CTRL)
        self.until("the jobs", lambda: self.jobs.machine is not None)

    def close(self) -> None:
        """Close the window; what it started goes on."""
        self.desk.close()
        QApplication.processEvents()

    def look_on(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def until(self, what: str, there: Callable[[], object]) -> None:
        end = time.monotonic() + self._limit_s
        while not there():
            if time.monotonic() > end:
                raise TimeoutError(
                    f"{what} did not come within {self._limit_s:.0f} s; the jobs: {self.jobs.records}"
                )
            for record in self.jobs.records:
                if record.state == "failed":
                    raise RuntimeError(f"{record.spec.title} failed: {record.problem}")
            self.look_on(0.05)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self._app.focusWidget() or self.desk.window, key, held)
        self.look_on(0.15)

    def shoot(self, name: str) -> None:
        self.look_on(0.6)
        self.pictures[name] = self.desk.window.grab()

    @property
    def newest(self) -> JobRecord:
        return self.jobs.records[0]

    @property
    def step(self) -> float:
        """The newest step whose loss is drawn."""
        runs = self.page.curves._runs
        steps = [float(s[-1]) for run in runs for s, _ in run.series.values() if len(s)]
        return max(steps, default=0.0)

    def write(self, name: str, text: str) -> None:
        """Write a value into the form."""
        form = self.page.form
        form.show_field(name)
        editor = form._rows[name].editor
        if isinstance(editor, QLineEdit):
            editor.selectAll()
            QTest.keyClicks(editor, text)
        else:
            form.edited.emit(name, text)
        self.look_on(0.05)

    def fill(self, title: str, edits: Mapping[str, str]) -> None:
        """Name the training that the form is open for, and change some of its values."""
        form = self.page.form
        self.until("its demos", lambda: form.state.data)
        form.write_title()
        QTest.keyClicks(form._title, title)
        for name, text in edits.items():
            self.write(name, text)
        self.until("a config that can be used", lambda: form.state.problems == 0)

    def start(self) -> None:
        before = len(self.jobs.records)
        self.press(Qt.Key.Key_S, CTRL)
        self.until("the job", lambda: len(self.jobs.records) == before + 1)


def record_in_window(workspace: Path, episodes: int) -> None:
    """Record demos on page Record, as they are shown: some ten seconds each."""
    tour = RecordTour(workspace)
    try:
        tour.cameras_on()
        for _ in range(episodes):
            tour.take(LONGEST_TAKE_S)
            tour.keep()
    finally:
        tour.close()


def record_demos(workspace: Path, episodes: int) -> None:
    """Record demos on a virtual clock, without a window."""
    session = workspace / "recordings" / "2026-03-01"
    command = [sys.executable, "main.py", "record", "--rig", "sim", "--task", TASK, "--episodes", str(episodes)]
    command += ["--size", "192x128", "--instruction", "push the letter to the goal", "--dataset", str(session)]
    subprocess.run([*command, "--workspace", str(workspace)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def take_tour(
    workspace: Path, edits: Mapping[str, str], *, clone: Mapping[str, str] | None = None, limit_s: float = 600.0
) -> dict[str, QPixmap]:
    """Train with these values changed, through a closed window and a kill; then, where there is a `clone`, once
    more with those changed, and compare. Return the pictures."""
    tour = TrainTour(workspace, limit_s)
    try:
        tour.shoot("train-1-empty")
        tour.press(Qt.Key.Key_N)
        tour.fill("push small", edits)
        tour.shoot("train-2-form")
        tour.start()
        tour.until("a loss", lambda: tour.newest.state == "running" and tour.step > 0)
        tour.until("a first gallery", lambda: tour.page.gallery.scenes)
        tour.shoot("train-3-runs")
        pid, step = tour.newest.pid, tour.step
        tour.close()
        time.sleep(2.0)
        assert pid is not None
        os.kill(pid, 0)  # it goes on without the window
        tour.open()
        tour.until("the same job, further on", lambda: tour.newest.pid == pid and tour.step > step)
        tour.shoot("train-4-found-again")
        os.kill(pid, signal.SIGKILL)
        tour.until("its end", lambda: tour.newest.state == "interrupted")
        tour.shoot("train-5-interrupted")
        tour.press(Qt.Key.Key_R)
        tour.until("it to go on", lambda: tour.newest.state == "running")
        tour.until("its end", lambda: tour.newest.state == "done")
        tour.look_on(1.5)
        tour.shoot("train-6-done")
        if clone is not None:
            tour.press(Qt.Key.Key_C)
            tour.fill("push faster", clone)
            tour.shoot("train-7-clone")
            tour.start()
            tour.until("its end", lambda: tour.newest.state == "done")
            tour.press(Qt.Key.Key_A, CTRL)
            tour.until("both curves", lambda: len([run for run in tour.page.curves._runs if run.series]) == 2)
            tour.shoot("train-8-compared")
        return tour.pictures
    finally:
        end_jobs(tour.jobs.jobs)
        tour.close()


def end_jobs(jobs: Jobs) -> None:
    """End every job: none of them outlives its folder."""
    for record in jobs.records():
        if record.state in ("queued", "running"):
            jobs.cancel(record.id, now=True)
    while any(record.state == "running" for record in jobs.records()):
        time.sleep(0.1)


def main(arguments: Sequence[str]) -> int:
    """Take the tour in a workspace that is thrown away; write its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/images"), help="of the pictures")
    parser.add_argument("--steps", type=int, default=300, help="of the picture coder, and of the U-Net")
    parser.add_argument("--demos", type=int, default=100, help="that are recorded")
    parser.add_argument("--session", type=Path, help="is trained on instead of recording one")
    given = parser.parse_args(arguments)
    steps, often = str(given.steps), str(max(1, given.steps // 3))
    edits = {
        "vae.steps": steps, "train.steps": steps, "vae.warmup": "20", "train.warmup": "20",
        "save.every": often, "gallery.every": often, "gallery.tools": "tool=pusher",
    }  # fmt: skip
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("MUJOCO_GL", "egl")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as main.py does
    from PIL import Image

    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as workspace:  # the supervisor may still write
        if given.session is None:
            record_in_window(Path(workspace), given.demos)
        else:
            shutil.copytree(given.session, Path(workspace) / "recordings" / given.session.name)
        pictures = take_tour(Path(workspace), edits, clone={"train.learning_rate": "0.003"}, limit_s=LIMIT_S)
    for name, picture in pictures.items():
        file = given.folder / f"{name}.png"
        picture.save(str(file))
        Image.open(file).convert("RGB").quantize(256).save(file, optimize=True)
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
