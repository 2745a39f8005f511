"""Binds the form of a new training: what it begins from, on which demos, every value, and into the queue."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import Slot

from app.gui.binders import train_facts
from app.gui.binders.binder import QuietBinder, Shell
from app.jobs.desk import JobsDesk
from app.jobs.types import JobRecord
from app.training.choices import DataSet, data_set, data_sets, start_config, starts
from app.training.draft import Draft
from app.training.order import cloned_config, needs_gpu, train_spec
from app.workspace import Workspace
from models.data.errors import DreamFileError
from models.training.config import TrainConfig
from widgets.pages.train import TrainPage
from widgets.train_values import DataChoice, FormState

CLONED = "cloned"
NO_DATA = "No demos yet: record some first (Ctrl+2), or choose another folder"


class TrainFormBinder(QuietBinder):
    """What a person writes lives here until it is queued; data sets are looked for in a thread."""

    def __init__(self, page: TrainPage, jobs: JobsDesk, workspace: Workspace, shell: Shell) -> None:
        super().__init__(page)
        self.page, self._jobs, self._workspace, self._shell = page, jobs, workspace, shell
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="data sets")
        self._looking: Future[list[DataSet]] | None = None
        self._found: tuple[DataSet, ...] = ()
        self._others: tuple[DataSet, ...] = ()
        self._starts: dict[str, str] = {}
        self._start, self._title, self._data, self._from = "", "", "", ""
        self._titled = False
        self._draft: Draft | None = None
        self._cloned = TrainConfig()
        self._known: frozenset[str] | None = None
        form = page.form
        form.edited.connect(self._edit)
        form.titled.connect(self._name)
        form.data_picked.connect(self._pick_data)
        form.start_picked.connect(self._pick_start)
        form.folder_wanted.connect(self._ask_folder)
        page.back_wanted.connect(self._back)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {"train.new": self.open, "train.back": self._back, "train.start": self._submit}

    def facts(self) -> set[str]:
        if not self.page.form_shown:
            return set()
        return {"train_form"} | ({"train_ready"} if self.page.form.state.problems == 0 and self._data else set())

    def tick(self) -> None:
        if self._looking is not None and self._looking.done():
            found, self._looking = self._looking, None
            self._found = tuple(found.result())
            if not self._data and self._found:
                self._data = str(self._found[0].path)
                self._suggest()
            self._show_data()
            self._show()

    def close(self) -> None:
        self._background.shutdown(wait=True, cancel_futures=True)

    def open(self) -> None:
        """Show the form as it was left, at first of a training that begins from the smallest config."""
        if self._draft is None or self._from:
            self._starts, self._from, self._titled = starts(), "", False
            self._begin(next(iter(self._starts)))
        self._open()

    def clone(self, record: JobRecord | None) -> None:
        """Show the form filled with what another training was told."""
        if record is None:
            return
        try:
            config, data = cloned_config(record)
        except DreamFileError as error:
            self._shell.say(str(error), "warning")
            return
        self._starts = {CLONED: f"As job {record.id}, {record.spec.title}", **starts()}
        self._start, self._from, self._titled = CLONED, record.id, True
        self._draft, self._data, self._title = Draft.of(config), str(data), f"{record.spec.title} 2"
        self._cloned = config
        self._open()

    def queued(self, records: Sequence[JobRecord]) -> str | None:
        """Return the id of the job that was queued here, once, when it is there."""
        if self._known is None:
            return None
        new = next((record.id for record in records if record.id not in self._known), None)
        if new is not None:
            self._known = None
        return new

    # inside ----------------------------------------------------------------------------------------------------
    def _open(self) -> None:
        self._looking = self._background.submit(data_sets, self._workspace.recordings)
        self._show_data()
        self.page.open_form(self._state())

    def _begin(self, name: str) -> None:
        if name == CLONED:
            self._start, self._draft = name, Draft.of(self._cloned)
            return
        try:
            config = start_config(name)
        except DreamFileError as error:
            self._shell.say(str(error), "error")
            return
        self._start, self._draft = name, Draft.of(config)
        self._suggest()

    def _suggest(self) -> None:
        """Call it after its demos while nobody gave it a name."""
        if not self._titled:
            one = self._data_set()
            task = next(iter(one.tasks), "") if one is not None else ""
            self._title = f"{task or 'training'} {self._start.replace('_', ' ')}"

    def _data_set(self) -> DataSet | None:
        return next((one for one in (*self._others, *self._found) if str(one.path) == self._data), None)

    @Slot(str, str)
    def _edit(self, name: str, text: str) -> None:
        if self._draft is not None:
            self._draft = self._draft.edit(name, text)
            self._show()

    @Slot(str)
    def _name(self, text: str) -> None:
        self._title, self._titled = text, True
        self._show()

    @Slot(str)
    def _pick_data(self, path: str) -> None:
        self._data = path
        self._suggest()
        self._show()

    @Slot(str)
    def _pick_start(self, name: str) -> None:
        self._begin(name)
        self._show()

    @Slot()
    def _ask_folder(self) -> None:
        folder = self._shell.ask_folder("A session, a folder of sessions, or a data set")
        if not folder:
            return
        try:
            one = data_set(Path(folder))
        except OSError as error:
            self._shell.say(f"{folder}: {error.strerror or error}", "warning")
            return
        self._others = (one, *(other for other in self._others if other.path != one.path))
        self._data = folder
        self._suggest()
        self._show_data()
        self._show()

    @Slot()
    def _back(self) -> None:
        self.page.close_form()

    @Slot()
    def _submit(self) -> None:
        draft = self._draft
        if draft is None or not self.page.form_shown:
            return
        try:
            gpus = bool(self._jobs.machine is not None and self._jobs.machine.gpus)
            spec = train_spec(
                draft.config,
                self._title.strip(),
                Path(self._data),
                self._workspace,
                gpus=gpus,
                cloned_from=self._from if self._start == CLONED else "",
            )
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "warning")
            return
        self._known = frozenset(record.id for record in self._jobs.records)
        self._jobs.submit(spec)
        self._draft = None
        self.page.close_form()

    def _show_data(self) -> None:
        choices = [DataChoice(str(one.path), one.name, one.about) for one in (*self._others, *self._found)]
        listed = {choice.path for choice in choices}
        if self._data and self._data not in listed:
            choices.append(DataChoice(self._data, Path(self._data).name))
        self.page.form.show_data(choices, "Looking for demos…" if self._looking is not None else NO_DATA)

    def _show(self) -> None:
        if self.page.form_shown:
            self.page.form.show_form(self._state())

    def _state(self) -> FormState:
        draft = self._draft
        if draft is None:
            return FormState()
        machine = self._jobs.machine
        gpus = machine is not None and bool(machine.gpus)
        about = f"{self._starts[self._start]}.\n{train_facts.about(draft, needs_gpu(draft.config, gpus))}"
        problem = draft.problems.get("", "") or ("" if self._title.strip() else "Give it a name")
        return FormState(
            starts={name: name.replace("_", " ") for name in self._starts},
            start=self._start,
            title=self._title,
            data=self._data,
            data_problem=self._data_problem(draft),
            fields=train_facts.fields(draft),
            problem=problem,
            about=about,
        )

    def _data_problem(self, draft: Draft) -> str:
        one = self._data_set()
        if not self._data:
            return "" if self._looking is not None else "Choose on which demos"
        if one is None or not one.demos:
            return ""
        config = draft.config
        task, held, only = config.clip.task, config.data.held_out, config.data.successes_only
        if task and task not in one.tasks:
            return (
                f"It holds no demos of task {task!r}; valid: {', '.join(filter(None, one.tasks))}, or empty for all"
            )
        usable = one.usable(task, only)
        if usable > held:
            return ""
        what = "successful demos" if only else "demos"
        return f"{usable} {what}, and {held} are to be held out: record more, or hold out fewer"
