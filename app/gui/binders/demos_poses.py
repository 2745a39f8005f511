"""Binds the poses that are dragged, stepped or put on page Demos: an edit of the journal each, once let go."""

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QObject, Slot

from app.dreams.edits import Edit, SetPose
from app.gui.binders.binder import Shell
from app.gui.binders.demos_overlays import DemoOverlays
from app.gui.binders.demos_playing import DemosPlaying
from app.gui.binders.held_pose import HeldPose, Standing, step_handlers
from hardware.geometry import Array
from models.corrections import nearest_pose, pose_values
from models.data.episode_track import EpisodeTrack
from models.types import PoseFix
from widgets.pages.demos import DemosPage
from widgets.views.types import OutlineDrag

Here = tuple[EpisodeTrack, str, int]
"""The track, the chosen tool and the frame that is looked at."""


class DemosPoses(QObject):
    """A part of the demos' corrections. While a track is corrected, the page stands on its frames: between two of
    them the picture is not the one that was tracked."""

    def __init__(
        self,
        page: DemosPage,
        playing: DemosPlaying,
        shell: Shell,
        here: Callable[[], Here | None],
        do: Callable[[Edit], bool],
    ) -> None:
        """here(): what is corrected, said where there is nothing; do(edit): whether it is under way."""
        super().__init__(page)
        self._page, self._playing, self._shell, self._here, self._do = page, playing, shell, here, do
        self.held = HeldPose(self, self._standing, self._draw, self._set_pose)
        self._on = False
        page.outline_dragged.connect(self._dragged)
        page.tools.tool_picked.connect(self._picked)
        page.playback.time_changed.connect(self._left)
        page.playback.playing_changed.connect(self._show)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
            "demos.take_pose": self._take_pose,
            "demos.fine": self._toggle_fine,
            "demos.next": partial(self._go, 1),
            "demos.previous": partial(self._go, -1),
            **step_handlers("demos", self._step),
        }

    @property
    def ready(self) -> bool:
        """Whether a pose can be moved now."""
        return self._on and not self._page.playback.playing and self.held.standing is not None

    def show(self, on: bool) -> None:
        """Let poses be moved, or no more."""
        if not on:
            self.held.keep()
        self._on = on
        self._show()
        role, overlays = self._page.tools.chosen, self._overlays
        if self.ready and overlays is not None and not overlays.can_drag(role):
            words = (
                f"{role} tool: the tool library does not have its shape; step it (Alt and arrows), or draw boxes"
            )
            self._shell.say(words, "info")

    def refresh(self, given: frozenset[tuple[str, int]]) -> None:
        """Take in another track. given: tools and frames with poses that a person gave."""
        overlays = self._overlays
        if overlays is None:
            self.held.forget()
        else:
            overlays.given = self.held.given
            for place in overlays.kept.keys() - given:  # taken back, or never written
                del overlays.kept[place]
        self._show()

    def tick(self) -> None:
        """Stand on a frame of the track."""
        overlays, play = self._overlays, self._page.playback
        if not self._on or play.playing or overlays is None:
            return
        frame = overlays.frame_at(play.time)
        if frame is not None and abs(play.time - overlays.time_of(frame)) > 1e-6:
            play.seek(overlays.time_of(frame))

    def take_back(self) -> bool:
        """Let a pose that is not kept yet stand where it stood; False where there is none."""
        moved = bool(self.held.given)
        self.held.give_up()
        return moved

    @property
    def _overlays(self) -> DemoOverlays | None:
        return self._playing.overlays

    def _standing(self) -> Standing | None:
        overlays, role = self._overlays, self._page.tools.chosen
        frame = overlays.frame_at(self._page.playback.time) if overlays is not None else None
        return overlays.standing(role, frame) if overlays is not None and frame is not None else None

    @Slot()
    def _show(self) -> None:
        role, overlays = self._page.tools.chosen, self._overlays
        can = self.ready and overlays is not None and overlays.can_drag(role)
        self._page.let_drag(role if can else "", self.held.fine)

    def _draw(self) -> None:
        self._playing.show_overlays(self._page.playback.time)
        self._show()

    @Slot(float)
    def _left(self, t: float) -> None:
        frame = self._overlays.frame_at(t) if self._overlays is not None else None
        self.held.left_frame(-1 if frame is None else frame)
        self._show()

    @Slot(str)
    def _picked(self, _role: str) -> None:
        self.held.keep()
        self._show()

    def _go(self, frames: int) -> None:
        """Another picture; another frame of the track while it is corrected."""
        overlays, play = self._overlays, self._page.playback
        frame = overlays.frame_at(play.time) if overlays is not None and self._on else None
        if overlays is None or frame is None:
            play.step(frames)
        else:
            play.pause()
            play.seek(overlays.time_of(frame + frames))

    def _toggle_fine(self) -> None:
        self.held.fine = not self.held.fine
        self._show()

    def _step(self, move: Array, turn: Array) -> None:
        if self.ready:
            self.held.step(move, turn)

    @Slot(object)
    def _dragged(self, drag: OutlineDrag) -> None:
        eye = self._overlays.eye(drag.view) if self._overlays is not None else None
        if eye is not None and self.ready:
            self.held.drag_outline(eye, drag)

    def _set_pose(self, now: Standing) -> None:
        fix = PoseFix(now.tool, now.frame, pose_values(now.T_view1_tool))
        if self._do(SetPose(fix)) and self._overlays is not None:
            self._overlays.kept[now.tool, now.frame] = now.T_view1_tool

    def _take_pose(self) -> None:
        here = self._here()
        if here is None:
            return
        track, role, frame = here
        T = nearest_pose(track.track.tools[role], frame)
        if T is None:
            self._shell.say(f"{role} tool: no other frame has a pose to take", "warning")
        else:
            self._set_pose(Standing(role, frame, T))
            self._draw()
