"""Reading a tool's CAD file takes seconds and may take memory: a worker process does it, the window never waits."""

from pathlib import Path

from app.tools.draft import ToolDraft, draft_of_file
from app.worker import Cancelled, Report


def read_tool(path: str, report: Report, _cancelled: Cancelled) -> ToolDraft:
    """Return the draft of a CAD file."""
    report(0.0, f"reading {Path(path).name}")
    return draft_of_file(Path(path))
