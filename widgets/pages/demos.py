"""Page Demos, behind page Record: look through what was recorded, cut it, label it, throw away what is no use."""

from collections.abc import Mapping, Sequence
from typing import Literal

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QLineEdit,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from widgets.bulk_preview import BulkPreview
from widgets.busy_strip import BusyStrip
from widgets.demo import demo
from widgets.demos_statistics import StatisticsView
from widgets.demos_table import DemosTable
from widgets.demos_values import DemoLine, Labels, LineKey, Preview, Statistics
from widgets.empty_state import EmptyState
from widgets.exchange_form import ExchangeForm
from widgets.label_form import LabelForm
from widgets.mask_panel import MaskPanel
from widgets.own_keys import keep_own_keys
from widgets.pages.base import PanesPage
from widgets.panel import Panel, label, scrolled
from widgets.playback import Playback
from widgets.tool_strip import ToolStrip
from widgets.top_bar import TopBar
from widgets.transport import Transport, action_button
from widgets.trash_view import TrashView
from widgets.values import BusyState
from widgets.views.brush_view import BrushView
from widgets.views.corrections import CorrectionsPanel
from widgets.views.timeline import Timeline
from widgets.views.types import FrameSource, TimelineData

DEMOS_ACTIONS = (
    "play", "previous", "next", "loop", "split", "merge", "mark", "trim_start", "trim_end", "undo", "redo",
    "open", "track", "delete", "as_recorded", "statistics", "export", "import", "trash",
    "correct", "box", "untracked", "untracked_to", "take_pose", "fine", "track_split", "track_restart", "brush",
)  # fmt: skip
_EDIT = ("correct", "brush", "split", "merge", "mark", "trim_start", "trim_end", "undo", "redo")
_BAR = (
    ("open", "open"),
    ("import", "import"),
    ("export", ""),
    ("track", "track"),
    ("statistics", ""),
    ("delete", "trash"),
    ("trash", ""),
)
FILTER_TIP = (
    "Words, or task: object: condition: instruction: tag: note: stream: session: started:,\n"
    "success:yes|no|unknown, verdict:ok|mark|bad|none, number:3-9, duration:>4,\n"
    "edited: tracked: damaged:yes|no; a minus before any of them turns it round"
)
_SEEN: Mapping[str, str] = {
    "pictures": "What the cameras saw",
    "statistics": "Statistics of the demos that the filter shows",
    "exchange": "Demos to and from other programs",
    "trash": "Deleted takes",
}
Seen = Literal["pictures", "statistics", "exchange", "trash"]
_CORRECT = ("box", "untracked", "take_pose", "fine", "track_split", "track_restart")
_LABELS, _PREVIEW, _CORRECTIONS, _MASKS = range(4)
_NOT_CORRECTED = (
    "Nothing is corrected yet. Drag a tool's outline to where the tool is, or draw a box (B) where none is found: "
    "only what a box touches is tracked again. Mark a frame untracked (X), or let the track begin anew (Shift+S)."
)
FORMATS = (
    ("lerobot", "LeRobot dataset v3.0"),
    ("umi", "UMI (.zarr.zip)"),
    ("mcap", "MCAP, one file a demo, for viewers"),
)


class DemosPage(PanesPage):
    """actions: DEMOS_ACTIONS and `record`, which turns to page Record. `table`, `labels`, `timeline`, `playback`,
    `statistics` are shown their values by the binder; wishes come out as their signals and these."""

    query_changed = Signal(str)
    box_drawn = Signal(str, str, float, float, float, float)  # view, tool, x0, y0, x1, y1 [px of the shown picture]
    stroke_drawn = Signal(str, bool, object)  # view, add, points [px of the shown picture]
    outline_dragged = Signal(object)  # OutlineDrag
    given_up = Signal()  # Esc, with nothing being drawn

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        bar = TopBar(
            "Demos", [*(action_button(actions[n], icon) for n, icon in _BAR), action_button(actions["record"])]
        )
        empty = EmptyState(
            "No demos yet",
            "What you record is looked through here: play it with every sensor beside the pictures, cut it, label "
            "it, throw away what is no use. The recordings themselves never change, and every edit can be undone.",
            (actions["record"], actions["open"], actions["import"], actions["trash"]),
        )
        busy = BusyStrip()
        super().__init__("demos", bar, empty, (busy,), parent)
        self.busy = busy
        self.playback = Playback(self)
        self.table, self.labels, self.preview = DemosTable(), LabelForm(), BulkPreview()
        self.timeline, self.statistics = Timeline(), StatisticsView()
        self.exchange, self.trash = ExchangeForm(FORMATS), TrashView()
        self._seen_now: Seen = "pictures"
        self._full = False
        self._mode = _LABELS
        self.videos: dict[str, BrushView] = {}
        for name in ("correct", "brush", "fine"):
            actions[name].setCheckable(True)
        self._actions = actions
        self.tools, self.masks = ToolStrip(), MaskPanel()
        self.corrections = CorrectionsPanel(actions, buttons=_CORRECT, nothing=_NOT_CORRECTED)
        self.transport = Transport(actions, self.playback, right=_EDIT)
        self.filter = QLineEdit(placeholderText="Filter:  rotation  success:no  -tag:blurred  duration:>4")
        self.filter.setClearButtonEnabled(True)
        self.filter.setToolTip(FILTER_TIP)
        self.filter.setAccessibleName("Filter")
        keep_own_keys(self.filter)
        self.filter.textChanged.connect(self.query_changed)
        self.filter.returnPressed.connect(self.table.setFocus)
        self._count, self._problem = label("", "muted"), label("", state="warning", wrap=True)
        self._problem.hide()
        self._lay_out()
        self.timeline.time_picked.connect(self.playback.seek)
        self.playback.time_changed.connect(self._show_time)

    def show_busy(self, busy: BusyState | None) -> None:
        self.busy.show_busy(busy)

    def show_lines(self, lines: Sequence[DemoLine], keys: Sequence[LineKey], of: int, problem: str = "") -> None:
        """Show the demos that the filter lets through, of how many; problem: why it cannot be understood."""
        self._full = of > 0
        self._follow()
        self.table.show_lines(lines, keys)
        self._count.setText(f"{len(lines)} of {of}" if len(lines) != of else f"{of}")
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))

    def show_views(self, views: Sequence[str]) -> None:
        """Lay out one picture a camera; those that are there already stay."""
        if tuple(views) == tuple(self.videos):
            return
        for old in self.videos.values():
            self._views.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.videos = {name: BrushView(name, name) for name in views}
        columns = 1 if len(views) == 1 else 2
        for index, video in enumerate(self.videos.values()):
            video.setMinimumSize(160, 100)
            video.box_drawn.connect(self.box_drawn)
            video.stroke_drawn.connect(self.stroke_drawn)
            video.outline_dragged.connect(self.outline_dragged)
            self._views.addWidget(video, index // columns, index % columns)

    def show_source(self, source: FrameSource | None, empty: str = "") -> None:
        """Pull pictures from here; None: say why there are none."""
        for video in self.videos.values():
            video.set_source(source)
            if source is None:
                video.show_empty(empty)
        self._show_time(self.playback.time)

    def show_film(self, source: FrameSource | None) -> None:
        """Take the filmstrip's pictures from here, from now on."""
        self.timeline.set_source(source)

    def show_timeline(self, data: TimelineData | None, empty: str = "") -> None:
        if data is None:
            self.timeline.show_empty(empty)
        else:
            self.timeline.show_data(data)

    def show_pictures(self) -> None:
        """Pull again what stands still: another picture has come."""
        for video in self.videos.values():
            video.show_time(self.playback.time)

    def show_labels(self, labels: Labels) -> None:
        """Show what is said of the chosen demos."""
        if self._said.currentIndex() == _LABELS:
            self._said_panel.heading.setText(f"LABELS OF {labels.of} DEMOS" if labels.of > 1 else "LABELS")
        self.labels.show_labels(labels)

    def show_trouble(self, text: str) -> None:
        """Say what is wrong with the files of a chosen demo, "" for nothing."""
        self._trouble.setText(text)
        self._trouble.setVisible(bool(text))

    def show_preview(self, preview: Preview | None) -> None:
        """Show what a bulk edit would change and ask; None: go back to the labels."""
        self._said.setCurrentIndex(self._mode if preview is None else _PREVIEW)
        if preview is not None:
            self.preview.show_preview(preview)
            self.preview.setFocus()

    def show_correcting(self, on: bool) -> None:
        """Show what was corrected in the track in the labels' place, or the labels."""
        self._actions["correct"].setChecked(on)
        self._show_said(_CORRECTIONS if on else _LABELS, "TRACK")

    def show_brushing(self, on: bool) -> None:
        """Show the masks in the labels' place, or the labels."""
        self._actions["brush"].setChecked(on)
        self._show_said(_MASKS if on else _LABELS, "MASKS")

    def _show_said(self, index: int, heading: str) -> None:
        self._mode = index
        self._said.setCurrentIndex(index)
        self._said_panel.heading.setText(heading if index != _LABELS else "LABELS")

    def let_drag(self, tool: str, fine: bool = False) -> None:
        """Let a person drag the outline of this tool in any view; "": of none."""
        self._actions["fine"].setChecked(fine)
        for video in self.videos.values():
            video.let_drag(tool)

    def draw_box(self, tool: str, ink: str) -> None:
        """Let the person draw a box for a tool in any view."""
        for video in self.videos.values():
            video.start_drawing(tool, ink)

    def end_drawing(self) -> None:
        for video in self.videos.values():
            video.cancel_drawing()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that nobody else wanted. Esc: no box, else nothing is corrected any more."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif any(video.drawing for video in self.videos.values()):
            self.end_drawing()
        else:
            self.given_up.emit()

    def show_statistics(self, statistics: Statistics) -> None:
        self.statistics.show_statistics(statistics)

    def show_seen(self, seen: Seen) -> None:
        """Show pictures, statistics, the form of exports and imports, or the trash."""
        self._seen_now = seen
        self._seen.setCurrentIndex(list(_SEEN).index(seen))
        self.docks.name_pane(self._seen_dock, _SEEN[seen])
        self._follow()

    @property
    def seen(self) -> Seen:
        return self._seen_now

    @property
    def statistics_shown(self) -> bool:
        return self._seen_now == "statistics" and self.isVisible()

    def _follow(self) -> None:
        """Without demos there is nothing to see but what others have, and what was deleted."""
        self.show_panes(self._full or self._seen_now in ("exchange", "trash"))

    def write_filter(self) -> None:
        """Put the cursor into the filter, all of it chosen."""
        self.filter.setFocus()
        self.filter.selectAll()

    def show_query(self, query: str) -> None:
        """Write a filter, as if a person had."""
        self.filter.setText(query)

    @Slot(float)
    def _show_time(self, t: float) -> None:
        for video in self.videos.values():
            video.show_time(t)
        self.timeline.show_time(t)
        self.transport.show_where(f"{t:.2f} s")

    def _lay_out(self) -> None:
        centre = QSplitter(Qt.Orientation.Vertical)
        demos = Panel()
        line = QGridLayout()
        line.addWidget(self.filter, 0, 0)
        line.addWidget(self._count, 0, 1)
        line.addWidget(self._problem, 1, 0, 1, 2)
        line.setColumnStretch(0, 1)
        demos.body.addLayout(line)
        demos.body.addWidget(self.table, 1)
        self._said_panel = Panel("LABELS")
        self._trouble = label("", state="alarm", wrap=True)
        self._trouble.hide()
        self._said_panel.body.addWidget(self._trouble)
        self._said = QStackedLayout()
        self._said.addWidget(scrolled(_top(self.labels)))
        for said in (self.preview, self._correcting(), self.masks):
            self._said.addWidget(said)
        self._said_panel.body.addLayout(self._said)
        centre.addWidget(demos)
        centre.addWidget(self._said_panel)
        centre.setSizes([490, 320])
        centre.setChildrenCollapsible(False)
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(8, 8, 2, 8)
        inside.addWidget(centre)
        self.docks.setCentralWidget(holder)
        right = Qt.DockWidgetArea.RightDockWidgetArea
        self._seen_dock = videos = self.docks.add_pane("videos", _SEEN["pictures"], self._video_pane(), right)
        below = self.docks.add_pane("timeline", "Cut and curves", self._timeline_pane(), right)
        self.docks.size_panes([videos, below], [430, 400], Qt.Orientation.Vertical)
        self.docks.size_panes([videos], [840], Qt.Orientation.Horizontal)

    def _correcting(self) -> QWidget:
        made = QWidget()
        inside = QVBoxLayout(made)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.tools)
        inside.addWidget(self.corrections, 1)
        return made

    def _video_pane(self) -> QWidget:
        pictures, made = QWidget(), QWidget()
        self._views = QGridLayout(pictures)
        self._views.setContentsMargins(0, 0, 8, 0)
        self._views.setSpacing(6)
        self._seen = QStackedLayout(made)
        self._seen.addWidget(pictures)
        for view in (self.statistics, self.exchange, self.trash):
            self._seen.addWidget(view)
        return made

    def _timeline_pane(self) -> QWidget:
        made = QWidget()
        inside = QVBoxLayout(made)
        inside.setContentsMargins(0, 0, 8, 8)
        inside.setSpacing(6)
        inside.addWidget(self.transport)
        inside.addWidget(self.timeline, 1)
        return made


def _top(form: QWidget) -> QWidget:
    made = QWidget()
    inside = QVBoxLayout(made)
    inside.setContentsMargins(0, 6, 0, 0)
    inside.addWidget(form)
    inside.addStretch(1)
    return made


def main() -> None:
    """Show two hundred made-up demos and one that plays."""

    def make() -> QWidget:
        from widgets.views import made_up

        page = DemosPage({name: QAction(name.capitalize()) for name in (*DEMOS_ACTIONS, "record")})
        lines = [DemoLine(("s", k, 1), str(k), "rotation", "turn it") for k in range(200)]
        page.show_lines(lines, [line.key for line in lines], 200)
        page.show_views(made_up.VIEWS)
        page.playback.set_range(0.0, 2.0)
        page.show_source(made_up.MadeUpSource())
        page.show_film(made_up.MadeUpSource())
        page.show_timeline(made_up.timeline_data())
        page.show_labels(Labels("rotation", "turn it", of=1))
        page.resize(1500, 800)
        return page

    demo(make)


if __name__ == "__main__":
    main()
