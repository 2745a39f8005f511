"""The session behind page Dream: one dream, its track, a person's corrections and the plan made from them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.events import Listener
from app.ledger import Ledger
from app.workspace import Workspace
from hardware.rig import Rig
from hardware.types import Image, Plan
from models.types import Dream, Hint, Track

Topic = Literal["dream", "track", "edits", "progress", "plan", "message"]


@dataclass(frozen=True)
class Progress:
    """What runs in the background. what: "tracking" or "planning"; fraction 0..1; left_s [s], None: unknown."""

    what: str
    fraction: float
    text: str
    left_s: float | None


@dataclass(frozen=True)
class WorstFrame:
    """The frame to look at first: the least confident one, a lost one before all others."""

    tool: str
    t: int
    confidence: float


class DreamSession:
    """One open dream. Owned by one thread: every method is called there, and listeners are called there.

    Work in the background (tracking in the worker process, planning in a thread) comes in only by `pump()`, which
    the owner calls about every 30 ms (a QTimer), or by `wait()` without a window. Nothing here blocks for long.

    Read: `dream`, `folder`, `track` (of the current hints, else the last one), `stale` (the track is not that of
    the current hints and trim), `hints`, `trim` (first, last frame, inclusive), `plan` (None once anything changed),
    `progress` (None: idle), `message` (what went wrong last, for a person; "" for nothing), `can_undo`, `can_redo`.
    """

    def __init__(self, workspace: Workspace, ledger: Ledger) -> None:
        raise NotImplementedError

    # read ------------------------------------------------------------------------------------------------------
    dream: Dream | None
    folder: Path | None
    track: Track | None
    stale: bool
    hints: tuple[Hint, ...]
    trim: tuple[int, int]
    plan: Plan | None
    progress: Progress | None
    message: str
    can_undo: bool
    can_redo: bool

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(topic)` after every change, in the owner's thread; returns what ends it."""
        raise NotImplementedError

    def pump(self) -> None:
        """Take in what the background finished. Never blocks."""
        raise NotImplementedError

    def wait(self, timeout: float) -> bool:
        """Pump until the background is idle; False when it took longer than `timeout` [s]. Without a window only."""
        raise NotImplementedError

    # open ------------------------------------------------------------------------------------------------------
    def dreams(self) -> tuple[Path, ...]:
        """Folders of the dreams in the workspace, newest first."""
        raise NotImplementedError

    def open(self, folder: Path) -> None:
        """Open a dream folder. Raises DreamFileError naming file and field; what was open stays open."""
        raise NotImplementedError

    def open_example(self) -> None:
        """Open the built-in rendered dream (made on first use)."""
        raise NotImplementedError

    def open_dropped(self, paths: tuple[Path, ...]) -> None:
        """Open what was dropped on the window: a dream folder, or the files of the published layout.

        A video alone is enough where scene photos, calibration and meshes lie beside it under recognisable names.
        Raises DreamFileError saying which file is missing or wrong.
        """
        raise NotImplementedError

    # edit ------------------------------------------------------------------------------------------------------
    def add_hint(self, hint: Hint) -> None:
        """A person's box; replaces one of the same tool, view and frame. Undoable."""
        raise NotImplementedError

    def remove_hint(self, hint: Hint) -> None:
        raise NotImplementedError

    def set_trim(self, first: int, last: int) -> None:
        """Keep frames first..last, inclusive. Undoable."""
        raise NotImplementedError

    def undo(self) -> None: ...

    def redo(self) -> None: ...

    # compute ---------------------------------------------------------------------------------------------------
    def retrack(self) -> None:
        """Track in the worker process with the current hints; the result comes by `pump()`, topic "track"."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Give up the tracking that runs; the last track stays."""
        raise NotImplementedError

    def make_plan(self, rig: Rig, *, speed_scale: float = 1.0, first_run: bool = True) -> None:
        """Plan the current track for the rig's arms in a thread; the result comes by `pump()`, topic "plan"."""
        raise NotImplementedError

    # look ------------------------------------------------------------------------------------------------------
    def frame_at(self, view: str, t: int) -> Image:
        """Return picture t (H, W, 3) of a view; KeyError lists the views, IndexError the range."""
        raise NotImplementedError

    def worst_frame(self) -> WorstFrame | None:
        raise NotImplementedError

    def close(self) -> None:
        """End the worker process and the planning thread. Safe to call twice."""
        raise NotImplementedError
