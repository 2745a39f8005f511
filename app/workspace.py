"""Where the program keeps what it makes: one folder, found the same way by the window and by every verb."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


class WorkspaceError(OSError):
    """The workspace cannot be used. The message names the folder and what to do."""


@dataclass(frozen=True)
class Workspace:
    """The folders below one root."""

    root: Path

    @property
    def dreams(self) -> Path:
        """Dream folders by name."""
        return self.root / "dreams"

    @property
    def runs(self) -> Path:
        """One folder per execution: curves, the cameras' video, plan."""
        return self.root / "runs"

    @property
    def recordings(self) -> Path:
        """One folder per session of recorded demonstrations (hardware/recording/session.py)."""
        return self.root / "recordings"

    @property
    def trainings(self) -> Path:
        """One folder per training: curves, checkpoints, its dreams (models/training/run_folder.py)."""
        return self.root / "trainings"

    @property
    def jobs(self) -> Path:
        """One folder per job (app/jobs/store.py)."""
        return self.root / "jobs"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.sqlite"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    @property
    def poses(self) -> Path:
        """Poses of arms that a person saved by name."""
        return self.root / "poses.toml"

    @property
    def logs(self) -> Path:
        return self.root / "logs"


def default_root() -> Path:
    """Return the platform's user data folder for this program."""
    return Path(platformdirs.user_data_dir("dreamdeck", appauthor=False))


def open_workspace(root: Path | None = None) -> Workspace:
    """Return the workspace at `root` (None: the default), its folders made where they are missing.

    Raises WorkspaceError where the folder cannot be made or written.
    """
    workspace = Workspace((root or default_root()).expanduser().absolute())
    try:
        for folder in (workspace.dreams, workspace.runs, workspace.logs):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"workspace {workspace.root}: {error.strerror}; choose another with --workspace"
        ) from error
    if not os.access(workspace.root, os.W_OK):
        raise WorkspaceError(f"workspace {workspace.root}: not writable; choose another with --workspace")
    return workspace
