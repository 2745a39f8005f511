"""Sessions for tests of edits: folders with notes and no recordings, so that hundreds of them cost nothing."""

from dataclasses import replace
from pathlib import Path

from hardware.recording.note import NOTE, EpisodeNote, Verdict
from hardware.recording.session import SESSION

BASE = EpisodeNote(
    "", 0, "rotation", "kept", "cube", "dim", "turn it", duration_s=4.0, streams=("top", "side"),
    started="2026-01-01T10:00:00.000+00:00",
)  # fmt: skip


def note(number: int, **changes: object) -> EpisodeNote:
    return replace(BASE, id=f"id{number}", number=number, **changes)  # type: ignore[arg-type]


def notes_only(folder: Path, count: int, **changes: object) -> Path:
    """A session of kept episodes without recordings; every third has a mark, every fifth was bad."""
    (folder / "episodes").mkdir(parents=True)
    (folder / "trash").mkdir()
    (folder / SESSION).write_text('{"format": 1}')
    for number in range(1, count + 1):
        verdicts = [Verdict("drops", "mark", "two")] if number % 3 == 0 else []
        verdicts += [Verdict("blur", "bad", "all")] if number % 5 == 0 else []
        episode = folder / "episodes" / f"{number:06d}"
        episode.mkdir()
        (episode / NOTE).write_text(note(number, verdicts=tuple(verdicts), **changes).text())
    return folder
