"""Binds page Train to the jobs of the workspace and to what their runs write."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl, Slot
from PySide6.QtGui import QDesktopServices

from app.gui.binders import train_facts
from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.train_form import TrainFormBinder
from app.jobs.desk import JobsDesk
from app.jobs.types import JobRecord, Slots, State
from app.training.gallery import Dreams
from app.training.watch import RunSeen, RunWatch, Wish
from models.training.run_folder import CHECKPOINTS, LOG
from widgets.pages.train import TrainPage
from widgets.train_values import RunCurves
from widgets.values import Chip, LineItem

MOST_RUNS = 8  # drawn at once
_TOLD: Mapping[State, str] = {"done": "is done", "failed": "failed", "interrupted": "was interrupted"}


class TrainBinder(QuietBinder):
    """Nothing of the jobs is kept here but what the eye needs: what was shown, which dreams are wanted."""

    def __init__(self, page: TrainPage, jobs: JobsDesk, form: TrainFormBinder, shell: Shell) -> None:
        super().__init__(page)
        self.page, self._jobs, self._form, self._shell = page, jobs, form, shell
        self._watch: RunWatch | None = None
        self._seen = -1
        self._step = -1
        self._drawn: Dreams | None = None
        self._asked: tuple[str, ...] = ()
        self._states: dict[str, State] | None = None
        self._line: tuple[LineItem, ...] = ()
        self._forget = jobs.on_change(self._changed)
        page.table.chosen_changed.connect(self._choose)
        page.gallery.step_picked.connect(self._pick_step)
        page.question.accepted.connect(self._remove)
        page.question.refused.connect(self._keep)
        page.machine.slots_changed.connect(self._set_slots)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        page, jobs = self.page, self._jobs
        return {
            "train.pause": lambda: self._each(("queued", "running"), jobs.pause),
            "train.resume": lambda: self._each(("paused", "interrupted", "running"), jobs.resume),
            "train.cancel": lambda: self._each(("queued", "running", "paused", "interrupted"), jobs.cancel),
            "train.retry": lambda: self._each(("failed", "cancelled"), jobs.retry),
            "train.clone": lambda: self._form.clone(self._current),
            "train.folder": self._open_folder,
            "train.remove": self._ask_remove,
            "train.down": lambda: page.table.step(1),
            "train.up": lambda: page.table.step(-1),
            "train.all": page.table.selectAll,
            "train.log_axis": page.curves.turn_log,
            "train.smoother": lambda: page.curves.smooth(1),
            "train.rougher": lambda: page.curves.smooth(-1),
            "train.fit": page.curves.fit,
            "train.later": lambda: page.gallery.go(1),
            "train.earlier": lambda: page.gallery.go(-1),
            "train.play": page.gallery.turn_play,
        }

    def facts(self) -> set[str]:
        if self.page.form_shown:
            return set()
        chosen = self._chosen
        states = {record.state for record in chosen}
        pausing = any(record.state == "running" and record.wanted == "pause" for record in chosen)
        running = any(record.state in ("queued", "running") and record.wanted == "run" for record in chosen)
        held = {
            "jobs": bool(self._jobs.records),
            "job": bool(chosen),
            "job_goes": running,
            "job_rests": pausing or bool(states & {"paused", "interrupted"}),
            "job_open": bool(states & {"queued", "running", "paused", "interrupted"}),
            "job_failed": bool(states & {"failed", "cancelled"}),
            "job_still": bool(chosen) and "running" not in states,
            "job_training": self._current is not None and self._current.spec.kind == train_facts.TRAIN,
            "job_dreams": self.page.gallery.step >= 0,
        }
        return {name for name, holds in held.items() if holds}

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        return {"training": self._line}

    def tick(self) -> None:
        self._jobs.pump()
        if not self.page.isVisible():
            if self._watch is not None:
                self._watch.look(Wish())
            return
        if self._watch is None:
            self._watch = RunWatch()
        self._watch.look(self._wish())
        if self._watch.version != self._seen:
            self._seen = self._watch.version
            self._show_runs(self._watch)

    def close(self) -> None:
        self._forget()
        if self._watch is not None:
            self._watch.close()

    # what a person wants ---------------------------------------------------------------------------------------
    def _each(self, states: Sequence[State], deed: Callable[[str], None]) -> None:
        for record in self._chosen:
            if record.state in states:
                deed(record.id)

    def _open_folder(self) -> None:
        record = self._current
        if record is None:
            return
        made = record.spec.out
        places = [made / CHECKPOINTS, made] if made is not None else []
        place = next((p for p in places if p.exists()), record.folder)
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(place))):
            self._shell.say(f"Open it by hand: {place}", "info")

    def _ask_remove(self) -> None:
        chosen = self._asked = self.page.table.chosen
        if not chosen:
            return
        first = self._record(chosen[0])
        what = f"“{first.spec.title}”" if len(chosen) == 1 and first is not None else f"{len(chosen)} jobs"
        text = f"Take {what} out of the list, and the log with it? What was made stays."
        self.page.question.ask(text, "Take out", "Keep")

    @Slot()
    def _remove(self) -> None:
        for id in self._asked:
            self._jobs.remove(id)
        self._keep()

    @Slot()
    def _keep(self) -> None:
        self._asked = ()
        self.page.question.hide()
        self.page.focus_jobs()

    @Slot(int)
    def _pick_step(self, step: int) -> None:
        self._step = step

    @Slot()
    def _choose(self) -> None:
        """Other jobs are chosen: show what is known of them, their runs follow."""
        self._step = -1
        self._show_chosen()
        if self._watch is not None:
            self._show_runs(self._watch)

    # what happened ---------------------------------------------------------------------------------------------
    def _changed(self, topic: str) -> None:
        if topic == "message":
            self._shell.say(self._jobs.message, self._jobs.mood)
            return
        records = self._jobs.records
        self._line = train_facts.line_items(records)
        self._tell_ends(records)
        now = time.time()
        self.page.show_jobs([train_facts.job_line(record, now) for record in records])
        if (new := self._form.queued(records)) is not None:
            self.page.table.show_job(new)
        self._show_machine()
        self._show_title(records)
        self._show_chosen()

    def _show_machine(self) -> None:
        machine, slots = self._jobs.machine, self._jobs.slots
        self.page.show_machine(train_facts.meters(machine))
        if machine is not None and slots is not None:
            self.page.machine.show_slots(slots.cpu, slots.gpu, len(machine.gpus))

    @Slot(int, int)
    def _set_slots(self, cpu: int, gpu: int) -> None:
        self._jobs.set_slots(Slots(gpu=gpu, cpu=cpu))

    def _tell_ends(self, records: Sequence[JobRecord]) -> None:
        """Say which jobs ended while the window was open."""
        before, self._states = self._states, {record.id: record.state for record in records}
        for record in records:
            if before is None or before.get(record.id, record.state) == record.state or record.state not in _TOLD:
                continue
            why = f": {record.problem.splitlines()[0]}" if record.problem else ""
            self._shell.say(
                f"{record.spec.title} {_TOLD[record.state]}{why}", "info" if record.state == "done" else "warning"
            )

    def _show_title(self, records: Sequence[JobRecord]) -> None:
        counts = {
            word: sum(r.state == state for r in records)
            for state, word in (("running", "running"), ("queued", "waiting"))
        }
        self.page.show_title("Train", [Chip(f"{n} {word}") for word, n in counts.items() if n])

    def _show_chosen(self) -> None:
        chosen = self._chosen
        runs = self._watch.runs if self._watch is not None else {}
        if len(chosen) > 1:
            seen = [self._run_of(record, runs) for record in chosen]
            self.page.show_comparison(train_facts.comparison(chosen[:MOST_RUNS], seen[:MOST_RUNS]))
        elif chosen:
            kind = self._jobs.jobs.kinds.get(chosen[0].spec.kind)
            name = kind.title if kind is not None else chosen[0].spec.kind
            facts = train_facts.job_facts(chosen[0], name, self._run_of(chosen[0], runs), time.time())
            self.page.show_job(facts, chosen[0].problem)
        else:
            self.page.show_job([])

    def _show_runs(self, watch: RunWatch) -> None:
        runs = watch.runs
        shown: list[RunCurves] = []
        for record in self._chosen[:MOST_RUNS]:
            run = self._run_of(record, runs)
            if run is not None:
                shown.append(train_facts.curves(record, run))
        self.page.show_runs(shown)
        self._show_dreams(watch)
        self._show_log(watch)
        if len(self._chosen) > 1:
            self._show_chosen()

    def _show_dreams(self, watch: RunWatch) -> None:
        record = self._current
        run = self._run_of(record, watch.runs) if record is not None else None
        self.page.show_gallery(run.steps if run is not None else (), train_facts.no_dreams(record, run))
        dreams = watch.dreams
        if run is None or not run.steps:
            self._drawn = None
        elif dreams is not None and dreams is not self._drawn and dreams.folder == _run_folder(record):
            self._drawn = dreams
            mean = [train_facts.metrics(dreams.metrics), *train_facts.tracks(dreams.metrics)]
            self.page.show_scenes(dreams.step, train_facts.scenes(dreams), "\n".join(mean))

    def _show_log(self, watch: RunWatch) -> None:
        anew, lines = watch.take_lines()
        if anew or lines:
            record = self._current
            name = record.spec.title if record is not None else ""
            self.page.show_log(name, [(line, train_facts.log_level(line)) for line in lines], anew)

    def _wish(self) -> Wish:
        if self.page.form_shown:
            return Wish()
        folders = tuple(f for record in self._chosen[:MOST_RUNS] if (f := _run_folder(record)) is not None)
        record = self._current
        if record is None:
            return Wish(folders)
        own = _run_folder(record)
        logs = (own / LOG, record.log) if own is not None else (record.log,)
        return Wish(folders, own, self._step, logs)

    @staticmethod
    def _run_of(record: JobRecord, runs: Mapping[Path, RunSeen]) -> RunSeen | None:
        folder = _run_folder(record)
        return runs.get(folder) if folder is not None else None

    def _record(self, id: str) -> JobRecord | None:
        return self._jobs.record(id)

    @property
    def _current(self) -> JobRecord | None:
        """The job that is looked at."""
        return self._record(self.page.table.current)

    @property
    def _chosen(self) -> list[JobRecord]:
        found = (self._record(id) for id in self.page.table.chosen)
        return [record for record in found if record is not None]


def _run_folder(record: JobRecord | None) -> Path | None:
    """Where a training writes, None for a job that is none."""
    return record.spec.out if record is not None and record.spec.kind == train_facts.TRAIN else None
