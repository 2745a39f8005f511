"""What a job's function is given, in the process of a test."""

from collections.abc import Mapping
from pathlib import Path

from app.jobs.types import Wanted
from app.workspace import Workspace


class Context:
    """A job that is told to pause or end after so many reports."""

    def __init__(self, workspace: Workspace, folder: Path, *, after: int = 10**9, then: Wanted = "run") -> None:
        self.workspace, self.folder, self.attempt = workspace, folder, 1
        self.told: list[tuple[float, str]] = []
        self._after, self._then = after, then

    def report(
        self,
        fraction: float,
        text: str = "",
        *,
        left_s: float | None = None,
        values: Mapping[str, float] | None = None,
    ) -> None:
        self.told.append((fraction, text))

    def wanted(self) -> Wanted:
        return self._then if len(self.told) >= self._after else "run"

    def cancelled(self) -> bool:
        return self.wanted() == "cancel"
