"""Binds mouse, keys and gamepad to the held tools of a simulated table, while page Record records "by me"."""

import logging
import time
from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QApplication

from app.gui.binders.binder import QuietBinder
from app.recording.desk import RecordingDesk
from app.recording.hand_drive import HandDrive, Turned
from app.recording.hand_pose import Wish, can_point
from app.recording.sim_table import SimTable
from hardware.sensors.gamepad import Gamepad, GamepadError, GamepadState
from hardware.types import Camera
from widgets.hand_keys import HandKeys
from widgets.pages.record import RecordPage

LONGEST_TICK_S = 0.1  # a window that hung must not throw the tool
log = logging.getLogger(__name__)


def pad_wish(pad: GamepadState) -> Wish:
    """Return what a pad asks for. Left stick: over the table; right stick: height, and the turn."""
    (x, y), (spin, z) = pad.left, pad.right
    return x, y, z, -spin


def wheel_turns(held: Qt.KeyboardModifier) -> Turned:
    """Return what the wheel changes with these keys held."""
    shift = bool(held & Qt.KeyboardModifier.ShiftModifier)
    if held & Qt.KeyboardModifier.ControlModifier:
        return "roll" if shift else "pitch"
    return "yaw" if shift else "z"


class RecordHandBinder(QuietBinder):
    """Drives only while a take is being recorded that is shown "by me", its page is seen, and no arm moves."""

    def __init__(
        self,
        page: RecordPage,
        desk: RecordingDesk,
        moving: Callable[[], bool],
        gamepad: Callable[[], Gamepad] = Gamepad,
    ) -> None:
        super().__init__(page)
        self.page, self._desk, self._moving, self._make_pad = page, desk, moving, gamepad
        self.keys = HandKeys(page)
        self._drive: HandDrive | None = None
        self._table: SimTable | None = None
        self._pad: Gamepad | None = None
        self._pad_tried = self._second_held = False
        self._ticked = 0.0
        self.keys.second.connect(self._second)
        page.grid.pointed.connect(self._point)
        page.grid.wheeled.connect(self._wheel)

    def tick(self) -> None:
        now = time.monotonic()
        passed, self._ticked = min(now - self._ticked, LONGEST_TICK_S), now
        if not self._mine():
            self._end()
            return
        if self._drive is None:
            self._begin()
        if self._drive is not None:
            self._drive.tick(self._wish(), passed)

    def close(self) -> None:
        self._end()
        if self._pad is not None:
            self._pad.close()
            self._pad = None

    def _mine(self) -> bool:
        table, session = self._desk.table, self._desk.session
        if table is None or session is None or table.shown_by != "me" or session.state != "recording":
            return False
        return self.page.isVisible() and not self._moving()

    def _begin(self) -> None:
        self._table = self._desk.table
        if self._table is None:
            return
        self._drive = HandDrive(self._table.tools, self._table.hold)
        self._open_pad()
        self.keys.listen(True)
        self.page.grid.show_hint(self._drive.hint, [name for name, camera in self._cameras() if can_point(camera)])

    def _end(self) -> None:
        drive, self._drive = self._drive, None
        if drive is None:
            return
        self.keys.listen(False)
        self.page.grid.show_hint("")
        if self._table is self._desk.table:  # else it is gone, and its world with it
            drive.leave()
        self._table = None

    def _cameras(self) -> list[tuple[str, Camera]]:
        return [(name, info.camera) for name, info in self._desk.streams.items() if info.camera is not None]

    def _open_pad(self) -> None:
        """Once: SDL that is missing is missing for good."""
        if self._pad_tried:
            return
        self._pad_tried, pad = True, self._make_pad()
        try:
            pad.open()
            self._pad = pad
        except GamepadError as error:
            log.info("%s", error)

    def _wish(self) -> Wish:
        pad = self._pad.read() if self._pad is not None else None
        if pad is None or QApplication.activeWindow() is not self.page.window():
            return self.keys.wish
        second = "a" in pad.buttons
        if second and not self._second_held:
            self._second()
        self._second_held = second
        return self.keys.wish if any(self.keys.wish) else pad_wish(pad)

    @Slot(str, float, float, bool, bool)
    def _point(self, camera: str, left: float, top: float, right_button: bool, pressed: bool) -> None:
        drive, seen = self._drive, dict(self._cameras()).get(camera)
        if drive is None or seen is None:
            return
        if right_button and drive.gripper:
            if pressed:
                drive.squeeze()
        else:
            drive.point(seen, (left, top), right_button)

    @Slot(float, Qt.KeyboardModifier)
    def _wheel(self, notches: float, held: Qt.KeyboardModifier) -> None:
        if self._drive is not None:
            self._drive.wheel(wheel_turns(held), notches)

    @Slot()
    def _second(self) -> None:
        """F, or the pad's A: the fingers, or the other tool."""
        if self._drive is not None and self._drive.gripper:
            self._drive.squeeze()
        elif self._drive is not None:
            self._drive.swap()
