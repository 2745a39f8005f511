"""Binds page Rig to the execution session: connect, see, clear."""

import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Slot

from app.gui.binders.arm_facts import USUAL, arm_card, line_item
from app.gui.binders.binder import Shell
from app.gui.binders.scene import measured_links, rig_scene
from app.gui.program import Program
from hardware.arm_model import link_poses
from hardware.types import Tool
from widgets.pages.rig import RigPage
from widgets.values import BusyState, Chip, LineItem
from widgets.views.types import SceneMoment

_LOOK_EVERY_S = 0.1


class RigBinder(QObject):
    """tools() says what the arms are to hold: the open dream's tools, by role."""

    def __init__(
        self,
        page: RigPage,
        program: Program,
        shell: Shell,
        tools: Callable[[], Mapping[str, Tool]],
    ) -> None:
        super().__init__(page)
        self.page, self._program, self._shell, self._tools = page, program, shell, tools
        self._session = program.execution
        self._looked = 0.0
        self.figures = USUAL
        self._forget = self._session.on_change(self._changed)
        page.clear_wanted.connect(self._clear)
        rig = program.rig
        self._live = False
        page.scene.show_static(rig_scene(rig))
        kind = "simulated" if rig.simulated else "real"
        page.show_title(
            f"Rig · {rig.name}", [Chip(kind), Chip(f"{len(rig.cameras)} cameras"), Chip(f"{len(rig.arms)} arms")]
        )
        self._show_arms()

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {"arms.connect": self.connect_arms, "arms.disconnect": self._disconnect, "arms.clear": self._clear}

    def facts(self) -> set[str]:
        state = self._session.state
        held = {
            "rig_arms": bool(self._program.rig.arms),
            "arms": state not in ("offline", "connecting", "closed") and bool(self._session.arms),
            "connecting": state == "connecting",
            "error": any(arm.error_code for arm in self._session.arms.values()) or state == "fault",
        }
        return {name for name, holds in held.items() if holds} | ({"moving"} if self._program.moving else set())

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        arms = tuple(line_item(arm, self._session) for arm in self._program.rig.arms)
        return {"arms": arms}

    def tick(self) -> None:
        self._session.pump()
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S:
            return
        self._looked = now
        if self.page.isVisible():
            self._show_arms()
            self.page.scene.show_moment(self._moment())

    def close(self) -> None:
        self._forget()

    @Slot()
    def connect_arms(self) -> None:
        """Start and connect everything."""
        try:
            self._session.connect(self._tools())
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")

    def _disconnect(self) -> None:
        self._session.disconnect()

    @Slot()
    def _clear(self, _arm: str = "") -> None:
        self._session.clear_errors()

    def _changed(self, topic: str) -> None:
        if topic in ("state", "limits"):
            self._show_arms()
            self._warm_scene()
            connecting = self._session.state == "connecting"
            self.page.show_busy(
                BusyState("Starting and connecting the rig", can_cancel=False) if connecting else None
            )

    def _warm_scene(self) -> None:
        """Set up the scene's drawing when the arms come, not under way when the page is first turned to."""
        live = self._session.state not in ("offline", "connecting", "closed")
        if live and not self._live:
            self.page.scene.grab()
        self._live = live

    def _show_arms(self) -> None:
        self.page.show_arms([arm_card(arm, self._session, self.figures) for arm in self._program.rig.arms])

    def _moment(self) -> SceneMoment:
        """The arms where they are; as ghosts at home until they say so."""
        rig = self._program.rig
        measured = measured_links(rig, self._session.arms)
        home = {arm.name: arm.T_world_base @ link_poses(arm.model, arm.home) for arm in rig.arms}
        return SceneMoment(planned={} if measured else home, measured=measured)
