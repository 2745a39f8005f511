"""Page Train: what the computer works on by itself, what a training learns, and the form of a new one."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from widgets.demo import demo
from widgets.empty_state import EmptyState
from widgets.job_panel import JobPanel, MachinePanel
from widgets.jobs_table import JobsTable
from widgets.log_view import LogView
from widgets.pages.base import PanesPage
from widgets.panel import Panel, label
from widgets.question_strip import QuestionStrip
from widgets.top_bar import TopBar
from widgets.train_form import TrainForm
from widgets.train_values import Comparison, FormState, GalleryScene, JobLine, Meter, RunCurves
from widgets.transport import action_button
from widgets.views.dream_gallery import DreamGallery
from widgets.views.loss_curves import INKS, LossCurves

TRAIN_ACTIONS = ("new", "start", "back", "pause", "resume", "cancel", "retry", "clone", "folder", "remove")
_BAR = (
    ("new", "train"), ("pause", "pause"), ("resume", "play"), ("cancel", "close"), ("retry", "redo"), ("clone", ""),
    ("folder", "open"), ("remove", "trash"),
)  # fmt: skip
_EMPTY, _JOBS, _FORM = range(3)


class TrainPage(PanesPage):
    """actions: TRAIN_ACTIONS and `record`, which turns to page Record. `table`, `form`, `question`, `machine` are
    shown their values by the binder; wishes come out as their signals, those of `gallery`, and `back_wanted()`."""

    back_wanted = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        empty = EmptyState(
            "Nothing is trained yet",
            "Here demos become a video model that dreams how the task would go in a new scene. A training goes on "
            "when the window is closed, and after a crash it goes on from its last checkpoint.",
            (actions["new"], actions["record"]),
            (
                "Record some demos of a task, or import a data set.",
                "Start a training; the small config needs no GPU and shows its first dreams after some minutes.",
                "Watch the loss fall, and what it dreams of scenes that it never saw.",
            ),
        )
        bar = TopBar("Train", [action_button(actions[name], picture) for name, picture in _BAR])
        super().__init__("train", bar, empty, parent=parent)
        self.table, self.job, self.machine = JobsTable(), JobPanel(), MachinePanel()
        self.curves, self.gallery, self.log = LossCurves(), DreamGallery(), LogView()
        self.form, self.question = TrainForm(actions["start"], actions["back"]), QuestionStrip()
        self._pages.addWidget(self.form)
        self._lay_out()

    def show_jobs(self, lines: Sequence[JobLine]) -> None:
        """Show the jobs, the newest first; without any, what to do."""
        self.table.show_lines(lines)
        if not self.form_shown:
            self._pages.setCurrentIndex(_JOBS if lines else _EMPTY)

    def show_job(self, facts: Sequence[tuple[str, str]], problem: str = "") -> None:
        """Show what is known of the chosen job."""
        self.job.show_facts(facts, problem)

    def show_comparison(self, comparison: Comparison) -> None:
        """Show the chosen jobs beside each other."""
        self.job.show_comparison(comparison)

    def show_machine(self, meters: Sequence[Meter]) -> None:
        self.machine.show_meters(meters)

    def show_runs(self, runs: Sequence[RunCurves]) -> None:
        """Draw these runs; where there are several, their jobs' names take the curves' colours."""
        self.curves.show_runs(runs)
        inks = {run.id: INKS[i % len(INKS)] for i, run in enumerate(runs)} if len(runs) > 1 else {}
        self.table.show_inks(inks)

    def show_gallery(self, steps: Sequence[int], empty: str = "") -> None:
        """Offer what was dreamt at these steps; empty: what to say where there is none."""
        self.gallery.show_steps(steps, empty)

    def show_scenes(self, step: int, scenes: Sequence[GalleryScene], words: str = "") -> None:
        """Show what was dreamt at a step."""
        self.gallery.show_scenes(step, scenes, words)

    def show_log(self, name: str, lines: Sequence[tuple[str, str]], anew: bool) -> None:
        """Append (text, level) lines to the log of a job; anew: forget what was there."""
        if anew:
            self.log.clear()
            self.docks.name_pane(self._log_dock, f"Log of {name}" if name else "Log")
        for text, level in lines:
            self.log.add(text, level)

    def open_form(self, state: FormState) -> None:
        """Show the form in the jobs' place."""
        self.form.show_form(state)
        self._pages.setCurrentIndex(_FORM)
        self.form.write_title()

    def close_form(self) -> None:
        """Show the jobs again."""
        self._pages.setCurrentIndex(_JOBS if self.table.lines else _EMPTY)
        self.table.setFocus()

    @property
    def form_shown(self) -> bool:
        return self._pages.currentIndex() == _FORM

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.form_shown:
            self.back_wanted.emit()
        else:
            super().keyPressEvent(event)

    @Slot()
    def focus_jobs(self) -> None:
        """Give the keys to the list of jobs, where it is shown."""
        if self._pages.currentIndex() == _JOBS:
            self.table.setFocus()

    def _lay_out(self) -> None:
        jobs = Panel("JOBS")
        jobs.corner.addWidget(label("choose several to compare them", "faint"))
        jobs.body.addWidget(self.question)
        jobs.body.addWidget(self.table, 1)
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.job, 1)
        column.addWidget(self.machine)
        centre = QSplitter(Qt.Orientation.Vertical)
        centre.addWidget(jobs)
        centre.addWidget(lower)
        centre.setSizes([330, 330])
        centre.setChildrenCollapsible(False)
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(8, 8, 2, 8)
        inside.addWidget(centre)
        self.docks.setCentralWidget(holder)
        right, below = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
        curves = self.docks.add_pane("curves", "Curves", self.curves, right)
        gallery = self.docks.add_pane("gallery", "Dreams of scenes that it never saw", self.gallery, right)
        self._log_dock = self.docks.add_pane("log", "Log", self.log, below)
        self.docks.size_panes([curves, gallery], [370, 430], Qt.Orientation.Vertical)
        self.docks.size_panes([curves], [800], Qt.Orientation.Horizontal)
        self.docks.size_panes([self._log_dock], [190], Qt.Orientation.Vertical)


def main() -> None:
    """Show a made-up training."""

    def make() -> QWidget:
        import numpy as np

        from widgets.views import made_up

        page = TrainPage({name: QAction(name.capitalize()) for name in (*TRAIN_ACTIONS, "record")})
        running = JobLine("7", "push-shape", "training", "runs", "ok", 0.41, "2 h 10 min", "14:02")
        page.show_jobs([running, JobLine("6", "sweeping", "training", "done", "idle", 1.0, started="12:40")])
        page.table.show_job("7")
        page.show_job([("Data", "/recordings/2026-01-01"), ("Step", "410 of 1,000"), ("Speed", "1.6 steps/s")])
        page.show_machine([Meter("CPU", 0.8, "3.2 of 4 cores"), Meter("Memory", 0.4, "3.1 of 8 GB")])
        steps = np.arange(410.0)
        page.show_runs([RunCurves("7", "push-shape", {"loss": (steps, np.exp(-steps / 90) + 0.05)})])
        frames = tuple(np.hstack([made_up.picture(v, k)[::4, ::4] for v in made_up.VIEWS]) for k in range(13))
        page.show_gallery((100, 200, 300, 400))
        page.show_scenes(400, [GalleryScene(f"demo {k}", {"dreamt": frames, "shown": frames}) for k in (3, 7)])
        page.show_log("push-shape", [("step 400: loss 0.061", "info")], anew=True)
        page.resize(1500, 850)
        return page

    demo(make)


if __name__ == "__main__":
    main()
