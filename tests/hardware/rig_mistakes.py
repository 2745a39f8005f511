"""A rig file with one mistake: what its message has to say."""

import re
from pathlib import Path

import pytest

from hardware.rig import load_rig

Mistake = tuple[str, str, str, str, str]  # what is replaced, by what; field, value and what is valid in the message


def must_be_told(text: str, mistake: Mistake, folder: Path) -> None:
    """Make the mistake in a rig file's text; it is refused with file, line, field, value and what is valid."""
    before, after, field, value, valid = mistake
    wrong = text.replace(before, after, 1)
    assert wrong != text
    file = folder / "rig.toml"
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(ValueError, match=r": line \d+: ") as caught:
        load_rig(file)
    said = str(caught.value)
    line = int(re.search(r": line (\d+): ", said).group(1))  # type: ignore[union-attr]
    # a field that is missing has no line of its own: its table's is named
    assert wrong.splitlines()[line - 1].startswith((field.split(".")[-1], "["))
    assert said.startswith(f"{file}: line {line}: {field}: ")
    assert value in said
    assert valid in said.split("valid: ")[1]
