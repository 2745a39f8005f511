"""The ledger: what came from what. One SQLite file; every object can be asked for its ancestors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["dream", "track", "plan", "approval", "execution", "outcome"]


class LedgerError(RuntimeError):
    """The ledger could not be read or written. The message names the file and what to do; nothing is half written."""


@dataclass(frozen=True)
class Entry:
    """One object. created: ISO 8601 wall time, UTC; record: JSON values; parents: ids it was made from."""

    id: str
    kind: Kind
    name: str
    created: str
    record: Mapping[str, object]
    parents: tuple[str, ...]


class Ledger:
    """Open for the life of the program; may be used from several threads and processes at once."""

    def __init__(self, path: Path) -> None:
        raise NotImplementedError

    def add(
        self, kind: Kind, name: str, record: Mapping[str, object], *, parents: Sequence[str] = (), id: str = ""
    ) -> str:
        """Add one object and return its id; the same id again is the same object and changes nothing."""
        raise NotImplementedError

    def get(self, id: str) -> Entry:
        """Raises KeyError where there is none."""
        raise NotImplementedError

    def entries(self, kind: Kind, limit: int = 100) -> tuple[Entry, ...]:
        """Newest first."""
        raise NotImplementedError

    def chain(self, id: str) -> tuple[Entry, ...]:
        """Return the object and all its ancestors, itself first, oldest last."""
        raise NotImplementedError

    def descendants(self, id: str) -> tuple[Entry, ...]:
        """Return what was made from it, oldest first."""
        raise NotImplementedError

    def close(self) -> None: ...
