"""A calibration under way: pictures are looked at as they come, views taken when the board rests somewhere new, and
solved while more are taken. Without a window."""

import datetime
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

import cv2
import numpy as np

from app.calibrated_rig import EXTRINSICS
from app.calibration_store import Calibration
from app.events import Listener, Listeners
from hardware.calibration.board import Board, BoardView, detect
from hardware.calibration.extrinsics import ADVICE as SHARED_ADVICE
from hardware.calibration.extrinsics import ExtrinsicsResult, solve_extrinsics
from hardware.calibration.hand_eye import HandEyeResult, Kind, solve_hand_eye
from hardware.calibration.intrinsics import IntrinsicsResult, solve_intrinsics
from hardware.calibration.lens import board_pose
from hardware.calibration.poses import pose_difference
from hardware.calibration.report import NEW_SHARE, Coverage, Report, coverage, same_view
from hardware.geometry import Array
from hardware.types import Camera, Frame, Image

Task = Literal["lens", "cameras", "wrist", "stand"]
TITLES: Mapping[Task, str] = {
    "lens": "Lens of one camera",
    "cameras": "Cameras to each other",
    "wrist": "Camera on the wrist",
    "stand": "Camera on its stand, to the arm",
}
LEAST: Mapping[Task, int] = {"lens": 8, "cameras": 4, "wrist": 5, "stand": 5}
STILL_PX = 0.8  # of a picture 640 wide: a board whose corners move less between two looks rests
STILL_S = 0.35
ARM_STILL_M, ARM_STILL_RAD = 3e-4, 5e-4  # between two looks
LOOK_S = 0.1
Grab = Callable[[str], Frame | None]
Flange = Callable[[], Array | None]
Result = IntrinsicsResult | ExtrinsicsResult | HandEyeResult
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Taken:
    """One capture: the board as each camera saw it; T_base_flange (4, 4) where an arm belongs to it; T_cam_board
    (4, 4) in the first camera, by the lens as it was known, None where that one saw none."""

    views: Mapping[str, BoardView]
    T_base_flange: Array | None
    T_cam_board: Array | None


@dataclass(frozen=True, eq=False)
class Seen:
    """What one camera shows now: corners (N, 2) as shares of its picture, or why there are none."""

    corners: Array = field(default_factory=lambda: np.zeros((0, 2)))
    problem: str = ""


@dataclass(frozen=True, eq=False)
class _Look:
    views: Mapping[str, BoardView]
    seen: Mapping[str, Seen]
    T_base_flange: Array | None
    T_cam_board: Array | None
    frames: Mapping[str, Frame]


class CalibrationSession:
    """Owned by one thread, which calls `pump` about every 30 ms; looking and solving happen in threads of its own.

    Read: `task`, `cameras`, `board`, `taken`, `seen` (by camera), `covered` (of the first
    camera's picture, by the lens as it is known now), `result`, `problem` ("" or why there is
    no result yet), `resting` (the board lies still now), `solving`. Topics: "seen", "taken", "result".
    """

    def __init__(
        self, task: Task, cameras: Sequence[Camera], board: Board, grab: Grab, flange: Flange = lambda: None
    ) -> None:
        """cameras: as they are known now, for a lens only name, size and model count; grab(name): the newest
        picture at full size, may take a while; flange(): T_base_flange (4, 4) of the arm, None while it is not
        known."""
        self.task, self.cameras, self.board = task, tuple(cameras), board
        self._grab, self._flange = grab, flange
        self._listeners = Listeners()
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="calibration")
        self._looking: Future[_Look] | None = None
        self._solving: Future[Result] | None = None
        self._solve_again = False
        self._looked = 0.0
        self._before: Mapping[str, BoardView] = {}
        self._still_since, self._arm_since = np.inf, -np.inf
        self._last: _Look | None = None
        self.automatic = True
        self.taken: tuple[Taken, ...] = ()
        self.covered = coverage(board, [], [])
        self.seen: Mapping[str, Seen] = {}
        self.resting = False
        self.result: Result | None = None
        self.problem = ""
        self.closed = False

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    @property
    def solving(self) -> bool:
        return self._solving is not None or self._solve_again

    @property
    def report(self) -> Report | None:
        return self.result.report if self.result is not None else None

    @property
    def can_take(self) -> bool:
        return self._last is not None and self._complete(self._last)

    def _covered(self) -> Coverage:
        name = self.cameras[0].name
        views = [one.views[name] for one in self.taken if name in one.views]
        return coverage(self.board, views, [one.T_cam_board for one in self.taken if one.T_cam_board is not None])

    @property
    def pictures(self) -> Mapping[str, Image]:
        """What each camera showed last, (H, W, 3)."""
        return {} if self._last is None else {name: frame.rgb for name, frame in self._last.frames.items()}

    @property
    def step(self) -> str:
        """What to do next, in words."""
        left = LEAST[self.task] - len(self.taken)
        if not self.taken:
            return {
                "lens": "Hold the board still in front of the camera. It is taken by itself.",
                "cameras": "Hold the board still where two cameras or more see it.",
                "wrist": "Lay the board on the table. Move the arm to look at it, and hold still.",
                "stand": "Fix the board to the flange. Move it in front of the camera, and hold still.",
            }[self.task]
        if self.task in ("wrist", "stand"):
            return (
                f"Lean the wrist to another side, {left} more at least."
                if left > 0
                else "Enough. More make it surer."
            )
        advice = self.covered.advice if self.task == "lens" else SHARED_ADVICE if left > 0 else ""
        if left > 0:
            return f"{advice or 'Move the board.'} {left} more at least."
        return advice or "Enough. More views make it surer."

    def pump(self) -> None:
        """Take in what was seen and solved; never blocks."""
        if self.closed:
            return
        if self._looking is not None and self._looking.done():
            done, self._looking = self._looking, None
            self._take_in(done.result())
        if self._looking is None and time.monotonic() - self._looked >= LOOK_S:
            self._looked = time.monotonic()
            self._looking = self._pool.submit(self._look)
        if self._solving is not None and self._solving.done():
            solved, self._solving = self._solving, None
            self._solved(solved)
        if self._solve_again and self._solving is None:
            self._solve_again = False
            self._solving = self._pool.submit(self._solve, self.taken)

    def take(self) -> None:
        """Take what is seen now, whether it rests or not."""
        if self._last is not None and self._complete(self._last):
            self._keep(self._last)

    def remove(self, at: int) -> None:
        """Take a view out again."""
        self.taken = tuple(one for k, one in enumerate(self.taken) if k != at)
        self._changed()

    def calibration(self, rig: str) -> Calibration:
        """Return the result as it is kept. Raises ValueError where there is none, or one that has to be done
        again."""
        result, report = self.result, self.report
        if result is None or report is None:
            raise ValueError(self.problem or f"{len(self.taken)} views; valid: {LEAST[self.task]} or more")
        if report.verdict == "again":
            raise ValueError(report.words)
        made = datetime.datetime.now(datetime.UTC)
        name = self.cameras[0].name
        common = Calibration(
            "intrinsics", rig, name, made, report.verdict, report.words,
            sigma=dict(report.sigma), rms_px=report.rms, board=f"{self.board.name}: {self.board.words}",
        )  # fmt: skip
        if isinstance(result, IntrinsicsResult):
            return replace(common, cameras=(replace(result.camera, T_world_cam=None),))
        if isinstance(result, ExtrinsicsResult):
            poses = {f"T_view1_{camera}": T for camera, T in result.T_view1_cam.items()}
            return replace(common, kind="extrinsics", subject=EXTRINSICS, poses=poses)
        key = "T_flange_cam" if result.kind == "wrist" else "T_base_cam"
        return replace(common, kind="hand_eye", poses={key: result.T_hand_cam})

    def close(self) -> None:
        """End the threads. Safe to call twice."""
        self.closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    # inside ----------------------------------------------------------------------------------------------------
    def _look(self) -> _Look:
        views: dict[str, BoardView] = {}
        seen: dict[str, Seen] = {}
        frames: dict[str, Frame] = {}
        for camera in self.cameras:
            try:
                frame = self._grab(camera.name)
            except (OSError, RuntimeError) as error:
                seen[camera.name] = Seen(problem=str(error))
                continue
            if frame is None:
                seen[camera.name] = Seen(problem="no picture yet")
                continue
            frames[camera.name] = frame
            sighting = detect(np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8), self.board)
            if sighting.view is None:
                seen[camera.name] = Seen(problem=sighting.problem)
                continue
            views[camera.name] = sighting.view
            seen[camera.name] = Seen(sighting.view.pixels / np.array(sighting.view.size))
        flange = self._flange() if self.task in ("wrist", "stand") else None
        return _Look(views, seen, flange, self._board_pose(views), frames)

    def _board_pose(self, views: Mapping[str, BoardView]) -> Array | None:
        first = self.cameras[0]
        try:
            return board_pose(first, self.board, views[first.name]) if first.name in views else None
        except ValueError:
            return None

    def _take_in(self, look: _Look) -> None:
        if look.frames and self._last is not None and _same_frames(look.frames, self._last.frames):
            return  # the same pictures say nothing of whether it rests
        now = time.monotonic()
        if self._last is None or _arm_moved(self._last.T_base_flange, look.T_base_flange):
            self._arm_since = now
        self.seen, self._last = look.seen, look
        # a picture from before the arm stood shows the board elsewhere
        fresh = all(look.frames[name].t_host >= self._arm_since for name in look.views)
        still = (
            bool(look.views)
            and (fresh or look.T_base_flange is None)
            and all(
                name in self._before and _moved(self._before[name], view) < STILL_PX * view.size[0] / 640
                for name, view in look.views.items()
            )
        )
        self._before = look.views
        self._still_since = min(self._still_since, now) if still else np.inf
        self.resting = still and now - self._still_since >= STILL_S
        if self.automatic and self.resting and self._complete(look) and self._is_new(look):
            self._keep(look)
        self._listeners.tell("seen")

    def _complete(self, look: _Look) -> bool:
        needed = 2 if self.task == "cameras" else 1
        arm = self.task not in ("wrist", "stand") or look.T_base_flange is not None
        return len(look.views) >= needed and arm

    def _is_new(self, look: _Look) -> bool:
        return not any(
            all(
                name in one.views and same_view(view, one.views[name], NEW_SHARE)
                for name, view in look.views.items()
            )
            for one in self.taken
        )

    def _keep(self, look: _Look) -> None:
        self.taken = (*self.taken, Taken(dict(look.views), look.T_base_flange, look.T_cam_board))
        self._changed()

    def _changed(self) -> None:
        self.covered = self._covered()
        if len(self.taken) >= LEAST[self.task]:
            self._solve_again = True
        else:
            self.result, self.problem = None, ""
        self._listeners.tell("taken")

    def _solve(self, taken: tuple[Taken, ...]) -> Result:
        first = self.cameras[0]
        if self.task == "lens":
            views = [one.views[first.name] for one in taken]
            return solve_intrinsics(first.name, views, self.board, first.model)
        if self.task == "cameras":
            return solve_extrinsics(self.cameras, [one.views for one in taken], self.board)
        pairs = [(one.views[first.name], one.T_base_flange) for one in taken]
        poses = [T for _, T in pairs if T is not None]
        where: Kind = "wrist" if self.task == "wrist" else "stand"
        return solve_hand_eye(where, first, self.board, [view for view, _ in pairs], poses)

    def _solved(self, solved: "Future[Result]") -> None:
        if len(self.taken) < LEAST[self.task]:
            return
        error = solved.exception()
        if error is None:
            self.result, self.problem = solved.result(), ""
        elif isinstance(error, ValueError):
            self.result, self.problem = None, str(error)
        else:
            log.error("the calibration could not be solved", exc_info=error)
            self.result, self.problem = None, f"{type(error).__name__}: {error}; remove the last view"
        self._listeners.tell("result")


def _same_frames(a: Mapping[str, Frame], b: Mapping[str, Frame]) -> bool:
    return a.keys() == b.keys() and all(frame.index == b[name].index for name, frame in a.items())


def _arm_moved(before: Array | None, now: Array | None) -> bool:
    if before is None or now is None:
        return before is not now
    metres, radians = pose_difference(before, now)
    return metres > ARM_STILL_M or radians > ARM_STILL_RAD


def _moved(a: BoardView, b: BoardView) -> float:
    """How far [px] the corners went that both views show; inf where they share none."""
    ids, in_a, in_b = np.intersect1d(a.ids, b.ids, return_indices=True)
    return float(np.linalg.norm(a.pixels[in_a] - b.pixels[in_b], axis=1).mean()) if len(ids) else np.inf
