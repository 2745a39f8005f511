"""What every page's binder is, and what it may ask of the window."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject

from widgets.toasts import Level
from widgets.values import LineItem


@dataclass(frozen=True)
class Shell:
    """say(text, level) shows a message; go(page) turns to a page; ask_file(title, filter) and ask_folder(title) ask
    for a path, "" where the person chose none."""

    say: Callable[[str, Level], None]
    go: Callable[[str], None]
    ask_file: Callable[[str, str], str]
    ask_folder: Callable[[str], str]


class Binder(Protocol):
    """Connects the program's plain objects to one page. Everything happens in the window's thread."""

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What to do for each action of the table that belongs here, by its id."""
        ...

    def facts(self) -> set[str]:
        """What holds now, for the table's enabled-when."""
        ...

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        """What the bottom line says of this page's things, by group."""
        ...

    def tick(self) -> None:
        """Called about every 30 ms: take in and show what changed."""
        ...

    def close(self) -> None:
        """End what this binder started. Safe to call twice."""
        ...


class QuietBinder(QObject):
    """A binder without actions, facts or a line of its own, for those that say otherwise where they have some."""

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {}

    def facts(self) -> set[str]:
        return set()

    def line(self) -> Mapping[str, tuple[LineItem, ...]]:
        return {}
