"""A calibration with a board under way: pictures are looked at as they come, views taken when the board rests
somewhere new, and solved while more are taken. Without a window."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from app.calibration.solving import Result, Setting, Taken, kept, report_of, rows_of, solve
from app.calibration.store import Calibration
from app.calibration.wizard import Asked, BoardTask, Row, Seen, checked_answer
from app.events import Listener, Listeners
from hardware.calibration.board import Board, BoardView, detect
from hardware.calibration.extrinsics import ADVICE as SHARED_ADVICE
from hardware.calibration.hand_eye import HandEyeResult
from hardware.calibration.lens import board_pose
from hardware.calibration.poses import pose_difference
from hardware.calibration.report import NEW_SHARE, Coverage, Report, coverage, same_view
from hardware.geometry import Array
from hardware.types import Camera, Frame, Image

LEAST: Mapping[BoardTask, int] = {"lens": 8, "cameras": 4, "wrist": 5, "stand": 5, "table": 3, "tracker": 6}
BEGIN: Mapping[BoardTask, str] = {
    "lens": "Hold the board still in front of the camera. It is taken by itself.",
    "cameras": "Hold the board still where two cameras or more see it.",
    "wrist": "Lay the board on the table. Move the arm to look at it, and hold still.",
    "stand": "Fix the board to the flange. Move it in front of the camera, and hold still.",
    "table": "Lay the board flat on the table, its printed side up, and let go of it.",
    "tracker": "Lay the board on the table. Hold the gripper still so that its camera sees the board.",
}
NEXT: Mapping[BoardTask, str] = {
    "wrist": "Lean the wrist to another side,",
    "stand": "Lean the wrist to another side,",
    "table": "Lay the board somewhere else, far from there,",
    "tracker": "Turn the gripper 40 degrees to another side, and hold it still,",
}
BY_ARM: tuple[BoardTask, ...] = ("wrist", "stand")
CARRIED: tuple[BoardTask, ...] = (*BY_ARM, "tracker")  # something tells its own pose too
STILL_PX = 0.8  # of a picture 640 wide: a board whose corners move less between two looks rests
STILL_S = 0.35
ARM_STILL_M, ARM_STILL_RAD = 3e-4, 5e-4
EXPOSED_S = 0.15  # a picture that came so long after the arm stood was taken while it stood
TRACKER_STILL_M, TRACKER_STILL_RAD = 3e-3, 5e-3  # a tracking camera wavers while it is held still
LOOK_S = 0.1
THICKNESS = Asked("Thickness of the board", "mm", 1e3, 0.0, 0.05, 0.004)
Grab = Callable[[str], Frame | None]
Hand = Callable[[], Array | None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Look:
    views: Mapping[str, BoardView]
    seen: Mapping[str, Seen]
    T_ref_hand: Array | None
    T_cam_board: Array | None
    frames: Mapping[str, Frame]


class CalibrationSession:
    """A `Wizard`; looking and solving happen in threads of its own.

    Read besides: `board`, `covered` (of the first camera's picture, by the lens as it is known now), `result`.
    Topics: "seen", "taken", "result".
    """

    figure = ""

    def __init__(
        self,
        task: BoardTask,
        cameras: Sequence[Camera],
        board: Board,
        grab: Grab,
        hand: Hand = lambda: None,
        T_base_cam: Array | None = None,
    ) -> None:
        """cameras: as they are known now, for a lens only name, size and model count; grab(name): the newest
        picture at full size, may take a while; hand(): what carries camera or board says where it is (4, 4):
        T_base_flange of an arm, T_ref_sensor of a tracking camera; None while that is not known. T_base_cam (4, 4):
        the first camera in the frame that a table is wanted in."""
        self.task, self.cameras, self.board = task, tuple(cameras), board
        self.asked = THICKNESS if task == "table" else None
        self._setting = Setting(self.cameras, board, T_base_cam, THICKNESS.value)
        self._grab, self._hand = grab, hand
        self._listeners = Listeners()
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="calibration")
        self._looking: Future[_Look] | None = None
        self._solving: Future[Result] | None = None
        self._solve_again = False
        self._looked = 0.0
        self._before: Mapping[str, BoardView] = {}
        self._still_since, self._hand_since = np.inf, -np.inf
        self._stands: Array | None = None
        self._stood_before = True
        self._last: _Look | None = None
        self.automatic = True
        self.taken: tuple[Taken, ...] = ()
        self._coverage = coverage(board, [], [])
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
        return report_of(self.result) if self.result is not None else None

    @property
    def covered(self) -> Coverage | None:
        return self._coverage if self.task == "lens" else None

    @property
    def can_take(self) -> bool:
        return self._last is not None and self._complete(self._last)

    @property
    def pictures(self) -> Mapping[str, Image]:
        """What each camera showed last, (H, W, 3)."""
        return {} if self._last is None else {name: frame.rgb for name, frame in self._last.frames.items()}

    @property
    def step(self) -> str:
        left = LEAST[self.task] - len(self.taken)
        if not self.taken:
            return BEGIN[self.task]
        if self.task in NEXT:
            return f"{NEXT[self.task]} {left} more at least." if left > 0 else "Enough. More make it surer."
        advice = self._coverage.advice if self.task == "lens" else SHARED_ADVICE if left > 0 else ""
        if left > 0:
            return f"{advice or 'Move the board.'} {left} more at least."
        return advice or "Enough. More views make it surer."

    @property
    def live(self) -> str:
        count = f"{len(self.taken)} taken"
        if self.task == "lens":
            count += f", {100 * self._coverage.share:.0f}% of the picture covered"
        if isinstance(self.result, HandEyeResult):
            return f"{count}, the board's places agree within {1e3 * max(m for m, _ in self.result.apart):.1f} mm"
        return count

    @property
    def rows(self) -> tuple[Row, ...]:
        return rows_of(self.result, self.taken)

    def answer(self, number: float) -> None:
        if self.asked is None:
            return
        self._setting = replace(self._setting, thickness=checked_answer(self.asked, number))
        self.asked = replace(self.asked, value=number)
        self._changed()

    def pump(self) -> None:
        """Take in what was seen and solved; never blocks."""
        if self.closed:
            return
        self._watch_arm()
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
            self._solving = self._pool.submit(solve, self.task, self._setting, self.taken)

    def take(self) -> None:
        """Take what is seen now, whether it rests or not."""
        if self._last is not None and self._complete(self._last):
            self._keep(self._last)

    def remove(self, at: int) -> None:
        """Take a view out again."""
        self.taken = tuple(one for k, one in enumerate(self.taken) if k != at)
        self._changed()

    def calibration(self, rig: str) -> Calibration:
        result, report = self.result, self.report
        if result is None or report is None:
            raise ValueError(self.problem or f"{len(self.taken)} views; valid: {LEAST[self.task]} or more")
        if report.verdict == "again":
            raise ValueError(report.words)
        return kept(result, rig, self.cameras, self.board)

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
        hand = self._hand() if self.task in CARRIED else None
        return _Look(views, seen, hand, self._board_pose(views), frames)

    def _board_pose(self, views: Mapping[str, BoardView]) -> Array | None:
        first = self.cameras[0]
        try:
            return board_pose(first, self.board, views[first.name]) if first.name in views else None
        except ValueError:
            return None

    def _take_in(self, look: _Look) -> None:
        if look.frames and self._last is not None and _same_frames(look.frames, self._last.frames):
            return  # the same pictures say nothing of whether it rests
        self.resting = self._stands_now(look) if self.task in BY_ARM else self._rests(look)
        self.seen, self._last, self._before = look.seen, look, look.views
        if self.automatic and self.resting and self._complete(look) and self._is_new(look):
            self._keep(look)
        self._listeners.tell("seen")

    def _watch_arm(self) -> None:
        """Since when does it stand? Looked at more often than pictures come: it rests at a stop for a moment."""
        if self.task not in BY_ARM:
            return
        now = self._hand()
        if self._stands is None:
            self._stands = now
        elif self._hand_moved(self._stands, now):
            self._stands, self._hand_since = now, time.monotonic()

    def _stands_now(self, look: _Look) -> bool:
        """Whether the arm stood when the pictures were taken, and stands there still; where it stood before
        already, the board must have lain still since."""
        fresh = all(frame.t_host >= self._hand_since + EXPOSED_S for frame in look.frames.values())
        stood = fresh and not self._hand_moved(self._stands, look.T_ref_hand)
        before, self._stood_before = self._stood_before, stood
        return bool(look.views) and stood and (not before or self._lies_still(look))

    def _rests(self, look: _Look) -> bool:
        """Whether the board has lain still in the last pictures."""
        now = time.monotonic()
        if self._last is None or self._hand_moved(self._last.T_ref_hand, look.T_ref_hand):
            self._hand_since = now
        # a picture from before the hand was still shows the board elsewhere
        fresh = all(look.frames[name].t_host >= self._hand_since for name in look.views)
        still = bool(look.views) and (fresh or look.T_ref_hand is None) and self._lies_still(look)
        self._still_since = min(self._still_since, now) if still else np.inf
        return still and now - self._still_since >= STILL_S

    def _lies_still(self, look: _Look) -> bool:
        """Whether the board is where it was in the pictures before."""
        return all(
            name in self._before and _moved(self._before[name], view) < STILL_PX * view.size[0] / 640
            for name, view in look.views.items()
        )

    def _complete(self, look: _Look) -> bool:
        needed = 2 if self.task == "cameras" else 1
        carried = self.task not in CARRIED or look.T_ref_hand is not None
        return len(look.views) >= needed and carried

    def _is_new(self, look: _Look) -> bool:
        return not any(
            all(
                name in one.views and same_view(view, one.views[name], NEW_SHARE)
                for name, view in look.views.items()
            )
            for one in self.taken
        )

    def _keep(self, look: _Look) -> None:
        self.taken = (*self.taken, Taken(dict(look.views), look.T_ref_hand, look.T_cam_board))
        self._changed()

    def _changed(self) -> None:
        name = self.cameras[0].name
        views = [one.views[name] for one in self.taken if name in one.views]
        poses = [one.T_cam_board for one in self.taken if one.T_cam_board is not None]
        self._coverage = coverage(self.board, views, poses)
        if len(self.taken) >= LEAST[self.task]:
            self._solve_again = True
        else:
            self.result, self.problem = None, ""
        self._listeners.tell("taken")

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

    def _hand_moved(self, before: Array | None, now: Array | None) -> bool:
        if before is None or now is None:
            return before is not now
        metres, radians = pose_difference(before, now)
        if self.task == "tracker":
            return metres > TRACKER_STILL_M or radians > TRACKER_STILL_RAD
        return metres > ARM_STILL_M or radians > ARM_STILL_RAD


def _same_frames(a: Mapping[str, Frame], b: Mapping[str, Frame]) -> bool:
    return a.keys() == b.keys() and all(frame.index == b[name].index for name, frame in a.items())


def _moved(a: BoardView, b: BoardView) -> float:
    """How far [px] the corners went that both views show; inf where they share none."""
    ids, in_a, in_b = np.intersect1d(a.ids, b.ids, return_indices=True)
    return float(np.linalg.norm(a.pixels[in_a] - b.pixels[in_b], axis=1).mean()) if len(ids) else np.inf
