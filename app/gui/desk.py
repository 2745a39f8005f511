"""Puts the window, its pages and their binders together, beats its heart, and takes it apart again."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QFileDialog

from app.gui.actions import INNER, PAGES, ActionBoard
from app.gui.binders.approve import ApproveBinder
from app.gui.binders.binder import Binder, Shell
from app.gui.binders.calibration import CalibrationBinder
from app.gui.binders.comparison import ComparisonBinder
from app.gui.binders.demos import DemosBinder
from app.gui.binders.dream import DreamBinder
from app.gui.binders.dream_candidates import CandidatesBinder
from app.gui.binders.dream_corrections import CorrectionsBinder
from app.gui.binders.dream_files import DreamFilesBinder
from app.gui.binders.dream_new import NewDreamBinder
from app.gui.binders.find_devices import FindDevicesBinder
from app.gui.binders.goal import GoalBinder
from app.gui.binders.horizon import HorizonBinder
from app.gui.binders.inspect import InspectBinder
from app.gui.binders.live import LatestFrames
from app.gui.binders.preferences import Effects, PreferencesBinder
from app.gui.binders.record import RecordBinder
from app.gui.binders.record_hand import RecordHandBinder
from app.gui.binders.record_plan import RecordPlanBinder
from app.gui.binders.rig import RigBinder
from app.gui.binders.rig_cameras import RigCamerasBinder
from app.gui.binders.robot import RobotBinder
from app.gui.binders.support import SupportBinder
from app.gui.binders.tools import ToolsBinder
from app.gui.binders.train import TrainBinder
from app.gui.binders.train_form import TrainFormBinder
from app.gui.drop_target import DropTarget
from app.gui.error_reports import ErrorReports
from app.gui.figures import Figures
from app.gui.key_guard import KeyGuard
from app.gui.mailbox import Mailbox
from app.gui.program import Program
from app.gui.window import MainWindow
from app.gui.window_memory import WindowMemory
from app.preferences import Preferences
from app.tools.library import ToolLibrary
from hardware.types import Tool
from widgets.pages.demos import DemosPage
from widgets.pages.dream import DreamPage
from widgets.pages.inspect import InspectPage
from widgets.pages.preferences import PreferencesPage
from widgets.pages.record import RecordPage
from widgets.pages.rig import RigPage
from widgets.pages.train import TrainPage

log = logging.getLogger(__name__)
HEARTBEAT_MS, TICK_MS = 40, 30  # arms stop after 500 ms without a beat
STOP_REASON = "a person pressed Stop"


class Desk(QObject):
    """Owns window and program; `close` leaves no thread, process, hook or filter behind."""

    def __init__(self, app: QApplication, program: Program, remember: bool = True) -> None:
        super().__init__()
        self._app, self.restart_wanted = app, False
        self.preferences = Preferences(program.workspace.settings)
        self.program, self.board, self.mailbox = program, ActionBoard(), Mailbox()
        memory = WindowMemory(program.workspace.root / "window.json" if remember else None)
        go = {page: self.board[f"go.{page}"] for page in PAGES}
        arms = {name: self.board[f"arms.{name}"] for name in ("connect", "disconnect", "clear")}
        cameras = {"cameras": self.board["cameras.open"], "find": self.board["cameras.find"]}
        self.rig_page = RigPage(arms | cameras | _of("rig", self.board))
        self.dream_page = DreamPage(_of("dream", self.board))
        self.inspect_page = InspectPage(_of("inspect", self.board) | {"dream": go["dream"]})
        self.record_page = RecordPage(_of("record", self.board) | {"demos": self.board["go.demos"]})
        self.demos_page = DemosPage(_of("demos", self.board) | {"record": go["record"]})
        self.train_page = TrainPage(_of("train", self.board) | {"record": go["record"]})
        self.preferences_page = PreferencesPage()
        pages = {
            "rig": self.rig_page,
            "record": self.record_page,
            "demos": self.demos_page,
            "dream": self.dream_page,
            "train": self.train_page,
            "inspect": self.inspect_page,
            "preferences": self.preferences_page,
        }
        self.window = MainWindow(self.board, pages, memory)
        self.reports = ErrorReports(self.mailbox, self.window.toasts, self.window.log)
        self.reports.on_details = self.window.show_log
        self._frames = LatestFrames(program.execution)
        self._demos = self._bind_demos()
        self.binders = [*self._bind(), *self._bind_rig_panes(), self._demos, *self._bind_train()]
        self._handlers = self._own_handlers()
        for binder in self.binders:
            self._handlers |= binder.handlers()
        self.guard = KeyGuard(lambda: program.moving, self.stop)
        self._closed = False
        self._connect()

    def show(self) -> None:
        """Open the window and start the timers."""
        self.reports.install()
        self._app.installEventFilter(self.guard)
        self._tick()
        self._turned(self.window.page)
        self.window.show()
        self._ticks.start()
        self._heart.start()

    @Slot()
    def stop(self) -> None:
        """Stop all arms, now."""
        self.program.execution.stop(STOP_REASON)

    @Slot()
    def close(self) -> None:
        """Arms first, then everything else, the window last. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._ticks.stop()
        self._heart.stop()
        self._app.removeEventFilter(self.guard)
        for binder in self.binders:
            binder.close()
        self.program.close()
        self.mailbox.close()
        self.reports.remove()
        self.window.close()
        self.window.deleteLater()

    def open_dream(self, folder: Path) -> None:
        """Open a dream folder on page Dream."""
        self.window.show_page("dream")
        self._files.open_folder(folder)

    def welcome(self, notices: Sequence[str], crashes: Sequence[Path]) -> None:
        """Say what a person must know of this start: settings that were not used, and a crash before it."""
        for notice in notices:
            self.window.log.add(notice, "warning")
        if notices:
            more = f" · and {len(notices) - 1} more at this start" if len(notices) > 1 else ""
            self.window.toasts.say(notices[0] + more, "warning", partial(self.window.show_log, notices[0]))
        if crashes:
            self.window.log.add(crashes[0].read_text(encoding="utf-8", errors="replace"), "warning")
            text = f"Dreamdeck did not close well last time. What is known: {crashes[0].name}"
            self.window.toasts.say(text, "warning", self.board["log.report"].trigger, "Report it")

    @property
    def unhandled(self) -> set[str]:
        """Actions of the table that nobody does: there must be none."""
        return {row.id for row, _ in self.board} - self._handlers.keys()

    # inside ----------------------------------------------------------------------------------------------------
    def _bind(self) -> list[Binder]:
        shell = Shell(self.reports.say, self.window.show_page, self._ask_file, self._ask_folder)
        frames = self._frames
        files = DreamFilesBinder(self.dream_page, self.program, shell)
        dream = DreamBinder(self.dream_page, self.program, shell)
        corrections = CorrectionsBinder(self.dream_page, self.program, shell, dream)
        approve = ApproveBinder(self.dream_page, self.program, shell, dream, frames)
        rig = RigBinder(self.rig_page, self.program, shell, self._tools)
        inspect = InspectBinder(self.inspect_page, self.program, shell, files.open_folder)
        approve.page.approve.connect_wanted.connect(rig.connect_arms)
        self._inspect, self._files = inspect, files
        DropTarget(self.window, files.take_drop)
        comparison = ComparisonBinder(self.dream_page, self.program, shell, dream.here)
        candidates = CandidatesBinder(self.dream_page, self.program, shell, lambda: approve.force)
        goal = GoalBinder(self.dream_page.new_form.goal, shell)
        steps = HorizonBinder(
            self.dream_page.horizon, self.program.horizon, shell, self.board["dream.vary"].trigger
        )
        new = NewDreamBinder(self.dream_page, self.program, shell, candidates, goal, steps)
        page_dream: list[Binder] = [files, dream, corrections, comparison, candidates, goal, steps, new, approve]
        return [rig, *page_dream, inspect, *self._own_binders(shell, rig)]

    def _own_binders(self, shell: Shell, rig: RigBinder) -> list[Binder]:
        support = SupportBinder(self.program.workspace, shell, self.mailbox, lambda: self.window.log.text)

        def show_figures() -> None:
            rig.figures = self._figures()

        usual, moving = self.window.usual_layout, lambda: self.program.moving
        effects = Effects(show_figures, support.test, self._restart, usual, moving)
        page, layouts = self.preferences_page, self.window.layouts
        return [support, PreferencesBinder(page, self.preferences, self.board, layouts, shell, effects)]

    def _bind_rig_panes(self) -> list[Binder]:
        shell = Shell(self.reports.say, self.window.show_page, self._ask_file, self._ask_folder)
        tools = ToolsBinder(self.rig_page, self.program, shell)
        self.dream_page.form.tools_wanted.connect(tools.offer)
        tools.offered.connect(self.dream_page.form.show_tools)
        cameras = RigCamerasBinder(self.rig_page, self.program, self._frames)
        record = RecordBinder(self.record_page, self.program.recording, shell, lambda: self.board.keys)
        hand = RecordHandBinder(self.record_page, self.program.recording, lambda: self.program.moving)
        plan = RecordPlanBinder(
            self.record_page, self.program.recording, shell, self.program.workspace.root / "recording_plan.json"
        )
        robot = RobotBinder(self.rig_page, self.program, shell, figures=self._figures)
        plan_stops = self.program.teleoperation.plan_for_calibration
        calibrate = CalibrationBinder(
            self.rig_page, self.program.calibration, shell, plan_stops, self.program.live_watch.pump
        )
        return [tools, robot, record, hand, plan, cameras, calibrate, FindDevicesBinder(self.rig_page, shell)]

    def _bind_demos(self) -> DemosBinder:
        shell = Shell(self.reports.say, self.window.show_page, self._ask_file, self._ask_folder)
        workspace = self.program.workspace
        library = ToolLibrary(workspace.root)
        return DemosBinder(
            self.demos_page,
            self.program.demos,
            workspace.recordings,
            shell,
            self.program.tracking,
            library,
            self.program.exchange,
            self.program.jobs,
        )

    def _bind_train(self) -> list[Binder]:
        shell = Shell(self.reports.say, self.window.show_page, self._ask_file, self._ask_folder)
        form = TrainFormBinder(self.train_page, self.program.jobs, self.program.workspace, shell)
        return [TrainBinder(self.train_page, self.program.jobs, form, shell), form]

    def _figures(self) -> Figures:
        return Figures.of(self.preferences.settings)

    def _own_handlers(self) -> dict[str, Callable[[], None]]:
        window = self.window
        turn = {f"go.{page}": partial(window.show_page, page) for page in (*PAGES, *INNER)}
        return turn | {
            "motion.stop": self.stop,
            "view.palette": window.open_palette,
            "view.log": window.toggle_log,
            "view.reset_layout": window.reset_layout,
            "view.fullscreen": window.toggle_fullscreen,
            "app.quit": self._quit,
        }

    def _connect(self) -> None:
        self._heart = QTimer(self, interval=HEARTBEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._heart.timeout.connect(self._beat)
        self._ticks = QTimer(self, interval=TICK_MS)
        self._ticks.timeout.connect(self._tick)
        self.board.wanted.connect(self._do)
        self.window.state_line.stop_wanted.connect(self.stop)
        self.window.page_shown.connect(self._turned)
        self.window.closing.connect(self.close)

    def _restart(self) -> None:
        if self.program.moving:
            self.reports.say("Not while the arms move", "warning")
            return
        self.restart_wanted = True
        self.window.close()

    @Slot()
    def _quit(self) -> None:
        self.window.close()

    @Slot()
    def _beat(self) -> None:
        self.program.execution.heartbeat()

    @Slot()
    def _tick(self) -> None:
        for binder in self.binders:
            binder.tick()
        facts: set[str] = set()
        for binder in self.binders:
            facts |= binder.facts()
            self.window.state_line.show_items(binder.line())
        self.window.show_facts(facts)

    @Slot(str)
    def _do(self, id: str) -> None:
        self._handlers[id]()

    @Slot(str)
    def _turned(self, page: str) -> None:
        self._beat()  # the new page is painted next, which takes a while
        if page == "inspect":
            self._inspect.refresh()
        elif page == "demos":
            self._demos.turned_to()
        elif page == "train":
            self.train_page.focus_jobs()

    def _tools(self) -> Mapping[str, Tool]:
        dream = self.program.dreaming.dream
        return dream.tools if dream is not None else {}

    def _ask_file(self, title: str, filter: str) -> str:
        # not the desktop's own dialog: there the key guard would not see Esc
        options = QFileDialog.Option.DontUseNativeDialog
        return QFileDialog.getOpenFileName(self.window, title, "", filter, options=options)[0]

    def _ask_folder(self, title: str) -> str:
        options = QFileDialog.Option.DontUseNativeDialog | QFileDialog.Option.ShowDirsOnly
        return QFileDialog.getExistingDirectory(self.window, title, str(self.program.workspace.dreams), options)


def _of(page: str, board: ActionBoard) -> dict[str, QAction]:
    return {row.id.split(".")[1]: action for row, action in board if row.page == page}
