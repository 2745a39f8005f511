"""Binds what a person corrects the track of a recorded demo with: poses, boxes, marks, cuts, and their list."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.datasets.desk import DatasetDesk
from app.datasets.library import DatasetError
from app.datasets.track_review import EpisodeReview, is_stale
from app.dreams.edits import AddCut, AddHint, Edit, MarkSpan, RemoveCut, RemoveHint, RemovePose
from app.gui.binders.binder import Shell
from app.gui.binders.correction_rows import Listed, listed
from app.gui.binders.demos_playing import DemosPlaying
from app.gui.binders.demos_poses import DemosPoses, Here
from app.gui.binders.demos_tracking import DemosTracking
from app.gui.binders.dream_facts import tool_row
from models.corrections import pose_values
from models.data.dataset_index import DemoRow
from models.data.episode_track import EpisodeTrack
from models.data.errors import DreamFileError
from models.types import Cut, CutKind, Hint, PoseFix
from widgets.pages.demos import DemosPage
from widgets.values import ToolRow


class DemosCorrections(QObject):
    """A part of the demos' binder. Every correction is an edit of the journal: undo is the page's own."""

    def __init__(
        self,
        page: DemosPage,
        desk: DatasetDesk,
        playing: DemosPlaying,
        tracking: DemosTracking,
        shell: Shell,
        row: Callable[[], DemoRow | None],
        begin: Callable[[], None],
    ) -> None:
        """begin(): let the list of corrections be shown."""
        super().__init__(page)
        self._page, self._desk, self._playing = page, desk, playing
        self._tracking, self._shell, self._row = tracking, shell, row
        self._begin = begin
        self.on = False
        self._rows: tuple[Listed, ...] = ()
        self._review = EpisodeReview()
        self._of: Path | None = None  # the episode that the review is of
        self._marked: tuple[str, int] | None = None
        self.poses = DemosPoses(page, playing, shell, self._here, self._do)
        page.box_drawn.connect(self._add_box)
        page.corrections.row_picked.connect(self._go)
        page.corrections.remove_wanted.connect(self._remove)
        page.playback.time_changed.connect(self._show_tools)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
            **self.poses.handlers(),
            "demos.box": self._draw,
            "demos.untracked": self._mark,
            "demos.untracked_to": self._mark_to,
            "demos.track_split": partial(self._cut, "split"),
            "demos.track_restart": partial(self._cut, "restart"),
        }

    def show(self, on: bool) -> None:
        """Show the list of corrections in the labels' place, or the labels."""
        self.on = on
        self._page.show_correcting(on)
        if on:
            self._page.playback.pause()
            self.refresh()
        else:
            self._page.end_drawing()
        self.poses.show(on)

    @Slot()
    def refresh(self) -> None:
        """Take in what the files say now; track again where boxes or cuts have changed."""
        row = self._row()
        if row is None or not row.tracked or self._playing.folder != row.folder:
            self._review, self._of = EpisodeReview(), None
            self._show()
            return
        try:
            review = self._desk.review(row.key)
        except (DreamFileError, DatasetError) as error:
            self._shell.say(str(error), "warning")
            review = EpisodeReview()
        first, changed = self._of != row.folder, review != self._review
        self._review, self._of = review, row.folder
        if changed and not first:
            self._playing.read_again(row.folder)
        if changed and (
            not first or review != EpisodeReview()
        ):  # it may have been left before it was tracked again
            self._track_if_stale(row)
        self._show()

    def _track_if_stale(self, row: DemoRow) -> None:
        try:
            track = self._desk.track(row.key)
        except (DreamFileError, DatasetError):
            return  # it cannot be shown either, and that was said
        if track is not None and is_stale(track, self._review):
            self._tracking.track_again(row.folder)

    @property
    def _track(self) -> EpisodeTrack | None:
        curves = self._playing.curves
        return curves.track if curves is not None else None

    # shown -----------------------------------------------------------------------------------------------------
    def _show(self) -> None:
        track, overlays = self._track, self._playing.overlays
        ink = {role: overlays.ink(role) for role in track.track.tools} if track and overlays else {}
        if overlays is not None:
            overlays.hints = self._review.review.hints
            self._playing.show_overlays(self._page.playback.time)
        self.poses.refresh(frozenset((fix.tool, fix.t) for fix in self._review.review.fixes))
        self._rows = listed(self._review.review, self._review.made, ink)
        self._page.corrections.show_corrections([entry.row for entry in self._rows])
        self._show_tools(self._page.playback.time)

    @Slot(float)
    def _show_tools(self, t: float) -> None:
        track, overlays = self._track, self._playing.overlays
        if not self.on:
            return
        if track is None or overlays is None:
            self._page.tools.show_tools(())
            return
        frame, whole = overlays.frame_at(t), (0, len(track.times) - 1)
        rows = (
            tool_row(
                ToolRow(role, role, overlays.ink(role)), tool if frame is not None else None, whole, frame or 0
            )
            for role, tool in track.track.tools.items()
        )
        self._page.tools.show_tools(list(rows))

    # corrected -------------------------------------------------------------------------------------------------
    def _here(self) -> Here | None:
        """What is corrected; said where there is nothing."""
        self.poses.held.keep()
        track, overlays = self._track, self._playing.overlays
        if track is None or overlays is None:
            return None
        frame = overlays.frame_at(self._page.playback.time)
        if frame is None:
            self._shell.say("Nothing was tracked at this time: go where the path is drawn", "warning")
            return None
        if not self.on:
            self._begin()
        return track, self._page.tools.chosen or next(iter(track.track.tools)), frame

    def _draw(self) -> None:
        here, overlays = self._here(), self._playing.overlays
        if here is not None and overlays is not None:
            self._page.playback.pause()
            self._page.draw_box(here[1], overlays.ink(here[1]))

    @Slot(str, str, float, float, float, float)
    def _add_box(self, view: str, tool: str, x0: float, y0: float, x1: float, y1: float) -> None:
        self._page.end_drawing()
        here, overlays = self._here(), self._playing.overlays
        if here is None or overlays is None:
            return
        try:
            box = overlays.tracked_box(view, (x0, y0, x1, y1))
        except ValueError as error:
            self._shell.say(str(error), "warning")
            return
        self._do(AddHint(Hint(tool, view, here[2], box)))

    def _mark(self) -> None:
        here = self._here()
        if here is not None:
            _, tool, t = here
            self._span(tool, t, t, (tool, t) not in self._review.review.untracked)

    def _mark_to(self) -> None:
        here = self._here()
        if here is not None:
            _, tool, t = here
            first = self._marked[1] if self._marked is not None and self._marked[0] == tool else t
            self._span(tool, min(first, t), max(first, t), untracked=True)

    def _span(self, tool: str, first: int, last: int, untracked: bool) -> None:
        self._marked = (tool, last)
        self._do(MarkSpan(tool, first, last, untracked))

    def _cut(self, kind: CutKind) -> None:
        here = self._here()
        if here is None:
            return
        track, tool, t = here
        poses = track.track.tools[tool]
        if kind == "restart" and not poses.found[t]:
            self._shell.say(f"{tool} tool: no pose at this time; go where it has one", "warning")
        elif t < 1:
            self._shell.say("A track begins anew after its first frame", "warning")
        else:
            pose = pose_values(poses.T_view1_tool[t]) if kind == "restart" else ()
            self._do(AddCut(Cut(kind, tool, t, pose)))

    # the list --------------------------------------------------------------------------------------------------
    @Slot(int)
    def _go(self, number: int) -> None:
        entry, overlays = self._rows[number], self._playing.overlays
        if overlays is not None:
            self._page.tools.choose(entry.tool)
            self._page.playback.pause()
            self._page.playback.seek(overlays.time_of(entry.frame))

    @Slot(int)
    def _remove(self, number: int) -> None:
        self._rows[number].remove(self)

    def remove_hint(self, hint: Hint) -> None:
        self._do(RemoveHint(hint))

    def remove_pose(self, fix: PoseFix) -> None:
        self._do(RemovePose(fix))

    def mark_untracked(self, tool: str, first: int, last: int, untracked: bool = True) -> None:
        self._do(MarkSpan(tool, first, last, untracked))

    def remove_cut(self, cut: Cut) -> None:
        self._do(RemoveCut(cut))

    def _do(self, *edits: Edit) -> bool:
        row = self._row()
        if row is None or row.folder != self._playing.folder:
            return False  # another demo was chosen meanwhile
        try:
            self._desk.correct(row.key, *edits)
        except (DatasetError, ValueError) as error:
            self._shell.say(str(error), "warning")
            return False
        return True
