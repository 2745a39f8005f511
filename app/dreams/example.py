"""The built-in example: the rendered stereo dream that comes with the program, as a folder that may be edited."""

import shutil
from pathlib import Path

from app.workspace import Workspace
from models.data.dream_folder import is_dream_folder
from models.data.errors import DreamFileError

BUILT_IN = Path(__file__).parents[2] / "assets" / "dreams" / "example"


def example_folder(workspace: Workspace) -> Path:
    """Return the example's dream folder in the workspace, copied there on first use. Raises DreamFileError."""
    folder = workspace.dreams / "example"
    if is_dream_folder(folder):
        return folder
    part = workspace.dreams / ".example.part"
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(BUILT_IN, part)
        part.rename(folder)
    except OSError as error:
        raise DreamFileError(
            folder, "folder", f"cannot be written: {error}", "a workspace with some room"
        ) from error
    return folder
