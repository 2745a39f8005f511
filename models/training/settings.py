"""Settings that explain themselves: each field of a section carries its help, unit, published value and valid ones.

A section is a frozen dataclass of `setting(...)` fields. From it come the reader of its TOML table, the check of
its values and the rows of a form; nothing is written twice.
"""

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

_KEY = "setting"


class SettingError(ValueError):
    """A value that cannot be used: `field`, `problem` and `valid` are kept apart."""

    def __init__(self, field: str, problem: str, valid: str) -> None:
        self.field, self.problem, self.valid = field, problem, valid
        super().__init__(f"{field}: {problem}; valid: {valid}")


@dataclass(frozen=True)
class Setting:
    """What is known of a field. published: the paper's value, None where it does not say; low, high: bounds that
    are valid themselves; locked: a run that goes on must keep it."""

    help: str
    unit: str = ""
    published: object = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    locked: bool = False

    @property
    def valid(self) -> str:
        """What may be set, in words."""
        if self.choices:
            return ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"{self.low:g} and more" if self.low is not None else ""


def setting(default: object, help: str, **known: Any) -> Any:
    """Return a dataclass field that carries a `Setting`."""
    return dataclasses.field(default=default, metadata={_KEY: Setting(help, **known)})


@dataclass(frozen=True)
class SettingRow:
    """One field for a form. key: "section.field", as `--set` takes it; kind: of its value."""

    key: str
    kind: str
    value: object
    default: object
    setting: Setting

    @property
    def differs(self) -> bool:
        """Whether the paper says another value."""
        return self.setting.published is not None and self.value != self.setting.published


def section_rows(section: object, where: str) -> Iterator[SettingRow]:
    """Yield the fields of a section in order."""
    hints = get_type_hints(type(section))
    for field in dataclasses.fields(section):  # type: ignore[arg-type]
        if _KEY in field.metadata:
            value = getattr(section, field.name)
            yield SettingRow(
                f"{where}.{field.name}" if where else field.name,
                kind_of(hints[field.name]), value, field.default, field.metadata[_KEY],
            )  # fmt: skip


def kind_of(hint: object) -> str:
    """Return "bool", "int", "float", "text", "texts" or "numbers" for a field's type."""
    if get_origin(hint) is tuple:
        return "texts" if get_args(hint)[0] is str else "numbers"
    return {bool: "bool", int: "int", float: "float"}.get(hint, "text")  # type: ignore[call-overload, no-any-return]


def check_section(section: object, where: str) -> None:
    """Raise SettingError for the first value out of bounds."""
    for row in section_rows(section, where):
        known, value = row.setting, row.value
        if known.choices and value not in known.choices:
            raise SettingError(row.key, repr(value), known.valid)
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, high = known.low, known.high
            fine = math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)
            if not fine:
                raise SettingError(row.key, f"{value:g}", known.valid or "a finite number")


def read_values(kind: type, table: object, where: str) -> dict[str, object]:
    """Return what a TOML table says of a section's settings, by name. Raises SettingError."""
    if not isinstance(table, Mapping):
        raise SettingError(where, f"is a {type(table).__name__}", "a table of named fields")
    hints = get_type_hints(kind)
    names = [f.name for f in dataclasses.fields(kind) if _KEY in f.metadata]
    refuse_unknown(table, names, where)
    prefix = f"{where}." if where else ""
    return {name: _converted(table[name], hints[name], prefix + name) for name in names if name in table}


def refuse_unknown(table: Mapping[str, object], names: list[str], where: str) -> None:
    """Raise SettingError for a name that there is not; it says the nearest one."""
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise SettingError(f"{where}.{name}" if where else str(name), f"is unknown{hint}", ", ".join(names))


def _converted(value: object, hint: object, where: str) -> object:
    kind = kind_of(hint)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in ("texts", "numbers") and isinstance(value, list | tuple):
        inner = str if kind == "texts" else int
        if all(isinstance(v, inner) and not isinstance(v, bool) for v in value):
            return tuple(value)
    expected = {"bool": bool, "int": int, "float": float, "text": str}.get(kind)
    if expected is not None and isinstance(value, expected) and (kind == "bool" or not isinstance(value, bool)):
        return value
    words = {
        "bool": "true or false", "int": "a whole number", "float": "a number", "text": "text",
        "texts": "a list of texts", "numbers": "a list of whole numbers",
    }  # fmt: skip
    raise SettingError(where, f"{value!r} is a {type(value).__name__}", words[kind])


def with_overrides(table: Mapping[str, object], overrides: Sequence[str]) -> dict[str, object]:
    """Return a table with "section.field=value" texts set; a value is read as TOML, else as bare text.

    Raises SettingError for a text without key or "=".
    """
    out = _copied(table)
    for text in overrides:
        key, equals, value = text.partition("=")
        parts = key.strip().split(".")
        if not equals or not all(parts):
            raise SettingError("--set", repr(text), "SECTION.FIELD=VALUE, such as train.steps=2000")
        target = out
        for part in parts[:-1]:
            inner = target.setdefault(part, {})
            if not isinstance(inner, dict):
                raise SettingError(key.strip(), f"{part} is no section", "SECTION.FIELD=VALUE")
            target = inner
        target[parts[-1]] = _toml_value(value.strip())
    return out


def _copied(table: Mapping[str, object]) -> dict[str, object]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in table.items()}


def _toml_value(text: str) -> object:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if list(parsed) == ["value"] else text
