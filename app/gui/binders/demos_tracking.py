"""Tracking the demos that a person chose: into the queue, how far it is, what it says in the end."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.datasets.tracking import OVER, DemoTracking, Tracking, retrack_order, track_order
from app.gui.binders.binder import Shell
from app.tools.library import ToolLibrary
from hardware.recording.note import EpisodeFileError
from models.data.errors import DreamFileError
from widgets.values import BusyState


class DemosTracking:
    """A part of the demos' binder. tracked(folder): an episode has a new track."""

    def __init__(
        self, tracking: DemoTracking, library: ToolLibrary, shell: Shell, tracked: Callable[[Path], None]
    ) -> None:
        self._tracking, self._library, self._shell, self._tracked = tracking, library, shell, tracked
        self._told: set[int] = set()  # places in the queue

    def track(self, episodes: Sequence[Path]) -> None:
        """Queue these episodes. One that cannot be tracked is told, the others go on."""
        orders, problems = [], []
        for episode in dict.fromkeys(episodes):
            try:
                orders.append(track_order(episode, self._library))
            except (DreamFileError, EpisodeFileError) as error:
                problems.append(str(error))
        if problems:
            more = f"; in all {len(problems)} cannot be tracked" if len(problems) > 1 else ""
            self._shell.say(problems[0] + more, "warning")
        if orders:
            self._tracking.add(orders)

    def track_again(self, episode: Path) -> None:
        """Queue an episode that was corrected: only what its boxes and cuts touch."""
        try:
            self._tracking.add([retrack_order(episode, self._library)])
        except (DreamFileError, EpisodeFileError) as error:
            self._shell.say(str(error), "warning")

    def pump(self) -> None:
        """Take in what was tracked; tell of the end of the queue."""
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
        self._tracking.cancel_all()

    @property
    def busy(self) -> BusyState | None:
        """How far it is, None while nothing is tracked."""
        queue = self._tracking.queue
        running = next((item for item in queue if item.state == "running"), None)
        if running is None:
            return None
        over = sum(item.state in OVER for item in queue)
        count = f" ({over + 1} of {len(queue)})" if len(queue) > 1 else ""
        text = f"Tracking take {int(running.episode.name)}{count}: {running.text}"
        return BusyState(text, (over + running.fraction) / len(queue), running.left_s)

    def _tell(self, queue: Sequence[Tracking]) -> None:
        failed = [item for item in queue if item.state == "failed"]
        done = sum(item.state == "done" for item in queue)
        if failed:
            self._shell.say(f"Take {int(failed[0].episode.name)} was not tracked: {failed[0].problem}", "warning")
        if done:
            self._shell.say(f"{done} of {len(queue)} takes tracked", "info")
