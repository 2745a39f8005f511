"""The session behind page Dream: one dream, its track, a person's corrections and the plan made from them."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.dreams.document import DreamDocument, WorstFrame
from app.dreams.edits import (
    AddCut,
    AddHint,
    Edit,
    MarkSpan,
    RemoveCut,
    RemoveHint,
    RemovePose,
    Review,
    SetPose,
    SetTrim,
    UseTracker,
)
from app.dreams.example import example_folder
from app.dreams.import_files import import_dropped
from app.dreams.plan_making import plan_dream
from app.dreams.track_shelf import track_sha256
from app.events import Listener, Listeners
from app.ledger import Ledger, LedgerError
from app.provenance import record_dream, record_track
from app.settings import tracker_settings
from app.worker import Callbacks, Worker
from app.workspace import Workspace
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.types import ArmLimits, Image, Plan
from models.corrections import copied_hints, pose_values
from models.data.dream_folder import is_dream_folder
from models.tracking.trackers import BUILT_IN, TrackerChoice
from models.types import Cut, CutKind, Dream, Hint, PoseFix, Track

Topic = Literal["dream", "track", "edits", "progress", "plan", "message"]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """What runs in the background. what: "tracking" or "planning"; fraction 0..1; left_s [s], None: unknown."""

    what: str
    fraction: float
    text: str
    left_s: float | None


class DreamSession:
    """One open dream. Owned by one thread: every method is called there, and listeners are called there.

    Work in the background (tracking in the worker process, planning in a thread) comes in only by `pump()`, which
    the owner calls about every 30 ms (a QTimer), or by `wait()` without a window. Nothing here blocks for long.

    Read: `dream`, `folder`, `track` (of the current hints, else the last one, a person's poses and marks in it),
    `stale` (the track is not that of the current hints and cuts), `review` (all corrections), `original` (what the
    tracker said by itself), `hints`, `trim` (first, last frame, inclusive), `plan` (None once anything changed),
    `progress` (None: idle), `message` (what went wrong last, for a person; "" for nothing), `can_undo`, `can_redo`,
    `dream_id`, `track_id` (the ledger's, "" where there is none).
    """

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        *,
        track_job: str = "app.dreams.track_job:track_folder",
        cut_job: str = "app.dreams.cut_job:track_with_cuts",
    ) -> None:
        self._workspace, self._ledger = workspace, ledger
        self._listeners, self._worker = Listeners(), Worker()
        self._planner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="planning")
        self._planning: Future[Plan] | None = None
        self._planned_from: object = None
        self._document: DreamDocument | None = None
        self._track_job, self._cut_job, self._job_started = track_job, cut_job, 0.0
        self._tracked_document: DreamDocument | None = None
        self.plan: Plan | None = None
        self.device = ""  # where trackers compute; "": where each usually does
        self.progress: Progress | None = None
        self.message = ""
        self.dream_id = self.track_id = ""

    # read

    @property
    def dream(self) -> Dream | None:
        return self._document.dream if self._document else None

    @property
    def folder(self) -> Path | None:
        return self._document.folder if self._document else None

    @property
    def track(self) -> Track | None:
        return self._document.track if self._document else None

    @property
    def stale(self) -> bool:
        return self._document is not None and self._document.stale

    @property
    def review(self) -> Review | None:
        return self._document.review if self._document else None

    @property
    def original(self) -> Track | None:
        return self._document.original if self._document else None

    @property
    def hints(self) -> tuple[Hint, ...]:
        return self._document.hints if self._document else ()

    @property
    def tracker(self) -> str:
        """The tracker whose track counts."""
        return self._document.tracker if self._document else BUILT_IN

    @property
    def boxes(self) -> tuple[Hint, ...]:
        """What trackers are given: the boxes, those that corrected poses imply too."""
        return self._document.recipe.hints if self._document else ()

    @property
    def tracks_at_hand(self) -> tuple[Track, ...]:
        """What each tracker said by itself from those boxes, where that is kept."""
        return self._document.tracks_at_hand if self._document else ()

    @property
    def trim(self) -> tuple[int, int]:
        return self._document.trim if self._document else (0, 0)

    @property
    def can_undo(self) -> bool:
        return self._document is not None and self._document.can_undo

    @property
    def can_redo(self) -> bool:
        return self._document is not None and self._document.can_redo

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    def dreams(self) -> tuple[Path, ...]:
        """Folders of the dreams in the workspace, newest first."""
        folders = [path for path in self._workspace.dreams.iterdir() if is_dream_folder(path)]
        return tuple(sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True))

    def frame_at(self, view: str, t: int) -> Image:
        """Return picture t (H, W, 3) of a view; KeyError lists the views, IndexError the range."""
        return self._require().frame_at(view, t)

    def worst_frame(self) -> WorstFrame | None:
        """Return the least confident frame inside the trim, None without a track."""
        return self._document.worst_frame() if self._document else None

    # open

    def open(self, folder: Path, plan: Plan | None = None) -> None:
        """Open a dream folder. plan: one that was made of its track already, for where the arms stand now.

        Raises DreamFileError naming file and field; what was open stays open.
        """
        document = DreamDocument(folder)
        self.cancel()
        self._worker.start()
        self._document = document
        self.message, self.dream_id, self.track_id = "", "", ""
        self._forget_plan()
        self.dream_id = self._record(lambda: record_dream(self._ledger, document.dream, document.folder))
        self._record_track()
        if plan is not None and document.track is not None and plan.track_sha256 == track_sha256(document.track):
            self.plan = plan
        for topic in ("dream", "track", "edits", "plan", "message"):
            self._listeners.tell(topic)

    def open_example(self) -> None:
        """Open the built-in rendered dream (copied into the workspace on first use)."""
        self.open(example_folder(self._workspace))

    def open_dropped(self, paths: tuple[Path, ...]) -> None:
        """Open what was dropped on the window: a dream folder, or the files of the published layout.

        A video alone is enough where scene photos, calibration and meshes lie beside it under recognisable names.
        Raises DreamFileError saying which file is missing or wrong.
        """
        if len(paths) == 1 and is_dream_folder(paths[0]):
            self.open(paths[0])
        else:
            self.open(import_dropped(paths, self._workspace))

    # edit

    def add_hint(self, hint: Hint) -> None:
        """A person's box; replaces one of the same tool, view and frame. Undoable. Raises ValueError."""
        self._edit(AddHint(hint))

    def remove_hint(self, hint: Hint) -> None:
        self._edit(RemoveHint(hint))

    def copy_hints(self, tool: str, t: int) -> int:
        """Copy the boxes of a tool in a frame to the views without one, by its pose there; return how many.

        Undoable, one by one. Raises ValueError where there is no box, or no pose to see it from the other view by.
        """
        dream, poses = self._require().dream, self.track.tools[tool] if self.track else None
        here = [hint for hint in self.hints if (hint.tool, hint.t) == (tool, t)]
        if not here:
            raise ValueError(f"{tool} tool: no box in frame {t}: draw one first (B)")
        if poses is None or not poses.found[t]:
            raise ValueError(f"{tool} tool: no pose in frame {t} to see the other view's box by: track it first")
        boxed = {hint.view for hint in here}
        copies = [c for c in copied_hints(dream, here[-1], poses.T_view1_tool[t]) if c.view not in boxed]
        for hint in copies:
            self._edit(AddHint(hint))
        return len(copies)

    def set_pose(self, tool: str, t: int, T_view1_tool: Array) -> None:
        """Give a tool a pose in a frame; it holds hard, and where it is tracked again too. Undoable."""
        self._edit(SetPose(PoseFix(tool, t, pose_values(T_view1_tool))))

    def remove_pose(self, fix: PoseFix) -> None:
        self._edit(RemovePose(fix))

    def mark_untracked(self, tool: str, first: int, last: int, untracked: bool = True) -> None:
        """Say that a tool's poses in frames first..last are wrong, or take that back. Undoable."""
        self._edit(MarkSpan(tool, first, last, untracked))

    def cut(self, kind: CutKind, tool: str, t: int) -> None:
        """Let a tool's track begin anew at a frame: "split" or "restart" (see models.types.Cut). Undoable.

        The track is stale until it is tracked again. Raises ValueError where a restart finds no pose.
        """
        poses = self.track.tools[tool] if self.track is not None else None
        if kind == "restart" and (poses is None or not poses.found[t]):
            raise ValueError(f"restart: {tool} tool has no pose in frame {t}; go where it has one")
        pose = pose_values(poses.T_view1_tool[t]) if kind == "restart" and poses is not None else ()
        self._edit(AddCut(Cut(kind, tool, t, pose)))

    def remove_cut(self, cut: Cut) -> None:
        self._edit(RemoveCut(cut))

    def set_trim(self, first: int, last: int) -> None:
        """Keep frames first..last, inclusive. Undoable. Raises ValueError."""
        self._edit(SetTrim(first, last))

    def use_tracker(self, tracker: str, track: Track | None = None) -> None:
        """Let this tracker's track count; track: one that it made already. Undoable. Raises ValueError."""
        if track is not None:
            self._require().shelve(track)
        self._edit(UseTracker(tracker))

    def undo(self) -> None:
        self._change(self._require().undo)

    def redo(self) -> None:
        self._change(self._require().redo)

    # compute

    def retrack(self) -> None:
        """Track in the worker process with the current hints; the result comes by `pump()`, topic "track"."""
        document = self._require()
        if self._worker.busy:
            raise ValueError("a dream is being tracked already: cancel that first")
        self._say("")
        self._job_started, self._tracked_document = time.monotonic(), document
        self._set_progress(Progress("tracking", 0.0, "starting", None))
        recipe = document.recipe
        self._worker.submit(
            self._cut_job if recipe.cuts else self._track_job,
            document.folder,
            recipe.hints,
            document.extended_track,
            TrackerChoice(document.tracker, self.device, tracker_settings(self._workspace)),
            *([recipe.cuts] if recipe.cuts else []),
            callbacks=Callbacks(self._tracked, self._tracking_failed, self._tracking_progress),
        )

    def cancel(self) -> None:
        """Give up the tracking that runs; the last track stays."""
        self._worker.cancel()

    def make_plan(
        self,
        rig: Rig,
        *,
        speed_scale: float = 1.0,
        first_run: bool = True,
        limits: Mapping[str, ArmLimits] | None = None,
        q_start: Mapping[str, Array] | None = None,
        from_frame: float | None = None,
        give_way: float | None = None,
    ) -> None:
        """Plan the current track for the rig's arms in a thread; the result comes by `pump()`, topic "plan".

        limits, q_start by arm: as read back and measured, where the arms are connected (see plan_dream).
        from_frame: where a paused run stands in the clip; only the rest is planned then, with an approach to it.
        give_way: the force [N] over which arms that feel one give way; None: all are stiff.
        """
        dream, track = self._require().dream, self.track
        if track is None:
            raise ValueError("there is no track yet: track the dream first")
        if self.stale:
            raise ValueError("corrections have changed since the dream was tracked: track it again first")
        if self._planning is not None:
            raise ValueError("a plan is being made already")
        self._say("")
        self._forget_plan()
        self._set_progress(Progress("planning", 0.0, "planning", None))
        self._planned_from = (track, self.trim)
        first, last = self.trim
        if from_frame is not None:
            first = max(first, math.ceil(from_frame))
        self._planning = self._planner.submit(
            plan_dream,
            dream,
            track,
            (first, last),
            rig,
            speed_scale=speed_scale,
            first_run=first_run,
            limits=limits,
            q_start=q_start,
            give_way=give_way,
        )

    def pump(self) -> None:
        """Take in what the background finished. Never blocks."""
        self._worker.pump()
        if self._planning is not None and self._planning.done():
            planning, self._planning = self._planning, None
            self._set_progress(None)
            self._planned(planning)

    def wait(self, timeout: float) -> bool:
        """Pump until the background is idle; False when it took over `timeout` [s]. Without a window only."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.pump()
            if not self._worker.busy and self._planning is None:
                return True
            self._worker.wait(0.05) if self._worker.busy else time.sleep(0.01)
        return False

    def close(self) -> None:
        """End the worker process and the planning thread. Safe to call twice."""
        self._worker.close()
        self._planner.shutdown(wait=True, cancel_futures=True)

    def _edit(self, edit: Edit) -> None:
        document = self._require()
        self._change(lambda: document.edit(edit))

    def _change(self, change: Callable[[], bool]) -> None:
        before = self._poses()
        try:
            changed = change()
        except OSError as error:
            changed = True
            self._say(f"{self.folder}: corrections are not saved: {error}; free some room and edit again")
        if not changed:
            return
        self._forget_plan()
        if self._poses() is not before:
            self._record_track()
            self._listeners.tell("track")
        self._listeners.tell("edits")

    def _poses(self) -> object:
        return self.track.tools if self.track is not None else None

    def _tracking_progress(self, fraction: float, text: str) -> None:
        spent = time.monotonic() - self._job_started
        left = spent * (1 - fraction) / fraction if fraction > 0.05 else None
        self._set_progress(Progress("tracking", fraction, text, left))

    def _tracked(self, track: Track) -> None:
        self._set_progress(None)
        document = self._tracked_document
        if document is None or document is not self._document:
            # another dream was opened meanwhile
            return
        try:
            document.put_track(track)
        except OSError as error:
            self._say(f"{self.folder}: the track is not saved: {error}; free some room and track again")
        self._forget_plan()
        self._record_track()
        self._listeners.tell("track")

    def _tracking_failed(self, reason: str) -> None:
        self._set_progress(None)
        if reason != "cancelled":
            self._say(f"tracking failed: {reason}")

    def _planned(self, planning: "Future[Plan]") -> None:
        if self._planned_from != (self.track, self.trim):
            log.info("what was being planned has changed meanwhile: that plan is dropped")
            self._listeners.tell("plan")
            return
        try:
            self.plan = planning.result()
        except ValueError as error:
            self._say(f"no plan: {error}")
        except Exception as error:
            log.exception("planning failed")
            self._say(f"planning failed: {type(error).__name__}: {error}")
        self._listeners.tell("plan")

    def _forget_plan(self) -> None:
        if self.plan is not None:
            self.plan = None
            self._listeners.tell("plan")

    def _record_track(self) -> None:
        document, track = self._document, self.track
        if document is not None and track is not None and self.dream_id:
            self.track_id = self._record(lambda: record_track(self._ledger, track, document.folder, self.dream_id))

    def _record(self, write: Callable[[], str]) -> str:
        """Put something in the ledger; where that fails a person is told, and the work goes on."""
        try:
            return write()
        except (LedgerError, OSError) as error:
            self._say(str(error))
            return ""

    def _require(self) -> DreamDocument:
        if self._document is None:
            raise ValueError("no dream is open: open one first")
        return self._document

    def _set_progress(self, progress: Progress | None) -> None:
        self.progress = progress
        self._listeners.tell("progress")

    def _say(self, message: str) -> None:
        if message != self.message:
            self.message = message
            self._listeners.tell("message")
