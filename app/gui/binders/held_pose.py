"""A tool's pose while a hand or keys move it: shown at once, kept when it is let go or left alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, QTimer, Slot

from hardware.geometry import Array, inverse, project
from models.corrections import Eye, moved_in_depth, moved_in_view, nudged, turned_in_view
from widgets.views.gizmo import FINE
from widgets.views.types import OutlineDrag

STEP_M, STEP_RAD = 2e-3, np.radians(2.0)
SETTLED_MS = 400  # steps by key in a row are one correction


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a tool stands in a frame of its track. T_view1_tool (4, 4)."""

    tool: str
    frame: int
    T_view1_tool: Array


class HeldPose(QObject):
    """The pose of the tool that is corrected, on both pages that correct tracks.

    given: poses T_view1_tool by role that are shown, but not kept yet; fine: every way counts a tenth.
    """

    def __init__(
        self,
        parent: QObject,
        here: Callable[[], Standing | None],
        show: Callable[[], None],
        keep: Callable[[Standing], None],
    ) -> None:
        """here(): the chosen tool in the frame that is looked at, as its track has it, None without a pose there;
        show(): draw what is given; keep(pose): make it a correction."""
        super().__init__(parent)
        self._here, self._show, self._keep = here, show, keep
        self.given: dict[str, Array] = {}
        self.fine = False
        self._begun: Standing | None = None
        self._settle = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settle.timeout.connect(self.keep)

    @property
    def standing(self) -> Standing | None:
        """The chosen tool as it is shown now."""
        here = self._here()
        return here and replace(here, T_view1_tool=self.given.get(here.tool, here.T_view1_tool))

    @property
    def share(self) -> float:
        """How much of a way counts."""
        return FINE if self.fine else 1.0

    def move_to(self, T_view1_tool: Array) -> None:
        """Show a pose that is not kept yet."""
        now = self.standing
        if now is None:
            return
        self._begun = self._begun or now
        self.given[now.tool] = T_view1_tool
        self._show()

    def step(self, move: Array, turn: Array, axes: Array | None = None) -> None:
        """Go a step of `move` (3,) [m] and `turn` (3,) [rad] along axes (3, 3) in view 1, the tool's by default."""
        now = self.standing
        if now is None:
            return
        T = now.T_view1_tool
        self.move_to(nudged(T, self.share * move, self.share * turn, T[:3, :3] if axes is None else axes))
        self._settle.start()

    def drag_outline(self, eye: Eye, drag: OutlineDrag) -> None:
        """Follow a tool's outline that is dragged in a view."""
        self.keep_steps()
        now = self.standing
        if now is None:
            return
        if drag.given_up:
            self.give_up()
            return
        self.move_to(outline_pose(eye, (self._begun or now).T_view1_tool, drag, self.share))
        if drag.done:
            self.keep()

    def keep_steps(self) -> None:
        """Steps by key that are not kept yet are a correction of their own, before a hand takes hold."""
        if self._settle.isActive():
            self.keep()

    def left_frame(self, frame: int) -> None:
        """Another frame is looked at: what was moved in the one before is kept."""
        if self._begun is not None and self._begun.frame != frame:
            self.keep()

    @Slot()
    def keep(self) -> None:
        """Make the pose that is shown a correction."""
        self._settle.stop()
        begun, self._begun = self._begun, None
        if begun is None:
            return
        T = self.given.pop(begun.tool, begun.T_view1_tool)
        if not np.array_equal(T, begun.T_view1_tool):
            self._keep(replace(begun, T_view1_tool=T))
        self._show()

    @Slot()
    def give_up(self) -> None:
        """Let it stand where it stood."""
        begun = self._begun
        self.forget()
        if begun is not None:
            self._show()

    def forget(self) -> None:
        """Another track is corrected: nothing of this one is held any more."""
        self._settle.stop()
        self._begun = None
        self.given.clear()


def step_handlers(page: str, step: Callable[[Array, Array], None]) -> dict[str, Callable[[], None]]:
    """Return what a page's keys for steps along and about each axis do; step(move (3,) [m], turn (3,) [rad])."""
    made: dict[str, Callable[[], None]] = {}
    for axis, unit in zip("xyz", np.eye(3), strict=True):
        for word, sign in (("plus", 1.0), ("minus", -1.0)):
            made[f"{page}.move_{axis}_{word}"] = partial(step, sign * STEP_M * unit, np.zeros(3))
            made[f"{page}.turn_{axis}_{word}"] = partial(step, np.zeros(3), sign * STEP_RAD * unit)
    return made


def outline_pose(eye: Eye, T_view1_tool: Array, drag: OutlineDrag, share: float) -> Array:
    """Return the pose after its outline was dragged in a view; up is away from the camera."""
    (x0, y0), (x1, y1) = drag.start, drag.now
    if drag.kind == "move":
        return moved_in_view(eye, T_view1_tool, (share * (x1 - x0), share * (y1 - y0)))
    T, K = inverse(eye.T_view1_view) @ T_view1_tool, eye.camera.K
    if drag.kind == "depth":
        return moved_in_depth(eye, T_view1_tool, share * (y0 - y1) / K[1, 1] * float(T[2, 3]))
    centre = project(K, T[None, :3, 3])[0]
    a, b = np.array(drag.start) - centre, np.array(drag.now) - centre
    return turned_in_view(eye, T_view1_tool, share * float(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b)))
