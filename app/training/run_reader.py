"""What a training run has written so far, read while it goes on: only what is new, in small pieces.

A run is a folder (models/training): `metrics.jsonl`, `gallery/step_N/`, `log.txt`. Any of it may be missing, half
written, damaged or begun anew by a run that was resumed.
"""

import json
import math
import tomllib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware.geometry import Array

PIECE = 256 * 1024  # bytes at once: the window shares the interpreter with this
LONGEST = 1 << 20  # a line over this is no line of ours
LAST = 64 * 1024  # of a log that is longer, only the end is read
_NO_VALUES = ("step", "time")


class Tail:
    """The lines that were added to a file, `PIECE` bytes at a time; `begun_anew`: how often it was replaced."""

    def __init__(self, file: Path, last: int = 0) -> None:
        """last: begin only so many bytes before the end, 0: at the beginning."""
        self.file, self.begun_anew = file, 0
        self._last, self._offset, self._rest, self._inode = last, 0, b"", 0
        self._drop = False

    def lines(self) -> list[str] | None:
        """Return the whole lines that came, None where there is nothing new to read."""
        try:
            state = self.file.stat()
            if state.st_ino != self._inode or state.st_size < self._offset:
                self._begin(state.st_ino, state.st_size)
            if state.st_size <= self._offset:
                return None
            with self.file.open("rb") as stream:
                stream.seek(self._offset)
                piece = stream.read(PIECE)
        except OSError:
            return None
        self._offset += len(piece)
        return [line.decode("utf-8", "replace") for line in self._split(piece)]

    def _begin(self, inode: int, size: int) -> None:
        self.begun_anew += self._inode != 0
        self._inode, self._rest = inode, b""
        self._offset = max(0, size - self._last) if self._last else 0
        self._drop = self._offset > 0  # the first line is cut

    def _split(self, piece: bytes) -> list[bytes]:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if self._drop and whole:
            self._drop = False
            whole = whole[1:]
        if len(self._rest) > LONGEST:
            self._rest, self._drop = b"", True
        return whole


@dataclass(frozen=True, eq=False)
class Series:
    """One value of a run over its steps: steps (N,) rising, values (N,), nan where the run wrote no number."""

    steps: Array
    values: Array


class Metrics:
    """The values of `metrics.jsonl` by name.

    A line is {"step": 12, "time": .., "values": {"loss": 0.1, ..}}; nested values are named "psnr/scene". A line
    that is damaged is skipped and counted. A run that was resumed writes steps again: they take the place of those
    before.
    """

    def __init__(self, file: Path) -> None:
        self._tail, self._seen = Tail(file), 0
        self._steps: dict[str, array[float]] = {}
        self._values: dict[str, array[float]] = {}
        self._shown: dict[str, Series] = {}
        self.skipped, self.step = 0, -1

    def read(self) -> bool:
        """Take in the next piece; return whether there was one. Call it again until there is none."""
        lines = self._tail.lines()
        if self._tail.begun_anew != self._seen:
            self._seen = self._tail.begun_anew
            self._forget(-1)
            self.skipped = 0
        for line in lines or ():
            if line.strip():
                self._take(line)
        return lines is not None

    @property
    def series(self) -> Mapping[str, Series]:
        """What is known now; the arrays are never written again."""
        for name, steps in self._steps.items():
            shown = self._shown.get(name)
            if shown is None or len(shown.steps) != len(steps):
                self._shown[name] = Series(np.array(steps, float), np.array(self._values[name], float))
        return dict(self._shown)

    def _take(self, line: str) -> None:
        try:
            record = json.loads(line)
            step = record["step"]
            if isinstance(step, bool) or not isinstance(step, int) or step < 0:
                raise ValueError(step)
            numbers = tuple(_numbers(record))
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            self.skipped += 1
            return
        if step < self.step:
            self._forget(step)
        self.step = step
        for name, value in numbers:
            self._add(name, step, value)

    def _add(self, name: str, step: int, value: float) -> None:
        steps = self._steps.setdefault(name, array("d"))
        values = self._values.setdefault(name, array("d"))
        if steps and steps[-1] == step:
            if values[-1] != value:
                values[-1] = value
                self._shown.pop(name, None)
            return
        steps.append(step)
        values.append(value)

    def _forget(self, step: int) -> None:
        """Take away what was written for this step and later ones."""
        self.step = step
        for name, steps in self._steps.items():
            at = bisect_left(steps, step)
            del steps[at:], self._values[name][at:]
        self._shown.clear()
        for name in [name for name, steps in self._steps.items() if not steps]:
            del self._steps[name], self._values[name]


def _numbers(record: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in record.items():
        if not prefix and name in _NO_VALUES:
            continue
        if isinstance(value, Mapping):
            inner = "" if name == "values" and not prefix else f"{prefix}{name}/"
            yield from _numbers(value, inner)
        elif value is None:
            yield f"{prefix}{name}", math.nan
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value)
            yield f"{prefix}{name}", number if math.isfinite(number) else math.nan


def read_flat(file: Path) -> dict[str, object]:
    """Return the values of a TOML file by "section.field"; nothing where it cannot be read."""
    try:
        return dict(_flat(tomllib.loads(file.read_text(encoding="utf-8")), ""))
    except (OSError, ValueError, RecursionError):
        return {}


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
