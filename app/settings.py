"""What a person prefers in the window: settings.toml of the workspace. A broken one never blocks start-up."""

import logging
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from app.workspace import Workspace
from models.data.errors import DreamFileError
from models.data.text_files import read_table, to_toml

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """rig: the window's, "sim" or a file; person: who approves in the window, "" for the user of the machine.

    megapose_python, megapose_data: the interpreter of MegaPose's environment and the folder of its weights.
    Verbs take rig and person from their options: what a script does must not depend on who runs it.
    """

    rig: str = "sim"
    person: str = ""
    megapose_python: str = ""
    megapose_data: str = ""


def load_settings(path: Path) -> Settings:
    """Read the settings; a broken file is set aside, a broken key dropped, each with a warning in the log."""
    if not path.exists():
        return Settings()
    try:
        table = read_table(path)
    except DreamFileError as error:
        _set_aside(path, error)
        return Settings()
    known = {f.name: getattr(Settings, f.name) for f in fields(Settings)}
    good: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            log.warning("%s: %s is unknown and dropped; known: %s", path, key, sorted(known))
        elif type(value) is type(known[key]):
            good[key] = value
        else:
            log.warning("%s: %s: %r is not a %s; using %r", path, key, value, type(known[key]).__name__, known[key])
    return replace(Settings(), **good)


def tracker_settings(workspace: Workspace) -> dict[str, str]:
    """Return what trackers must know of this machine (models/tracking/trackers.py)."""
    settings = load_settings(workspace.settings)
    return {"megapose_python": settings.megapose_python, "megapose_data": settings.megapose_data}


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings, whole or not at all; a failure is logged, since losing a preference stops nobody."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(to_toml(asdict(settings)), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        log.warning("%s: settings are not saved: %s", path, error)


def _set_aside(path: Path, error: Exception) -> None:
    aside = path.with_name(f"{path.name}.broken")
    try:
        path.replace(aside)
        log.warning("settings are broken and set aside as %s: %s", aside, error)
    except OSError as problem:
        log.warning("settings are broken and cannot be set aside (%s): %s", problem, error)
