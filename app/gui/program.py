"""What the window shows: the sessions of one run of the program."""

import getpass
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.dreaming import DreamSession
from app.execution import ExecutionSession
from app.ledger import Ledger
from app.recording_desk import RecordingDesk
from app.saved_poses import SavedPoses
from app.settings import ledger_file, load_settings
from app.teleoperation import Teleoperation
from app.workspace import Workspace
from hardware.rig import Rig
from hardware.robots.arm_streams import ArmStreams
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
        return RecordingDesk(self.rig, self.workspace, self._arms_world, arms=self._arm_streams)

    def _arms_world(self) -> WorldProcess | None:
        link = self.execution.link
        return link.world.world if link is not None and link.world is not None else None

    def _arm_streams(self) -> ArmStreams | None:
        link = self.execution.link
        return ArmStreams(link.group, link.rig) if link is not None else None

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
        self.recording.close()
        self.teleoperation.close()
        self.execution.close()
        self.dreaming.close()
        self.ledger.close()


def open_program(workspace: Workspace, rig: Rig, ledger_path: Path | None = None) -> Program:
    """Open the ledger (None: the one that the settings name) and the sessions; nothing is connected yet."""
    ledger = Ledger(ledger_path or ledger_file(workspace))
    return Program(
        workspace, rig, ledger, DreamSession(workspace, ledger), ExecutionSession(rig, workspace, ledger)
    )
