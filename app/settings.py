"""What a person prefers in the window: settings.toml of the workspace. A broken one never blocks start-up."""

import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.setting_rows import ROWS, SETTINGS, SHORTCUTS, SettingRow, Value
from app.workspace import Workspace
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.text_files import read_table, to_toml

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """A field for every row of the table (setting_rows.py), which says what it means.

    shortcuts: keys by id of an action where they differ from the usual ones, "" for none. Verbs take rig and person
    from their options: what a script does must not depend on who runs it.
    """

    workspace: str = ""
    ledger: str = ""
    person: str = ""
    length: str = "as_fits"
    angle: str = "deg"
    decimal: str = "point"
    theme: str = "dark"
    scale: str = "1"
    megapose_python: str = ""
    megapose_data: str = ""
    tip_speed: float = 0.0
    first_run_tip_speed: float = 0.0
    tip_acceleration: float = 0.0
    min_tip_height: float = 0.0
    max_force: float = 0.0
    rig: str = "sim"
    rig_folder: str = ""
    shortcuts: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> Value:
        """Return a field by the name of its row."""
        found: Value = getattr(self, ROWS[name].name)
        return found

    def with_value(self, name: str, value: Value) -> "Settings":
        """Return settings with that field changed. Raises ValueError that names key, value and what is valid."""
        problem = ROWS[name].problem(value)
        if problem:
            raise ValueError(f"{ROWS[name].key}: {problem}")
        return replace(self, **{name: value})  # type: ignore[arg-type]  # the row has looked at its type


def load_settings(path: Path) -> Settings:
    """Read the settings; a broken file is set aside, a broken key dropped, each with a warning in the log."""
    settings, problems = read_settings(path)
    for problem in problems:
        log.warning("%s", problem)
    return settings


def read_settings(path: Path) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings and what was wrong with them, in sentences. Never raises."""
    if not os.path.lexists(path):
        return Settings(), ()
    try:
        table = _read(path)
    except DreamFileError as error:
        return Settings(), (_set_aside(path, error),)
    good, problems = _sift(table)
    return replace(Settings(), **good), tuple(f"{path}: {problem}" for problem in problems)


def save_settings(path: Path, settings: Settings) -> str:
    """Write the settings, whole or not at all; return why they could not be written, "" where they were.

    A file with keys that this program cannot read is copied aside first: nothing of a person's is lost silently.
    """
    try:
        if path.is_file() and _broken(path):
            shutil.copyfile(path, free_name(path))
        write_whole(path, to_toml(_table(settings)))
    except OSError as error:
        problem = f"{path}: settings are not saved: {error.strerror or error}"
        log.warning("%s", problem)
        return problem
    return ""


def tracker_settings(workspace: Workspace) -> dict[str, str]:
    """Return what trackers must know of this machine (models/tracking/trackers.py)."""
    settings = load_settings(workspace.settings)
    return {"megapose_python": settings.megapose_python, "megapose_data": settings.megapose_data}


def ledger_file(workspace: Workspace) -> Path:
    """Return the ledger: where the settings have it, else in the workspace. The same for window and verbs."""
    chosen = load_settings(workspace.settings).ledger
    return Path(chosen).expanduser() if chosen else workspace.ledger


def free_name(path: Path) -> Path:
    """Return NAME.broken beside path, or NAME.broken-2, -3.. where that is taken: a backup is never overwritten."""
    first = path.with_name(f"{path.name}.broken")
    return next(
        name
        for number in range(1, 100_000)
        if not os.path.lexists(name := first if number == 1 else path.with_name(f"{first.name}-{number}"))
    )


def _read(path: Path) -> dict[str, object]:
    if path.exists() and not path.is_file():
        raise DreamFileError(path, "file", "is not a file", "a TOML file")
    return read_table(path)


def _sift(table: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """Return what is good of a table by field, and a sentence for each key that is not."""
    good: dict[str, Any] = {}
    problems: list[str] = []
    flat = _flat(table)
    keys = {row.key: row for row in SETTINGS}
    for key, value in flat.items():
        if key.startswith(f"{SHORTCUTS}.") and isinstance(value, str):
            good.setdefault("shortcuts", {})[key.removeprefix(f"{SHORTCUTS}.")] = value
        elif key.startswith(f"{SHORTCUTS}."):
            problems.append(f"{key}: {value!r} is not a text; dropped")
        elif key not in keys:
            problems.append(f"{key} is unknown and dropped; known: {_beside(key, keys)}")
        elif problem := keys[key].problem(value):
            problems.append(f"{key}: {problem}; using {keys[key].default!r}")
        else:
            good[keys[key].name] = float(value) if keys[key].kind == "number" else value  # type: ignore[arg-type]
    return good, problems


def _beside(key: str, keys: Mapping[str, SettingRow]) -> list[str]:
    """The keys of the same section, the sections where there is no such one."""
    section = key.split(".")[0]
    return [k for k in keys if k.startswith(f"{section}.")] or sorted({row.section for row in SETTINGS})


def _flat(table: Mapping[str, object]) -> dict[str, object]:
    """Keys of sections as "section.key"; a shortcut's own key holds a point and stays whole."""
    flat: dict[str, object] = {}
    for section, value in table.items():
        if isinstance(value, Mapping):
            flat |= {f"{section}.{key}": inner for key, inner in value.items()}
        else:
            flat[section] = value
    return flat


def _table(settings: Settings) -> dict[str, dict[str, object]]:
    """What differs from the defaults, by section."""
    table: dict[str, dict[str, object]] = {}
    for row in SETTINGS:
        if settings.value(row.name) != row.default:
            table.setdefault(row.section, {})[_last(row)] = settings.value(row.name)
    if settings.shortcuts:
        table[SHORTCUTS] = dict(settings.shortcuts)
    return table


def _last(row: SettingRow) -> str:
    return row.key.split(".", 1)[1]


def _broken(path: Path) -> bool:
    try:
        return bool(_sift(_read(path))[1])
    except DreamFileError:
        return True


def _set_aside(path: Path, error: Exception) -> str:
    try:
        aside = free_name(path)
        path.replace(aside)
    except OSError as problem:
        return f"settings are broken and cannot be set aside ({problem}): {error}"
    return f"settings are broken and set aside as {aside}: {error}"
