"""The session behind the strip of candidates: one dream after the other, each tracked and planned by itself."""

import logging
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

from app.dreams.candidates import Batches, Candidate, LookedAt, PlanFor, look_at
from app.dreams.dreaming import JOB, DreamOrder, Dreamt, memory_told
from app.dreams.ranking import Figures, order, reason
from app.dreams.session import Progress
from app.events import Listener, Listeners
from app.ledger import Ledger, LedgerError
from app.provenance import record_dream, record_track
from app.settings import tracker_settings
from app.worker import Callbacks, Worker
from app.workspace import Workspace
from models.tracking.trackers import TrackerChoice
from models.types import Track

PREVIEW = ".preview.png"  # beside the candidates, while one is dreamt
TRACK_JOB = "app.dreams.track_job:track_folder"
DREAM_SHARE = 0.85  # of the time that a candidate takes; the rest is tracking
Topic = Literal["candidates", "progress", "message"]
MakeOrder = Callable[[], DreamOrder]
log = logging.getLogger(__name__)


class CandidateSession:
    """One batch at a time. Owned by one thread: every method is called there, and listeners are called there.

    What takes long happens in a worker process of its own (dreaming, tracking) and in one thread (looking at the
    scene, planning); it comes in by `pump()`, called about every 30 ms, or by `wait()` without a window.

    Read: `candidates` in the order of their seeds, `batch` (their folder, None before the first), `progress` (None:
    idle), `preview` (a PNG of the dream as it is denoised, None while none is), `message` (what went wrong last),
    `can_retry` (whether dreaming ended early and can be taken up again), `error` (why there is no scene),
    `has_earlier` (whether there is a batch before the one that is shown).
    """

    def __init__(
        self, workspace: Workspace, ledger: Ledger, *, dream_job: str = JOB, track_job: str = TRACK_JOB
    ) -> None:
        self._workspace, self._ledger = workspace, ledger
        self._dream_job, self._track_job = dream_job, track_job
        self._listeners, self._worker = Listeners(), Worker()
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="candidates")
        self._batches = Batches(workspace.dreams)
        self._making: Future[DreamOrder] | None = None
        self._looking: dict[int, Future[LookedAt]] = {}
        self._plan_for: Callable[[], PlanFor] | None = None
        self._order: DreamOrder | None = None
        self._began = self._share = 0.0
        self.candidates: tuple[Candidate, ...] = ()
        self.batch: Path | None = None
        self.progress: Progress | None = None
        self.message = ""
        self.can_retry = False
        self.error: Exception | None = None
        self.has_earlier = self.earlier is not None

    # read

    @property
    def busy(self) -> bool:
        """Whether anything goes on."""
        return self._making is not None or self._worker.busy or bool(self._looking)

    @property
    def preview(self) -> Path | None:
        dreaming = any(c.state == "dreaming" for c in self.candidates)
        return self.batch / PREVIEW if dreaming and self.batch is not None else None

    @property
    def ranked(self) -> tuple[Candidate, ...]:
        """The candidates that are over, the best first, then the others in the order of their seeds."""
        by_seed = {c.seed: c for c in self.candidates}
        known = {c.seed: c.figures for c in self.candidates if c.over and c.figures is not None}
        best = order(known)
        return tuple(by_seed[seed] for seed in (*best, *(s for s in by_seed if s not in known)))

    def reason(self, seed: int) -> str:
        """Return in words why a candidate stands where it does; "" while it is not ranked."""
        better: Figures | None = None
        for candidate in self.ranked:
            if not candidate.over or candidate.figures is None:
                break
            if candidate.seed == seed:
                return reason(candidate.figures, better)
            better = candidate.figures
        return ""

    def find(self, seed: int) -> Candidate:
        """Return a candidate by its seed. Raises KeyError that lists them."""
        for candidate in self.candidates:
            if candidate.seed == seed:
                return candidate
        raise KeyError(f"candidate {seed}; there are {[c.seed for c in self.candidates]}")

    def share(self, seed: int) -> float | None:
        """Return how far a candidate is, 0..1, None while nothing goes on with it."""
        return self._share if self.find(seed).state in ("dreaming", "tracking") else None

    @property
    def earlier(self) -> Path | None:
        """The batch before the one that is shown, None where there is none."""
        batches = self._batches.all()
        later = batches.index(self.batch) if self.batch in batches else -1
        return batches[later + 1] if later + 1 < len(batches) else None

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    # do

    def start(self, name: str, make: MakeOrder, plan_for: Callable[[], PlanFor]) -> None:
        """Begin a batch. make(): looks at the scene, in another thread; plan_for(): what a plan is made for, asked
        as each dream is tracked. Raises ValueError while another goes on, OSError."""
        self._require_idle()
        self.batch, self._plan_for, self._order = self._batches.new(name), plan_for, None
        self._background.submit(self._prune)
        self.candidates, self.can_retry, self.error = (), False, None
        self._say("")
        self._began = time.monotonic()
        self._making = self._background.submit(make)
        self._set_progress(Progress("dreaming", 0.0, "looking at the scene", None))
        self._listeners.tell("candidates")

    def _require_idle(self) -> None:
        if self.busy:
            raise ValueError("something is being dreamt already: wait for it, or cancel it")

    def retry(self) -> None:
        """Dream what is missing of the batch, of the same scene, and decode one frame at a time: in less memory."""
        if self._order is None or self.busy:
            raise ValueError("nothing is left to be dreamt: begin a new batch")
        self._order = replace(self._order, options=replace(self._order.options, decode_chunk=1))
        self.can_retry = False
        self._say("")
        again = (replace(c, state="waiting", problem="") if not c.dreamt else c for c in self.candidates)
        self.candidates = tuple(again)
        self._began = time.monotonic()
        self._next()

    def cancel(self) -> None:
        """Give up what is not dreamt yet; what is there stays."""
        self._drop(c.seed for c in self.candidates if c.state == "waiting")
        self._worker.cancel()
        if self._making is not None:
            self._making = None
            self._ended()

    def keep(self, seed: int, kept: bool = True) -> None:
        """Keep a candidate for good, or take that back. Raises OSError."""
        candidate = self.find(seed)
        if self.batch is not None and candidate.kept != kept:
            self._batches.keep(self.batch, seed, kept)
            self._put(replace(candidate, kept=kept))

    def show(self, batch: Path, plan_for: Callable[[], PlanFor]) -> None:
        """Show the candidates of an earlier batch again; each is planned anew. Raises ValueError while busy."""
        self._require_idle()
        kept = self._batches.kept(batch)
        self.batch, self._plan_for, self._order, self.can_retry = batch, plan_for, None, False
        self.candidates = tuple(
            Candidate(seed, folder, "planning", kept=seed in kept)
            for seed, folder in self._batches.folders(batch).items()
        )
        for candidate in self.candidates:
            self._look(candidate, None)
        self._ended()

    def pump(self) -> None:
        """Take in what the background finished. Never blocks."""
        self._worker.pump()
        if self._making is not None and self._making.done():
            making, self._making = self._making, None
            self._made(making)
        for seed in [s for s, looking in self._looking.items() if looking.done()]:
            self._looked(seed, self._looking.pop(seed))

    def wait(self, timeout: float) -> bool:
        """Pump until the background is idle; False when it took over `timeout` [s]. Without a window only."""
        deadline = time.monotonic() + timeout
        while self.busy and time.monotonic() < deadline:
            self._worker.wait(0.05) if self._worker.busy else time.sleep(0.01)
            self.pump()
        return not self.busy

    def close(self) -> None:
        """End the worker process and the thread. Safe to call twice."""
        self._worker.close()
        self._background.shutdown(wait=True, cancel_futures=True)

    # one after the other

    def _made(self, making: Future[DreamOrder]) -> None:
        try:
            made = making.result()
        except (ValueError, OSError, RuntimeError) as error:
            self.error = error
            self._say(str(error))
            self._ended()
            return
        if self.batch is None:
            return
        self._order, options = made, made.options
        self.candidates = tuple(
            Candidate(seed, self.batch / f"seed-{seed}")
            for seed in range(options.seed, options.seed + options.candidates)
        )
        self._next()

    def _next(self) -> None:
        """Dream the next candidate, or be done."""
        candidate = next((c for c in self.candidates if c.state == "waiting"), None)
        if candidate is None or self._order is None or self.batch is None:
            self._ended()
            return
        options = replace(self._order.options, seed=candidate.seed, candidates=1)
        preview = self.batch / PREVIEW
        one = replace(self._order, out=candidate.folder, options=options, preview=preview)
        self._put(replace(candidate, state="dreaming"))
        self._worker.submit(
            self._dream_job,
            one,
            callbacks=Callbacks(
                lambda made: self._dreamt(candidate.seed, made),
                lambda why: self._not_dreamt(candidate.seed, why),
                lambda share, text: self._advance(candidate.seed, DREAM_SHARE * share, text),
            ),
        )

    def _dreamt(self, seed: int, _made: tuple[Dreamt, ...]) -> None:
        candidate = self.find(seed)
        if self._order is None or not self._order.scene.tools:
            self._look(candidate, None)
            self._next()
            return
        self._put(replace(candidate, state="tracking"))
        self._worker.submit(
            self._track_job,
            candidate.folder,
            (),
            None,
            TrackerChoice(settings=tracker_settings(self._workspace)),
            callbacks=Callbacks(
                lambda track: self._tracked(seed, track),
                lambda why: self._not_tracked(seed, why),
                lambda share, text: self._advance(seed, 1 - (1 - DREAM_SHARE) * (1 - share), f"tracking, {text}"),
            ),
        )

    def _not_dreamt(self, seed: int, why: str) -> None:
        if why == "cancelled":
            self._drop([seed])
            self._ended()
            return
        self._put(replace(self.find(seed), state="failed", problem=memory_told(why)))
        for waiting in [c for c in self.candidates if c.state == "waiting"]:
            self._put(replace(waiting, state="failed", problem="it was not begun"))
        self.can_retry = True
        self._say(f"Dreaming failed: {memory_told(why)}")
        self._ended()

    def _tracked(self, seed: int, track: Track) -> None:
        self._look(self.find(seed), track)
        self._next()

    def _not_tracked(self, seed: int, why: str) -> None:
        problem = "tracking was cancelled" if why == "cancelled" else f"tracking failed: {why}"
        self._put(replace(self.find(seed), state="failed", problem=problem, figures=Figures(problem=problem)))
        self._next()

    def _look(self, candidate: Candidate, track: Track | None) -> None:
        if self._plan_for is None:
            return
        given = self._plan_for()
        self._put(replace(candidate, state="planning", planned_for=given))
        self._looking[candidate.seed] = self._background.submit(self._look_and_tell, candidate.folder, track, given)

    def _looked(self, seed: int, looking: Future[LookedAt]) -> None:
        candidate = self.find(seed)
        try:
            seen = looking.result()
        except (ValueError, OSError) as error:
            self._put(replace(candidate, state="failed", problem=str(error), figures=Figures(problem=str(error))))
        else:
            self._put(
                replace(
                    candidate, state="ready", dream=seen.dream, picture=seen.picture, track=seen.track,
                    plan=seen.plan, figures=seen.figures, problem=seen.figures.problem,
                )
            )  # fmt: skip
        if not self.busy:
            self._ended()

    # in the background

    def _look_and_tell(self, folder: Path, track: Track | None, given: PlanFor) -> LookedAt:
        """The ledger is told last: a dream that it cannot be told of can be looked at all the same."""
        seen = look_at(folder, track, given)
        try:
            dream_id = record_dream(self._ledger, seen.dream, folder)
            if seen.track is not None:
                record_track(self._ledger, seen.track, folder, dream_id)
        except (LedgerError, OSError) as error:
            log.warning("the ledger does not know of %s yet: %s", folder, error)
        return seen

    def _prune(self) -> None:
        try:
            self._batches.prune()
        except OSError as error:
            log.warning("old candidates are still there: %s", error)

    # tell

    def _advance(self, seed: int, share: float, text: str) -> None:
        """Say how far all of them are. share 0..1 of this candidate."""
        count, self._share = len(self.candidates), share
        place = [c.seed for c in self.candidates].index(seed)
        done = (place + share) / count
        if done == 0:
            self._began = time.monotonic()  # loading the model says nothing of how long the steps take
        spent = time.monotonic() - self._began
        left = spent * (1 - done) / done if done > 0.02 else None
        which = f"{place + 1} of {count}: " if count > 1 else ""
        self._set_progress(Progress("dreaming", done, f"{which}{text}", left))

    def _ended(self) -> None:
        """Nothing more is dreamt: once all is planned too, show no progress, and leave no empty batch behind."""
        if self.busy:
            self._set_progress(Progress("dreaming", 1.0, "planning what was dreamt", None))
            return
        self._set_progress(None)
        batch = self.batch
        if batch is None:
            return
        (batch / PREVIEW).unlink(missing_ok=True)
        if not self.candidates:
            shutil.rmtree(batch, ignore_errors=True)
            self.batch = None
        self.has_earlier = self.earlier is not None
        self._listeners.tell("candidates")

    def _put(self, candidate: Candidate) -> None:
        self.candidates = tuple(candidate if c.seed == candidate.seed else c for c in self.candidates)
        self._listeners.tell("candidates")

    def _drop(self, seeds: Iterable[int]) -> None:
        gone = set(seeds)
        self.candidates = tuple(c for c in self.candidates if c.seed not in gone)
        self._listeners.tell("candidates")

    def _set_progress(self, progress: Progress | None) -> None:
        self.progress = progress
        self._listeners.tell("progress")

    def _say(self, message: str) -> None:
        self.message = message
        self._listeners.tell("message")
