"""Which demos are shown, and in which order: `task:rotation success:yes -tag:blurred duration:>4 cube`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from pathlib import Path

from models.data.dataset_index import DemoRow

Test = Callable[[DemoRow], bool]
_TOKEN = re.compile(r'(?P<no>-?)(?:(?P<field>[a-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>\S+))')
_RANGE = re.compile(r"(?P<low>\d+(?:\.\d+)?)?(?P<op>-|\.\.|[<>]=?)?(?P<high>\d+(?:\.\d+)?)?")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}
_LEVELS = {"": 0, "ok": 0, "mark": 1, "bad": 2}
SUCCESS = {"yes": True, "no": False, "unknown": None}


class QueryError(ValueError):
    """A filter cannot be understood. The message says which part, and what would be."""


def matches(query: str) -> Test:
    """Return the test that a query stands for; words without a field are looked for in all texts. Raises
    QueryError."""
    tests = [_test(found) for found in _TOKEN.finditer(query.strip())]
    return lambda row: all(test(row) for test in tests)


def _test(found: re.Match[str]) -> Test:
    value = (found["quoted"] if found["quoted"] is not None else found["bare"] or "").lower()
    if found["field"] is None:
        test = _words(value)
    elif found["field"] in FIELDS:
        test = FIELDS[found["field"]](value)
    else:
        raise QueryError(f"filter: {found['field']}: is no field; valid: {', '.join(FIELDS)}, or words")
    return (lambda row: not test(row)) if found["no"] else test


def _words(value: str) -> Test:
    return lambda row: any(value in text.lower() for text in _texts(row))


def _texts(row: DemoRow) -> Sequence[str]:
    number = f"{row.number:06d}"
    return (
        row.task,
        row.instruction,
        row.object,
        row.condition,
        row.note,
        *row.tags,
        row.started,
        number,
        row.problem,
    )


def _text(name: str) -> Callable[[str], Test]:
    return lambda value: lambda row: value in str(getattr(row, name)).lower()


def _success(value: str) -> Test:
    if value not in SUCCESS:
        raise QueryError(f"filter: success:{value}; valid: {', '.join(SUCCESS)}")
    return lambda row: row.success is SUCCESS[value]


def _verdict(value: str) -> Test:
    names = {"none": "", **{level: level for level in _LEVELS if level}}
    if value not in names:
        raise QueryError(f"filter: verdict:{value}; valid: {', '.join(names)}")
    return lambda row: row.level == names[value]


def _flag(name: str, says: Callable[[DemoRow], bool]) -> Callable[[str], Test]:
    def test(value: str) -> Test:
        if value not in ("yes", "no"):
            raise QueryError(f"filter: {name}:{value}; valid: yes, no")
        return lambda row: says(row) == (value == "yes")

    return test


def _range(name: str, of: Callable[[DemoRow], float]) -> Callable[[str], Test]:
    def test(value: str) -> Test:
        found = _RANGE.fullmatch(value.removesuffix("s"))
        low, op, high = found.groups() if found else (None, None, None)
        if low is None and high is None:
            raise QueryError(f"filter: {name}:{value}; valid: {name}:7, {name}:3-9, {name}:>4, {name}:<=9")
        if op in (None, "-", ".."):
            least = float(low) if low else float("-inf")
            most = float(high) if high else float("inf") if op else least
            return lambda row: least <= of(row) <= most
        limit, compare = float(high or low or 0), _COMPARE[op]
        return lambda row: compare(of(row), limit)

    return test


FIELDS: Mapping[str, Callable[[str], Test]] = {
    "task": _text("task"),
    "object": _text("object"),
    "condition": _text("condition"),
    "instruction": _text("instruction"),
    "note": _text("note"),
    "started": _text("started"),
    "tag": lambda value: lambda row: value in (tag.lower() for tag in row.tags),
    "stream": lambda value: lambda row: any(value in stream.lower() for stream in row.streams),
    "session": lambda value: lambda row: value in Path(row.session).name.lower(),
    "success": _success,
    "verdict": _verdict,
    "number": _range("number", lambda row: row.number),
    "duration": _range("duration", lambda row: row.duration_s),
    "edited": _flag("edited", lambda row: row.edited),
    "tracked": _flag("tracked", lambda row: row.tracked),
    "damaged": _flag("damaged", lambda row: bool(row.problem)),
}


@dataclass(frozen=True)
class Order:
    """By which column the table is sorted."""

    column: str = "number"
    descending: bool = False


_SORTS: Mapping[str, Callable[[DemoRow], object]] = {
    "number": lambda row: (row.session, row.number, row.start),
    "success": lambda row: {True: 0, None: 1, False: 2}[row.success],
    "tags": lambda row: [tag.lower() for tag in row.tags],
    "level": lambda row: _LEVELS.get(row.level, 0),
    "streams": lambda row: len(row.streams),
    "duration_s": lambda row: row.duration_s,
    "started": lambda row: row.started,
    "edited": lambda row: row.edited,
    "tracked": lambda row: row.tracked,
}


def shown(rows: Sequence[DemoRow], query: str, order: Order = Order()) -> list[DemoRow]:
    """Return the rows that a query lets through, sorted; equals stay in the order of their numbers. Raises
    QueryError."""
    test = matches(query)
    found = sorted(filter(test, rows), key=_SORTS["number"])  # type: ignore[arg-type]
    if order.column != "number" or order.descending:
        key = _SORTS.get(order.column, lambda row: str(getattr(row, order.column)).lower())
        found.sort(key=key, reverse=order.descending)
    return found
