"""MegaPose as a tracker: each view alone in its own environment, then fused (Dreamitate, appendix D, as released).

A first estimate from a box, then from frame to frame two passes of five refinements, averaged.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from hardware.geometry import Array, transform
from hardware.types import Image
from models.tracking.blobs import Box, tool_boxes
from models.tracking.fusion import fused_tracker
from models.tracking.megapose_files import (
    LabelledBox,
    LabelledPose,
    pose_rows,
    poses_from_rows,
    write_boxes,
    write_image,
    write_scene,
)
from models.tracking.megapose_setup import WORKER, MegaPoseSetup, NotSetUp, find_setup
from models.tracking.per_view import IsCancelled, Progress, ViewTrack
from models.tracking.pictures import undistort
from models.tracking.rays import mean_rotation
from models.tracking.stereo_tracker import Cancelled
from models.tracking.trackers import TrackerChoice, TrackFunction
from models.tracking.worker_link import WorkerCancelled, WorkerError, WorkerLink
from models.types import Dream, Hint, PoseSource, Track

PROTOCOL = 1
REDRAW = 0.8
"""Score under which the authors ask for a new box: here the alarm level."""
LOST = 0.3
PASSES, REFINEMENTS = 2, 5


@dataclass(frozen=True)
class Patience:
    """How long each question may take [s]. Loading renders every mesh once; the first estimate takes about 2 s."""

    hello: float = 120.0
    load: float = 300.0
    estimate: float = 120.0
    refine: float = 60.0


def make(choice: TrackerChoice) -> TrackFunction:
    """Return MegaPose as the settings say where it is. Raises NotSetUp that says how to get it."""
    setup = find_setup(choice.settings)
    return tracker([setup.python, WORKER], setup)


def tracker(command: Sequence[str | Path], setup: MegaPoseSetup, patience: Patience | None = None) -> TrackFunction:
    """Return a tracker that starts the worker `command` for every dream and ends it after it."""

    def track(
        dream: Dream,
        *,
        hints: Sequence[Hint] = (),
        previous: Track | None = None,
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Track:
        environment = {"MEGAPOSE_DATA_DIR": str(setup.data)}
        with (
            tempfile.TemporaryDirectory(prefix="dreamdeck-megapose-") as scratch,
            WorkerLink("MegaPose", command, environment) as link,
        ):
            worker = _Worker(link, Path(scratch), patience or Patience(), cancelled)
            if progress is not None:
                progress(0.0, "MegaPose is starting")
            try:
                worker.start(dream)
                fused = fused_tracker(partial(_one_view, worker), "megapose")
                return fused(dream, hints=hints, progress=progress, cancelled=cancelled)
            except WorkerCancelled as stop:
                raise Cancelled("tracking was cancelled") from stop

    return track


class _Worker:
    """The questions that MegaPose answers, in the words of this program."""

    def __init__(
        self, link: WorkerLink, scratch: Path, patience: Patience, cancelled: Callable[[], bool] | None
    ) -> None:
        self._link, self._scratch, self._patience, self._cancelled = link, scratch, patience, cancelled

    def start(self, dream: Dream) -> None:
        """Check its versions and let it load the meshes. Raises WorkerError, NotSetUp."""
        for v, view in enumerate(dream.views):
            write_scene(self.folder(v), view.camera, dream.tools)
        try:
            hello = self._ask("hello", self._patience.hello)
            if hello.get("protocol") != PROTOCOL:
                raise WorkerError(
                    f"MegaPose: its worker speaks protocol {hello.get('protocol')!r}; valid: {PROTOCOL}"
                )
            labels = self._ask("load", self._patience.load, folder=str(self.folder(0))).get("labels")
        except WorkerError as error:
            if error.kind in ("import", "weights", "device"):
                raise NotSetUp(str(error)) from error
            raise
        if labels != sorted(dream.tools):
            raise WorkerError(f"MegaPose: it loaded {labels!r}; valid: {sorted(dream.tools)}")

    def folder(self, view: int) -> Path:
        return self._scratch / f"view{view}"

    def show(self, view: int, t: int, rgb: Image) -> str:
        """Write picture t of a view once; return its name in the folder."""
        name = f"frames/{t:04d}.png"
        if not (self.folder(view) / name).exists():
            write_image(self.folder(view), rgb, name)
        return name

    def estimate(self, view: int, image: str, boxes: Sequence[LabelledBox]) -> list[LabelledPose]:
        """Return a pose for every box."""
        write_boxes(self.folder(view), boxes)
        return self._poses("estimate", self._patience.estimate, view, image, [box.label for box in boxes])

    def refine(self, view: int, image: str, pose: LabelledPose) -> LabelledPose:
        """Return the pose after the passes of one frame, averaged, its score too."""
        passes: list[LabelledPose] = []
        for _ in range(PASSES):
            start = pose_rows([passes[-1] if passes else pose])
            more: dict[str, object] = {"objects": start, "iterations": REFINEMENTS}
            passes += self._poses("refine", self._patience.refine, view, image, [pose.label], **more)
        return _mean(passes)

    def _poses(
        self, what: str, patience: float, view: int, image: str, labels: list[str], **more: object
    ) -> list[LabelledPose]:
        answer = self._ask(what, patience, folder=str(self.folder(view)), image=image, **more)
        try:
            poses = list(poses_from_rows(answer.get("objects")))
        except ValueError as error:
            raise WorkerError(f"MegaPose: {what}: {error}") from error
        if [pose.label for pose in poses] != labels or any(np.isnan(pose.score) for pose in poses):
            got = [(pose.label, pose.score) for pose in poses]
            raise WorkerError(f"MegaPose: {what}: it answered with {got}; valid: one scored pose each of {labels}")
        return poses

    def _ask(self, what: str, patience: float, **fields: object) -> dict[str, object]:
        return self._link.ask(what, patience, self._cancelled, **fields)


class _ViewRun:
    """One view of one dream: a pose per tool and frame, or None."""

    def __init__(self, worker: _Worker, dream: Dream, view: int) -> None:
        self.worker, self.dream, self.view = worker, dream, view
        self.frames = undistort(dream.views[view].frames, dream.views[view].camera)
        self.found: dict[str, list[LabelledPose | None]] = {role: [None] * len(dream) for role in dream.tools}

    def image(self, t: int) -> str:
        return self.worker.show(self.view, t, self.frames[t])

    def boxes(self, t: int) -> list[Box]:
        """Return the boxes of as many things as there are tools, or of fewer."""
        return tool_boxes(self.frames[t], self.frames[0], len(self.dream.tools))

    def begin(self, hints: Mapping[str, Mapping[int, Box]]) -> dict[str, int]:
        """Find each tool once: in a person's box, or where as many things are new as there are tools; say when."""
        starts: dict[str, int] = {}
        for role, boxes in hints.items():
            t = min(boxes)
            self.found[role][t] = self.worker.estimate(self.view, self.image(t), [LabelledBox(role, boxes[t])])[0]
            starts[role] = t
        left = [role for role in self.dream.tools if role not in starts]
        for t in range(1, len(self.dream)):
            boxes_now = self.boxes(t) if left else []
            if left and len(boxes_now) == len(self.dream.tools):
                starts |= dict.fromkeys(left, t)
                self.share_out(left, boxes_now, t)
                break
        return starts

    def share_out(self, roles: Sequence[str], boxes: Sequence[Box], t: int) -> None:
        """Give each tool the box that it fits best, no box twice: order from left to right says nothing in a camera
        that stands on its head."""
        asked = [LabelledBox(role, box) for role in roles for box in boxes]
        poses = self.worker.estimate(self.view, self.image(t), asked)
        score = np.array([pose.score for pose in poses]).reshape(len(roles), len(boxes))
        for i, j in zip(*linear_sum_assignment(-score), strict=True):
            self.found[roles[i]][t] = poses[i * len(boxes) + j]

    def follow(self, role: str, start: int, hints: Mapping[int, Box]) -> None:
        """Refine from frame to frame, both ways from where the tool was found."""
        for way in (range(start + 1, len(self.dream)), range(start - 1, 0, -1)):
            last = self.found[role][start]
            for t in way:
                now = self.step(role, t, last, hints.get(t))
                self.found[role][t] = now
                last = now or last

    def step(self, role: str, t: int, last: LabelledPose | None, hint: Box | None) -> LabelledPose | None:
        """One frame: a person's box holds; else the last pose is refined, and a poor score has the boxes tried."""
        image = self.image(t)
        if hint is not None:
            return self.worker.estimate(self.view, image, [LabelledBox(role, hint)])[0]
        now = self.worker.refine(self.view, image, last) if last is not None else None
        if now is None or now.score < REDRAW:
            boxes = [LabelledBox(role, box) for box in self.boxes(t)]
            tried = self.worker.estimate(self.view, image, boxes) if boxes else []
            now = max([pose for pose in (now, *tried) if pose is not None], key=lambda p: p.score, default=None)
        return now if now is not None and now.score > LOST else None


def _one_view(
    worker: _Worker,
    dream: Dream,
    view: int,
    *,
    hints: Sequence[Hint],
    progress: Progress | None,
    cancelled: IsCancelled | None,
) -> Mapping[str, ViewTrack]:
    """The per-view tracker that `fusion` asks for; `cancelled` is the worker's affair."""
    run = _ViewRun(worker, dream, view)
    drawn: dict[str, dict[int, Box]] = {}
    for hint in hints:
        drawn.setdefault(hint.tool, {})[hint.t] = hint.box
    starts = run.begin(drawn)
    for i, (role, t) in enumerate(starts.items()):
        if progress is not None:
            progress(i / len(starts), f"MegaPose follows {role}")
        run.follow(role, t, drawn.get(role, {}))
    return {role: _track(found, set(drawn.get(role, ()))) for role, found in run.found.items()}


def _track(found: Sequence[LabelledPose | None], hinted: set[int]) -> ViewTrack:
    poses = np.array([np.full((4, 4), np.nan) if pose is None else pose.T_cam_tool for pose in found])
    score = [0.0 if pose is None else pose.score for pose in found]
    source: list[PoseSource] = ["lost" if p is None else "tracked" for p in found]
    for t in hinted:
        source[t] = source[t] if found[t] is None else "hinted"
    return ViewTrack(poses, confidence(np.array(score)), tuple(source))


def confidence(score: Array) -> Array:
    """Return confidence 0..1 of scores 0..1: the authors' limit becomes the alarm level."""
    return np.asarray(np.interp(score, [0.0, REDRAW, 1.0], [0.0, 0.5, 1.0]))


def _mean(poses: Sequence[LabelledPose]) -> LabelledPose:
    T = np.array([pose.T_cam_tool for pose in poses])
    mean = transform(mean_rotation(T[:, :3, :3]), T[:, :3, 3].mean(axis=0))
    return LabelledPose(poses[0].label, mean, float(np.mean([pose.score for pose in poses])))
