"""Binds the panel that compares trackers on page Dream."""

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDockWidget

from app.dreams.comparison_run import ComparisonRun
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.comparison_facts import columns, note, plots, rows
from app.gui.program import Program
from models.tracking.trackers import TRACKERS, tracker_row
from widgets.pages.dream import DreamPage
from widgets.track_comparison import TrackComparison, TrackerOffer
from widgets.values import BusyState

_AT_FIRST = ("stereo", "fusion")
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class ComparisonBinder(QuietBinder):
    """The panel is a pane beside the timeline, hidden until it is asked for; its worker starts at first use."""

    def __init__(
        self,
        page: DreamPage,
        program: Program,
        shell: Shell,
        where: Callable[[], int],
        run: ComparisonRun | None = None,
    ) -> None:
        """where: the frame that the page shows; run: what compares, by default with the real trackers."""
        super().__init__(page)
        self.page, self._program, self._shell, self._where = page, program, shell, where
        self._session, self._run = program.dreaming, run or ComparisonRun(program.workspace)
        self._away = True  # the pane is nowhere on the page
        self._of: tuple[Path, tuple[object, ...]] | None = None
        self.panel = TrackComparison()
        self.panel.show_trackers(
            [TrackerOffer(r.name, r.title, r.about, r.name in _AT_FIRST) for r in TRACKERS.values()]
        )
        self.pane = page.docks.add_pane("compare", "Compare trackers", self.panel, _BOTTOM)
        page.docks.removeDockWidget(self.pane)  # it takes no room, not even a tab's, until it is wanted
        self._forget = (self._session.on_change(self._changed), self._run.on_change(self._ran))
        self.panel.compare_wanted.connect(self._compare)
        self.panel.use_wanted.connect(self._use)
        self.panel.cancel_wanted.connect(self._run.cancel)
        self.panel.close_wanted.connect(self._close)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {"dream.compare": self._open}

    def facts(self) -> set[str]:
        return {"comparing"} if self._run.progress is not None else set()

    def tick(self) -> None:
        self._run.pump()
        if self.pane.isVisible():
            self.panel.show_frame(self._where())

    def close(self) -> None:
        for forget in self._forget:
            forget()
        self._run.close()

    def _open(self) -> None:
        timeline = self.page.docks.findChild(QDockWidget, "dream.timeline")
        if self._away and isinstance(timeline, QDockWidget):
            self.page.docks.addDockWidget(_BOTTOM, self.pane)
            self.page.docks.tabifyDockWidget(timeline, self.pane)
            self._away = False
        self.pane.show()
        self.pane.raise_()
        self.panel.setFocus()

    @Slot()
    def _close(self) -> None:
        self.page.docks.removeDockWidget(self.pane)
        self._away = True

    @Slot(list)
    def _compare(self, names: list[str]) -> None:
        session = self._session
        if session.folder is None:
            return
        self._of = (session.folder, session.boxes)
        try:
            self._run.start(session.folder, names, hints=session.boxes, known=session.tracks_at_hand)
        except ValueError as error:
            self._shell.say(str(error), "error")

    @Slot(str)
    def _use(self, name: str) -> None:
        if self._program.moving:
            self._shell.say("not while an arm moves", "warning")
            return
        result = self._run.result
        track = next((trial.track for trial in result.trials if trial.tracker == name), None) if result else None
        before = tracker_row(self._session.tracker).title
        try:
            self._session.use_tracker(name, track)
            if self._session.stale and self._session.progress is None:
                self._session.retrack()  # other boxes were drawn since
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")
            return
        self._shell.say(f"{tracker_row(name).title}'s track counts now; undo brings {before}'s back", "info")

    def _changed(self, topic: str) -> None:
        if topic == "dream":
            self._run.cancel()
            self._run.result = None
        if topic in ("dream", "track", "edits"):
            self._show()

    def _ran(self, topic: str) -> None:
        progress = self._run.progress
        busy = None if progress is None else BusyState(f"comparing: {progress[1]}", progress[0], None, True)
        self.panel.show_busy(busy)
        if topic == "message" and self._run.message:
            self._shell.say(self._run.message, "error")
        if topic == "result":
            self._show()

    def _show(self) -> None:
        result, session = self._run.result, self._session
        if result is None or session.dream is None:
            self.panel.show_rows((), ())
            self.panel.show_plots(())
            return
        stale = self._of != (session.folder, session.boxes)
        self.panel.show_rows(columns(result), rows(result, session.tracker), note(result, stale))
        self.panel.show_plots(plots(result))
