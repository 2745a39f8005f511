"""Compares trackers on a dream in a worker process of its own, beside the one that tracks."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.dreams.comparison import Comparison
from app.events import Listener, Listeners
from app.settings import tracker_settings
from app.worker import Callbacks, Worker
from app.workspace import Workspace
from models.data.errors import DreamFileError
from models.data.poses_file import read_poses
from models.tracking.trackers import TrackerChoice, tracker_row
from models.types import Hint, Track

LABELS = "labels.json"


class ComparisonRun:
    """One comparison at a time. Owned by one thread; what the worker says comes in by `pump()` or `wait()`.

    Read: `result` (None: none yet), `progress` (fraction 0..1 and text, None: idle), `message` (why there is no
    result, "" for nothing). Topics of `on_change`: "progress", "result", "message".
    """

    def __init__(self, workspace: Workspace, *, job: str = "app.dreams.track_job:compare_folder") -> None:
        self._workspace, self._job = workspace, job
        self._listeners, self._worker = Listeners(), Worker()
        self.result: Comparison | None = None
        self.progress: tuple[float, str] | None = None
        self.message = ""

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change; returns what ends it."""
        return self._listeners.add(listener)

    def start(
        self,
        folder: Path,
        trackers: Sequence[str],
        *,
        hints: Sequence[Hint] = (),
        known: Sequence[Track] = (),
        device: str = "",
        labels: Path | None = None,
    ) -> None:
        """Track the dream of a folder with each of the trackers, the first being the one to hold others against.

        known: tracks that need not be made again; labels: poses to hold all against (default: labels.json of the
        folder, where there is one). Raises ValueError: an unknown tracker, fewer than two, or spoilt labels.
        """
        if self._worker.busy:
            raise ValueError("trackers are being compared already: cancel that first")
        if len(set(trackers)) < 2:
            raise ValueError(f"compare: {list(trackers)}; valid: two or more different trackers")
        settings = tracker_settings(self._workspace)
        choices = tuple(TrackerChoice(name, _device(name, device), settings) for name in dict.fromkeys(trackers))
        reference = load_labels(folder, labels)
        self.result, self.message = None, ""
        self._show((0.0, "starting"))
        self._worker.submit(
            self._job,
            folder,
            tuple(hints),
            choices,
            tuple(known),
            reference,
            callbacks=Callbacks(self._done, self._failed, lambda fraction, text: self._show((fraction, text))),
        )

    def cancel(self) -> None:
        """Give up what runs."""
        self._worker.cancel()

    def pump(self) -> None:
        """Take in what the worker said. Never blocks."""
        self._worker.pump()

    def wait(self, timeout: float) -> bool:
        """Pump until idle; False when it took over `timeout` [s]. Without a window only."""
        deadline = time.monotonic() + timeout
        while self._worker.busy and time.monotonic() < deadline:
            self._worker.wait(0.05)
            self.pump()
        return not self._worker.busy

    def close(self) -> None:
        """End the worker process. Safe to call twice."""
        self._worker.close()

    def _done(self, result: Comparison) -> None:
        self.result = result
        self._show(None)
        self._listeners.tell("result")

    def _failed(self, reason: str) -> None:
        self._show(None)
        self.message = "" if reason == "cancelled" else f"comparing failed: {reason}"
        self._listeners.tell("message")

    def _show(self, progress: tuple[float, str] | None) -> None:
        self.progress = progress
        self._listeners.tell("progress")


def load_labels(folder: Path, file: Path | None = None) -> Track | None:
    """Return the poses that somebody vouches for, None where the dream has none. Raises DreamFileError."""
    if file is not None and not file.is_file():
        raise DreamFileError(file, "labels", "does not exist", "a file in the format of poses.json")
    file = file or folder / LABELS
    return read_poses(file) if file.is_file() else None


def _device(tracker: str, wanted: str) -> str:
    """The wanted device where this tracker has it: others take the one that they usually do."""
    return wanted if wanted in tracker_row(tracker).devices else ""
