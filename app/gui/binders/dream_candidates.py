"""Binds the strip of candidates on page Dream: watch them come, open one, keep it, dream on."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot

from app.dreams.candidate_session import MakeOrder
from app.dreams.candidates import Candidate, PlanFor
from app.execution.approval_rules import away_from_start
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.dream_candidate_facts import card, middle_of
from app.gui.program import Program
from hardware.types import Image, Plan
from models.data.errors import DreamFileError
from models.data.photo import read_photo
from widgets.dream_values import Denoising
from widgets.pages.dream import DreamPage
from widgets.values import BusyState

LOOK_EVERY_S = 0.2  # at the preview


class CandidatesBinder(QuietBinder):
    """force(): over which force [N] arms that are planned for are to give way, None: they are stiff."""

    def __init__(self, page: DreamPage, program: Program, shell: Shell, force: Callable[[], float | None]) -> None:
        super().__init__(page)
        self.page, self._program, self._shell, self._force = page, program, shell, force
        self._session, self._dreaming = program.candidates, program.dreaming
        self._sheet: Image | None = None
        self._sheet_at = self._looked = 0.0
        self._layout = (2, 13)
        self._open_first = False
        self._forget = [
            self._session.on_change(self._changed),
            self._dreaming.on_change(self._dream_changed),
            program.execution.on_change(self._arms_changed),
        ]
        page.candidates.opened.connect(self.open)
        page.candidates.keep_wanted.connect(self._keep)
        page.denoising.cancel_wanted.connect(self._session.cancel)
        page.dreaming.cancel_wanted.connect(self._session.cancel)
        page.question.accepted.connect(self._retry)
        page.question.refused.connect(page.question.hide)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        picks = {f"dream.pick_{n}": partial(self._pick, n - 1) for n in range(1, 9)}
        return picks | {
            "dream.give_up": self._session.cancel,
            "dream.keep": self._keep_opened,
            "dream.earlier": self._show_earlier,
        }

    def facts(self) -> set[str]:
        held = {
            "dreaming": self._session.busy,
            "candidates": bool(self._session.candidates),
            "candidate": self._opened is not None,
            "earlier": self._session.has_earlier,
        }
        return {name for name, holds in held.items() if holds}

    def tick(self) -> None:
        self._session.pump()
        now = time.monotonic()
        if now - self._looked > LOOK_EVERY_S:
            self._looked = now
            self._look_at_preview()

    def close(self) -> None:
        while self._forget:
            self._forget.pop()()

    def begin(self, name: str, make: MakeOrder, layout: tuple[int, int]) -> None:
        """Begin a batch of dreams of so many views and frames; the first that has a plan is opened.

        Raises ValueError, OSError.
        """
        self._layout, self._open_first = layout, True
        self.page.question.hide()
        self._session.start(name, make, self.plan_for)

    def plan_for(self) -> PlanFor:
        """Return what a plan would be made for now: as the arms stand, with the limits that were read back."""
        arms = self._program.execution
        q_start = {name: state.q for name, state in arms.arms.items()}
        return PlanFor(self._program.rig, arms.limits or None, q_start or None, self._force())

    @Slot(int)
    def open(self, seed: int) -> None:
        """Open a candidate with its track, and with its plan where the arms still stand as it was made for."""
        candidate = self._session.find(seed)
        if self._program.moving:
            self._shell.say("Not while the arms move", "warning")
            return
        self._open_first = False
        try:
            self._dreaming.open(candidate.folder, self._plan_that_holds(candidate))
        except (DreamFileError, OSError) as error:
            self._shell.say(str(error), "error")

    # shown -----------------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        if topic == "message":
            self._show_message()
        elif topic == "candidates":
            self._open_the_first()
            self._show()
        else:
            self._show_progress()

    def _dream_changed(self, topic: str) -> None:
        if topic == "dream":
            self._open_first = False
            self._show()
            self._show_progress()

    def _arms_changed(self, topic: str) -> None:
        """What is approved is kept: the ledger will say that it was run."""
        opened = self._opened
        if topic == "approval" and self._program.execution.approval is not None and opened is not None:
            self._keep(opened.seed, True)

    def _show(self) -> None:
        session, opened = self._session, self._opened
        preview = None if self._sheet is None else middle_of(self._sheet, *self._layout)
        self.page.candidates.show_candidates([card(session, c, c is opened, preview) for c in session.ranked])

    def _show_progress(self) -> None:
        """Until one is open, what is dreamt has the views' place; then it is a line over them."""
        progress = self._session.progress
        if progress is None:
            self.page.dreaming.show_busy(None)
            if self._open_first and not self.page.new_shown:
                self._open_first = False
                self.page.show_denoising(False)
                self._open_the_best()
            return
        text = f"Dreaming {progress.text}" if self._session.candidates else "Looking at the scene"
        if self._open_first and self._session.candidates:
            self.page.dreaming.show_busy(None)
            self.page.denoising.show_denoising(Denoising(text, self._sheet, progress.fraction, progress.left_s))
        else:
            self.page.dreaming.show_busy(BusyState(text, progress.fraction, progress.left_s))

    def _show_message(self) -> None:
        session = self._session
        if session.message and session.can_retry:
            left = sum(not c.dreamt for c in session.candidates)
            which = "it" if left == 1 else f"the {left} that are missing"
            self.page.question.ask(session.message, f"Dream {which} in less memory", "Leave it")
        elif session.message and session.error is None:  # of the scene, the form says
            self._shell.say(session.message, "error")

    def _look_at_preview(self) -> None:
        file = self._session.preview
        if file is None or not self.page.isVisible():
            return
        try:
            written = file.stat().st_mtime
            if written == self._sheet_at:
                return
            self._sheet, self._sheet_at = read_photo(file), written
        except (OSError, DreamFileError):
            return  # the first step is not done yet
        self._show()
        self._show_progress()

    def _open_the_first(self) -> None:
        """Show the first one that has a plan; that it ranks behind others later is seen in the strip."""
        if not self._open_first:
            return
        if self._session.candidates and self.page.new_shown:
            self._sheet = None
            self.page.show_denoising(True)
        ready = next((c for c in self._session.candidates if c.plan is not None), None)
        if ready is not None:
            self.open(ready.seed)

    def _open_the_best(self) -> None:
        """Where none has a plan: show the one that comes nearest to it."""
        best = next((c for c in self._session.ranked if c.dreamt), None)
        if best is not None:
            self.open(best.seed)

    @property
    def _opened(self) -> Candidate | None:
        """The candidate that is the dream on the page."""
        folder = self._dreaming.folder
        return next((c for c in self._session.candidates if c.folder.absolute() == folder), None)

    def _plan_that_holds(self, candidate: Candidate) -> Plan | None:
        """Return its plan, None where it was made for arms that stood elsewhere, or were planned for otherwise."""
        plan, given, now = candidate.plan, candidate.planned_for, self.plan_for()
        if plan is None or given is None or (given.limits, given.give_way) != (now.limits, now.give_way):
            return None
        return None if away_from_start(plan, self._program.execution.arms) else plan

    # wished ----------------------------------------------------------------------------------------------------
    def _pick(self, place: int) -> None:
        seeds = self.page.candidates.seeds
        if place < len(seeds) and self._session.find(seeds[place]).dreamt:
            self.open(seeds[place])

    @Slot(int, bool)
    def _keep(self, seed: int, kept: bool) -> None:
        try:
            self._session.keep(seed, kept)
        except OSError as error:
            self._shell.say(f"It cannot be noted that seed {seed} is kept: {error}", "error")

    def _keep_opened(self) -> None:
        opened = self._opened
        if opened is not None:
            self._keep(opened.seed, not opened.kept)

    @Slot()
    def _retry(self) -> None:
        self.page.question.hide()
        self._try(self._session.retry)

    def _show_earlier(self) -> None:
        earlier: Path | None = self._session.earlier
        if earlier is not None:
            self._try(lambda: self._session.show(earlier, self.plan_for))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (ValueError, OSError) as error:
            self._shell.say(str(error), "error")
