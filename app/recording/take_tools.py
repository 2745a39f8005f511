"""Which tools a take is shown with, and whether a tracker would find them in it: looked at in a process of its own,
after the replay has begun, so that nobody waits for it."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from app.worker import Callbacks, Worker
from hardware.recording.note import EpisodeNote, Verdict
from hardware.tools import BUILT_IN_TOOLS

HELD = "tools"  # key in EpisodeNote.details: "left=rotation_gripper_left, right=rotation_gripper_right"

log = logging.getLogger(__name__)

Told = Callable[[EpisodeNote, tuple[Verdict, ...]], None]


def held_details(tools: Mapping[str, str]) -> dict[str, str]:
    """What an episode's note says of the tools in it, role -> built-in tool; nothing where nobody knows."""
    return {HELD: ", ".join(f"{role}={tool}" for role, tool in tools.items())} if tools else {}


def held_tools(note: EpisodeNote) -> dict[str, str]:
    """Return role -> tool as the note says."""
    pairs = (pair.partition("=") for pair in note.details.get(HELD, "").split(","))
    return {role.strip(): tool.strip() for role, _, tool in pairs if role.strip() and tool.strip()}


class ToolLook:
    """Looks for the tools of one take after the other. Owned by one thread; what was found comes in by `pump`."""

    def __init__(self, told: Told) -> None:
        """told(note, verdicts): of every take that was looked at; no verdicts: its tools can be tracked."""
        self._told, self._worker = told, Worker()
        self._waiting: deque[tuple[Path, EpisodeNote]] = deque()
        self._asked: set[str] = set()

    @property
    def busy(self) -> bool:
        return self._worker.busy or bool(self._waiting)

    def look(self, session: Path, note: EpisodeNote) -> None:
        """Look at an episode of a session once; one whose tools nobody has the CAD of is left alone."""
        if note.id not in self._asked and any(tool in BUILT_IN_TOOLS for tool in held_tools(note).values()):
            self._asked.add(note.id)
            self._waiting.append((session, note))

    def pump(self, *, quiet: bool) -> None:
        """Take in what was found. quiet: nothing is recorded now, so that the next look may begin. Never blocks."""
        self._worker.pump()
        if quiet and self._waiting and not self._worker.busy:
            session, note = self._waiting.popleft()
            callbacks = Callbacks(
                lambda found: self._told(note, found),
                lambda problem: log.info("the tools of take %d were not looked for: %s", note.number, problem),
                lambda _share, _text: None,
            )
            self._worker.submit(
                "app.recording.tool_look_job:look_for_tools",
                session,
                note.number,
                held_tools(note),
                callbacks=callbacks,
            )

    def close(self) -> None:
        """End its process. Safe to call twice."""
        self._waiting.clear()
        self._worker.close()
