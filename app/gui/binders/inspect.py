"""Binds page Inspect to the ledger."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Slot

from app.gui.binders.binder import QuietBinder, Shell
from app.gui.binders.run_video import RunVideo, open_video
from app.gui.binders.runs import chain_links, dream_folder_of, run_folder_of, run_rows
from app.gui.program import Program
from app.ledger import LedgerError
from widgets.pages.inspect import InspectPage
from widgets.values import Chip, RunRow


class InspectBinder(QuietBinder):
    """Reads the ledger when the page is turned to, on F5, and after every outcome."""

    def __init__(
        self, page: InspectPage, program: Program, shell: Shell, open_dream: Callable[[Path], None]
    ) -> None:
        super().__init__(page)
        self.page, self._program, self._shell, self._open_dream = page, program, shell, open_dream
        self._runs: dict[str, RunRow] = {}
        self._chosen = ""
        self._video: RunVideo | None = None
        page.run_picked.connect(self._show_run)
        self.refresh()

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        return {
            "inspect.refresh": self.refresh,
            "inspect.open_dream": self._open,
            "inspect.video": self.page.playback.toggle,
        }

    def facts(self) -> set[str]:
        return ({"run"} if self._chosen else set()) | ({"video"} if self._video else set())

    def tick(self) -> None:
        """Nothing of the ledger changes by itself."""

    def close(self) -> None:
        self.page.playback.pause()
        self._show_video(None)

    @Slot()
    def refresh(self) -> None:
        """Read the ledger again."""
        try:
            rows = run_rows(self._program.ledger)
        except LedgerError as error:
            self._shell.say(str(error), "error")
            return
        self._runs = {row.id: row for row in rows}
        self.page.show_title("Inspect", _chips(rows))
        self.page.show_runs(rows)

    @Slot(str)
    def _show_run(self, id: str) -> None:
        self._chosen = id if id in self._runs else ""
        if not self._chosen:
            self.page.show_chain(())
            self._show_video(None)
            return
        try:
            self.page.show_chain(chain_links(self._program.ledger, id))
            self._show_video(run_folder_of(self._program.ledger, id))
        except LedgerError as error:
            self._shell.say(str(error), "error")

    def _show_video(self, folder: Path | None) -> None:
        before, self._video = self._video, None
        try:
            self._video = open_video(folder) if folder else None
        except ValueError as error:
            self._shell.say(str(error), "warning")
        self.page.show_video(self._video, self._video.duration if self._video else 0.0, "This run left no video")
        if before:
            before.close()

    def _open(self) -> None:
        folder = dream_folder_of(self._program.ledger, self._chosen)
        if folder is None:
            self._shell.say("The folder of this run's dream is gone", "warning")
            return
        self._open_dream(folder)
        self._shell.go("dream")


def _chips(rows: Sequence[RunRow]) -> list[Chip]:
    if not rows:
        return []
    judged = [row for row in rows if row.mood != "idle"]
    good = sum(row.mood == "ok" for row in judged)
    verdict = f"{good} of {len(judged)} judged succeeded" if judged else "none judged yet"
    return [Chip(f"{len(rows)} run{'s' if len(rows) > 1 else ''}"), Chip(verdict)]
