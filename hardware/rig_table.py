"""Tables of a rig.toml that know their place in the file, so that a mistake is told with file, line and field."""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hardware.geometry import Array, rotation_from_vector, transform

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z_][\w.-]*)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z_][\w-]*)\s*=")
_KINDS: Mapping[type, str] = {
    str: 'text in quotes, "like this"',
    bool: "true or false",
    float: "a number",
    list: "a list in square brackets",
    dict: "a table",
}


def line_numbers(text: str) -> dict[str, int]:
    """Return where tables and fields stand in TOML: "arms[0]", "arms[0].model", "safety.size" -> line from 1."""
    found: dict[str, int] = {}
    seen: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            name = header.group(2)
            table = f"{name}[{seen[name]}]" if header.group(1) == "[[" else name
            seen[name] += 1
            found.setdefault(table, number)
        elif key is not None:
            found.setdefault(f"{table}.{key.group(1)}" if table else key.group(1), number)
    return found


@dataclass(frozen=True, eq=False)
class RigTable:
    """One table: its values, where it stands ("" for the top, "arms[0]"), the file and its lines."""

    values: Mapping[str, Any]
    file: Path
    lines: Mapping[str, int]
    place: str = ""
    known: set[str] = field(default_factory=set)

    def error(self, key: str, problem: str) -> ValueError:
        """Return the error that names file, line and field; key "": the table itself."""
        place = ".".join(part for part in (self.place, key) if part)
        line = self.lines.get(place, self.lines.get(self.place))
        where = f"{self.file}: line {line}" if line is not None else f"{self.file}"
        return ValueError(f"{where}: {place}: {problem}" if place else f"{where}: {problem}")

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        """Return a value of that kind (float: any number)."""
        self.known.add(key)
        value = self.values.get(key, default)
        if value is None:
            raise self.error(key, f"is missing{self._alike(key)}; valid: {_KINDS[kind]}")
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number if kind is float else isinstance(value, kind)):
            raise self.error(key, f"{value!r}; valid: {_KINDS[kind]}")
        return float(value) if kind is float else value

    def has(self, key: str) -> bool:
        """Whether a field that may be left out is there."""
        self.known.add(key)
        return key in self.values

    def one_of(self, key: str, valid: Sequence[str], default: str | None = None) -> str:
        """Return a text that is one of those."""
        value = self.get(key, str, default)
        if value not in valid:
            raise self.error(key, f"{value!r}; valid: {', '.join(filter(None, valid))}")
        return str(value)

    def positive(self, key: str, default: float | None = None) -> float:
        value = float(self.get(key, float, default))
        if not 0 < value < np.inf:
            raise self.error(key, f"{value}; valid: a number over 0")
        return value

    def array(self, key: str, shape: tuple[int, ...]) -> Array:
        """Return numbers of a shape; -1: any length."""
        size = " x ".join("any" if n < 0 else str(n) for n in shape)
        try:
            value = np.array(self.get(key, list), dtype=float)
        except (TypeError, ValueError) as error:
            if str(self.file) in str(error):
                raise
            raise self.error(key, f"{self.values[key]!r}; valid: {size} numbers") from error
        wanted = tuple(n if w < 0 else w for n, w in zip(value.shape, shape, strict=False))
        if value.shape != wanted or len(value.shape) != len(shape):
            raise self.error(key, f"it has {' x '.join(map(str, value.shape))} numbers; valid: {size}")
        if not np.isfinite(value).all():
            raise self.error(key, f"{self.values[key]!r}; valid: finite numbers")
        return value

    def pose(self, prefix: str = "") -> Array:
        """T (4, 4) from position [m] and rpy_deg, their names after a prefix: Rz(yaw) Ry(pitch) Rx(roll)."""
        roll, pitch, yaw = np.radians(self.array(f"{prefix}rpy_deg", (3,)))
        turns = rotation_from_vector(np.array([[0, 0, yaw], [0, pitch, 0], [roll, 0, 0]]))
        return transform(turns[0] @ turns[1] @ turns[2], self.array(f"{prefix}position", (3,)))

    def table(self, key: str) -> "RigTable":
        return RigTable(self.get(key, dict), self.file, self.lines, key)

    def tables(self, key: str) -> list["RigTable"]:
        """Return the tables [[key]], none where there are none."""
        found = self.get(key, list, [])
        if not all(isinstance(one, dict) for one in found):
            raise self.error(key, f"{found!r}; valid: tables that begin with [[{key}]]")
        return [RigTable(one, self.file, self.lines, f"{key}[{i}]") for i, one in enumerate(found)]

    def done(self) -> None:
        """Refuse what nobody asked for: a misspelt field would be left out silently."""
        for key in self.values:
            if key not in self.known:
                raise self.error(key, f"this field is not known; valid: {', '.join(sorted(self.known))}")

    def _alike(self, key: str) -> str:
        near = difflib.get_close_matches(key, [k for k in self.values if k not in self.known], 1)
        return f" (is {near[0]!r} meant?)" if near else ""


def unique(tables: Sequence[RigTable], key: str, values: Sequence[str]) -> None:
    """Refuse the second of two tables that share a value."""
    for i, value in enumerate(values):
        if value in values[:i]:
            first = tables[values.index(value)].place
            raise tables[i].error(key, f"{value!r} is {first}'s already; valid: another one")


def checked(table: RigTable, key: str, condition: bool, problem: str) -> None:
    """Raise the table's error unless condition holds."""
    if not condition:
        raise table.error(key, problem)
