"""Reading and writing TOML and JSON: plain values only, every mistake is a DreamFileError."""

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.data.errors import DreamFileError

MAX_BYTES = 64 * 1024 * 1024


def read_table(path: Path) -> dict[str, object]:
    """Return the top table of a .toml or .json file (told by its name, else by its first character).

    Raises DreamFileError for a missing, unreadable or malformed file.
    """
    text = read_text(path)
    is_json = path.suffix.lower() == ".json" or (path.suffix.lower() != ".toml" and text.lstrip()[:1] == "{")
    try:
        value = json.loads(text) if is_json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DreamFileError(path, "syntax", str(error), "a JSON file" if is_json else "a TOML file") from error
    if not isinstance(value, dict):
        raise DreamFileError(path, "top level", f"is a {type(value).__name__}", "a table of named fields")
    return value


def read_text(path: Path) -> str:
    """Return a text file of sane size as text; DreamFileError says why it cannot."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DreamFileError(path, "size", f"{path.stat().st_size} bytes", f"at most {MAX_BYTES}")
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise DreamFileError(path, "file", "does not exist", "the path of a file") from error
    except UnicodeDecodeError as error:
        raise DreamFileError(path, "encoding", f"not UTF-8 text at byte {error.start}", "UTF-8") from error
    except OSError as error:
        raise DreamFileError(path, "file", f"cannot be read: {error.strerror}", "a readable file") from error


def to_json(value: object) -> str:
    """Return JSON with a line per key of the outer levels; nan and inf become null."""
    return json.dumps(_plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_toml(table: Mapping[str, object]) -> str:
    """Return a TOML document of plain values; keys in the order given, nested tables as [sections]."""
    return "\n".join(_sections(table, ())).lstrip("\n") + "\n"


def _sections(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    inner = {k: v for k, v in table.items() if isinstance(v, Mapping)}
    rows = {k: v for k, v in table.items() if _is_rows(v)}
    for key, value in table.items():
        if key not in inner and key not in rows and value is not None:
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in inner.items():
        lines += ["", f"[{_dotted((*path, key))}]", *_sections(value, (*path, key))]
    for key, values in rows.items():
        for value in values if isinstance(values, Sequence) else ():
            lines += ["", f"[[{_dotted((*path, key))}]]", *_sections(value, (*path, key))]
    return lines


def _is_rows(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(_key(key) for key in path)


def _key(key: str) -> str:
    bare = key and all(c.isascii() and (c.isalnum() or c in "-_") for c in key)
    return key if bare else _string(key)


def _string(text: str) -> str:
    # JSON escapes are a subset of TOML's, but for DEL, which TOML wants escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value) if isinstance(value, int) or math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    raise ValueError(f"TOML has no value for {type(value).__name__}; use text, numbers, lists and tables")


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
