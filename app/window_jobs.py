"""Jobs of the window for its worker process: importing takes seconds, and the window never waits."""

from collections.abc import Mapping
from pathlib import Path

from app.dreams.import_files import import_dream
from app.worker import Cancelled, Report
from app.workspace import Workspace
from models.data.errors import DreamFileError


def import_published(files: Mapping[str, str], root: Path, report: Report, _cancelled: Cancelled) -> Path:
    """Import a dream in the published layout into the workspace; files: paths by field of the import form."""
    report(0.0, "importing")
    video = Path(files["video"])
    tools = {role: Path(files[role]) for role in ("left", "right") if files[role]}
    scenes = (Path(files["scene1"]), Path(files["scene2"]))
    folder = free_folder(Workspace(root).dreams, video.stem)
    import_dream(video, scenes, Path(files["calibration"]), tools, folder)
    return folder


def free_folder(dreams: Path, name: str) -> Path:
    """Return dreams/NAME, or NAME-2, NAME-3.. where it is taken."""
    for number in range(1, 1000):
        folder = dreams / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            return folder
    raise DreamFileError(dreams, name, "exists a thousand times", "a workspace with some room")
