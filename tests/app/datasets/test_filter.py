"""A person finds the demos that she looks for by fields and by words."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.datasets.filter import Order, QueryError, shown
from models.data.dataset_index import DemoRow, session_rows
from tests.app.datasets.samples import notes_only


@pytest.fixture
def rows(tmp_path: Path) -> list[DemoRow]:
    found = list(session_rows(notes_only(tmp_path / "2026-01-01", 12)))
    found[0] = replace(found[0], task="scooping", tags=("Slow", "clean"), success=True, duration_s=2.0)
    found[1] = replace(found[1], success=False, instruction="Turn the Cube left")
    return found


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", range(1, 13)),
        ("task:scoop", [1]),
        ("-task:scooping number:1-3", [2, 3]),
        ("success:yes", [1]),
        ("success:no", [2]),
        ("success:unknown number:<=3", [3]),
        ("tag:slow", [1]),
        ("tag:slo", []),
        ("-tag:slow number:..2", [2]),
        ("verdict:bad", [5, 10]),
        ("verdict:none number:1-4", [1, 2, 4]),
        ("duration:<3s", [1]),
        ("duration:>=4 number:11-", [11, 12]),
        ("cube left", [2]),
        ('"cube left"', [2]),
        ('instruction:"cube left"', [2]),
        ("stream:side number:7", [7]),
        ("session:2026-01 number:>11", [12]),
        ("edited:yes", []),
        ("damaged:no number:1", [1]),
        ("000004", [4]),
    ],
)
def test_a_query_shows_what_it_says(rows: list[DemoRow], query: str, numbers: list[int]) -> None:
    assert [row.number for row in shown(rows, query)] == list(numbers)


@pytest.mark.parametrize(
    "query", ["colour:red", "success:maybe", "verdict:fine", "duration:long", "edited:1", "number:>"]
)
def test_what_cannot_be_understood_is_named_with_what_would_be(rows: list[DemoRow], query: str) -> None:
    with pytest.raises(QueryError, match="valid") as told:
        shown(rows, query)
    assert query.split(":")[0] in str(told.value)


def test_the_table_is_sorted_by_any_column_and_equals_stay_in_order(rows: list[DemoRow]) -> None:
    assert [row.number for row in shown(rows, "", Order("number", descending=True))][:2] == [12, 11]
    by_level = shown(rows, "", Order("level", descending=True))
    assert [row.number for row in by_level][:5] == [5, 10, 3, 6, 9]
    assert [row.number for row in shown(rows, "", Order("success"))][:1] == [1]
    assert [row.number for row in shown(rows, "", Order("task"))][-1] == 1
    for column in ("tags", "streams", "duration_s", "started", "instruction", "edited", "tracked", "object"):
        assert len(shown(rows, "", Order(column))) == 12
