"""The browser's demos without Qt: what is open, filtered and chosen, edits in a thread of their own, statistics."""

import datetime
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from app.datasets.filter import Order, QueryError, shown
from app.datasets.library import Dataset, DatasetError, Proposal
from app.datasets.statistics import Look, Looked, SameScene, Twins, look_into
from app.datasets.track_review import EpisodeReview, read_review
from app.datasets.trash import TakeKey, TrashRow
from app.datasets.wishes import Correct, Wish
from app.dreams.edits import Edit
from app.events import Listener, Listeners
from hardware.recording.note import NOTE, EpisodeFileError, read_note
from models.data.annotations import AS_RECORDED, Annotation, read_annotation
from models.data.dataset_index import DemoCut, DemoKey, DemoRow, Report
from models.data.episode_track import read_episode_track
from models.data.errors import DreamFileError
from models.data.masks import ObjectMask
from models.data.masks_found import find_masks
from models.data.session_demo import episode_demos
from models.types import Track

Topic = Literal["rows", "work", "message", "proposal", "looks", "trash"]
Mood = Literal["info", "warning"]
Result = TypeVar("Result")
log = logging.getLogger(__name__)
_ERRORS = (DatasetError, EpisodeFileError, DreamFileError, ValueError, OSError)


@dataclass(frozen=True)
class Work:
    """What the thread does now. done, of: 0, 0 while nobody knows."""

    text: str
    done: int = 0
    of: int = 0


@dataclass(frozen=True)
class _Job:
    future: Future[object]
    then: Callable[[object], None]


class DatasetDesk:
    """Owned by one thread, which calls `pump` about every 30 ms; what touches the disk runs in another.

    Read: `folder` (None while nothing is open), `rows` (all), `shown` (those of the filter, sorted), `query`,
    `order`, `problem` (of the query), `work` (None while it is idle), `message` and its `mood`, `proposal` (a bulk
    edit that waits for a yes), `undo_text`, `redo_text`, `looks` (what the recordings say, by demo), `twins`
    (demos that are nearly the same), `scenes` (tables that look the same), `looking` (how far reading them is),
    `trash` (what was deleted, while `watch_trash`).
    """

    def __init__(self, person: Callable[[], str] = lambda: "") -> None:
        """person(): who edits, for the journal."""
        self._person = person
        self._listeners = Listeners()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dataset")
        self._jobs: list[_Job] = []
        self._dataset: Dataset | None = None
        self._progress: tuple[int, int] = (0, 0)
        self.folder: Path | None = None
        self.rows: tuple[DemoRow, ...] = ()
        self._by_key: dict[DemoKey, DemoRow] = {}
        self.shown: list[DemoRow] = []
        self.query, self.order, self.problem = "", Order(), ""
        self.work: Work | None = None
        self.message = ""
        self.mood: Mood = "info"
        self.proposal: Proposal | None = None
        self.undo_text = self.redo_text = ""
        self._looker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dataset look")
        self._look: Future[Looked] | None = None
        self._look_once_more = False
        self._look_ended = threading.Event()
        self._looked: tuple[int, int] = (0, 0)
        self.looks: dict[DemoCut, Look] = {}
        self.twins: tuple[Twins, ...] = ()
        self.scenes: tuple[SameScene, ...] = ()
        self.looking: Work | None = None
        self.trash: tuple[TrashRow, ...] = ()
        self._trash_watched = False

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    # open

    def open(self, folder: Path) -> None:
        """Open a session or a folder of sessions in place of what is open."""

        def read(report: Report) -> Dataset:
            if self._dataset is not None:
                self._dataset.close()
            return Dataset(folder, report)

        self._do("reading the demos", read, lambda dataset: self._opened(folder, dataset))

    def look_again(self) -> None:
        """Read what was recorded or changed by others since."""
        dataset = self._dataset
        if dataset is not None:
            self._do("reading the demos", dataset.look_again, lambda _: self._changed())

    def read_again(self, episode: Path) -> None:
        """Read one episode that changed: it was tracked."""
        dataset = self._dataset
        if dataset is not None:
            self._do("reading", lambda _: dataset.read_again(episode), lambda _: self._changed())

    def pump(self) -> None:
        """Take in what the thread did. Never blocks."""
        while self._jobs and self._jobs[0].future.done():
            job = self._jobs.pop(0)
            self.work = None if not self._jobs else self.work
            self._take(job)
            self._tell("work")
        if self.work is not None and (self.work.done, self.work.of) != self._progress:
            self.work = Work(self.work.text, *self._progress)
            self._tell("work")
        self._pump_looks()

    def close(self) -> None:
        """End the threads, let others write. Safe to call twice."""
        self._look_ended.set()
        self._looker.shutdown(wait=True, cancel_futures=True)
        self._thread.shutdown(wait=True, cancel_futures=True)
        for job in self._jobs:
            found = None if job.future.cancelled() or job.future.exception() else job.future.result()
            if isinstance(found, Dataset):
                found.close()
        self._jobs.clear()
        if self._dataset is not None:
            self._dataset.close()

    # look

    def look_for(self, query: str) -> None:
        """Show what a query lets through; one that cannot be understood leaves the table, and is a `problem`."""
        self.query = query
        self._filter()

    def sort(self, order: Order) -> None:
        self.order = order
        self._filter()

    def annotation(self, key: DemoKey) -> Annotation:
        """Return all that was said of a demo's episode. Raises DreamFileError."""
        return read_annotation(self.row(key).folder)

    def row(self, key: DemoKey) -> DemoRow:
        """Raises DatasetError for a demo that is not there any more."""
        if key not in self._by_key:
            raise DatasetError(f"episode {key[1]} of {Path(key[0]).name}: it is not there any more; look again")
        return self._by_key[key]

    def look_into(self) -> None:
        """Read what the recordings of the demos that are shown say; what is known is not read again."""
        self._look_once_more = self._look is not None
        if self._look is None:
            self._look_ended.clear()
            self._looked = (0, 0)
            self.looking = Work("looking into the recordings")
            rows, known = list(self.shown), dict(self.looks)
            self._look = self._looker.submit(look_into, rows, known, self._report_look, self._look_ended.is_set)
            self._tell("looks")

    def end_look(self) -> None:
        """Leave the rest of the recordings unread; what was read stays."""
        self._look_ended.set()

    # edit

    def edit(self, wish: Wish) -> None:
        """Do it; what came of it is told as a message."""
        dataset, who = self._here(), self._person()

        def work(report: Report) -> Proposal:
            proposal = dataset.propose(wish)
            if proposal.changes:
                dataset.do(proposal, who, report)
            return proposal

        self._do(f"{wish.text}", work, self._edited)

    def correct(self, key: DemoKey, *edits: Edit) -> None:
        """Correct the track of a demo's episode."""
        when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.edit(Correct(key, edits, self._person(), when))

    def review(self, key: DemoKey) -> EpisodeReview:
        """Return what was corrected in the track of a demo's episode. Raises DreamFileError."""
        return read_review(self.row(key).folder) or EpisodeReview()

    def track(self, key: DemoKey) -> Track | None:
        """Return the track beside a demo's episode, None where there is none. Raises DreamFileError."""
        found = read_episode_track(self.row(key).folder)
        return found.track if found is not None else None

    def propose(self, wish: Wish) -> None:
        """Reckon what a bulk edit would change; it waits in `proposal` for `accept`."""
        dataset = self._here()
        self._do("looking what would change", lambda _: dataset.propose(wish), self._proposed)

    def accept(self) -> None:
        """Carry out what was proposed."""
        dataset, who, proposal = self._here(), self._person(), self.proposal
        if proposal is None:
            raise DatasetError("nothing was proposed")
        self.refuse()

        def work(report: Report) -> Proposal:
            dataset.do(proposal, who, report)
            return proposal

        self._do(proposal.text, work, self._edited)

    def refuse(self) -> None:
        """Forget what was proposed."""
        self.proposal = None
        self._tell("proposal")

    def keep_masks(self, episode: Path, masks: Sequence[ObjectMask]) -> None:
        """Write the masks of an episode."""
        dataset = self._dataset
        if dataset is not None:
            self._do("keeping the mask", lambda _: dataset.keep_masks(episode, masks), lambda _: None)

    def find_masks(self, key: DemoKey, t: float, found: Callable[[tuple[ObjectMask, ...]], None]) -> None:
        """Look for the object in the pictures at t [s since the episode's start] of every camera."""
        folder = self.row(key).folder

        def work(report: Report) -> tuple[ObjectMask, ...]:
            (demo,) = episode_demos(folder, read_note(folder / NOTE), AS_RECORDED)
            return find_masks(demo, [t])

        self._do("looking for the object", work, found)

    # the trash

    def watch_trash(self, watched: bool) -> None:
        """Read what was deleted, now and after every edit; or no more."""
        self._trash_watched = watched and self._dataset is not None
        if self._trash_watched:
            self._read_trash()

    def bring_back(self, takes: Sequence[TakeKey]) -> None:
        """Take deleted takes out of the trash: an edit that can be undone."""
        dataset, who = self._here(), self._person()

        def work(report: Report) -> Proposal:
            proposal = dataset.bring_back(takes)
            dataset.do(proposal, who, report)
            return proposal

        self._do("bringing back", work, self._edited)

    def destroy(self, takes: Sequence[TakeKey]) -> None:
        """Remove deleted takes for ever; a person was asked for a word before."""
        dataset = self._here()
        told = f"Destroyed: {len(takes)} takes" if len(takes) > 1 else "Destroyed: one take"
        self._do("destroying", lambda _: dataset.destroy(takes), lambda _: self._changed(told))

    def release(self, session: Path, then: Callable[[], None]) -> None:
        """Let another process write to a session until the next edit, then go on."""
        dataset = self._dataset
        if dataset is None:
            then()
            return
        self._do("waiting for the disk", lambda _: dataset.release(session), lambda _: then())

    def undo(self) -> None:
        dataset = self._here()
        self._do("undo", dataset.undo, lambda text: self._changed(f"Undone: {text}"))

    def redo(self) -> None:
        dataset = self._here()
        self._do("redo", dataset.redo, lambda text: self._changed(f"Done again: {text}"))

    # inside

    def _here(self) -> Dataset:
        if self._dataset is None:
            raise DatasetError("open some demos first")
        if self.work is not None:
            raise DatasetError(f"wait: {self.work.text}")
        return self._dataset

    def _do(self, text: str, work: Callable[[Report], Result], then: Callable[[Result], None]) -> None:
        self._progress = (0, 0)
        self.work = Work(text)
        self._jobs.append(_Job(self._thread.submit(work, self._report), then))  # type: ignore[arg-type]
        self._tell("work")

    def _report(self, done: int, of: int) -> None:
        self._progress = (done, of)

    def _report_look(self, done: int, of: int) -> None:
        self._looked = (done, of)

    def _pump_looks(self) -> None:
        if self._look is None:
            return
        if self._look.done():
            found = self._look.result()
            self.looks |= found.looks
            self.twins, self.scenes = found.twins, found.scenes
            self._look = self.looking = None
            if found.problems:
                self._say(f"{found.problems[0]}; in all {len(found.problems)} could not be read", "warning")
            self._tell("looks")
            if self._look_once_more:
                self.look_into()
        elif self.looking is not None and (self.looking.done, self.looking.of) != self._looked:
            self.looking = Work(self.looking.text, *self._looked)
            self._tell("looks")

    def _take(self, job: _Job) -> None:
        error = job.future.exception()
        if error is None:
            job.then(job.future.result())
        elif isinstance(error, _ERRORS):
            self._say(str(error), "warning")
            self._changed()
        else:
            raise error

    def _opened(self, folder: Path, dataset: Dataset) -> None:
        self.folder, self._dataset = folder, dataset
        self.looks.clear()
        for problem in dataset.problems:
            self._say(problem, "warning")
        self._changed()

    def _edited(self, proposal: Proposal) -> None:
        told = f"Done: {proposal.text}" if proposal.count > 1 else ""
        self._changed(told)

    def _proposed(self, proposal: Proposal) -> None:
        self.proposal = proposal
        self._tell("proposal")

    def _read_trash(self) -> None:
        dataset = self._dataset
        if dataset is not None:
            self._do("looking into the trash", lambda _: dataset.trash(), self._trash_came)

    def _trash_came(self, rows: tuple[TrashRow, ...]) -> None:
        self.trash = rows
        self._tell("trash")

    def _changed(self, message: str = "") -> None:
        dataset = self._dataset
        self.rows = dataset.rows if dataset is not None else ()
        self._by_key = {row.key: row for row in self.rows}
        self.undo_text = dataset.undo_text if dataset is not None else ""
        self.redo_text = dataset.redo_text if dataset is not None else ""
        self._filter()
        if self._trash_watched:
            self._read_trash()
        if message:
            self._say(message, "info")

    def _filter(self) -> None:
        try:
            self.shown, self.problem = shown(self.rows, self.query, self.order), ""
        except QueryError as error:
            self.problem = str(error)
        self._tell("rows")

    def _say(self, message: str, mood: Mood) -> None:
        self.message, self.mood = message, mood
        self._tell("message")

    def _tell(self, *topics: Topic) -> None:
        for topic in topics:
            self._listeners.tell(topic)
