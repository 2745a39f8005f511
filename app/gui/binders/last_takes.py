"""The takes of this sitting, newest first, for the strip of page Record: what became of each, and its picture."""

from dataclasses import replace
from pathlib import Path

from hardware.types import Image
from widgets.record_values import TakeRow
from widgets.values import Mood

MOST = 12
_OPEN = "under review"


class LastTakes:
    """`rows` is what the strip shows."""

    def __init__(self) -> None:
        self.rows: tuple[TakeRow, ...] = ()

    def review(self, number: int, mood: Mood, note: str, picture: Image | None) -> None:
        """A take is looked at: a new one, one with verdicts now, or one that was brought back."""
        known = next((row.picture for row in self.rows if row.number == number), None)
        others = tuple(row for row in self.rows if row.number != number)
        row = TakeRow(number, _OPEN, mood, note, known if known is not None else picture)
        self.rows = (row, *others)[:MOST]

    def settle(self, folder: Path, undo: str) -> bool:
        """The take under review was decided on: return whether it was discarded. undo: the key that undoes that."""
        if not self.rows or self.rows[0].outcome != _OPEN:
            return False
        last, others = self.rows[0], self.rows[1:]
        if (folder / "episodes" / f"{last.number:06d}").is_dir():
            mood: Mood = "warning" if last.mood == "alarm" else last.mood
            self.rows = (replace(last, outcome="kept", mood=mood), *others)
            return False
        # only the one that was discarded last comes back
        older = tuple(replace(row, note="") if row.outcome == "discarded" else row for row in others)
        self.rows = (replace(last, outcome="discarded", mood="idle", note=f"{undo} brings it back"), *older)
        return True
