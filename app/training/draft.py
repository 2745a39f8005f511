"""A training that a person is writing: a config to begin from, what was changed of it, what is wrong with that."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.data.errors import DreamFileError
from models.training.config import TrainConfig, config_from, form_rows, to_table
from models.training.settings import SettingError, SettingRow

_WRONG = {
    "int": "a whole number",
    "float": "a number",
    "bool": "yes or no",
    "numbers": "whole numbers with commas between",
    "flags": "true or false, with commas between",
}

_SWITCH = {"true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True)
class DraftRow:
    """One value. text: as it stands in its field, valid or not; published: as text, "" where nothing is; differs:
    the paper says another one; problem: why it cannot be used, "" where it can."""

    setting: SettingRow
    text: str
    published: str
    differs: bool
    problem: str = ""

    @property
    def key(self) -> str:
        return self.setting.key


@dataclass(frozen=True)
class Draft:
    """Changing it gives a new one. edits: what was written, by "section.field"; problems: by field, "" for what no
    field is to blame for; config: what would be trained, the refused changes left out."""

    base: TrainConfig
    edits: Mapping[str, str]
    config: TrainConfig
    problems: Mapping[str, str]

    @classmethod
    def of(cls, base: TrainConfig) -> "Draft":
        return cls(base, {}, base, {})

    def edit(self, key: str, text: str) -> "Draft":
        """Write a text into a field."""
        edits = {**self.edits, key: text}
        known = {row.key: row for row in form_rows(self.base)}
        if key not in known:
            raise ValueError(f"config: {key!r} is unknown; valid: {list(known)}")
        if text == text_of(known[key].value):
            del edits[key]
        config, problems = _built(self.base, edits, known)
        return replace(self, edits=edits, config=config, problems=problems)

    @property
    def rows(self) -> tuple[DraftRow, ...]:
        """Every field in order, as it stands."""
        return tuple(self._row(row) for row in form_rows(self.config))

    @property
    def usable(self) -> bool:
        return not self.problems

    def _row(self, row: SettingRow) -> DraftRow:
        published = row.setting.published
        paper = "" if published is None else text_of(published)
        text, problem = self.edits.get(row.key, text_of(row.value)), self.problems.get(row.key, "")
        return DraftRow(row, text, paper, row.differs or bool(problem and paper and text != paper), problem)


def text_of(value: object) -> str:
    """Return a value as it is written in a field."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(text_of(v) for v in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def value_of(text: str, kind: str) -> object:
    """Return what a text says, kind as in SettingRow. Raises ValueError that says what is valid."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    try:
        if kind == "bool":
            return _SWITCH[text.strip().lower()]
        if kind == "flags":
            return [_SWITCH[word.lower()] for word in words]
        if kind == "int":
            return int(text.replace(" ", "").replace("_", ""))
        if kind == "float":
            return float(text.strip().replace(",", "."))
        if kind == "numbers":
            return [int(word) for word in words]
    except (ValueError, KeyError) as error:
        raise ValueError(f"{text.strip()!r}; valid: {_WRONG[kind]}") from error
    return words if kind == "texts" else text.strip()


def _built(
    base: TrainConfig, edits: Mapping[str, str], known: Mapping[str, SettingRow]
) -> tuple[TrainConfig, dict[str, str]]:
    """Return the config with as many of the edits as can be had, and what is wrong with the others."""
    problems: dict[str, str] = {}
    values: dict[str, object] = {}
    for key, text in edits.items():
        try:
            values[key] = value_of(text, known[key].kind)
        except ValueError as error:
            problems[key] = str(error)
    while True:
        try:
            return config_from(_table(base, values), Path("config")), problems
        except (SettingError, DreamFileError) as error:
            if error.field in problems:  # it is not that one alone
                return base, problems
            problems[error.field if error.field in known else ""] = f"{error.problem}; valid: {error.valid}"
            if values.pop(error.field, None) is None:
                return base, problems


def _table(base: TrainConfig, values: Mapping[str, object]) -> dict[str, object]:
    """Return the plain values of a config with some of them set by "section.field"."""
    table = to_table(base)
    for key, value in values.items():
        *path, name = key.split(".")
        at = table
        for part in path:
            at = at[part]  # type: ignore[assignment]  # tables in tables
        at[name] = value
    return table
