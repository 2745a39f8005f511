"""What docs/safety.md says is tested has that test."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAME = re.compile(r"`(test_\w+)(…?)`")


def test_every_test_that_the_safety_tables_name_is_there() -> None:
    named = NAME.findall((ROOT / "docs" / "safety.md").read_text())
    there = {name for file in (ROOT / "tests").rglob("test_*.py") for name in _tests(file)}
    assert len(named) > 40
    for name, cut in named:
        assert name in there or (cut and any(one.startswith(name) for one in there)), name


def test_every_row_of_the_fault_table_has_a_test_or_says_why_not() -> None:
    text = (ROOT / "docs" / "safety.md").read_text()
    table = text[text.index("| fault |") :].split("\n\n")[0].splitlines()[2:]
    assert len(table) > 20
    for row in table:
        assert NAME.search(row) or "| none: " in row, row


def _tests(file: Path) -> list[str]:
    return re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
