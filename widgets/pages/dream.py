"""Page Dream: look at a dream in all its views, correct what is wrong, approve it, let the arms do it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QSizePolicy,
    QStackedLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from widgets.approve_panel import ApprovePanel
from widgets.busy_strip import BusyStrip
from widgets.candidate_strip import CandidateStrip
from widgets.checks_list import ChecksList
from widgets.demo import demo
from widgets.docked_page import DockedPage
from widgets.dream_form import NewDreamForm
from widgets.dream_values import DreamForm
from widgets.empty_state import EmptyState
from widgets.horizon_strip import HorizonStrip
from widgets.import_form import ImportForm
from widgets.panel import Panel
from widgets.playback import Playback
from widgets.question_strip import QuestionStrip
from widgets.tool_strip import ToolStrip
from widgets.top_bar import TopBar
from widgets.transport import Transport, action_button
from widgets.values import ApproveState, BusyState, CheckRow, Chip, DroppedDream, ToolRow
from widgets.views.corrections import CorrectionsPanel
from widgets.views.denoising_view import DenoisingView
from widgets.views.live_curves import LiveCurves
from widgets.views.live_grid import LiveGrid
from widgets.views.made_up import MadeUpSource, timeline_data
from widgets.views.scene_view import SceneView
from widgets.views.timeline import Timeline
from widgets.views.types import FrameSource
from widgets.views.video_view import VideoView

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_EMPTY, _DREAM, _IMPORT, _NEW = range(4)
_RIGHT, _BOTTOM = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea


class DreamPage(QWidget):
    """actions: the page's actions by the last word of their id. Wishes come out as signals, state in by `show_*`.

    `playback` is the page's one clock; `videos`, `scene`, `timeline`, `curves`, `cameras` are shown their values by
    the binder directly, once a tick.
    """

    box_drawn = Signal(str, str, float, float, float, float)  # view, tool, x0, y0, x1, y1 [px]
    dropped = Signal(list)  # paths as texts
    outline_dragged = Signal(object)  # OutlineDrag
    given_up = Signal()  # Esc, with nothing being drawn

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAcceptDrops(True)
        self.playback = Playback(self)
        self.scene, self.timeline, self.curves, self.cameras = SceneView(), Timeline(), LiveCurves(), LiveGrid()
        self.videos: dict[str, VideoView] = {}
        self.tools, self.checks, self.approve = ToolStrip(), ChecksList(), ApprovePanel()
        self._actions = actions
        for name in ("correct", "fine", "before"):
            if name in actions:
                actions[name].setCheckable(True)
        self.corrections = CorrectionsPanel(actions)
        self.transport, self.busy = Transport(actions, self.playback), BusyStrip()
        self.form, self.new_form = ImportForm(), NewDreamForm(actions)
        self.candidates, self.denoising = CandidateStrip(), DenoisingView()
        self.horizon = HorizonStrip()
        self.dreaming, self.question = BusyStrip(), QuestionStrip()
        icons = {"new": "dream", "open": "open", "import": "import", "track": "track"}
        buttons = [action_button(actions[name], icon) for name, icon in icons.items()]
        self.bar = TopBar("Dream", buttons)
        self._views = QGridLayout()
        self._views.setContentsMargins(0, 0, 0, 0)
        self._views.setSpacing(6)
        self.scene.setMinimumHeight(160)
        self.scene.show_caption("World, metres")
        self.docks = DockedPage("dream")
        self._bottom = QStackedWidget()
        self._lay_out()
        empty = EmptyState(
            "Dream of the scene, or look at a dream",
            "A dream is a generated video of the task, seen by two cameras. Let a model dream how the task would "
            "go before the cameras, try the built-in example, open a dream folder, or drop one here: the video, "
            "the two scene photos, the calibration and the tools' meshes together, or the folder that holds them.",
            (actions["new"], actions["example"], actions["open"], actions["import"]),
        )
        self._pages = QStackedLayout()
        for page in (empty, self.docks, self.form, self.new_form):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        for strip in (self.busy, self.dreaming, self.question):
            layout.addWidget(strip)
        layout.addLayout(self._pages, 1)
        self.form.cancelled.connect(self._leave_form)
        self.timeline.time_picked.connect(self.playback.seek)
        self.checks.time_picked.connect(self.playback.seek)

    # shown -----------------------------------------------------------------------------------------------------
    def show_title(self, title: str, chips: Sequence[Chip] = ()) -> None:
        self.bar.show_title(title, chips)

    def show_views(self, views: Sequence[str], source: FrameSource) -> None:
        """Lay out one picture a view (1 to 4) and leave the empty state."""
        for old in self.videos.values():
            self._views.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.videos = {name: VideoView(name, f"View {i} · {name}") for i, name in enumerate(views, 1)}
        for index, video in enumerate(self.videos.values()):
            video.set_source(source)
            video.box_drawn.connect(self.box_drawn)
            video.drawing_changed.connect(self._drawing_changed)
            video.outline_dragged.connect(self.outline_dragged)
            self._views.addWidget(video, index // 2, index % 2)
        self.timeline.set_source(source)
        self._middle.setCurrentIndex(0)
        self._pages.setCurrentIndex(_DREAM)

    def show_source(self, source: FrameSource) -> None:
        """Pull pictures of the same views from here."""
        for video in self.videos.values():
            video.set_source(source)
        self.timeline.set_source(source)

    def show_dream(self) -> None:
        """Turn to the dream, whatever is shown instead of it."""
        self.show_denoising(False)

    def show_empty(self) -> None:
        """Show what to do when there is no dream."""
        self._pages.setCurrentIndex(_EMPTY)

    def show_new(self, form: DreamForm) -> None:
        """Show the form of a new dream."""
        self.new_form.show_form(form)
        self._pages.setCurrentIndex(_NEW)
        self.new_form.focus_first()

    @property
    def new_shown(self) -> bool:
        """Whether the form of a new dream is shown."""
        return self._pages.currentIndex() == _NEW

    def show_denoising(self, shown: bool) -> None:
        """Put what comes out of the noise in the views' place, or the views back, or what to do without any."""
        from_form = self._pages.currentIndex() in (_IMPORT, _NEW)
        self._middle.setCurrentIndex(int(shown))
        self._pages.setCurrentIndex(_DREAM if shown or self.videos else _EMPTY)
        if from_form:
            self.setFocus()  # not on whatever button comes next

    def show_import(self, dropped: DroppedDream) -> None:
        """Show the import form, filled with what was recognised."""
        self.form.show_dropped(dropped)
        self._pages.setCurrentIndex(_IMPORT)
        self.form.setFocus()

    def show_busy(self, busy: BusyState | None) -> None:
        self.busy.show_busy(busy)

    def show_tools(self, tools: Sequence[ToolRow]) -> None:
        self.tools.show_tools(tools)

    def show_checks(self, checks: Sequence[CheckRow], note: str = "") -> None:
        self.checks.show_checks(checks, note)

    def show_approve(self, state: ApproveState) -> None:
        self.approve.show_state(state)

    def show_execution(self, shown: bool) -> None:
        """Put the cameras and the planned-against-measured curves in the timeline's place, or back."""
        self._bottom.setCurrentIndex(int(shown))
        self.docks.name_pane(self._bottom_dock, "Execution: planned against measured" if shown else "Timeline")

    def warm_execution(self) -> None:
        """Draw the execution pane once unseen: its first drawing is slow."""
        self._execution.grab()

    def draw_box(self, color: str) -> None:
        """Let the person draw a box for the chosen tool in any view."""
        for video in self.videos.values():
            video.start_drawing(self.tools.chosen, color)

    def show_correcting(self, on: bool, fine: bool, before: bool) -> None:
        """Say which ways of correcting are switched on."""
        for name, checked in (("correct", on), ("fine", fine), ("before", before)):
            if name in self._actions:
                self._actions[name].setChecked(checked)

    def show_corrections_pane(self) -> None:
        """Bring the list of corrections before the checks that share its place."""
        self._corrections_dock.show()
        self._corrections_dock.raise_()

    def end_drawing(self) -> None:
        for video in self.videos.values():
            video.cancel_drawing()

    # keys and drops --------------------------------------------------------------------------------------------
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that nobody else wanted. Return: the approve button is held, or the outcome saved; Esc: no box."""
        if event.key() == Qt.Key.Key_Escape:
            if not any(video.drawing for video in self.videos.values()):
                self.given_up.emit()
            self.end_drawing()
        elif event.key() not in _ENTER or self._pages.currentIndex() != _DREAM:
            super().keyPressEvent(event)
        elif self.approve.outcome.isVisible():
            self.approve.outcome.keyPressEvent(event)
        else:
            self.approve.hold.keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER:
            self.approve.hold.keyReleaseEvent(event)
        else:
            super().keyReleaseEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [str(Path(url.toLocalFile())) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    # layout ----------------------------------------------------------------------------------------------------
    def _lay_out(self) -> None:
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(8, 8, 2, 2)
        column.addWidget(self.tools)
        views = QWidget()
        views.setLayout(self._views)
        self._middle = QStackedWidget()
        self._middle.addWidget(views)
        self._middle.addWidget(self.denoising)
        column.addWidget(self._middle, 1)
        column.addWidget(self.candidates)
        column.addWidget(self.horizon)
        self.docks.setCentralWidget(centre)
        self._bottom.addWidget(self._timeline_pane())
        self._execution = self._execution_pane()
        self._bottom.addWidget(self._execution)
        self._bottom_dock = bottom = self.docks.add_pane(
            "timeline", "Timeline", _margins(self._bottom, 8, 0, 2, 8), _BOTTOM
        )
        panes = [
            self.docks.add_pane(id, title, widget, _RIGHT)
            for id, title, widget in (
                ("scene", "Scene", _margins(self.scene, 2, 0, 8, 0)),
                ("checks", "Checks", _margins(_framed(self.checks), 2, 0, 8, 0)),
                ("approve", "Approve and execute", _margins(_framed(self.approve), 2, 0, 8, 8)),
                ("corrections", "Corrections", _margins(_framed(self.corrections), 2, 0, 8, 0)),
            )
        ]
        self._corrections_dock = panes.pop()
        self.docks.tabifyDockWidget(panes[1], self._corrections_dock)
        panes[1].raise_()
        # approving gets what it needs and no more, checks a few rows, the scene all that is left
        panes[-1].widget().setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.docks.size_panes(panes, [340, 180, 210], Qt.Orientation.Vertical)
        self.docks.size_panes(panes[:1], [410], Qt.Orientation.Horizontal)
        self.docks.size_panes([bottom], [370], Qt.Orientation.Vertical)

    def _timeline_pane(self) -> QWidget:
        pane = Panel()
        pane.body.addWidget(self.transport)
        pane.body.addWidget(self.timeline, 1)
        return pane

    def _execution_pane(self) -> QWidget:
        pane = QWidget()
        layout = QHBoxLayout(pane)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.curves, 5)
        layout.addWidget(self.cameras, 4)
        return pane

    @Slot(bool)
    def _drawing_changed(self, drawing: bool) -> None:
        if not drawing:
            self.end_drawing()  # one box at a time: what ends in one view ends in all

    @Slot()
    def _leave_form(self) -> None:
        self.show_denoising(False)


def _margins(widget: QWidget, left: int, top: int, right: int, bottom: int) -> QWidget:
    frame = QWidget()
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(left, top, right, bottom)
    layout.addWidget(widget)
    return frame


def _framed(widget: QWidget) -> Panel:
    pane = Panel()
    pane.body.addWidget(widget)
    return pane


def main() -> None:
    """Show a made-up dream."""

    def make() -> QWidget:
        names = "new start leave model_folder open import example track play next previous loop worst box correct "
        names += "trim_start trim_end undo redo"
        page = DreamPage({name: QAction(name) for name in names.split()})
        page.show_views(["top", "side"], MadeUpSource())
        page.timeline.show_data(timeline_data())
        return page

    demo(make)


if __name__ == "__main__":
    main()
