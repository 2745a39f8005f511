"""What the form says of the tool on the bench."""

from app.tools.bench import ToolBench
from app.tools.fields import shown
from hardware.types import Tool
from widgets.tool_values import Level, ToolSheet

_LOCKED = "This tool is built in. Duplicate it, then change the copy."


def tool_sheet(bench: ToolBench) -> ToolSheet:
    """Return the sheet of the bench's draft. ValueError where there is none."""
    draft, report = bench.draft, bench.report
    if draft is None:
        raise ValueError("there is no tool; choose one")
    words = report.words + (". So many faces make the tracker slow" if report.huge else "")
    level: Level = "ok" if report.fine and not report.huge else "warning"
    guess = draft.guess
    said = str(draft.source.get("unit", ""))
    known = f"read as {said}" if said else "saved in metres"
    why = known if guess is None else guess.why if guess.sure else f"{guess.why}. Choose the right one."
    return ToolSheet(
        texts=shown(draft),
        problems=bench.problems,
        unit=draft.unit if guess is not None else said or "m",
        unit_words=why[:1].upper() + why[1:],
        unit_level="warning" if guess is not None and not guess.sure else "",
        report=words[:1].upper() + words[1:],
        report_level=level,
        can_repair=not report.fine,
        can_thin=report.huge,
        can_choose_unit=guess is not None,
        pieces=report.pieces,
        tracked=_tracked(draft.tool),
        changes=draft.changes,
        locked=_LOCKED if bench.built_in else "",
        unsaved=bench.unsaved,
        can_undo=bench.undo_words,
        can_redo=bench.redo_words,
        used_by=bench.library.users(bench.name) if bench.name and not bench.built_in else (),
    )


def _tracked(tool: Tool) -> str:
    if tool.trackable is None:
        return "The whole tool is tracked"
    return f"{int(tool.trackable.sum())} of {len(tool.trackable)} faces are tracked, coloured in the picture"
