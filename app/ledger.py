"""The ledger: what came from what. One SQLite file; every object can be asked for its ancestors."""

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from models.data.text_files import to_json

Kind = Literal["dataset", "checkpoint", "dream", "track", "plan", "approval", "execution", "outcome"]
KINDS: tuple[str, ...] = get_args(Kind)
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 5.0

SCHEMA = """
create table objects (
    number  integer primary key autoincrement,
    id      text not null unique,
    kind    text not null,
    name    text not null,
    created text not null,
    record  text not null check (json_valid(record))
);
create index objects_by_kind on objects (kind, number);
create table origins (
    child  text not null references objects (id),
    parent text not null references objects (id),
    primary key (child, parent)
);
create index origins_by_parent on origins (parent);
"""

ANCESTORS = """
with recursive line (id) as (
    select ? union select origins.parent from origins join line on origins.child = line.id
)
select id from objects where id in (select id from line) order by number desc
"""
DESCENDANTS = """
with recursive line (id) as (
    select ? union select origins.child from origins join line on origins.parent = line.id
)
select id from objects where id in (select id from line) and id != ? order by number
"""


class LedgerError(RuntimeError):
    """The ledger could not be read or written. The message names the file and what to do; nothing is half done."""


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
        """Open or make the file. Raises LedgerError where it is damaged, too new, or not writable."""
        self._path = path
        self._lock = threading.Lock()
        with self._clear_errors():
            self._db = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            with self._clear_errors():
                self._prepare()
        except LedgerError:
            self._db.close()
            raise

    def add(
        self, kind: Kind, name: str, record: Mapping[str, object], *, parents: Sequence[str] = (), id: str = ""
    ) -> str:
        """Add one object and return its id; the same id again is the same object and changes nothing.

        Raises ValueError for an unknown kind or parent, LedgerError where nothing could be written.
        """
        if kind not in KINDS:
            raise ValueError(f"ledger: kind {kind!r} is not one of {list(KINDS)}")
        id = id or uuid.uuid4().hex
        row = (id, kind, name, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), to_json(record))
        with self._transaction() as db:
            if db.execute("select 1 from objects where id = ?", (id,)).fetchone():
                return id
            db.execute("insert into objects (id, kind, name, created, record) values (?, ?, ?, ?, ?)", row)
            for parent in dict.fromkeys(parents):
                if not db.execute("select 1 from objects where id = ?", (parent,)).fetchone():
                    raise ValueError(f"ledger: parent {parent!r} of {kind} {name!r} is not in {self._path}")
                db.execute("insert into origins (child, parent) values (?, ?)", (id, parent))
        return id

    def amend(self, id: str, more: Mapping[str, object]) -> None:
        """Add keys to an object's record, such as how a run ended; what is there already stays as it is.

        Raises KeyError where there is no such object, LedgerError where nothing could be written.
        """
        with self._transaction() as db:
            record = {**json.loads(to_json(more)), **self._entry(id).record}
            db.execute("update objects set record = ? where id = ?", (to_json(record), id))

    def get(self, id: str) -> Entry:
        """Raises KeyError where there is none."""
        with self._lock, self._clear_errors():
            return self._entry(id)

    def entries(self, kind: Kind, limit: int = 100) -> tuple[Entry, ...]:
        """Newest first."""
        with self._lock, self._clear_errors():
            query = "select id from objects where kind = ? order by number desc limit ?"
            return tuple(self._entry(id) for (id,) in self._db.execute(query, (kind, limit)).fetchall())

    def chain(self, id: str) -> tuple[Entry, ...]:
        """Return the object and all its ancestors, itself first, oldest last. Raises KeyError."""
        with self._lock, self._clear_errors():
            self._entry(id)
            return tuple(self._entry(i) for (i,) in self._db.execute(ANCESTORS, (id,)).fetchall())

    def descendants(self, id: str) -> tuple[Entry, ...]:
        """Return what was made from it, oldest first."""
        with self._lock, self._clear_errors():
            return tuple(self._entry(i) for (i,) in self._db.execute(DESCENDANTS, (id, id)).fetchall())

    def close(self) -> None:
        """Safe to call twice."""
        with self._lock:
            self._db.close()

    def _prepare(self) -> None:
        (version,) = self._db.execute("pragma user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"ledger {self._path}: written by a newer version of this program (schema {version}, known "
                f"{SCHEMA_VERSION}); update the program or choose another --workspace"
            )
        self._db.execute("pragma journal_mode = wal")
        # full: an outcome that was confirmed to a person survives a power cut
        self._db.execute("pragma synchronous = full")
        self._db.execute("pragma foreign_keys = on")
        if version == 0:
            self._create()

    def _create(self) -> None:
        self._db.execute("begin immediate")
        (version,) = self._db.execute("pragma user_version").fetchone()
        for statement in SCHEMA.split(";") if version == 0 else ():
            self._db.execute(statement)
        self._db.execute(f"pragma user_version = {SCHEMA_VERSION}")
        self._db.execute("commit")

    def _entry(self, id: str) -> Entry:
        row = self._db.execute("select kind, name, created, record from objects where id = ?", (id,)).fetchone()
        if row is None:
            raise KeyError(f"ledger {self._path} has no object {id!r}")
        parents = self._db.execute("select parent from origins where child = ? order by rowid", (id,)).fetchall()
        return Entry(id, row[0], row[1], row[2], json.loads(row[3]), tuple(parent for (parent,) in parents))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with self._lock, self._clear_errors():
            self._db.execute("begin immediate")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise LedgerError(f"ledger {self._path}: {error}; {_advice(str(error))}") from error
        except sqlite3.Error as error:
            advice = "move the file aside to start a new one; nothing in it was changed"
            raise LedgerError(f"ledger {self._path}: {error}; {advice}") from error


def _advice(problem: str) -> str:
    if "locked" in problem:
        return f"another program has held it for {BUSY_TIMEOUT_S:g} s; close that one and try again"
    if "full" in problem:
        return "free some room on the disk and try again; nothing was written"
    return "check that the folder is there and writable, or choose another --workspace"
