"""Binds the Cameras tab of page Rig: all devices live while they are on, else those that came with the arms."""

import time
from collections.abc import Mapping

from PySide6.QtCore import Slot

from app.gui.binders.binder import QuietBinder
from app.gui.binders.live import LatestFrames, SeenCameras
from app.gui.binders.stream_rows import stream_rows, usb_line
from app.gui.program import Program
from app.recording.session import BETWEEN
from widgets.pages.rig import RigPage
from widgets.record_values import StreamRow
from widgets.values import LineItem

LOOK_S = 0.25


class RigCamerasBinder(QuietBinder):
    """Shows what the recording desk has opened; `record.py` binds what opens and closes it."""

    def __init__(self, page: RigPage, program: Program, frames: LatestFrames) -> None:
        super().__init__(page)
        self.view, self._program, self._frames = page.cameras, program, frames
        self._seen = SeenCameras(frames, [config.camera.name for config in program.rig.cameras])
        self._shown, self._looked = self._seen.look(), 0.0
        page.cameras.grid.button_pressed.connect(self._zero)

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        return {"cameras": (self._item(self._rows()),)}

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        self._shown = self._seen.look()
        if self.view.isVisible():
            desk = self._program.recording
            self.view.grid.set_source(desk if desk.session is not None else self._frames)
            self.view.show_streams(self._rows(), desk.message)
            self.view.show_budget(usb_line(desk.streams))

    def close(self) -> None:
        self.view.grid.set_source(None)

    @Slot()
    def _zero(self) -> None:
        session = self._program.recording.session
        if session is not None and session.state in BETWEEN:
            session.zero_force()

    def _rows(self) -> list[StreamRow]:
        desk = self._program.recording
        if desk.session is not None:
            return stream_rows(desk.streams, desk.session.status, zero=desk.session.state in BETWEEN)
        return self._shown

    def _item(self, rows: list[StreamRow]) -> LineItem:
        names = [config.camera.name for config in self._program.rig.cameras]
        if not rows:
            opening = self._program.recording.devices == "opening"
            return LineItem(f"{len(names)} cameras: {'starting' if opening else 'off'}")
        bad = [row.name for row in rows if row.mood == "alarm"]
        text = " · ".join(f"{row.name} {row.facts[0].text if row.facts else 'missing'}" for row in rows)
        return LineItem(text, "alarm" if bad else "ok")
