"""Binds the Calibrate tab of page Rig: pictures come from whatever is on, results go to the workspace's store."""

import time
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QUrl, Slot
from PySide6.QtGui import QDesktopServices

from app.calibration.desk import CalibrationDesk
from app.calibration.wizard import TITLES
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.calibration_facts import sheet
from hardware.calibration.board import BOARDS
from hardware.geometry import Array
from widgets.calibration_panel import CalibrationPanel
from widgets.calibration_values import Choice
from widgets.pages.rig import RigPage

TAB = "Calibrate"
_LOOK_EVERY_S = 0.1


class CalibrationBinder(QuietBinder):
    """The desk holds the calibration under way. Nothing here moves an arm: plan_stops(arm, q (N, J)) plans, and a
    person approves that plan where every move by hand is approved."""

    def __init__(
        self,
        page: RigPage,
        desk: CalibrationDesk,
        shell: Shell,
        plan_stops: Callable[[str, Array], None],
        moved: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """moved(): what is new to say of cameras that do not stand as they were calibrated."""
        super().__init__(page)
        self._moved = moved
        self._page, self._desk, self._shell, self._plan_stops = page, desk, shell, plan_stops
        self.view = CalibrationPanel()
        page.add_view(TAB, self.view)
        self._looked = 0.0
        self.view.chosen.connect(self._choose)
        self.view.start_wanted.connect(self._start)
        self.view.stop_wanted.connect(self._stop)
        self.view.take_wanted.connect(self._take)
        self.view.remove_wanted.connect(self._remove)
        self.view.save_wanted.connect(self._save)
        self.view.print_wanted.connect(self._print)
        self.view.automatic_wanted.connect(self._automatic)
        self.view.person_wanted.connect(self._person)
        self.view.plan_wanted.connect(self._plan)
        self.view.number_given.connect(self._answer)
        self._show_choices()
        self._show()

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {"calibrate.open": self.turn_to}

    def turn_to(self) -> None:
        """Turn to the wizard."""
        self._shell.go("rig")
        self._page.show_view(TAB)

    def tick(self) -> None:
        self._desk.pump()
        for words in self._moved():
            self._shell.say(words, "warning")
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S or not self.view.isVisible():
            return
        self._looked = now
        self._show()
        session = self._desk.session
        for camera in session.cameras if session is not None else ():
            frame = self._desk.preview(camera.name)
            if frame is not None:
                self.view.show_frame(frame)

    def close(self) -> None:
        self._desk.close()

    @Slot(str, str, str)
    def _choose(self, task: str, camera: str, board: str) -> None:
        self._desk.choose(task, camera, board)
        self._show_choices()
        self._show()

    @Slot()
    def _start(self) -> None:
        try:
            self._desk.start()
        except ValueError as error:
            self._shell.say(str(error), "warning")
        self._show()

    @Slot()
    def _stop(self) -> None:
        self._desk.stop()
        self._show()

    @Slot()
    def _take(self) -> None:
        if self._desk.session is not None:
            self._desk.session.take()

    @Slot(int)
    def _remove(self, at: int) -> None:
        if self._desk.session is not None:
            self._desk.session.remove(at)
            self._show()

    @Slot()
    def _save(self) -> None:
        try:
            kept, moved = self._desk.save()
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")
            return
        self._shell.say(" · ".join((f"Kept as {kept.id}; what is turned on from now on uses it", *moved)), "info")
        self._show()

    @Slot(str)
    def _print(self, board: str) -> None:
        try:
            file = self._desk.print_board(board)
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")
            return
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(file))):
            self._shell.say(f"Open it by hand: {file}", "info")

    @Slot()
    def _plan(self) -> None:
        try:
            arm, q = self._desk.stops()
        except ValueError as error:
            self._shell.say(str(error), "warning")
            return
        self._plan_stops(arm, q)
        self._page.show_by_hand()
        self._shell.say(f"{arm}: the stops are being planned; look at the way, then hold to approve", "info")

    @Slot(bool)
    def _automatic(self, on: bool) -> None:
        if self._desk.session is not None:
            self._desk.session.automatic = on

    @Slot(float)
    def _answer(self, number: float) -> None:
        session = self._desk.session
        if session is None:
            return
        try:
            session.answer(number)
        except ValueError as error:
            self._shell.say(str(error), "warning")
        self._show()

    @Slot(bool)
    def _person(self, on: bool) -> None:
        try:
            self._desk.let_person(on)
        except ValueError as error:
            self._shell.say(str(error), "warning")
        self._show()

    def _show_choices(self) -> None:
        desk = self._desk
        tasks = [Choice(key, TITLES[key]) for key in desk.tasks]
        cameras = [Choice(name, name) for name in desk.camera_names]
        boards = [
            Choice(board.name, f"Board {board.name.upper()}, squares of {1e3 * board.square:g} mm")
            for board in BOARDS.values()
        ]
        self.view.show_choices(tasks, cameras, boards, (desk.task, desk.camera, desk.board.name))

    def _show(self) -> None:
        self.view.show_sheet(sheet(self._desk))
