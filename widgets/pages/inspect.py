"""Page Inspect: every run, how it went, and where it came from."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.chain_view import ChainView
from widgets.demo import demo
from widgets.empty_state import EmptyState
from widgets.pages.base import PanesPage
from widgets.panel import Panel
from widgets.playback import Playback
from widgets.runs_table import RunsTable
from widgets.top_bar import TopBar
from widgets.transport import action_button
from widgets.values import ChainLink, RunRow
from widgets.views.types import FrameSource
from widgets.views.video_view import VideoView


class InspectPage(PanesPage):
    """`run_picked(id)`; the binder answers with `show_chain` and `show_video`."""

    run_picked = Signal(str)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        bar = TopBar("Inspect", [action_button(actions[n]) for n in ("video", "open_dream", "refresh")])
        empty = EmptyState(
            "Nothing has run yet",
            "Every run is kept here with its outcome and everything it came from: dream, track, plan, approval. "
            "Approve and execute a plan on page Dream, then say how it went.",
            (actions["dream"],),
        )
        super().__init__("inspect", bar, empty, parent=parent)
        self.playback, self.table, self.chain = Playback(self), RunsTable(), ChainView()
        self.video = VideoView("", "Camera of the run")
        self.table.run_picked.connect(self.run_picked)
        runs = Panel()
        runs.body.addWidget(self.table)
        centre = QWidget()
        inside = QVBoxLayout(centre)
        inside.setContentsMargins(8, 8, 2, 8)
        inside.addWidget(runs)
        self.docks.setCentralWidget(centre)
        right = Qt.DockWidgetArea.RightDockWidgetArea
        video = self.docks.add_pane("video", "What the cameras saw", self.video, right)
        chain = self.docks.add_pane("chain", "Where it came from", self.chain, right)
        self.docks.size_panes([video, chain], [280, 520], Qt.Orientation.Vertical)
        self.docks.size_panes([chain], [460], Qt.Orientation.Horizontal)
        self.playback.time_changed.connect(self.video.show_time)

    def show_runs(self, runs: Sequence[RunRow]) -> None:
        """Show the runs, or what to do where there are none."""
        self.show_panes(bool(runs))
        self.table.show_runs(runs)

    def show_chain(self, links: Sequence[ChainLink]) -> None:
        self.chain.show_chain(links)

    def show_video(self, source: FrameSource | None, duration: float, text: str = "") -> None:
        """Show the run's video from its start; None: say `text` instead."""
        self.playback.pause()
        self.video.set_source(source)
        if source is None:
            self.video.show_empty(text)
            return
        self.playback.set_range(0.0, duration)
        self.playback.to_start()
        self.video.show_time(0.0)


def main() -> None:
    """Show one run."""

    def make() -> QWidget:
        page = InspectPage({name: QAction(name) for name in ("video", "open_dream", "refresh", "dream")})
        page.show_runs([RunRow("1", "2026-01-01 12:00", "example", "success", "ok", person="anna")])
        return page

    demo(make)


if __name__ == "__main__":
    main()
