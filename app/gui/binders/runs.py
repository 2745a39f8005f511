"""The runs of the ledger as a person reads them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from app.gui.binders.run_video import has_video
from app.ledger import Entry, Ledger
from widgets.approve_panel import short_hash
from widgets.values import ChainLink, Mood, RunRow

_MOODS: dict[str, Mood] = {"success": "ok", "failure": "alarm"}
_HIDDEN = ("folder", "file", "files", "provenance")


def has_run(ledger: Ledger, id: str) -> bool:
    """Return whether anything made from this object was executed to its end."""
    if not id:
        return False
    done = (entry for entry in ledger.descendants(id) if entry.kind == "execution")
    return any(entry.record.get("ended", entry.record.get("state")) == "done" for entry in done)


def run_rows(ledger: Ledger, limit: int = 200) -> list[RunRow]:
    """Return the newest executions with what became of them."""
    return [_row(ledger, entry) for entry in ledger.entries("execution", limit)]


def chain_links(ledger: Ledger, id: str) -> list[ChainLink]:
    """Return a run's outcome, the run, and everything that it came from."""
    entries = [*reversed(_outcomes(ledger, id)), *ledger.chain(id)]
    return [ChainLink(e.kind, e.name, local_time(e.created), tuple(_facts(e.record))) for e in entries]


def dream_folder_of(ledger: Ledger, id: str) -> Path | None:
    """Return the folder of the dream that a run came from, None where it is gone."""
    for entry in ledger.chain(id):
        folder = Path(str(entry.record.get("folder", "")))
        if entry.kind == "dream" and folder.is_dir():
            return folder
    return None


def run_folder_of(ledger: Ledger, id: str) -> Path | None:
    """Return the folder that a run left, None where it is gone."""
    folder = Path(str(ledger.get(id).record.get("folder", "")))
    return folder if folder.is_dir() else None


def local_time(created: str) -> str:
    """Return an ISO 8601 UTC time as the clock on the wall shows it."""
    try:
        moment = datetime.fromisoformat(created.replace("Z", "+00:00"))
    except ValueError:
        return created
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _row(ledger: Ledger, run: Entry) -> RunRow:
    chain = {entry.kind: entry for entry in ledger.chain(run.id)}
    outcomes = _outcomes(ledger, run.id)
    last = outcomes[-1].record if outcomes else {}
    verdict = ("success" if last.get("success") else "failure") if outcomes else "not judged"
    folder = Path(str(run.record.get("folder", "")))
    return RunRow(
        id=run.id,
        time=local_time(run.created),
        dream=chain["dream"].name if "dream" in chain else run.name,
        outcome=verdict,
        mood=_MOODS.get(verdict, "idle"),
        tags=_joined(last.get("tags", ())),
        note=str(last.get("note", "")),
        person=str(chain["approval"].record.get("person", "")) if "approval" in chain else "",
        plan=str(chain["plan"].record.get("sha256", "")) if "plan" in chain else "",
        ended=str(run.record.get("ended", run.record.get("state", ""))),
        video=folder.is_dir() and has_video(folder),
    )


def _outcomes(ledger: Ledger, id: str) -> list[Entry]:
    return [entry for entry in ledger.descendants(id) if entry.kind == "outcome"]


def _joined(values: object) -> str:
    return (
        ", ".join(map(str, values)) if isinstance(values, Iterable) and not isinstance(values, str) else str(values)
    )


def _facts(record: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for key, value in record.items():
        if key in _HIDDEN or value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping):
            yield key.replace("_", " "), ", ".join(f"{k} {short_hash(str(v))}" for k, v in value.items())
        elif isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
            yield key.replace("_", " "), short_hash(value)
        elif isinstance(value, float):
            yield key.replace("_", " "), f"{value:.4g}"
        else:
            yield key.replace("_", " "), _joined(value)
