"""Binds the Cameras tab of page Rig: all devices live while they are on, else those that came with the arms."""

import time
from collections.abc import Mapping

from app.gui.binders.binder import QuietBinder
from app.gui.binders.live import LatestFrames, RateMeter
from app.gui.binders.stream_rows import stream_rows, usb_line
from app.gui.program import Program
from widgets.pages.rig import RigPage
from widgets.record_values import Fact, StreamRow
from widgets.values import LineItem

LOOK_S = 0.25
_SILENT = "No picture for two seconds: is the world or the camera still there?"


class RigCamerasBinder(QuietBinder):
    """Shows what the recording desk has opened; `record.py` binds what opens and closes it."""

    def __init__(self, page: RigPage, program: Program, frames: LatestFrames) -> None:
        super().__init__(page)
        self.view, self._program, self._frames = page.cameras, program, frames
        self._rates, self._looked = RateMeter(), 0.0

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        return {"cameras": (self._item(self._rows()),)}

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        self._rates.take(self._frames.all())
        if self.view.isVisible():
            desk = self._program.recording
            self.view.grid.set_source(desk if desk.session is not None else self._frames)
            self.view.show_streams(self._rows(), desk.message)
            self.view.show_budget(usb_line(desk.streams))

    def close(self) -> None:
        self.view.grid.set_source(None)

    def _rows(self) -> list[StreamRow]:
        desk = self._program.recording
        if desk.session is not None:
            return stream_rows(desk.streams, desk.session.status)
        return self._with_arms()

    def _with_arms(self) -> list[StreamRow]:
        """The cameras of the world that the arms move in, by what is seen of their pictures."""
        now, rows = time.monotonic(), []
        for name, frame in self._frames.all().items():
            rate, age = self._rates.rate(name, now), now - frame.t_host
            alive = rate > 0
            facts = (
                Fact(f"{rate:.1f} fps", "ok" if alive else "alarm"),
                Fact(f"age {1000 * age:.0f} ms" if age < 1 else f"silent for {age:.0f} s"),
                Fact("simulated"),
            )
            rows.append(
                StreamRow(name, mood="ok" if alive else "alarm", facts=facts, problem="" if alive else _SILENT)
            )
        return rows

    def _item(self, rows: list[StreamRow]) -> LineItem:
        names = [config.camera.name for config in self._program.rig.cameras]
        if not rows:
            opening = self._program.recording.devices == "opening"
            return LineItem(f"{len(names)} cameras: {'starting' if opening else 'off'}")
        bad = [row.name for row in rows if row.mood == "alarm"]
        text = " · ".join(f"{row.name} {row.facts[0].text if row.facts else 'missing'}" for row in rows)
        return LineItem(text, "alarm" if bad else "ok")
