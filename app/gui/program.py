"""What the window shows: the sessions of one run of the program."""

import getpass
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.calibration.calibrated_rig import with_calibrations
from app.calibration.desk import Around, CalibrationDesk
from app.calibration.moved_cameras import CameraWatch, LiveWatch
from app.calibration.store import CalibrationStore
from app.datasets.desk import DatasetDesk
from app.datasets.exchange_desk import ExchangeDesk
from app.datasets.tracking import DemoTracking
from app.dreams.candidate_session import CandidateSession
from app.dreams.horizon import Horizon
from app.dreams.session import DreamSession
from app.dreams.table_witness import TableWitness
from app.execution.saved_poses import SavedPoses
from app.execution.session import ExecutionSession
from app.execution.teleoperation import Teleoperation
from app.jobs.desk import JobsDesk
from app.jobs.jobs import Jobs
from app.ledger import Ledger
from app.recording.desk import RecordingDesk
from app.recording.live_devices import LiveDevices, open_devices
from app.settings import ledger_file, load_settings
from app.workspace import Workspace
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.robots.arm_streams import ArmStreams
from hardware.types import Frame
from hardware.world.process import WorldProcess


@dataclass(frozen=True, eq=False)
class Program:
    """The plain objects behind the pages; the window owns and closes them."""

    workspace: Workspace
    rig: Rig
    ledger: Ledger
    dreaming: DreamSession
    execution: ExecutionSession

    @cached_property
    def teleoperation(self) -> Teleoperation:
        """The same arms, moved by hand."""
        return Teleoperation(self.execution, SavedPoses(self.workspace.poses), lambda: self.person)

    @cached_property
    def recording(self) -> RecordingDesk:
        """The cameras and sensors of the rig, and what is recorded of them."""
        return RecordingDesk(
            self.rig,
            self.workspace,
            self._arms_world,
            self._open_devices,
            arms=self._arm_streams,
            moved=self.watch.look,
        )

    @cached_property
    def candidates(self) -> CandidateSession:
        """Several dreams of one scene, to choose from."""
        return CandidateSession(self.workspace, self.ledger)

    @cached_property
    def horizon(self) -> Horizon:
        """Dreams that are executed one after the other, towards a goal."""
        return Horizon(self.execution, self.ledger, TableWitness(self.rig, self._arms_world))

    @cached_property
    def calibrations(self) -> CalibrationStore:
        """What was calibrated on this rig."""
        return CalibrationStore(self.workspace.root, self.rig.name)

    @cached_property
    def watch(self) -> CameraWatch:
        """Notices cameras that were moved since."""
        return CameraWatch(self.rig, self.calibrations)

    @cached_property
    def live_watch(self) -> LiveWatch:
        """Looks for them while the cameras are on."""
        return LiveWatch(self.watch, self._quiet_cameras, self.recording.snapshot)

    @cached_property
    def calibration(self) -> CalibrationDesk:
        """The wizard that calibrates cameras, with the arm chosen to be moved by hand, and sensors."""
        return CalibrationDesk(
            self.rig,
            self.calibrations,
            self.picture,
            lambda name: self.recording.latest(name) or self.execution.latest_frames().get(name),
            Around(
                world=lambda: self.recording.world or self._arms_world(),
                arm=lambda: self.rig.arm(self.teleoperation.arm) if self.rig.arms else None,
                joints=self._joints,
                streams=lambda: self.recording.streams,
                sensor=self.recording.reading,
                moving=lambda: self.moving,
            ),
        )

    def _quiet_cameras(self) -> tuple[str, ...]:
        """The real cameras that are on while nothing is recorded: every simulated table has a light of its own."""
        recording = self.recording
        if recording.session is None or recording.recording or self.calibration.session is not None:
            return ()
        return tuple(n for n, info in recording.streams.items() if info.kind == "camera" and not info.free_running)

    def picture(self, name: str) -> Frame | None:
        """A camera's newest picture at its full size; may wait for the process that has it."""
        seen = self.recording.snapshot(name)
        return seen or self.execution.latest_frames().get(name)

    def _joints(self, arm: str) -> Array | None:
        state = self.execution.arms.get(arm)
        return None if state is None else state.q

    def _open_devices(self, rig: Rig, world: WorldProcess | None) -> LiveDevices:
        return open_devices(rig, world, with_calibrations(rig, self.calibrations).rig)

    def _arms_world(self) -> WorldProcess | None:
        link = self.execution.link
        return link.world.world if link is not None and link.world is not None else None

    def _arm_streams(self) -> ArmStreams | None:
        link = self.execution.link
        return ArmStreams(link.group, link.rig) if link is not None else None

    @cached_property
    def tracking(self) -> DemoTracking:
        """Recorded demos that are tracked in the background."""
        return DemoTracking()

    @cached_property
    def demos(self) -> DatasetDesk:
        """What was recorded, to be looked through and edited."""
        return DatasetDesk(lambda: self.person)

    @cached_property
    def exchange(self) -> ExchangeDesk:
        """Demos on their way to and from other programs."""
        return ExchangeDesk(self.jobs)

    @cached_property
    def jobs(self) -> JobsDesk:
        """What goes on by itself, in processes that outlive the window."""
        return JobsDesk(Jobs(self.workspace))

    @property
    def moving(self) -> bool:
        """Whether any arm moves, or is about to, as far as is known."""
        held = self.teleoperation.mode != "none"
        return held or self.execution.state == "running" or any(arm.moving for arm in self.execution.arms.values())

    @property
    def person(self) -> str:
        """Who approves here: as the settings say, else the name of the user of this machine."""
        chosen = load_settings(self.workspace.settings).person
        if chosen:
            return chosen
        try:
            return getpass.getuser()
        except OSError:
            return "operator"

    def close(self) -> None:
        """End every process and thread; the arms first, but what records them before."""
        self.live_watch.close()
        self.calibration.close()
        self.demos.close()
        self.tracking.close()
        self.exchange.close()
        self.jobs.close()
        self.recording.close()
        self.teleoperation.close()
        self.horizon.close()
        self.execution.close()
        self.candidates.close()
        self.dreaming.close()
        self.ledger.close()


def open_program(workspace: Workspace, rig: Rig, ledger_path: Path | None = None) -> Program:
    """Open the ledger (None: the one that the settings name) and the sessions; nothing is connected yet."""
    ledger = Ledger(ledger_path or ledger_file(workspace))
    execution = ExecutionSession(rig, workspace, ledger)
    program = Program(workspace, rig, ledger, DreamSession(workspace, ledger), execution)
    execution.camera_reasons = program.watch.reasons
    return program
