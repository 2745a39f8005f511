"""Where the window was and how its panes lay: a small JSON file that may be missing or broken."""

import base64
import binascii
import json
import logging
from pathlib import Path

from PySide6.QtCore import QByteArray

from app.settings import free_name
from hardware.whole_file import write_whole

log = logging.getLogger(__name__)


class WindowMemory:
    """Named byte strings of Qt (`saveState`, `saveGeometry`) and texts. A broken key is dropped with a warning."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._values = _read(file) if file else {}

    def bytes(self, key: str) -> QByteArray | None:
        """Return what was kept under key, None where nothing (readable) was."""
        value = self._values.get(key)
        if value is None:
            return None
        try:
            return QByteArray(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            self.drop(key, "it is not base64")
            return None

    def text(self, key: str, default: str = "") -> str:
        return self._values.get(key, default)

    def keep_bytes(self, key: str, value: QByteArray) -> None:
        self._values[key] = base64.b64encode(value.data()).decode()

    def keep_text(self, key: str, value: str) -> None:
        self._values[key] = value

    def names(self) -> tuple[str, ...]:
        return tuple(self._values)

    def forget(self, key: str) -> None:
        """Forget a key that is not wanted any more."""
        self._values.pop(key, None)

    def drop(self, key: str, why: str) -> None:
        """Forget a key that cannot be used."""
        log.warning("%s: %s is dropped: %s", self._file, key, why)
        self._values.pop(key, None)

    def save(self) -> None:
        """Write the file as a whole or not at all; a full disk does not keep the window from closing."""
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, json.dumps(self._values, indent=1))
        except OSError as error:
            log.warning("the window's layout could not be kept: %s", error)


def _read(file: Path) -> dict[str, str]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError(f"it holds a {type(values).__name__}, not an object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s is not used, the window starts with its usual layout: %s%s", file, error, _aside(file))
        return {}
    good = {str(key): value for key, value in values.items() if isinstance(value, str)}
    for key in values.keys() - good.keys():
        log.warning("%s: %s is dropped: it is not a text", file, key)
    return good


def _aside(file: Path) -> str:
    """Keep the broken file beside: it is written anew at the end."""
    try:
        return f"; it is kept as {file.replace(free_name(file))}" if file.is_file() else ""
    except OSError as error:
        return f"; it cannot be kept: {error.strerror}"
