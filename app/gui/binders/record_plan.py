"""Binds the plan on page Record: what the next takes are sampled from, remembered in the workspace."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Slot

from app.gui.binders.binder import QuietBinder, Shell
from app.recording.desk import RecordingDesk
from app.recording.plan_words import PlanWords, plan_of, read_plan_words, write_plan_words
from app.recording.session import RecordingSession
from widgets.pages.record import RecordPage
from widgets.plan_form import PlanState


class RecordPlanBinder(QuietBinder):
    """A plan that was in use the last time is in use again as soon as the cameras are on."""

    def __init__(self, page: RecordPage, desk: RecordingDesk, shell: Shell, file: Path) -> None:
        super().__init__(page)
        self._form, self._desk, self._shell, self._file = page.plan, desk, shell, file
        self._words, self._problem = read_plan_words(file), ""
        self._session: RecordingSession | None = None
        self._forget_session: Callable[[], None] = lambda: None
        self._forget = desk.on_change(lambda _topic: self._devices())
        self._form.use_wanted.connect(self._use)
        self._devices()

    def tick(self) -> None:
        """Everything here is told by the session."""

    def close(self) -> None:
        self._forget()
        self._forget_session()

    def _devices(self) -> None:
        session = self._desk.session
        if session is self._session:
            return
        self._forget_session()
        self._session = session
        self._forget_session = session.on_change(self._changed) if session is not None else lambda: None
        if session is not None and self._words.used:
            try:
                self._sample(session, self._words)
            except ValueError as error:
                self._problem, self._words = str(error), replace(self._words, used=False)
        self._show()

    @Slot(bool)
    def _use(self, wanted: bool) -> None:
        session, written = self._session, self._form.written
        if session is None:
            return
        words = PlanWords(
            written.tasks, written.objects, written.conditions, written.instruction, written.goal, wanted
        )
        try:
            if wanted:
                self._sample(session, words)
            else:
                session.use_plan(None)
        except ValueError as error:  # what was sampled before goes on
            self._problem = str(error)
            self._show()
            return
        self._words, self._problem = words, ""
        try:
            write_plan_words(self._file, words)
        except OSError as error:
            self._shell.say(f"{self._file}: the plan is not remembered: {error.strerror}", "warning")
        self._show()
        self._form.window().setFocus()

    def _sample(self, session: RecordingSession, words: PlanWords) -> None:
        table = self._desk.table
        plan = plan_of(words, lays_tables=table is not None)
        unknown = [c.task for c in plan.choices if table is not None and c.task not in table.tasks]
        if table is not None and unknown:
            raise ValueError(f"plan: tasks: {', '.join(unknown)}; this rig has {', '.join(table.tasks)}")
        self._words = words  # before the session tells of the choice that comes of it
        session.use_plan(plan)

    def _changed(self, topic: str) -> None:
        session, table = self._session, self._desk.table
        if session is None or topic not in ("state", "choice"):
            return
        laid = table.laid if table is not None else None
        # a plan names the task alone there: what lies on the table, the table says
        if self._words.used and laid is not None and session.choice.task == laid.task and not session.choice.object:
            session.choose(laid)
            return
        self._show()

    def _show(self) -> None:
        words, session = self._words, self._session
        choice = session.choice if session is not None else None
        told = " · ".join(filter(None, (choice.task, choice.object, choice.condition))) if choice else ""
        self._form.show_plan(
            PlanState(
                words.tasks,
                words.objects,
                words.conditions,
                words.instruction,
                words.goal,
                used=words.used,
                next=told,
                problem=self._problem,
                tables=self._desk.table is not None,
                locked=session is None or session.state not in ("idle", "armed"),
            )
        )
