"""dreamdeck.toml: the config beside a model's networks, every mistake named."""

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.text_files import read_table, to_toml
from models.video.config import VideoConfig

NAME = "dreamdeck.toml"
_T = TypeVar("_T")


def write_config(folder: Path, config: VideoConfig) -> None:
    """Write the config into a model's folder."""
    write_whole(folder / NAME, to_toml(config_table(config)))


def read_config(folder: Path) -> VideoConfig:
    """Return the config of a model's folder. Raises DreamFileError naming file, field and what is valid."""
    path = folder / NAME
    return config_from_table(read_table(path), path)


def config_table(config: VideoConfig) -> dict[str, object]:
    """Return the config as plain values."""
    return asdict(config)


def config_from_table(values: Mapping[str, object], path: Path) -> VideoConfig:
    """Return the config of plain values; what is not there takes its default."""
    return _dataclass(VideoConfig, values, path, "")


def _dataclass(kind: type[_T], values: object, path: Path, where: str) -> _T:
    """Return a dataclass of a table; `where` is its place in the file."""
    known = get_type_hints(kind)
    if not isinstance(values, Mapping):
        raise DreamFileError(path, where, f"is a {type(values).__name__}", f"a table of {', '.join(known)}")
    strange = sorted(set(values) - set(known))
    if strange:
        raise DreamFileError(path, _place(where, strange[0]), "is not known", ", ".join(known))
    read = {
        f.name: _value(known[f.name], values[f.name], path, _place(where, f.name))
        for f in fields(kind)  # type: ignore[arg-type]
        if f.name in values
    }
    try:
        return kind(**read)
    except ValueError as error:
        field, _, problem = str(error).partition(": ")
        field = field.removeprefix(f"{where}.")
        problem, _, valid = problem.partition("; valid: ")
        inner = field.removeprefix(f"{where}.")  # nested tables name themselves
        raise DreamFileError(path, _place(where, inner), problem, valid) from error


def _value(kind: Any, value: object, path: Path, where: str) -> object:
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, value, path, where)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), value, path, where)
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise DreamFileError(path, where, f"{value!r}", ", ".join(map(str, get_args(kind))))
        return value
    if isinstance(kind, UnionType):
        raise TypeError(f"{where}: {kind} has no reader")
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind is float and (whole or isinstance(value, float)):
        return float(str(value))
    if (kind is int and whole) or (kind is not int and isinstance(value, kind)):
        return value
    raise DreamFileError(path, where, f"{value!r} is a {type(value).__name__}", f"a value of type {kind.__name__}")


def _tuple(kinds: tuple[Any, ...], value: object, path: Path, where: str) -> tuple[object, ...]:
    if not isinstance(value, list | tuple):
        raise DreamFileError(path, where, f"is a {type(value).__name__}", "a list")
    if kinds[-1] is not Ellipsis and len(value) != len(kinds):
        raise DreamFileError(path, where, f"has {len(value)} values", f"{len(kinds)} values")
    return tuple(_value(kinds[0], v, path, f"{where}[{i}]") for i, v in enumerate(value))


def _place(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
