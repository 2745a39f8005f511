"""Binds what a person corrects a track with: handles, outlines, steps by key, marks, cuts, and the list of them."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PySide6.QtCore import Slot

from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.correction_rows import Listed, listed
from app.gui.binders.dream import DreamBinder
from app.gui.binders.dream_pictures import colors
from app.gui.binders.held_pose import STEP_M, STEP_RAD, HeldPose, Standing, step_handlers
from app.gui.program import Program
from hardware.geometry import Array, inverse
from models.corrections import nearest_pose
from models.types import CutKind, ToolTrack
from widgets.pages.dream import DreamPage
from widgets.views.gizmo import Gizmo
from widgets.views.types import OutlineDrag


class CorrectionsBinder(QuietBinder):
    """What of a track is corrected is the open dream's; `held` has the pose that is being moved."""

    def __init__(self, page: DreamPage, program: Program, shell: Shell, dream: DreamBinder) -> None:
        super().__init__(page)
        self.page, self._program, self._shell, self._dream = page, program, shell, dream
        self._session = program.dreaming
        self._on = False
        self._tool_axes = True
        self.held = HeldPose(self, self._standing, dream.show_frame_again, self._set_pose)
        dream.given = self.held.given
        self._marked: tuple[str, int] | None = None
        self._rows: tuple[Listed, ...] = ()
        self._forget = self._session.on_change(self._changed)
        dream.before_edit = self.held.keep
        dream.frame_shown.connect(self._frame_shown)
        page.scene.pose_dragged.connect(self._handle_dragged)
        page.scene.drag_given_up.connect(self.held.give_up)
        page.outline_dragged.connect(self._outline_dragged)
        page.given_up.connect(self._end)
        page.tools.tool_picked.connect(self._tool_picked)
        page.playback.playing_changed.connect(self._show_grips)
        page.corrections.row_picked.connect(self._go)
        page.corrections.remove_wanted.connect(self._remove)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
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
            **step_handlers("dream", self._step),
        }

    def facts(self) -> set[str]:
        return {"correcting"} if self._on and self.held.standing is not None else set()

    def tick(self) -> None:
        if self._on and (self._program.moving or self._tracking):
            self._end()

    @property
    def _tracking(self) -> bool:
        return self._session.progress is not None and self._session.progress.what == "tracking"

    def close(self) -> None:
        self.held.keep()
        self._forget()

    # shown -----------------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        if topic == "dream":
            self._marked = None
            self.held.forget()
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
        self.held.left_frame(frame)
        self._show_grips()

    @Slot()
    def _show_grips(self) -> None:
        """Handles and outlines can be taken while the mode is on, the clip stands still and there is a pose."""
        role, now = self.page.tools.chosen, self.held.standing
        self.page.show_correcting(self._on, self.held.fine, self._dream.before)
        ready = self._on and now is not None and not self.page.playback.playing
        for video in self.page.videos.values():
            video.let_drag(role if ready else "")
        dream = self._session.dream
        if not ready or dream is None or now is None:
            self.page.scene.show_gizmo(None)
            return
        T_world = dream.T_world_view1 @ now.T_view1_tool
        axes = T_world[:3, :3] if self._tool_axes else np.eye(3)
        self.page.scene.show_gizmo(Gizmo(role, T_world, axes), self.held.fine, self._words())

    def _words(self) -> str:
        share = self.held.share
        axes = "tool axes" if self._tool_axes else "table axes"
        return f"{axes} (G) · step {1e3 * STEP_M * share:g} mm, {np.degrees(STEP_RAD) * share:.1f}° (F)"

    def _tool(self) -> ToolTrack | None:
        track, role = self._session.track, self.page.tools.chosen
        return track.tools.get(role) if track is not None else None

    def _standing(self) -> Standing | None:
        tool, t = self._tool(), self._dream.here()
        if tool is None or t >= len(tool) or not tool.found[t]:
            return None
        return Standing(self.page.tools.chosen, t, tool.T_view1_tool[t])

    # the mode --------------------------------------------------------------------------------------------------
    def _toggle(self) -> None:
        if self._on:
            self._end()
            return
        self.page.playback.pause()
        self._on = True
        if self.held.standing is None:
            words = f"{self.page.tools.chosen} tool: no pose in this frame; draw a box (B) or put it here (N)"
            self._shell.say(words, "warning")
        self._show_grips()

    @Slot()
    def _end(self) -> None:
        self.held.keep()
        self._on = False
        self._show_grips()

    def _toggle_fine(self) -> None:
        self.held.fine = not self.held.fine
        self._show_grips()

    def _toggle_axes(self) -> None:
        self._tool_axes = not self._tool_axes
        self._show_grips()

    def _toggle_before(self) -> None:
        self._dream.show_before(not self._dream.before)
        self._show_grips()

    @Slot(str)
    def _tool_picked(self, _role: str) -> None:
        self.held.keep()
        self._show_grips()

    # moved -----------------------------------------------------------------------------------------------------
    def _set_pose(self, now: Standing) -> None:
        self._try(partial(self._session.set_pose, now.tool, now.frame, now.T_view1_tool))

    def _step(self, move: Array, turn: Array) -> None:
        dream = self._session.dream
        if dream is not None and not self.page.playback.playing:
            self.held.step(move, turn, None if self._tool_axes else inverse(dream.T_world_view1)[:3, :3])

    @Slot(str, object, bool)
    def _handle_dragged(self, tool: str, T_world_tool: Array, done: bool) -> None:
        dream = self._session.dream
        if dream is None or tool != self.page.tools.chosen:
            return
        self.held.keep_steps()
        self.held.move_to(inverse(dream.T_world_view1) @ T_world_tool)
        if done:
            self.held.keep()

    @Slot(object)
    def _outline_dragged(self, drag: OutlineDrag) -> None:
        dream = self._session.dream
        if dream is not None:
            self.held.drag_outline(next(view for view in dream.views if view.name == drag.view), drag)

    # marked and cut --------------------------------------------------------------------------------------------
    def _mark(self) -> None:
        role, t, review = self.page.tools.chosen, self._dream.here(), self._session.review
        self.held.keep()
        if review is not None:
            self._span(role, t, t, (role, t) not in review.untracked)

    def _mark_to(self) -> None:
        self.held.keep()
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
        self.held.keep()
        role, t, tool = self.page.tools.chosen, self._dream.here(), self._tool()
        T = nearest_pose(tool, t) if tool is not None else None
        if T is None:
            self._shell.say(f"{role} tool: no other frame has a pose to take", "warning")
            return
        self._try(partial(self._session.set_pose, role, t, T))
        if not self._on:
            self._toggle()

    def _cut(self, kind: CutKind) -> None:
        self.held.keep()
        if self._try(partial(self._session.cut, kind, self.page.tools.chosen, self._dream.here())):
            self._dream.track_if_stale()

    def _copy(self) -> None:
        self.held.keep()
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
        self.held.keep()
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
