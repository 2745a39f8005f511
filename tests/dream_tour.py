"""Dreams from the window alone, picks a dream, approves it and sees the arms do it; takes pictures and a film.

`python -m tests.take_dream_tour DIR` writes the pictures of docs/dreaming.md; a short version is a test.
"""

import time
from io import BytesIO
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.gui.desk import Desk
from app.gui.program import open_program
from app.gui.start import application
from app.workspace import open_workspace
from hardware.rig import load_rig
from tests.tour import CTRL, NONE, Tour

ALT = Qt.KeyboardModifier.AltModifier
LEFT = Qt.MouseButton.LeftButton
FILM_EVERY_S, FILM_SIZE, FILM_FRAME_MS = 1.0, (960, 540), 200


class DreamTour(Tour):
    """A person who dreams. film: the window as it was once a second, while `filming`."""

    def __init__(self, app: QApplication, desk: Desk) -> None:
        super().__init__(app, desk)
        self.filming, self.film, self._filmed = False, list[QPixmap](), 0.0

    def look_on(self, seconds: float) -> None:
        super().look_on(seconds)
        now = time.monotonic()
        if self.filming and now - self._filmed > FILM_EVERY_S:
            self._filmed = now
            self.film.append(self.window.grab().scaled(*FILM_SIZE, mode=Qt.TransformationMode.SmoothTransformation))

    def new(self, model: Path | None, task: str, table: int, candidates: int, steps: int) -> str:
        """Open the form, fill it in, and look at the scene: that starts the simulated rig."""
        self.press(Qt.Key.Key_3, CTRL)
        self.picture("dream-1-empty")
        self.press(Qt.Key.Key_N, CTRL)
        form = self.page.new_form
        self.wait("the models", lambda: form._model.count() > 0)
        said = {"task": task, "table": table, "candidates": candidates, "steps": steps, "model": model or ""}
        for name, value in said.items():
            if value != "":
                form.edited.emit(name, str(value))
        QTest.mouseClick(form._look, LEFT)
        self.wait("the scene", lambda: bool(form.views) or bool(form._problem.text()), 300.0)
        return self.picture("dream-2-scene")

    def dream(self) -> str:
        session = self.program.candidates
        self.press(Qt.Key.Key_D, CTRL)
        self.wait("a picture out of the noise", lambda: self.page.denoising.shows_picture, 600.0)
        self.look_on(1.0)
        self.picture("dream-3-denoising")
        self.wait("the first dream", lambda: self.program.dreaming.dream is not None, 1200.0)
        self.wait("all dreams", lambda: not session.busy, 3600.0)
        if session.message:
            raise RuntimeError(session.message)
        return self.picture("dream-4-candidates")

    def pick(self, place: int) -> str:
        """Open the candidate at a place of the strip, and keep it."""
        self.press(Qt.Key(Qt.Key.Key_0 + place), ALT)
        self.wait("its plan", self.idle)
        self.press(Qt.Key.Key_K, NONE)
        return self.picture("dream-5-picked")

    def save_film(self, file: Path) -> None:
        """Write what was filmed as an animation."""
        frames = [_pillow(pixmap) for pixmap in self.film]
        frames[0].save(file, save_all=True, append_images=frames[1:], duration=FILM_FRAME_MS, loop=0, quality=60)


def take(
    folder: Path,
    workspace: Path,
    model: Path | None = None,
    *,
    candidates: int = 4,
    steps: int = 30,
    run: bool = True,
) -> list[Path]:
    """Take the tour in a workspace; return its pictures. run: let the arms do the best dream."""
    app = application()
    desk = Desk(app, open_program(open_workspace(workspace), load_rig("sim")), remember=False)
    try:
        desk.show()
        desk.window.resize(1600, 900)
        tour = DreamTour(app, desk)
        tour.filming = run
        tour.new(model, "push-shape", 3, candidates, steps)
        tour.dream()
        tour.pick(1)
        if run:
            tour.approve()
            list(tour.execute())
        files = tour.write(folder)
        if run:
            tour.save_film(folder / "dream-loop.webp")
        return files
    finally:
        desk.close()


def _pillow(pixmap: QPixmap) -> Image.Image:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.ReadWrite)
    pixmap.save(buffer, "PNG")
    return Image.open(BytesIO(bytes(buffer.data().data()))).convert("RGB")
