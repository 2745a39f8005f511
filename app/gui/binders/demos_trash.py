"""The trash on page Demos: deleted takes listed, brought back, destroyed after a word was typed."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.datasets.desk import DatasetDesk
from app.datasets.library import DatasetError
from app.datasets.trash import TakeKey, TrashRow
from app.gui.binders.binder import Shell
from app.gui.binders.demos_facts import when
from widgets.trash_view import Destruction, TrashLine, TrashView

NAMED = 12  # takes that a confirmation names one by one


class DemosTrash:
    """A part of the demos' binder. leave(): show the pictures again."""

    def __init__(self, view: TrashView, desk: DatasetDesk, shell: Shell, leave: Callable[[], None]) -> None:
        self._view, self._desk, self._shell = view, desk, shell
        view.restore_wanted.connect(self._bring_back)
        view.destroy_asked.connect(self._ask)
        view.destroy_wanted.connect(self._destroy)
        view.closed.connect(leave)

    def show(self) -> None:
        """Show what lies there now."""
        self._view.show_lines([_line(row) for row in self._desk.trash])

    def _bring_back(self, takes: Sequence[TakeKey]) -> None:
        if takes:
            self._try(lambda: self._desk.bring_back(takes))

    def _ask(self, takes: Sequence[TakeKey]) -> None:
        rows = [row for row in self._desk.trash if row.key in set(takes)]
        self._view.ask(destruction(rows) if rows else None)

    def _destroy(self, takes: Sequence[TakeKey]) -> None:
        self._try(lambda: self._desk.destroy(takes))

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except DatasetError as error:
            self._shell.say(str(error), "warning")


def destruction(rows: Sequence[TrashRow]) -> Destruction:
    """Return the question that comes before takes are destroyed: all that is lost, and how many to type."""
    count, seconds, size = len(rows), sum(row.duration_s for row in rows), sum(row.bytes for row in rows)
    takes = "take" if count == 1 else "takes"
    by_session: dict[str, list[str]] = {}
    for row in rows:
        by_session.setdefault(Path(row.session).name, []).append(str(row.number))
    names = [
        f"{', '.join(numbers[:NAMED])}{' ..' if len(numbers) > NAMED else ''} of {session}"
        for session, numbers in by_session.items()
    ]
    only = sum(not row.copy for row in rows)
    copies = (
        "No other copy of it is known here." if only == count == 1 else f"Of {only} no other copy is known here."
    )
    told = copies if only else "Each of their recordings is kept elsewhere too."
    text = (
        f"This destroys {count} {takes} for ever: {'; '.join(names)}. Recordings of {seconds:.1f} s, "
        f"{size / 1e6:.1f} MB, with all that was said of them. {told} Undo cannot bring them back."
    )
    return Destruction(tuple(row.key for row in rows), text, str(count))


def _line(row: TrashRow) -> TrashLine:
    return TrashLine(
        row.key,
        str(row.number),
        row.task or row.problem,
        Path(row.session).name,
        when(row.started),
        f"{row.duration_s:.1f} s",
        f"{row.bytes / 1e6:.1f} MB",
        when(row.deleted) if row.deleted else "when recording",
        f"also in {Path(row.copy).parents[1].name}" if row.copy else "the only one known",
        not row.copy,
    )
