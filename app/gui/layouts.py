"""How the panes of all pages lie: kept at the end, restored at the start, and kept under names by a person."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from app.gui.window_memory import WindowMemory
from widgets.docked_page import DockedPage

_NAMED, _LONGEST = "layout/", 40


class Layouts:
    """`body` holds the pages and the log under them; pages: the docked ones by name."""

    def __init__(self, memory: WindowMemory, body: QMainWindow, pages: Sequence[tuple[str, DockedPage]]) -> None:
        self._memory, self._body, self._pages = memory, body, tuple(pages)

    @property
    def names(self) -> tuple[str, ...]:
        """The kept ones, in the order of the alphabet."""
        found = {key.removeprefix(_NAMED).split("/")[0] for key in self._memory.names() if key.startswith(_NAMED)}
        return tuple(sorted(found, key=str.lower))

    def keep(self, name: str = "") -> None:
        """Keep how everything lies now, under a name, or ("") for the next start.

        Raises ValueError for a name that cannot be kept.
        """
        if name and (len(name) > _LONGEST or "/" in name or not name.strip()):
            raise ValueError(f"layout: {name!r}; valid: 1 to {_LONGEST} characters without /")
        begin = f"{_NAMED}{name}/" if name else ""
        self._memory.keep_bytes(f"{begin}body", self._body.saveState())
        for page, docks in self._pages:
            self._memory.keep_bytes(f"{begin}page.{page}", docks.layout_state())
        if name:
            self._memory.save()

    def restore(self) -> None:
        """Put everything where it was at the end."""
        self._put("")

    def use(self, name: str) -> None:
        """Put everything as it was kept under this name; what does not fit this window stays as it is."""
        self._put(f"{_NAMED}{name}/")

    def remove(self, name: str) -> None:
        """Forget a kept layout."""
        for key in self._memory.names():
            if key.startswith(f"{_NAMED}{name}/"):
                self._memory.forget(key)
        self._memory.save()

    def _put(self, begin: str) -> None:
        self._try(f"{begin}body", self._body.restoreState)
        for page, docks in self._pages:
            self._try(f"{begin}page.{page}", docks.restore_layout)

    def _try(self, key: str, restore: Callable[[QByteArray], bool]) -> None:
        state = self._memory.bytes(key)
        if state is not None and not restore(state):
            self._memory.drop(key, "it does not fit this window")
