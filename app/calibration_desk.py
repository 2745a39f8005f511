"""What is calibrated on a rig: what a person chose, the calibration under way, and what is kept of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.calibrated_rig import EXTRINSICS, with_calibrations
from app.calibration_session import CalibrationSession, Grab, Task
from app.calibration_show import BoardPerson, flange_pose, lens_poses, shared_poses
from app.calibration_store import Calibration, CalibrationStore, Kind, changes
from hardware.calibration.board import BOARDS, WORLD_BOARD, Board
from hardware.calibration.board_pdf import board_pdf
from hardware.geometry import Array
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig, Rig
from hardware.types import Camera, Frame
from hardware.whole_file import write_whole
from hardware.world.process import WorldProcess
from models.data.errors import DreamFileError


class CalibrationDesk:
    """Owned by one thread, which calls `pump` about every 30 ms. Read: `task`, `camera`, `board`, `session` (None
    unless one is under way), `problem`."""

    def __init__(
        self,
        rig: Rig,
        store: CalibrationStore,
        grab: Grab,
        preview: Callable[[str], Frame | None],
        world: Callable[[], WorldProcess | None],
        arm: Callable[[], ArmConfig | None] = lambda: None,
        joints: Callable[[str], Array | None] = lambda _arm: None,
    ) -> None:
        """grab(name): a camera's newest picture at full size, may wait; preview(name): at any size, never waits;
        world(): the simulation that the cameras see, None for none; arm(): the one to calibrate with; joints(arm):
        where it stands (J,) [rad], None while that is not known."""
        self.rig, self.store, self._grab, self.preview = rig, store, grab, preview
        self._world, self._arm, self._joints = world, arm, joints
        self.tasks: tuple[Task, ...] = _tasks(rig)
        self.task: Task = self.tasks[0]
        self.camera = rig.cameras[0].camera.name if rig.cameras else ""
        self.board: Board = WORLD_BOARD if rig.simulated else BOARDS["a4"]
        self.session: CalibrationSession | None = None
        self._person: BoardPerson | None = None
        self.problem = ""
        self._in_use = ("", "")

    @property
    def camera_names(self) -> tuple[str, ...]:
        return tuple(config.camera.name for config in self.rig.cameras)

    @property
    def reason(self) -> str:
        """Why nothing can be started now, in a sentence; "" where it can."""
        if not self.rig.cameras:
            return "This rig has no camera: add one to its rig.toml."
        names = self.camera_names if self.task == "cameras" else (self.camera,)
        if self.task == "cameras" and len(names) < 2:
            return "This rig has one camera only."
        if all(self.preview(name) is None for name in names):
            return "Turn on the cameras first (F8)."
        if self.task in ("wrist", "stand") and self._flange() is None:
            return "Connect the arms first (Ctrl+Return)."
        return ""

    @property
    def person_there(self) -> bool | None:
        """Whether a simulated person holds the board; None where nobody is there to."""
        if not self.rig.simulated or self.task == "wrist":
            return None
        return self._person is not None

    @property
    def in_use(self) -> str:
        """What of this is kept and in use, in words."""
        kind, subject = self._kept_as
        ids = self.store.ids()
        key = "|".join((kind, subject, *ids[:1]))
        if self._in_use[0] != key:
            newest = self.store.newest(kind, subject)
            words = "Never calibrated here." if newest is None else f"In use: {newest.date}, {newest.words}"
            self._in_use = key, words
        return self._in_use[1]

    def choose(self, task: str, camera: str, board: str) -> None:
        """Choose what, which camera and which board. Not while a calibration is under way; unknown ones are
        left."""
        if self.session is not None:
            return
        self.task = next((one for one in self.tasks if one == task), self.task)
        self.camera = camera if camera in self.camera_names else self.camera
        self.board = BOARDS.get(board, self.board)

    def start(self) -> None:
        """Begin. Raises ValueError in words where that is not possible now."""
        self.stop()
        if self.reason:
            raise ValueError(self.reason)
        self.problem = ""
        self.session = CalibrationSession(self.task, self._cameras(), self.board, self._grab, self._flange)

    def let_person(self, on: bool) -> None:
        """Let the simulated person show the board, or take it away. Raises ValueError where there is none."""
        person, self._person = self._person, None
        if person is not None:
            person.close()
        if not on:
            return
        world = self._world()
        if world is None:
            raise ValueError("the simulated table is off; turn on the cameras first (F8)")
        drawn, arm = [config.camera for config in self.rig.cameras], self._arm()
        if self.task == "stand" and arm is not None:
            self._person = BoardPerson(world, [flange_pose(WORLD_BOARD)], arm.name)
            return
        if self.task == "cameras":
            poses = shared_poses(drawn, WORLD_BOARD)
        else:
            poses = lens_poses(next(camera for camera in drawn if camera.name == self.camera), WORLD_BOARD)
        self._person = BoardPerson(world, poses)

    def pump(self) -> None:
        """Take in what happened; never blocks."""
        if self.session is None:
            return
        self.session.pump()
        if self._person is not None:
            self._person.tick(len(self.session.taken))
            self.problem = self._person.problem

    def save(self) -> tuple[Calibration, tuple[str, ...]]:
        """Keep the result; return it and what moved against the one before, in words. Raises ValueError,
        OSError."""
        if self.session is None:
            raise ValueError("nothing is being calibrated; press Start")
        kind, subject = self._kept_as
        before = self.store.newest(kind, subject)
        made = self.session.calibration(self.rig.name)
        made = replace(made, poses={**made.poses, **self._in_world(made)})
        kept = self.store.save(made)
        if self.task in ("cameras", "stand"):  # a wrist's camera moves; where a lens alone was found nothing stands
            for name, rgb in self.session.pictures.items():
                self.store.keep_scene(name, rgb)
        return kept, () if before is None else tuple(moved.words for moved in changes(before, kept))

    def print_board(self, board: str) -> Path:
        """Write the board's PDF beside the calibrations; return it. Raises ValueError, OSError."""
        made = BOARDS[board]
        path = self.store.folder / f"board-{board}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, board_pdf(made, board))
        return path

    def stop(self) -> None:
        """Let go of what is under way."""
        person, self._person = self._person, None
        session, self.session = self.session, None
        if person is not None:
            person.close()
        if session is not None:
            session.close()

    def close(self) -> None:
        """Safe to call twice."""
        self.stop()

    def stops(self) -> tuple[str, Array]:
        """Return the arm and the stops q (N, J) [rad] that a hand-eye calibration takes, near where it stands.
        Raises ValueError in words."""
        # the inverse kinematics behind it takes a second to import
        from app.calibration_motion import stops_around

        arm = self._arm()
        q = None if arm is None else self._joints(arm.name)
        if arm is None or q is None:
            raise ValueError("no arm is connected; connect the arms first (Ctrl+Return)")
        kinematics = ArmKinematics.load(arm.model)
        return arm.name, stops_around(kinematics, q, self.task == "wrist").q

    def _flange(self) -> Array | None:
        """T_base_flange (4, 4) of the arm that is calibrated with."""
        arm = self._arm()
        q = None if arm is None else self._joints(arm.name)
        if arm is None or q is None or not np.isfinite(q).all():
            return None
        return np.asarray(ArmKinematics.load(arm.model).flange_pose(q))

    def _in_world(self, made: Calibration) -> Mapping[str, Array]:
        """Where a camera on its stand is in the world, by where the arm that found it stands."""
        arm = self._arm()
        if arm is None or "T_base_cam" not in made.poses:
            return {}
        return {"T_world_cam": arm.T_world_base @ made.poses["T_base_cam"]}

    @property
    def _kept_as(self) -> tuple[Kind, str]:
        if self.task == "lens":
            return "intrinsics", self.camera
        return ("extrinsics", EXTRINSICS) if self.task == "cameras" else ("hand_eye", self.camera)

    def _cameras(self) -> tuple[Camera, ...]:
        """With the lenses that are known by now; for a lens the rig file's own numbers are only where to start."""
        try:
            rig = with_calibrations(self.rig, self.store).rig
        except DreamFileError as error:
            raise ValueError(str(error)) from error
        made = [config.camera for config in rig.cameras]
        if self.task == "cameras":
            return tuple(made)
        return tuple(camera for camera in made if camera.name == self.camera)


def _tasks(rig: Rig) -> tuple[Task, ...]:
    some: tuple[Task, ...] = ("lens", "cameras") if len(rig.cameras) > 1 else ("lens",)
    return (*some, "wrist", "stand") if rig.arms else some
