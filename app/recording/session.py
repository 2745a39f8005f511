"""The session behind page Record: from the picture of the bare scene to an episode that is kept or discarded."""

import logging
import time
from collections import Counter as Counts
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from app.events import Listener, Listeners
from app.recording.gates import Gate, gates
from app.recording.plan import Choice, RecordingPlan, Remembered, read_remembered, write_remembered
from app.recording.take_tools import held_details
from app.recording.work import CheckedTake, Moved, Scene, Take, TakeFiles
from hardware.recording.capture import CaptureSource, CaptureStatus
from hardware.recording.mcap_log import EpisodeReader
from hardware.recording.note import EpisodeFileError, EpisodeNote, Override, Verdict
from hardware.recording.session import Entry, Session, SessionBusy
from hardware.robots.arm_streams import ArmStreams
from hardware.types import Frame, Image

State = Literal["idle", "looking", "zeroing", "armed", "starting", "recording", "stopping", "review", "saving"]
Topic = Literal[
    "state", "gates", "progress", "scene", "take", "counter", "unfinished", "choice", "message", "saved"
]
STATUS_S = 0.1
BETWEEN: tuple[State, ...] = ("idle", "armed")  # the states between two takes
log = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True)
class _Job:
    """Work in the thread; then: takes its result in; back: the state where it fails, None: the one there is."""

    work: Future[Any]
    then: Callable[[], None]
    back: State | None


@dataclass(frozen=True)
class Counter:
    """How far it is. by_task: kept episodes by task."""

    kept: int
    goal: int
    discarded: int
    by_task: Mapping[str, int]


class RecordingSession:
    """One session folder and the devices that are recorded into it. Owned by one thread: every method is called
    there, and listeners are called there.

    What touches the disk or the devices runs in a thread and comes in by `pump()`, which the owner calls about
    every 30 ms. Nothing here blocks. A method called in the wrong state raises ValueError with a sentence for a
    person.

    Read: `state`, `choice`, `goal`, `scene`, `gates`, `overrides`, `status` (of the capture), `take`, `counter`,
    `unfinished` (episodes that a crash left behind), `read_only` ("" or why nothing can be recorded), `message`.
    """

    def __init__(
        self,
        capture: CaptureSource,
        folder: Path,
        remembered_file: Path,
        *,
        plan: RecordingPlan | None = None,
        details: Mapping[str, str] | None = None,
        arms: Callable[[], ArmStreams | None] = lambda: None,
        tools: Callable[[], Mapping[str, str]] = dict,
        moved: Moved = lambda _pictures: (),
    ) -> None:
        """details: what every episode's note is to say too, such as the rig's name and sha256; arms(): looks at the
        arms that are connected, None where there are none; tools(): what the next take is shown with, role ->
        built-in tool, empty where nobody knows; moved(pictures): which cameras stand otherwise than they were
        calibrated, said of the bare scene. Raises OSError."""
        self._capture, self._session, self._file = capture, Session(folder, shared=True), remembered_file
        self._files = TakeFiles(capture, self._session, arms, moved)
        self._plan, self._details, self._tools = plan, dict(details or {}), tools
        self._listeners = Listeners()
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")
        self._jobs: list[_Job] = []
        self._reader: EpisodeReader | None = None
        self._trash: list[Path] = []
        self._looked = 0.0
        self.state: State = "idle"
        self.scene: Scene | None = None
        self.take: Take | None = None
        self.overrides: dict[str, str] = {}
        self.message = self.read_only = ""
        self.status: CaptureStatus = capture.status()
        self.gates: tuple[Gate, ...] = ()
        self.unfinished: tuple[Entry, ...] = ()
        try:
            self._session.lock()
        except SessionBusy as error:
            self.read_only = str(error)
        self._kept = [entry.note for entry in self._session.kept() if entry.note is not None]
        self._discarded = len(self._session.discarded())
        remembered = read_remembered(remembered_file)
        self.goal = plan.goal if plan else remembered.goal
        self.choice = plan.next(self._kept, len(self._kept)) if plan else remembered.choice
        self._look(force=True)

    # read

    @property
    def folder(self) -> Path:
        return self._session.folder

    @property
    def counter(self) -> Counter:
        return Counter(len(self._kept), self.goal, self._discarded, Counts(n.task for n in self._kept))

    @property
    def can_undo(self) -> bool:
        return bool(self._trash) and self.state in BETWEEN

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    def newest(self, stream: str) -> Frame | None:
        """Return a camera's newest picture at preview size."""
        return self._capture.newest(stream)

    def frame_at(self, stream: str, t: float) -> Image | None:
        """Return picture (H, W, 3) of the take under review, t in seconds since its start."""
        if self._reader is None:
            return None
        frame = self._reader.frame_at(stream, self._reader.span[0] + t)
        return frame.rgb if frame is not None else None

    # choose

    def choose(self, choice: Choice, goal: int | None = None) -> None:
        """Say what the next takes show; it is remembered."""
        if not choice.task.strip():
            raise ValueError("task: is empty; valid: a name, such as push-shape")
        if goal is not None and goal < 1:
            raise ValueError(f"goal: {goal}; valid: 1 and more")
        self.choice, self.goal = choice, goal or self.goal
        try:
            write_remembered(self._file, Remembered(choice, self.goal, str(self.folder)))
        except OSError as error:
            self._say(f"{self._file}: the choice is not remembered: {error.strerror}")
        self._tell("choice", "counter")

    def use_plan(self, plan: RecordingPlan | None) -> None:
        """Sample the next takes from a plan, or from nothing."""
        self._plan = plan
        if plan is not None:
            self.choose(plan.next(self._kept, len(self._kept)), plan.goal)

    def override(self, gate: str, reason: str) -> None:
        """Pass a closed gate; the reason is written into every episode that needs it."""
        names = {g.name: g for g in self.gates}
        if gate not in names or not names[gate].may_override:
            raise ValueError(
                f"{gate}: it cannot be passed; {names[gate].text if gate in names else 'no such gate'}"
            )
        if not reason.strip():
            raise ValueError(f"{gate}: give a reason; it is written into the episode")
        self.overrides[gate] = reason.strip()
        self._tell("gates")

    def closed(self) -> tuple[Gate, ...]:
        """Return the gates that forbid a recording now."""
        return tuple(g for g in self.gates if not g.open and g.name not in self.overrides)

    # the life of a take

    def advance(self) -> None:
        """What Space does: take the scene's picture, start, stop."""
        actions = {"idle": self.take_scene, "armed": self.start, "recording": self.stop}
        if self.state in actions:
            actions[self.state]()

    def take_scene(self) -> None:
        """Take the bare scene's pictures and look for a hand or an arm in them."""
        self._in(*BETWEEN)
        self.overrides.pop("scene", None)
        self._do("looking", self._files.look_at_scene, self._scene_there)

    @property
    def forces(self) -> tuple[str, ...]:
        """The force sensors that are open."""
        return tuple(name for name, info in self._capture.streams.items() if info.kind == "force")

    def zero_force(self) -> None:
        """Take what every force sensor measures now for 0 N: nothing may be touched meanwhile."""
        self._in(*BETWEEN)
        names, back = self.forces, self.state
        if not names:
            raise ValueError("no force sensor is open; page Rig shows every device")
        self._do("zeroing", lambda: self._zero(names), lambda _: self._to(back))

    def _zero(self, streams: tuple[str, ...]) -> None:
        for stream in streams:
            self._capture.zero(stream)

    def start(self) -> None:
        """Record. Raises ValueError naming every gate that is closed."""
        self._in("armed")
        self._look(force=True)
        if self.closed():
            raise ValueError("; ".join(f"{g.name}: {g.text}" for g in self.closed()))
        used = tuple(Override(g.name, self.overrides[g.name]) for g in self.gates if not g.open)
        choice, scene = self.choice, self.scene
        note = EpisodeNote(
            "", 0, choice.task, object=choice.object, condition=choice.condition, instruction=choice.instruction,
            streams=tuple(self._capture.streams), overrides=used,
            details={**self._details, **held_details(self._tools())},
        )  # fmt: skip
        self._do("starting", lambda: self._files.start(note, scene), self._started)

    def stop(self) -> None:
        """End the take; it is then looked at."""
        self._in("recording")
        take = self.take
        if take is None:
            raise ValueError("there is no take to stop")
        # where even that fails, the episode waits among the unfinished ones
        self._do("stopping", lambda: self._files.stop(take), self._stopped, back="idle")

    def keep(self) -> None:
        """Save the take under review. Topic "saved" comes when a power cut cannot take it any more."""
        take = self._reviewed()
        self._do("saving", lambda: self._files.keep(take), self._was_kept)

    def discard(self) -> None:
        """Put the take under review into the trash; `undo` brings it back."""
        take = self._reviewed()
        self._do("saving", lambda: self._files.discard(take.folder), lambda at: self._was_discarded(at, False))

    def redo(self) -> None:
        """Discard the take and make the same one again."""
        take = self._reviewed()
        self._do("saving", lambda: self._files.discard(take.folder), lambda at: self._was_discarded(at, True))

    def discard_kept(self, number: int) -> None:
        """Put a kept episode into the trash; `undo` brings it back."""
        self._in(*BETWEEN)
        if number not in {note.number for note in self._kept}:
            raise ValueError(f"episode {number}: it is not among the kept ones")
        folder = self._session.episodes_folder / f"{number:06d}"
        self._do("saving", lambda: self._files.discard(folder), lambda at: self._was_discarded(at, True))

    def undo(self) -> None:
        """Bring back what was discarded last."""
        if not self.can_undo:
            raise ValueError("there is nothing to undo here")
        self._do("saving", lambda: self._files.restore(self._trash[-1]), self._restored)

    def review_unfinished(self, folder: Path) -> None:
        """Recover an episode that a crash left behind and look at it."""
        self._in(*BETWEEN)
        self._do("stopping", lambda: self._files.recover(folder), self._stopped)

    def add_verdicts(self, note: EpisodeNote, more: tuple[Verdict, ...]) -> None:
        """Take in what a slower check says of an episode, which may be under review, kept already, or gone."""
        if more and not self.read_only:
            self._follow(lambda: self._files.add_verdicts(note, more), lambda now: self._said_later(now, more))

    def pump(self) -> None:
        """Take in what was done, and how the devices are. Never blocks."""
        while self._jobs and self._jobs[0].work.done():
            job = self._jobs.pop(0)
            error = job.work.exception()
            if error is None:
                job.then()
            elif isinstance(error, (OSError, RuntimeError, EpisodeFileError, ValueError, TimeoutError)):
                self._failed(error, job.back)
            else:
                raise error
        self._look()

    def wait(self, timeout: float, *states: State) -> bool:
        """Pump until nothing is under way, or one of these states is reached. Without a window only."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.pump()
            if not self._jobs and (not states or self.state in states):
                return True
            time.sleep(0.005)
        return False

    def close(self) -> None:
        """End a recording (it is then unfinished, not lost) and let go of the folder. Safe to call twice."""
        self._disk.shutdown(wait=True)
        if self.state == "recording" and self.take is not None:
            try:
                self._files.stop(self.take)
            except (OSError, RuntimeError, EpisodeFileError) as error:
                log.warning("the last take is unfinished: %s", error)
        self._files.leave_arms()
        self._close_reader()
        self._session.close()
        self.state = "idle"

    # in the owner's thread

    def _scene_there(self, scene: Scene) -> None:
        self.scene = scene
        self._to("armed")
        self._look(force=True)
        self._tell("scene")

    def _started(self, take: Take) -> None:
        self.take = take
        self._say("")
        self._to("recording")

    def _stopped(self, take: Take) -> None:
        self.take = take
        self._look(force=True)
        self._say(take.problem)
        self._to("review")
        self._tell("take")
        self._follow(lambda: self._files.check(take), self._checked, "review")

    def _checked(self, found: CheckedTake) -> None:
        if self.take is not None and found.take.folder == self.take.folder:
            self._close_reader()
            self.take, self._reader = found.take, found.reader
            self._tell("take")
        else:
            found.reader.close()

    def _said_later(self, note: EpisodeNote | None, more: tuple[Verdict, ...]) -> None:
        if note is None:
            return
        if self.take is not None and self.take.note.id == note.id:
            self.take = replace(self.take, note=replace(self.take.note, verdicts=note.verdicts))
            self._tell("take")
        elif any(kept.id == note.id for kept in self._kept):
            self._kept = [note if kept.id == note.id else kept for kept in self._kept]
            self._say("; ".join(f"take {note.number}: {verdict.text}" for verdict in more))

    def _was_kept(self, note: EpisodeNote) -> None:
        self._kept.append(note)
        self._next(same=False)
        self._tell("saved")

    def _was_discarded(self, at: Path, same: bool) -> None:
        self._trash.append(at)
        self._discarded += 1
        self._kept = [note for note in self._kept if note.number != int(at.name[:6])]
        self._next(same=same)

    def _restored(self, take: Take) -> None:
        self._trash.pop()
        self._discarded -= 1
        if take.note.state == "kept":
            self._kept.append(take.note)
            self._to("idle" if self.scene is None else "armed")
            self._tell("counter")
        else:
            self._stopped(take)

    def _next(self, *, same: bool) -> None:
        self._close_reader()
        self.take = self.scene = None
        self.overrides.pop("scene", None)
        if self._plan is not None and not same:
            self.choice = self._plan.next(self._kept, len(self._kept))
        self._to("idle")
        self._look(force=True)
        self._tell("take", "scene", "counter", "choice")

    def _reviewed(self) -> Take:
        self._in("review")
        if self.take is None:
            raise ValueError("there is no take to decide on")
        return self.take

    def _in(self, *states: State) -> None:
        if self.read_only:
            raise ValueError(self.read_only)
        if self.state not in states:
            raise ValueError(f"not while {self.state}; valid while {' or '.join(states)}")

    def _do(
        self,
        state: State,
        work: Callable[[], Result],
        then: Callable[[Result], None],
        back: State | None = None,
    ) -> None:
        """Work in the thread; then, or where it fails, go to the state `back`, the one before unless given."""
        self._follow(work, then, back or self.state)
        self._to(state)

    def _follow(
        self, work: Callable[[], Result], then: Callable[[Result], None], back: State | None = None
    ) -> None:
        """Work in the thread; the state stays, unless it fails."""
        job = self._disk.submit(work)
        self._jobs.append(_Job(job, lambda: then(job.result()), back))

    def _failed(self, error: BaseException, back: State | None) -> None:
        self._to(back or self.state)
        self._look(force=True)
        self._say(str(error))

    def _look(self, *, force: bool = False) -> None:
        if not force and time.monotonic() - self._looked < STATUS_S:
            return
        self._looked = time.monotonic()
        self.status = self._capture.status()
        scene = self.scene.faults if self.scene else None
        found = gates(self._capture.streams, self.status, self.folder, writable=not self.read_only, scene=scene)
        for gate in found:
            if gate.open:
                self.overrides.pop(gate.name, None)
        if found != self.gates:
            self.gates = found
            self._tell("gates")
        if force:  # a folder of thousands is not listed ten times a second
            self._look_for_unfinished()
        if self.state == "recording":
            self._tell("progress")
            recording = self.status.recording
            if not self.status.alive or (recording is not None and recording.problem):
                self.stop()

    def _look_for_unfinished(self) -> None:
        left = self._session.unfinished() if not self.read_only and self.state in BETWEEN else ()
        if left != self.unfinished:
            self.unfinished = left
            self._tell("unfinished")

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _to(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._tell("state")

    def _say(self, message: str) -> None:
        if message != self.message:
            self.message = message
            self._tell("message")

    def _tell(self, *topics: Topic) -> None:
        for topic in topics:
            self._listeners.tell(topic)
