"""Tracking recorded demos in the background: a queue, one episode after the other, in a process of its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from app.events import Listener, Listeners
from app.recording.take_tools import held_tools
from app.tools.library import ToolLibrary
from app.worker import Callbacks, Worker
from hardware.recording.note import NOTE, EpisodeNote, read_note
from hardware.types import Tool
from models.data.clips import stereo_clip
from models.data.episode_track import TRACK, EpisodeTrack
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.imports import read_tool
from models.data.text_files import read_table
from models.tracking.trackers import BUILT_IN, TRACKERS, TrackerChoice

State = Literal["waiting", "running", "done", "failed", "cancelled"]
Topic = Literal["queue", "progress"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
FASTEST = 60.0

TASK_TOOLS: Mapping[str, Mapping[str, str]] = {
    "rotation": {"left": "rotation_gripper_left", "right": "rotation_gripper_right"},
    "push-shape": {"tool": "pusher"},
    "sweeping": {"tool": "brush"},
    "scooping": {"tool": "scooper"},
}
"""What a published task is shown with, role -> tool of the library, where the episode itself does not say."""

WHOLE_TOOLS = ("scooping",)
"""Tasks whose tools are tracked as a whole in recordings. In a dream only the scooper's handle is to be believed;
in a recording its bowl is as rigid, and the hand covers the handle."""


@dataclass(frozen=True)
class TrackOrder:
    """What to do with an episode. tools: by role, a tool.toml or a mesh; fps: at which its pictures are tracked;
    again: only where boxes or cuts were added to its track; whole: all of a tool, not only what may be tracked of
    it in a dream."""

    episode: Path
    tools: Mapping[str, Path]
    fps: float
    choice: TrackerChoice = field(default_factory=TrackerChoice)
    again: bool = False
    whole: bool = False


@dataclass(frozen=True)
class TrackedTool:
    """How a tool was followed. found: of `frames`; sure: share of those found over the alarm level."""

    frames: int
    found: int
    sure: float


@dataclass(frozen=True)
class Tracking:
    """An episode in the queue. fraction 0..1; left_s [s], None: unknown; tools: by role, once it is done; problem:
    why it failed."""

    order: TrackOrder
    state: State = "waiting"
    fraction: float = 0.0
    text: str = ""
    left_s: float | None = None
    tools: Mapping[str, TrackedTool] = field(default_factory=dict)
    problem: str = ""

    @property
    def episode(self) -> Path:
        return self.order.episode


class DemoTracking:
    """The queue. Owned by one thread: every method is called there, and listeners are called there.

    The owner calls `pump` about every 30 ms, or `wait` without a window. An episode that cannot be tracked keeps
    its problem and the next one begins. Tracks are written by the worker, whole or not at all: an episode that is
    cancelled, or whose worker dies, is as it was.
    """

    def __init__(self, *, job: str = "app.datasets.track_job:track_episode") -> None:
        self._job, self._worker, self._listeners = job, Worker(), Listeners()
        self._queue: list[Tracking] = []
        self._running: int | None = None
        self._begun = 0.0

    @property
    def queue(self) -> tuple[Tracking, ...]:
        """All that was asked for, in this order, what is over too."""
        return tuple(self._queue)

    @property
    def busy(self) -> bool:
        return any(item.state not in OVER for item in self._queue)

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change; returns what ends it."""
        return self._listeners.add(listener)

    def add(self, orders: Sequence[TrackOrder]) -> None:
        """Put episodes at the end; one that waits or runs already stays where it is, but one that runs and was
        corrected meanwhile comes again."""
        busy = [item for item in self._queue if item.state not in OVER]
        known = {(item.episode, again) for item in busy for again in (False, item.state == "waiting")}
        self._queue += [Tracking(order) for order in orders if (order.episode, order.again) not in known]
        self._next()
        self._listeners.tell("queue")

    def cancel(self, episode: Path) -> None:
        """Give up one episode, whether it waits or runs; of one that is over nothing changes."""
        for k, item in enumerate(self._queue):
            if item.episode != episode or item.state in OVER:
                continue
            if k == self._running:
                self._worker.cancel()
            else:
                self._queue[k] = replace(item, state="cancelled")
        self._listeners.tell("queue")

    def cancel_all(self) -> None:
        """Give up what waits and what runs; what is done stays."""
        self._queue = [
            replace(item, state="cancelled") if item.state == "waiting" else item for item in self._queue
        ]
        self._worker.cancel()
        self._listeners.tell("queue")

    def clear(self) -> None:
        """Forget what is over."""
        running = self._queue[self._running] if self._running is not None else None
        self._queue = [item for item in self._queue if item.state not in OVER]
        self._running = self._queue.index(running) if running is not None else None
        self._listeners.tell("queue")

    def pump(self) -> None:
        """Take in what the worker finished, and begin the next one. Never blocks."""
        self._worker.pump()
        # not from a callback: the worker may be about to end a process that did not listen
        self._next()

    def wait(self, timeout_s: float) -> bool:
        """Pump until nothing is left to do; False when it took longer. Without a window only."""
        deadline = time.monotonic() + timeout_s
        while self.busy and time.monotonic() < deadline:
            self._worker.wait(0.05)
            self.pump()
        return not self.busy

    def close(self) -> None:
        """End the worker process. Safe to call twice."""
        self._worker.close()

    def _next(self) -> None:
        if self._running is not None:
            return
        self._running = next((k for k, item in enumerate(self._queue) if item.state == "waiting"), None)
        if self._running is None:
            return
        self._begun = time.monotonic()
        self._set(state="running", text="starting")
        callbacks = Callbacks(self._done, self._failed, self._progress)
        self._worker.submit(self._job, self._queue[self._running].order, callbacks=callbacks)

    def _progress(self, fraction: float, text: str) -> None:
        spent = time.monotonic() - self._begun
        left = spent * (1 - fraction) / fraction if fraction > 0.1 else None
        self._set(fraction=fraction, text=text, left_s=left)
        self._listeners.tell("progress")

    def _done(self, tools: Mapping[str, TrackedTool]) -> None:
        self._end(state="done", fraction=1.0, tools=tools)

    def _failed(self, reason: str) -> None:
        if reason == "cancelled":
            self._end(state="cancelled")
        else:
            self._end(state="failed", problem=reason)

    def _end(self, **changes: object) -> None:
        self._set(text="", left_s=None, **changes)
        self._running = None
        self._listeners.tell("queue")

    def _set(self, **changes: object) -> None:
        if self._running is not None:
            self._queue[self._running] = replace(self._queue[self._running], **changes)  # type: ignore[arg-type]


def track_order(
    episode: Path,
    library: ToolLibrary,
    *,
    tools: Mapping[str, str] | None = None,
    fps: float | None = None,
    choice: TrackerChoice | None = None,
) -> TrackOrder:
    """Return what to do with an episode: its task says the tools and the rate, unless they are given.

    tools: by role, a name of the library or a file. Raises DreamFileError, EpisodeFileError naming the file and
    what is valid.
    """
    note = read_note(episode / NOTE)
    if fps is not None and not 0.5 <= fps <= FASTEST:
        raise DreamFileError(episode, "fps", f"{fps:g}", f"0.5 to {FASTEST:g} pictures a second")
    wanted = tools if tools is not None else _tools_of(note, episode)
    files = {role: tool_file(role, name, library) for role, name in wanted.items()}
    whole = note.task in WHOLE_TOOLS
    return TrackOrder(episode, files, fps or stereo_clip(note.task).fps, choice or TrackerChoice(), whole=whole)


def retrack_order(episode: Path, library: ToolLibrary) -> TrackOrder:
    """Return what tracks an episode again where it was corrected: with the tools and at the rate of its track.

    Raises DreamFileError, EpisodeFileError naming the file and what is valid.
    """
    fields = Fields(read_table(episode / TRACK), episode / TRACK)
    tools = fields.table("provenance", "what it was made from").table("tools", "tools by role")
    names = {role: tools.table(role, "a tool").get("name", str, "its name") for role in tools.values}
    files = {role: tool_file(role, name, library) for role, name in names.items()}
    tracker = fields.get("tracker", str, "a tracker's name", BUILT_IN)
    choice = TrackerChoice(tracker) if tracker in TRACKERS else TrackerChoice()
    whole = read_note(episode / NOTE).task in WHOLE_TOOLS
    return TrackOrder(episode, files, fields.number("fps", "pictures a second"), choice, again=True, whole=whole)


def tracked_tools(track: EpisodeTrack, library: ToolLibrary) -> dict[str, Tool]:
    """Return the tools that a track is of, by role, as the library has them; what it does not have is left out."""
    found: dict[str, Tool] = {}
    for role, name in track.names.items():
        with suppress(DreamFileError):
            found[role] = read_tool(role, tool_file(role, name, library))
    return found


def _tools_of(note: EpisodeNote, episode: Path) -> Mapping[str, str]:
    known = held_tools(note) or TASK_TOOLS.get(note.task)
    if known:
        return known
    valid = f"a task of {list(TASK_TOOLS)}, or tools by role (--tools ROLE=NAME)"
    raise DreamFileError(episode / NOTE, "task", f"nobody said with which tools {note.task!r} is shown", valid)


def tool_file(role: str, name: str, library: ToolLibrary) -> Path:
    """Return the file of a tool of the library, or the file itself. Raises DreamFileError naming what is valid."""
    entries = {entry.name: entry for entry in library.entries()}
    if name in entries:
        return entries[name].path
    if Path(name).is_file():
        return Path(name)
    valid = f"a file, or a tool of the library: {list(entries)}"
    raise DreamFileError(name, f"tools.{role}", "is neither a tool of the library nor a file", valid)
