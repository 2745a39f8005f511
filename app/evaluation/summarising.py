"""Writing the summary of an evaluation beside its trials."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.evaluation.evaluating import Wish
from app.evaluation.summary import summarise, values_of
from app.evaluation.trials import Trial
from app.evaluation.words import lines_of
from hardware.whole_file import write_whole
from models.data.text_files import to_json

SUMMARY, TABLE = "summary.json", "summary.txt"


def write_summary(out: Path, wish: Wish, trials: Sequence[Trial]) -> tuple[Mapping[str, object], list[str]]:
    """Write OUT/summary.json and summary.txt; return the same as values and lines. Raises OSError."""
    found = summarise(wish.task, trials)
    values = {"setup": dict(wish.setup), **values_of(wish.task, found)}
    lines = lines_of(wish.task, found, "real-time" if wish.real_time else "virtual")
    write_whole(out / SUMMARY, to_json(values))
    write_whole(out / TABLE, "".join(f"{line}\n" for line in lines))
    return values, lines
