"""edits.json: a person's corrections with all that can be undone and redone, so that a restart forgets nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path

from app.dreams.edits import (
    AddCut,
    AddHint,
    Allowed,
    Edit,
    Entry,
    History,
    MarkSpan,
    RemoveCut,
    RemoveHint,
    RemovePose,
    Review,
    SetPose,
    SetTrim,
    UseTracker,
    edit_name,
)
from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.fields import Fields
from models.data.poses_file import cut_values, fix_values, hint_values, read_cut, read_fix, read_hint
from models.data.text_files import read_table, to_json


def save_history(path: Path, history: History) -> None:
    """Write edits.json, whole or not at all. Raises OSError."""
    entries = [{**_values(e.edit), "who": e.who, "when": e.when} for e in history.entries]
    table: dict[str, object] = {"position": history.position, "edits": entries}
    if history.start.hints or history.start.cuts:
        table["start"] = {
            "tracker": history.start.tracker,
            "hints": [hint_values(hint) for hint in history.start.hints],
            "cuts": [cut_values(cut) for cut in history.start.cuts],
        }
    write_whole(path, to_json(table))


def load_history(path: Path, start: Review, allowed: Allowed) -> History:
    """Read edits.json, an empty history where there is none. Raises DreamFileError naming file and field."""
    if not path.exists():
        return History(start)
    fields = Fields(read_table(path), path)
    try:
        begun = _start(fields, start)
    except DreamFileError:
        raise
    except ValueError as error:
        raise fields.wrong("start", str(error)) from error
    entries = tuple(_entry(row, allowed) for row in fields.rows("edits", "a list of edits"))
    position = fields.number("position", "how many of the edits count")
    if position not in range(len(entries) + 1):
        raise fields.wrong("position", f"{position:g}", f"0 to {len(entries)}")
    return History(begun, entries, int(position))


def _start(fields: Fields, start: Review) -> Review:
    if "start" not in fields.values:
        return start
    row = fields.table("start", "what the corrections begin from")
    hints = tuple(read_hint(h) for h in row.rows("hints", "a list of hints"))
    cuts = tuple(read_cut(c) for c in row.rows("cuts", "a list of cuts"))
    return Review(hints, start.trim, row.get("tracker", str, "a tracker's name", start.tracker), cuts=cuts)


def _values(edit: Edit) -> dict[str, object]:
    named: dict[str, object] = {"edit": edit_name(edit)}
    if isinstance(edit, SetTrim):
        return named | {"first": edit.first, "last": edit.last}
    if isinstance(edit, UseTracker):
        return named | {"tracker": edit.tracker}
    if isinstance(edit, MarkSpan):
        return named | {"tool": edit.tool, "first": edit.first, "last": edit.last}
    if isinstance(edit, AddHint | RemoveHint):
        return hint_values(edit.hint) | named
    if isinstance(edit, AddCut | RemoveCut):
        return cut_values(edit.cut) | named
    return fix_values(edit.fix) | named


def _entry(row: Fields, allowed: Allowed) -> Entry:
    name = row.get("edit", str, f"one of {list(_READERS)}")
    if name not in _READERS:
        raise row.wrong("edit", repr(name), f"one of {list(_READERS)}")
    try:
        edit = _READERS[name](row)
        allowed.check(edit)
    except DreamFileError:
        raise
    except ValueError as error:
        raise row.wrong("", str(error)) from error
    return Entry(edit, row.get("who", str, "a name", ""), row.get("when", str, "a time", ""))


def _span(row: Fields, untracked: bool) -> MarkSpan:
    return MarkSpan(row.get("tool", str, "a role"), _whole(row, "first"), _whole(row, "last"), untracked)


_READERS: Mapping[str, Callable[[Fields], Edit]] = {
    "box": lambda row: AddHint(read_hint(row)),
    "copied box": lambda row: AddHint(read_hint(row)),
    "remove box": lambda row: RemoveHint(read_hint(row)),
    "trim": lambda row: SetTrim(_whole(row, "first"), _whole(row, "last")),
    "tracker": lambda row: UseTracker(row.get("tracker", str, "a tracker's name")),
    "pose": lambda row: SetPose(read_fix(row)),
    "remove pose": lambda row: RemovePose(read_fix(row)),
    "untracked": lambda row: _span(row, True),
    "tracked again": lambda row: _span(row, False),
    "split": lambda row: AddCut(read_cut(row)),
    "restart": lambda row: AddCut(read_cut(row)),
    "remove split": lambda row: RemoveCut(read_cut(row)),
    "remove restart": lambda row: RemoveCut(read_cut(row)),
}


def _whole(row: Fields, key: str) -> int:
    value = row.number(key, "a whole number, 0 or more")
    if value < 0 or value != int(value):
        raise row.wrong(key, f"{value:g}", "a whole number, 0 or more")
    return int(value)
