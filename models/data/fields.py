"""A table of a file that knows its place, so that every wrong field is named with what would be valid."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from hardware.geometry import Array, is_transform
from models.data.errors import DreamFileError

T = TypeVar("T")
MAX_DISTANCE_M = 10.0


class Fields:
    """One table. Every method raises DreamFileError naming file and field."""

    def __init__(self, values: object, file: Path, where: str = "") -> None:
        self._file, self._where = file, where
        if not isinstance(values, Mapping):
            raise self.wrong("", f"is a {type(values).__name__}", "a table")
        self.values: Mapping[str, object] = values

    def wrong(self, key: str, problem: str, valid: str = "") -> DreamFileError:
        name = f"{self._where}.{key}" if self._where and key else self._where or key or "top level"
        return DreamFileError(self._file, name, problem, valid)

    def get(self, key: str, kind: type[T], valid: str, default: T | None = None) -> T:
        value = self.values.get(key)
        if value is None:
            if default is None:
                raise self.wrong(key, "is missing", valid)
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, f"{_short(value)} is a {type(value).__name__}", valid)
        return value

    def number(self, key: str, valid: str, default: float | None = None) -> float:
        value = self.values.get(key, default)
        if value is None:
            raise self.wrong(key, "is missing", valid)
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(float(value)):
            raise self.wrong(key, f"{_short(value)} is not a finite number", valid)
        return float(value)

    def array(self, key: str, shape: tuple[int, ...], valid: str) -> Array:
        """Return an array of that shape, -1 for any length; null counts as nan and is refused."""
        value = self.get(key, list, valid)
        try:
            array = np.array(value, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise self.wrong(key, f"not an array of numbers: {_short(value)}", valid) from error
        fits = array.ndim == len(shape) and all(w in (-1, n) for n, w in zip(array.shape, shape, strict=True))
        if not fits:
            raise self.wrong(key, f"has shape {array.shape}", valid)
        if not np.isfinite(array).all():
            raise self.wrong(key, "holds nan or inf", valid)
        return array

    def pose(self, key: str) -> Array:
        """Return a rigid transform (4, 4), metres; one that was rounded in writing gets an exact rotation."""
        valid = "a 4x4 rigid transform: rotation with determinant 1, translation in metres, last row 0 0 0 1"
        T = self.array(key, (4, 4), valid)
        if not is_transform(T, tolerance=1e-4):
            raise self.wrong(key, f"is not a rigid transform: {_short(T.tolist())}", valid)
        if np.abs(T[:3, 3]).max() > MAX_DISTANCE_M:
            raise self.wrong(key, f"moves by {np.abs(T[:3, 3]).max():g} m; are these millimetres?", valid)
        return T if is_transform(T) else _orthonormal(T)

    def rows(self, key: str, valid: str) -> list["Fields"]:
        """Return a list of tables."""
        values = self.get(key, list, valid)
        return [Fields(value, self._file, f"{key}[{i}]") for i, value in enumerate(values)]

    def table(self, key: str, valid: str) -> "Fields":
        return Fields(self.get(key, dict, valid), self._file, key if not self._where else f"{self._where}.{key}")

    def file_name(self, key: str) -> str:
        """Return a name that is safe as a file's name."""
        valid = "1 to 64 letters, digits, - or _"
        return safe_name(self.get(key, str, valid), lambda problem: self.wrong(key, problem, valid))


def safe_name(name: str, wrong: Callable[[str], Exception]) -> str:
    """Return the name when it is fit to be a file's name, else raise what `wrong(problem)` makes."""
    fine = 0 < len(name) <= 64 and all(c.isascii() and (c.isalnum() or c in "-_") for c in name)
    if not fine:
        raise wrong(f"{_short(name)} is not fit to be a file's name")
    return name


def _orthonormal(T: Array) -> Array:
    U, _, Vt = np.linalg.svd(T[:3, :3])
    clean = np.eye(4)
    clean[:3, :3], clean[:3, 3] = U @ Vt, T[:3, 3]
    return clean


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
