"""What is calibrated on a rig: what a person chose, the calibration under way, and what is kept of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.calibration.calibrated_rig import EXTRINSICS, with_calibrations
from app.calibration.gauges import ForceSession, OpeningSession
from app.calibration.scripted_person import MASSES, ScriptedPerson
from app.calibration.session import CalibrationSession, Grab
from app.calibration.simulated_help import WORDS, person_for
from app.calibration.store import Calibration, CalibrationStore, Kind, changes
from app.calibration.wizard import Task, Wizard
from app.execution.touching import save_table
from hardware.calibration.board import BOARDS, WORLD_BOARD, Board
from hardware.calibration.board_pdf import board_pdf
from hardware.calibration.table_plane import PlaneResult
from hardware.geometry import Array, inverse
from hardware.kinematics import ArmKinematics
from hardware.rig import ArmConfig, Rig
from hardware.rig_devices import GRIPPER, NEWTON_PER_COUNT, CameraConfig, SensorConfig
from hardware.stream import Pose, Reading, StreamInfo, StreamKind
from hardware.types import Frame
from hardware.whole_file import write_whole
from hardware.world.process import WorldProcess
from models.data.errors import DreamFileError

CONFIDENT = 2  # of 3: below it a tracking camera guesses


@dataclass(frozen=True, eq=False)
class Around:
    """What the desk looks at, beside cameras. world(): the simulation that the cameras see, None for none; arm():
    the one to calibrate with; joints(arm): where it stands (J,) [rad], None while that is not known; streams():
    what the sensors that are on say of themselves; sensor(name): the newest of one, None while there is none;
    moving(): whether an arm moves."""

    world: Callable[[], WorldProcess | None] = lambda: None
    arm: Callable[[], ArmConfig | None] = lambda: None
    joints: Callable[[str], Array | None] = lambda _arm: None
    streams: Callable[[], Mapping[str, StreamInfo]] = dict
    sensor: Callable[[str], Pose | Reading | None] = lambda _name: None
    moving: Callable[[], bool] = lambda: False


class CalibrationDesk:
    """Owned by one thread, which calls `pump` about every 30 ms. Read: `task`, `camera`, `board`, `session` (None
    unless one is under way), `problem`."""

    def __init__(
        self,
        rig: Rig,
        store: CalibrationStore,
        grab: Grab,
        preview: Callable[[str], Frame | None],
        around: Around,
    ) -> None:
        """grab(name): a camera's newest picture at full size, may wait; preview(name): at any size, never waits."""
        self.rig, self.store, self._grab, self.preview, self._around = rig, store, grab, preview, around
        self.tasks: tuple[Task, ...] = _tasks(rig)
        self.task: Task = self.tasks[0]
        self.camera = self._cameras_for(self.task)[0] if rig.cameras else ""
        self.board: Board = WORLD_BOARD if rig.simulated else BOARDS["a4"]
        self.session: Wizard | None = None
        self._person: ScriptedPerson | None = None
        self.problem = ""
        self._in_use = ("", "")
        self._known: tuple[tuple[str, ...], Rig] | None = None

    @property
    def camera_names(self) -> tuple[str, ...]:
        """The cameras that can be chosen for what is chosen."""
        return self._cameras_for(self.task)

    @property
    def needs_board(self) -> bool:
        return self.task not in ("opening", "force")

    @property
    def needs_camera(self) -> bool:
        """Whether one camera is chosen: cameras are calibrated to each other all at once."""
        return self.task != "cameras" and bool(self.camera_names)

    @property
    def can_plan(self) -> bool | None:
        """Whether an arm can be planned through stops now; None where none goes through any."""
        return None if self.task not in ("wrist", "stand") else not self._around.moving()

    @property
    def reason(self) -> str:
        """Why nothing can be started now, in a sentence; "" where it can."""
        if not self.rig.cameras and self.task != "force":
            return "This rig has no camera: add one to its rig.toml."
        if self.task == "force":
            return "" if self._sensor_on("force") else "Turn on the sensors first (F8)."
        names = self.camera_names if self.task == "cameras" else (self.camera,)
        if all(self.preview(name) is None for name in names):
            return "Turn on the cameras first (F8)."
        if self.task in ("wrist", "stand") and self._flange() is None:
            return "Connect the arms first (Ctrl+Return)."
        if self.task == "tracker" and not self._sensor_on("pose"):
            return "Turn on the tracking camera first (F8)."
        if self.task == "table":
            try:
                known = self._placed() is not None
            except ValueError as error:
                return str(error)
            return "" if known else f"Nobody knows where {self.camera} stands: calibrate it to the arm first."
        return ""

    @property
    def person_there(self) -> bool | None:
        """Whether a simulated person helps; None where nobody is there to."""
        return self._person is not None if self.rig.simulated else None

    @property
    def person_words(self) -> str:
        """What a simulated person does for it."""
        return WORDS[self.task]

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
        names = self.camera_names
        wanted = camera if camera in names else self.camera
        self.camera = wanted if wanted in names or not names else names[0]
        self.board = BOARDS.get(board, self.board)

    def start(self) -> None:
        """Begin. Raises ValueError in words where that is not possible now."""
        self.stop()
        if self.reason:
            raise ValueError(self.reason)
        self.problem = ""
        self.session = self._begun()

    def let_person(self, on: bool) -> None:
        """Let the simulated person help, or send them away. Raises ValueError where there is none, or nothing is
        known of where to hold what."""
        person, self._person = self._person, None
        if person is not None:
            person.close()
        if not on:
            return
        world = self._around.world()
        if world is None:
            raise ValueError("the simulated table is off; turn on the cameras first (F8)")
        arm = self._around.arm()
        T_base_flange = self._flange() if arm is not None else None
        T_world_flange = None if arm is None or T_base_flange is None else arm.T_world_base @ T_base_flange
        self._person = person_for(
            self.task, world, self.rig, self.camera, "" if arm is None else arm.name, T_world_flange
        )

    def pump(self) -> None:
        """Take in what happened; never blocks."""
        session, person = self.session, self._person
        if session is None:
            return
        session.pump()
        if person is None:
            return
        before = person.at
        person.tick(len(session.taken))
        if self.task == "force" and person.at != before and 0 <= person.at < len(MASSES):
            session.answer(MASSES[person.at])
        self.problem = person.problem

    def save(self) -> tuple[Calibration, tuple[str, ...]]:
        """Keep the result; return it and what moved against the one before, in words. Raises ValueError,
        OSError."""
        session = self.session
        if session is None:
            raise ValueError("nothing is being calibrated; press Start")
        kind, subject = self._kept_as
        before = self.store.newest(kind, subject)
        made = replace(session.calibration(self.rig.name), kind=kind, subject=subject)
        made = replace(made, poses={**made.poses, **self._derived(made)})
        kept = self.store.save(made)
        if isinstance(session, CalibrationSession):
            self._put_in_use(session)
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

        Raises ValueError in words where no arm stands, or it has too little room.
        """
        # the solver behind it takes a moment to import
        from app.calibration.arm_motion import stops_around

        arm = self._around.arm()
        q = None if arm is None else self._around.joints(arm.name)
        if arm is None or q is None:
            raise ValueError("no arm is connected; connect the arms first (Ctrl+Return)")
        kinematics = ArmKinematics.load(arm.model)
        config = self._config(self.camera)
        T_flange_cam = config.T_mount_cam if config is not None and config.mounted_on == arm.name else None
        return arm.name, stops_around(kinematics, q, self.task == "wrist", T_flange_cam).q

    # inside ------------------------------------------------------------------------------------------------------
    def _begun(self) -> Wizard:
        rig = self._calibrated()
        if self.task == "opening":
            sensor = self._sensor("opening", rig)
            if sensor is None or sensor.aruco is None:
                raise ValueError("no sensor of this rig looks at markers on the fingers; see docs/devices.md")
            seen_by = next(config.camera for config in rig.cameras if config.camera.name == sensor.aruco.camera)
            return OpeningSession(sensor.name, sensor.aruco, seen_by, self._grab)
        if self.task == "force":
            return self._force_session()
        cameras = tuple(config.camera for config in rig.cameras if config.camera.name in self.camera_names)
        if self.task != "cameras":
            cameras = tuple(camera for camera in cameras if camera.name == self.camera)
        hand = self._tracked if self.task == "tracker" else self._flange
        T_base_cam = self._placed() if self.task == "table" else None
        return CalibrationSession(self.task, cameras, self.board, self._grab, hand, T_base_cam)

    def _force_session(self) -> ForceSession:
        """By what the readings are told now: not by what was saved since the sensor was turned on."""
        sensor = self._sensor("force", self.rig)
        name = "" if sensor is None else sensor.name
        try:
            scale = float(self._around.streams()[name].details[NEWTON_PER_COUNT])
        except (KeyError, ValueError) as error:
            raise ValueError(f"force sensor {name}: it does not say its scale; write newton_per_count") from error

        def reading() -> Reading | None:
            newest = self._around.sensor(name)
            return newest if isinstance(newest, Reading) else None

        return ForceSession(name, scale, reading)

    def _put_in_use(self, session: CalibrationSession) -> None:
        """What the rest of the program looks for elsewhere than in the store."""
        arm = self._around.arm()
        if isinstance(session.result, PlaneResult) and arm is not None:
            save_table(self.store.workspace, self.rig.name, arm.name, session.result, ())
        if self.task in ("cameras", "stand"):  # others move, or say nothing of where a camera stands
            for name, rgb in session.pictures.items():
                self.store.keep_scene(name, rgb)

    def _derived(self, made: Calibration) -> Mapping[str, Array]:
        """Where a camera on its stand is in the world, by where the arm that found it stands; where a tracking
        camera is on the gripper, by where the gripper's drawing puts the camera that found it."""
        arm = self._around.arm()
        if arm is not None and "T_base_cam" in made.poses:
            return {"T_world_cam": arm.T_world_base @ made.poses["T_base_cam"]}
        if "T_cam_sensor" in made.poses:
            config = self._config(self.camera)
            T_gripper_cam = np.eye(4) if config is None or config.T_mount_cam is None else config.T_mount_cam
            return {"T_gripper_sensor": T_gripper_cam @ made.poses["T_cam_sensor"]}
        return {}

    @property
    def _kept_as(self) -> tuple[Kind, str]:
        arm, sensors = (
            self._around.arm(),
            {kind: self._sensor(kind, self.rig) for kind in ("pose", "opening", "force")},
        )
        names = {kind: "" if sensor is None else sensor.name for kind, sensor in sensors.items()}
        known: Mapping[Task, tuple[Kind, str]] = {
            "lens": ("intrinsics", self.camera),
            "cameras": ("extrinsics", EXTRINSICS),
            "table": ("table", "" if arm is None else arm.name),
            "tracker": ("tracker", names["pose"]),
            "opening": ("opening", names["opening"]),
            "force": ("force", names["force"]),
        }
        return known.get(self.task, ("hand_eye", self.camera))

    def _cameras_for(self, task: Task) -> tuple[str, ...]:
        configs = self.rig.cameras
        if task == "wrist":
            riding = [config for config in configs if config.on_arm]
            # a rig.toml that says nothing of who carries it may still have one there
            configs = tuple(riding or [config for config in configs if not config.mounted_on])
        elif task in ("stand", "table", "cameras"):
            configs = tuple(config for config in configs if not config.mounted_on)
        elif task == "tracker":
            riding = [config for config in configs if config.mounted_on == GRIPPER]
            configs = tuple(riding or configs)
        elif task == "opening":
            sensor = self._sensor("opening", self.rig)
            eye = sensor.aruco.camera if sensor is not None and sensor.aruco is not None else ""
            configs = tuple(config for config in configs if config.camera.name == eye)
        elif task == "force":
            configs = ()
        return tuple(config.camera.name for config in configs)

    def _config(self, camera: str) -> CameraConfig | None:
        return next((config for config in self.rig.cameras if config.camera.name == camera), None)

    def _calibrated(self) -> Rig:
        """The rig with what is known by now; for a lens the rig file's own numbers are only where to start."""
        ids = tuple(self.store.ids())
        if self._known is None or self._known[0] != ids:
            try:
                self._known = ids, with_calibrations(self.rig, self.store).rig
            except DreamFileError as error:
                raise ValueError(str(error)) from error
        return self._known[1]

    def _placed(self) -> Array | None:
        """T_base_cam (4, 4) of the chosen camera, in the frame of the chosen arm."""
        arm = self._around.arm()
        camera = next((c.camera for c in self._calibrated().cameras if c.camera.name == self.camera), None)
        if arm is None or camera is None or camera.T_world_cam is None:
            return None
        return np.asarray(inverse(arm.T_world_base) @ camera.T_world_cam)

    def _flange(self) -> Array | None:
        """T_base_flange (4, 4) of the arm that is calibrated with."""
        arm = self._around.arm()
        q = None if arm is None else self._around.joints(arm.name)
        if arm is None or q is None or not np.isfinite(q).all():
            return None
        return np.asarray(ArmKinematics.load(arm.model).flange_pose(q))

    def _tracked(self) -> Array | None:
        """T_ref_sensor (4, 4) of the tracking camera while it is sure of it."""
        sensor = self._sensor("pose", self.rig)
        newest = None if sensor is None else self._around.sensor(sensor.name)
        return newest.T_ref_sensor if isinstance(newest, Pose) and newest.confidence >= CONFIDENT else None

    def _sensor(self, kind: StreamKind, rig: Rig) -> SensorConfig | None:
        return next((config for config in rig.sensors if config.kind == kind), None)

    def _sensor_on(self, kind: StreamKind) -> bool:
        sensor = self._sensor(kind, self.rig)
        return sensor is not None and self._around.sensor(sensor.name) is not None


def _tasks(rig: Rig) -> tuple[Task, ...]:
    """What can be calibrated on a rig."""
    standing = [config for config in rig.cameras if not config.mounted_on]
    kinds = {sensor.kind for sensor in rig.sensors if sensor.driver != "replay"}
    marked = any(sensor.aruco is not None for sensor in rig.sensors)
    found: list[tuple[Task, bool]] = [
        ("lens", True),
        ("cameras", len(standing) > 1),
        ("wrist", bool(rig.arms) and bool(rig.cameras)),
        ("stand", bool(rig.arms) and bool(standing)),
        ("table", bool(rig.arms) and bool(standing)),
        ("tracker", "pose" in kinds and bool(rig.cameras)),
        ("opening", marked),
        ("force", any(sensor.force is not None for sensor in rig.sensors)),
    ]
    return tuple(task for task, there in found if there)
