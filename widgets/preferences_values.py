"""What page Preferences is shown: one record a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PrefValue = str | float
PrefKind = Literal["text", "choice", "number", "file", "folder"]


@dataclass(frozen=True)
class PrefRow:
    """One preference. choices: words by value; low, high, unit: of a number, whose 0 reads `zero`; waiting: it
    takes effect at the next start; test: the words of a button that tries it out, "" for none."""

    name: str
    section: str
    title: str
    about: str
    kind: PrefKind
    value: PrefValue
    default: PrefValue
    choices: Mapping[str, str] = field(default_factory=dict)
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    zero: str = ""
    waiting: bool = False
    test: str = ""

    def holds(self, words: str) -> bool:
        """Whether every word stands somewhere in this row."""
        text = " ".join((self.section, self.title, self.about, *self.choices.values())).lower()
        return all(word in text for word in words.lower().split())


@dataclass(frozen=True)
class ShortcutRow:
    """One action. keys, usual: "" for none; fixed: why a person cannot change them, "" where one can."""

    id: str
    text: str
    place: str
    keys: str
    usual: str
    fixed: str = ""
