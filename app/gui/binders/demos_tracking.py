"""Tracking the demos that a person chose: as a job that outlives the window; corrected ones in the worker."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.datasets.tracking import OVER, DemoTracking, Tracking, retrack_order, track_order
from app.gui.binders.binder import Shell
from app.jobs.desk import JobsDesk
from app.jobs.types import JobRecord, JobSpec
from app.tools.library import ToolLibrary
from hardware.recording.note import EpisodeFileError
from models.data.errors import DreamFileError
from widgets.values import BusyState

KIND = "track_demos"


class DemosTracking:
    """A part of the demos' binder. tracked(folder): an episode has a new track; ended(): so have others, perhaps.

    What a person corrected is tracked again while they look on: it takes seconds, and waits for no job's slot.
    """

    def __init__(
        self,
        tracking: DemoTracking,
        jobs: JobsDesk,
        library: ToolLibrary,
        shell: Shell,
        tracked: Callable[[Path], None],
        ended: Callable[[], None],
    ) -> None:
        self._tracking, self._jobs, self._library, self._shell = tracking, jobs, library, shell
        self._tracked, self._ended = tracked, ended
        self._told: set[int] = set()  # places in the queue
        self._over: dict[str, int] = {}  # of each job that goes on: how many episodes were told of
        self._past: set[str] | None = None  # jobs that do not go on; None before the first look
        self._forget = jobs.on_change(self._changed)

    def close(self) -> None:
        self._forget()

    def track(self, episodes: Sequence[Path]) -> None:
        """Queue a job for these episodes. One that cannot be tracked is told, the others go on."""
        good, problems = [], []
        for episode in dict.fromkeys(episodes):
            try:
                track_order(episode, self._library)
                good.append(str(episode.absolute()))
            except (DreamFileError, EpisodeFileError) as error:
                problems.append(str(error))
        if problems:
            more = f"; in all {len(problems)} cannot be tracked" if len(problems) > 1 else ""
            self._shell.say(problems[0] + more, "warning")
        if good:
            what = f"{len(good)} takes" if len(good) > 1 else f"take {int(Path(good[0]).name)}"
            self._jobs.submit(JobSpec(KIND, f"Tracking {what}", {"episodes": good, "again": True}))

    def track_again(self, episode: Path) -> None:
        """Queue an episode that was corrected: only what its boxes and cuts touch."""
        try:
            self._tracking.add([retrack_order(episode, self._library)])
        except (DreamFileError, EpisodeFileError) as error:
            self._shell.say(str(error), "warning")

    def pump(self) -> None:
        """Take in what the worker tracked; tell of the end of its queue."""
        self._tracking.pump()
        queue = self._tracking.queue
        for place, item in enumerate(queue):
            if item.state == "done" and place not in self._told:
                self._told.add(place)
                self._tracked(item.episode)
        if queue and not self._tracking.busy:
            self._tell(queue)
            self._told.clear()
            self._tracking.clear()

    def cancel(self) -> None:
        """Give up what `busy` shows."""
        record = self._shown
        if self._tracking.busy:
            self._tracking.cancel_all()
        elif record is not None:
            self._jobs.cancel(record.id)

    @property
    def busy(self) -> BusyState | None:
        """How far it is, None while nothing is tracked."""
        running = next((item for item in self._tracking.queue if item.state == "running"), None)
        if running is not None:
            over, count = sum(item.state in OVER for item in self._tracking.queue), len(self._tracking.queue)
            text = f"Tracking take {int(running.episode.name)} again: {running.text}"
            return BusyState(text, (over + running.fraction) / count, running.left_s)
        record = self._shown
        return None if record is None else job_busy(record)

    @property
    def _shown(self) -> JobRecord | None:
        """The job that goes on, else the one that begins next."""
        mine = [record for record in reversed(self._jobs.records) if record.spec.kind == KIND]
        going_on = (record for state in ("running", "queued") for record in mine if record.state == state)
        return next(going_on, None)

    def _changed(self, _topic: str) -> None:
        """Look which episodes jobs are through with."""
        records = [record for record in self._jobs.records if record.spec.kind == KIND]
        going_on = [record for record in records if record.state in ("running", "queued")]
        for record in going_on:
            self._tell_over(record)
        past = {record.id for record in records} - {record.id for record in going_on}
        if self._past is not None and past - self._past:
            self._ended()
        self._past = past
        self._over = {record.id: self._over[record.id] for record in going_on}

    def _tell_over(self, record: JobRecord) -> None:
        listed = record.spec.arguments.get("episodes", ())
        episodes = listed if isinstance(listed, list | tuple) else ()
        over, told = int(record.fraction * len(episodes) + 1e-6), self._over.get(record.id)
        self._over[record.id] = over
        for episode in episodes[over if told is None else told : over]:
            self._tracked(Path(episode))

    def _tell(self, queue: Sequence[Tracking]) -> None:
        failed = [item for item in queue if item.state == "failed"]
        if failed:
            self._shell.say(f"Take {int(failed[0].episode.name)} was not tracked: {failed[0].problem}", "warning")


def job_busy(record: JobRecord) -> BusyState:
    """Return what the strip says of a job."""
    if record.state == "queued":
        return BusyState(f"{record.spec.title}: waits for a free slot (page Train)", -1.0)
    if record.wanted != "run":
        return BusyState(f"{record.spec.title}: being ended", record.fraction, can_cancel=False)
    return BusyState(f"{record.spec.title}: {record.text or 'starting'}", record.fraction, record.left_s)
