"""Binds what a person corrects a track with: handles, outlines, steps by key, marks, cuts, and the list of them."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import QTimer, Slot

from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.correction_rows import Listed, listed
from app.gui.binders.dream import DreamBinder
from app.gui.binders.dream_pictures import colors
from app.gui.program import Program
from hardware.geometry import Array, inverse, project
from models.corrections import moved_in_depth, moved_in_view, nudged, turned_in_view
from models.types import CutKind, Dream, ToolTrack, View
from widgets.pages.dream import DreamPage
from widgets.views.gizmo import FINE, Gizmo
from widgets.views.types import OutlineDrag

STEP_M, STEP_RAD = 2e-3, np.radians(2.0)
SETTLED_MS = 400  # steps by key in a row are one correction


class CorrectionsBinder(QuietBinder):
    """While a tool is dragged or stepped its pose is only shown; let go, or left alone, it is kept."""

    def __init__(self, page: DreamPage, program: Program, shell: Shell, dream: DreamBinder) -> None:
        super().__init__(page)
        self.page, self._program, self._shell, self._dream = page, program, shell, dream
        self._session = program.dreaming
        self._on = self._fine = False
        self._tool_axes = True
        self._begun: tuple[str, int, Array] | None = None  # what is being moved, and where it was
        self._marked: tuple[str, int] | None = None
        self._rows: tuple[Listed, ...] = ()
        self._settle = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._settle.timeout.connect(self.keep)
        self._forget = self._session.on_change(self._changed)
        dream.before_edit = self.keep
        dream.frame_shown.connect(self._frame_shown)
        page.scene.pose_dragged.connect(self._handle_dragged)
        page.scene.drag_given_up.connect(self._give_up)
        page.outline_dragged.connect(self._outline_dragged)
        page.given_up.connect(self._end)
        page.tools.tool_picked.connect(self._tool_picked)
        page.playback.playing_changed.connect(self._show_grips)
        page.corrections.row_picked.connect(self._go)
        page.corrections.remove_wanted.connect(self._remove)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        made: dict[str, Callable[[], None]] = {
            "dream.correct": self._toggle,
            "dream.fine": self._toggle_fine,
            "dream.axes": self._toggle_axes,
            "dream.before": self._toggle_before,
            "dream.untracked": self._mark,
            "dream.untracked_to": self._mark_to,
            "dream.take_pose": self._take_pose,
            "dream.split": partial(self._cut, "split"),
            "dream.restart": partial(self._cut, "restart"),
            "dream.copy_view": self._copy,
            "dream.corrections": self.page.show_corrections_pane,
        }
        for axis, unit in zip("xyz", np.eye(3), strict=True):
            for word, sign in (("plus", 1.0), ("minus", -1.0)):
                made[f"dream.move_{axis}_{word}"] = partial(self._step, sign * STEP_M * unit, np.zeros(3))
                made[f"dream.turn_{axis}_{word}"] = partial(self._step, np.zeros(3), sign * STEP_RAD * unit)
        return made

    def facts(self) -> set[str]:
        return {"correcting"} if self._on and self._pose() is not None else set()

    def tick(self) -> None:
        if self._on and (self._program.moving or self._tracking):
            self._end()

    @property
    def _tracking(self) -> bool:
        return self._session.progress is not None and self._session.progress.what == "tracking"

    def close(self) -> None:
        self.keep()
        self._forget()

    # shown -----------------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        if topic == "dream":
            self._begun, self._marked = None, None
            self._dream.given.clear()
            self._end()
        if topic in ("dream", "edits", "track"):
            self._show_list()
            self._show_grips()

    def _show_list(self) -> None:
        dream, review, track = self._session.dream, self._session.review, self._session.track
        if dream is None or review is None:
            return
        self._rows = listed(review, track.corrections if track else (), colors(dream))
        self.page.corrections.show_corrections([entry.row for entry in self._rows])

    @Slot(int)
    def _frame_shown(self, frame: int) -> None:
        if self._begun is not None and self._begun[1] != frame:
            self.keep()
        self._show_grips()

    @Slot()
    def _show_grips(self) -> None:
        """Handles and outlines can be taken while the mode is on, the clip stands still and there is a pose."""
        role, T = self.page.tools.chosen, self._pose()
        self.page.show_correcting(self._on, self._fine, self._dream.before)
        ready = self._on and T is not None and not self.page.playback.playing
        for video in self.page.videos.values():
            video.let_drag(role if ready else "")
        dream = self._session.dream
        if not ready or dream is None or T is None:
            self.page.scene.show_gizmo(None)
            return
        T_world = dream.T_world_view1 @ T
        axes = T_world[:3, :3] if self._tool_axes else np.eye(3)
        self.page.scene.show_gizmo(Gizmo(role, T_world, axes), self._fine, self._words())

    def _words(self) -> str:
        share = FINE if self._fine else 1.0
        axes = "tool axes" if self._tool_axes else "table axes"
        return f"{axes} (G) · step {1e3 * STEP_M * share:g} mm, {np.degrees(STEP_RAD) * share:.1f}° (F)"

    def _tool(self) -> ToolTrack | None:
        track, role = self._session.track, self.page.tools.chosen
        return track.tools.get(role) if track is not None else None

    def _pose(self) -> Array | None:
        """Return T_view1_tool of the chosen tool as it is shown now; None where it has none."""
        role, tool, t = self.page.tools.chosen, self._tool(), self._dream.here()
        if role in self._dream.given:
            return self._dream.given[role]
        return tool.T_view1_tool[t] if tool is not None and t < len(tool) and tool.found[t] else None

    # the mode --------------------------------------------------------------------------------------------------
    def _toggle(self) -> None:
        if self._on:
            self._end()
            return
        self.page.playback.pause()
        self._on = True
        if self._pose() is None:
            words = f"{self.page.tools.chosen} tool: no pose in this frame; draw a box (B) or put it here (N)"
            self._shell.say(words, "warning")
        self._show_grips()

    @Slot()
    def _end(self) -> None:
        self.keep()
        self._on = False
        self._show_grips()

    def _toggle_fine(self) -> None:
        self._fine = not self._fine
        self._show_grips()

    def _toggle_axes(self) -> None:
        self._tool_axes = not self._tool_axes
        self._show_grips()

    def _toggle_before(self) -> None:
        self._dream.show_before(not self._dream.before)
        self._show_grips()

    @Slot(str)
    def _tool_picked(self, _role: str) -> None:
        self.keep()
        self._show_grips()

    # moved -----------------------------------------------------------------------------------------------------
    def _show_pose(self, T_view1_tool: Array) -> None:
        """Show a pose that is not kept yet, in every view and in the scene."""
        role, now = self.page.tools.chosen, self._pose()
        if self._begun is None and now is not None:
            self._begun = (role, self._dream.here(), now)
        self._dream.given[role] = T_view1_tool
        self._dream.show_frame_again()
        self._show_grips()

    @Slot()
    def keep(self) -> None:
        """Make the pose that is shown a correction."""
        self._settle.stop()
        begun, self._begun = self._begun, None
        if begun is None:
            return
        role, frame, before = begun
        T = self._dream.given.pop(role, before)
        if not np.array_equal(T, before):
            self._try(partial(self._session.set_pose, role, frame, T))
        self._dream.show_frame_again()

    @Slot()
    def _give_up(self) -> None:
        self._settle.stop()
        if self._begun is not None:
            self._dream.given.pop(self._begun[0], None)
            self._begun = None
            self._dream.show_frame_again()
            self._show_grips()

    def _step(self, move: Array, turn: Array) -> None:
        T, dream = self._pose(), self._session.dream
        if T is None or dream is None or self.page.playback.playing:
            return
        share = FINE if self._fine else 1.0
        axes = T[:3, :3] if self._tool_axes else inverse(dream.T_world_view1)[:3, :3]
        self._show_pose(nudged(T, share * move, share * turn, axes))
        self._settle.start()

    @Slot(str, object, bool)
    def _handle_dragged(self, tool: str, T_world_tool: Array, done: bool) -> None:
        dream = self._session.dream
        if dream is None or tool != self.page.tools.chosen:
            return
        self._keep_steps()
        self._show_pose(inverse(dream.T_world_view1) @ T_world_tool)
        if done:
            self.keep()

    def _keep_steps(self) -> None:
        """Steps by key that are not kept yet are a correction of their own, before a hand takes hold."""
        if self._settle.isActive():
            self.keep()

    @Slot(object)
    def _outline_dragged(self, drag: OutlineDrag) -> None:
        self._keep_steps()
        dream, now = self._session.dream, self._pose()
        if dream is None or now is None:
            return
        if drag.given_up:
            self._give_up()
            return
        start = self._begun[2] if self._begun is not None else now
        self._show_pose(outline_pose(_view(dream, drag.view), start, drag, FINE if self._fine else 1.0))
        if drag.done:
            self.keep()

    # marked and cut --------------------------------------------------------------------------------------------
    def _mark(self) -> None:
        role, t, review = self.page.tools.chosen, self._dream.here(), self._session.review
        self.keep()
        if review is not None:
            self._span(role, t, t, (role, t) not in review.untracked)

    def _mark_to(self) -> None:
        self.keep()
        role, t = self.page.tools.chosen, self._dream.here()
        first = self._marked[1] if self._marked is not None and self._marked[0] == role else t
        self._span(role, min(first, t), max(first, t), True)

    def _span(self, role: str, first: int, last: int, untracked: bool) -> None:
        if not self._try(partial(self._session.mark_untracked, role, first, last, untracked)):
            return
        self._marked = (role, last)
        tool = self._tool()
        if untracked and tool is not None and tool.source[last] == "lost":
            self._shell.say(
                f"{role} tool: too few good frames beside frame {last} to interpolate (3 in a row at most)",
                "warning",
            )

    def _take_pose(self) -> None:
        self.keep()
        role, t, tool = self.page.tools.chosen, self._dream.here(), self._tool()
        found = np.flatnonzero(tool.found) if tool is not None else np.zeros(0, int)
        others = found[found != t]
        if tool is None or not len(others):
            self._shell.say(f"{role} tool: no other frame has a pose to take", "warning")
            return
        nearest = int(others[np.argmin(np.abs(others - t))])
        self._try(partial(self._session.set_pose, role, t, tool.T_view1_tool[nearest]))
        if not self._on:
            self._toggle()

    def _cut(self, kind: CutKind) -> None:
        self.keep()
        if self._try(partial(self._session.cut, kind, self.page.tools.chosen, self._dream.here())):
            self._dream.track_if_stale()

    def _copy(self) -> None:
        self.keep()
        before = len(self._session.hints)
        if not self._try(lambda: self._session.copy_hints(self.page.tools.chosen, self._dream.here())):
            return
        if len(self._session.hints) == before:
            self._shell.say("The other views have a box here already, or do not see the tool", "info")
        self._dream.track_if_stale()

    # the list --------------------------------------------------------------------------------------------------
    @Slot(int)
    def _go(self, row: int) -> None:
        entry = self._rows[row]
        self.page.tools.choose(entry.tool)
        self._dream.go_to_frame(entry.frame)

    @Slot(int)
    def _remove(self, row: int) -> None:
        if self._program.moving or self._tracking:
            self._shell.say("Not while something moves or is tracked", "warning")
            return
        self.keep()
        entry = self._rows[row]
        if self._try(lambda: entry.remove(self._session)):
            self._dream.track_if_stale()

    def _try(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")
            return False
        return True


def outline_pose(view: View, T_view1_tool: Array, drag: OutlineDrag, share: float) -> Array:
    """Return the pose after its outline was dragged in a view; up is away from the camera."""
    (x0, y0), (x1, y1) = drag.start, drag.now
    if drag.kind == "move":
        return moved_in_view(view, T_view1_tool, (share * (x1 - x0), share * (y1 - y0)))
    T = inverse(view.T_view1_view) @ T_view1_tool
    if drag.kind == "depth":
        return moved_in_depth(view, T_view1_tool, share * (y0 - y1) / view.camera.K[1, 1] * float(T[2, 3]))
    centre = project(view.camera.K, T[None, :3, 3])[0]
    a, b = np.array(drag.start) - centre, np.array(drag.now) - centre
    angle = float(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b))
    return turned_in_view(view, T_view1_tool, share * angle)


def _view(dream: Dream, name: str) -> View:
    return next(view for view in dream.views if view.name == name)
