"""The settings of the open window: read once, changed one by one, written at every change."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.setting_rows import ROWS, SETTINGS, Value
from app.settings import Settings, read_settings, save_settings
from app.workspace import default_root


class Preferences:
    """Owned by one thread. `settings`: as they are now; `problems`: what was wrong with the file; `failure`: why
    the last change is not on the disk, "" where it is.

    home: the file of the default workspace, which alone says which workspace the window opens.
    """

    def __init__(self, path: Path, home: Path | None = None) -> None:
        self._path = path
        self._home = home or default_root() / "settings.toml"
        self.settings, self.problems = read_settings(path)
        if self._home != path:
            self.settings = replace(self.settings, workspace=read_settings(self._home)[0].workspace)
        self._start, self.failure = self.settings, ""
        self._listeners: list[Callable[[str], None]] = []

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call `listener(name)` after every change; "shortcuts" for any of them."""
        self._listeners.append(listener)

    def set(self, name: str, value: Value) -> None:
        """Change a preference. Raises ValueError naming key, value and what is valid."""
        if value == self.settings.value(name):
            return
        self._keep(self.settings.with_value(name, value), name)

    def reset(self, name: str) -> None:
        """Take the usual value."""
        self.set(name, ROWS[name].default)

    def set_shortcut(self, id: str, keys: str | None) -> None:
        """Give an action other keys ("" for none); None for the usual ones."""
        shortcuts = {k: v for k, v in self.settings.shortcuts.items() if k != id}
        if keys is not None:
            shortcuts[id] = keys
        if shortcuts != self.settings.shortcuts:
            self._keep(replace(self.settings, shortcuts=shortcuts), "shortcuts")

    def waits_for_restart(self, name: str) -> bool:
        """Whether this preference differs from what the program started with and takes effect only then."""
        return ROWS[name].restart and self.settings.value(name) != self._start.value(name)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Names of all preferences that wait for a restart."""
        return tuple(row.name for row in SETTINGS if self.waits_for_restart(row.name))

    def _keep(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.failure = self._save(name)
        for listener in self._listeners:
            listener(name)

    def _save(self, name: str) -> str:
        if self._home == self._path:
            return save_settings(self._path, self.settings)
        if name != "workspace":
            return save_settings(self._path, replace(self.settings, workspace=""))
        try:
            self._home.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return f"{self._home}: settings are not saved: {error.strerror}"
        home = read_settings(self._home)[0]
        return save_settings(self._home, replace(home, workspace=self.settings.workspace))
