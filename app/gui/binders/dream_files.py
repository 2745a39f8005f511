"""Binds the ways into page Dream: open, the built-in example, import, drop; and the strip that shows progress."""

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from app.gui.binders.binder import Shell
from app.gui.binders.dream_facts import busy_state
from app.gui.binders.dropped import recognise
from app.gui.program import Program
from app.worker import Callbacks, Worker
from models.data.dream_folder import is_dream_folder
from widgets.pages.dream import DreamPage
from widgets.values import BusyState, DroppedDream, LineItem

_FILTERS = {"video": "Video (*.mp4)", "calibration": "Calibration (*.json *.toml)"}


class DreamFilesBinder(QObject):
    """Importing takes seconds: a worker process of its own does it."""

    def __init__(self, page: DreamPage, program: Program, shell: Shell) -> None:
        super().__init__(page)
        self.page, self._program, self._shell = page, program, shell
        self._session = program.dreaming
        self._chores = Worker()
        self._chore: BusyState | None = None
        self._forget = self._session.on_change(self._changed)
        page.dropped.connect(self.take_drop)
        page.busy.cancel_wanted.connect(self._cancel)
        page.form.browse_wanted.connect(self._browse)
        page.form.import_wanted.connect(self._import)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
            "dream.open": self._open,
            "dream.example": self._open_example,
            "dream.import": lambda: self.page.show_import(DroppedDream()),
            "dream.cancel": self._cancel,
        }

    def facts(self) -> set[str]:
        return {"busy"} if self._chores.busy else set()

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        busy = self._chore or busy_state(self._session.progress or self._program.candidates.progress)
        if busy is None:
            return {"worker": (LineItem("worker idle"),)}
        share = f" {100 * busy.done:.0f}%" if busy.done > 0 else ""
        return {"worker": (LineItem(f"{busy.text}{share}", "ok"),)}

    def tick(self) -> None:
        self._chores.pump()

    def close(self) -> None:
        self._forget()
        self._chores.close()

    def open_folder(self, folder: Path) -> None:
        """Open a dream folder; a wrong one is told, and what was open stays open."""
        self._try(lambda: self._session.open(folder))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")

    def _changed(self, topic: str) -> None:
        if topic == "progress":
            self._show_busy()

    def _show_busy(self) -> None:
        self.page.show_busy(self._chore or busy_state(self._session.progress))

    def _open(self) -> None:
        folder = self._shell.ask_folder("Open a dream folder")
        if folder:
            self.open_folder(Path(folder))

    def _open_example(self) -> None:
        self._try(self._session.open_example)

    @Slot(list)
    def take_drop(self, dropped: list[str]) -> None:
        """Open or import what was dropped, on whatever page, and turn to page Dream."""
        paths = tuple(Path(path) for path in dropped)
        if self._program.moving or self._chores.busy:
            self._shell.say("Not while something moves or is being worked on", "warning")
            return
        self._shell.go("dream")
        if len(paths) == 1 and is_dream_folder(paths[0]):
            self.open_folder(paths[0])
        else:
            self.page.show_import(recognise(paths))

    @Slot(str)
    def _browse(self, field: str) -> None:
        path = self._shell.ask_file(f"Choose: {field}", _FILTERS.get(field, "All files (*)"))
        if path:
            self.page.form.set_path(field, path)

    @Slot(dict)
    def _import(self, files: dict[str, str]) -> None:
        if not self._chores.busy:
            self._start("app.window_jobs:import_published", "Importing", files, self._program.workspace.root)

    def _start(self, job: str, title: str, *arguments: object) -> None:
        self._chore = BusyState(title)
        self._show_busy()
        self._chores.submit(
            job, *arguments, callbacks=Callbacks(self._done, self._failed, lambda _share, _text: None)
        )

    def _done(self, folder: Path) -> None:
        self._chore = None
        self._show_busy()
        self.open_folder(folder)

    def _failed(self, reason: str) -> None:
        self._chore = None
        self._show_busy()
        if reason != "cancelled":
            self.page.form.show_problem(reason)
            self._shell.say(reason, "error")

    @Slot()
    def _cancel(self) -> None:
        self._chores.cancel()
        self._session.cancel()
