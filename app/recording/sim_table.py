"""The table of a simulated rig between takes: laid for each one, and shown on by a scripted person or by hand."""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

from app.recording.plan import Choice
from hardware.geometry import Array
from hardware.world.process import WorldProcess
from hardware.world.tasks.table import lay

ShownBy = Literal["person", "me", "nobody"]
SHOWN_BY: tuple[tuple[ShownBy, str], ...] = (
    ("person", "a simulated person, once it records"),
    ("me", "me: mouse, keys or gamepad"),
    ("nobody", "nobody: I move arms or tools"),
)
SETTLE_S = 0.2  # until the world's word on who is at work is newer than the command
log = logging.getLogger(__name__)


class SimTable:
    """Owned by one thread; what the world takes time for happens in another. Read: `task`, `seed`, `laid` (what a
    take on it is of), `tools` (role -> tool that lies ready), `shown_by`, `busy` (the table is being laid),
    `problem` ("" or what went wrong)."""

    def __init__(self, world: WorldProcess, tasks: tuple[str, ...], seed: int = 1) -> None:
        """tasks: those that somebody knows how to show with this rig, the usual one first."""
        self._world, self.tasks, self.seed = world, tasks, seed
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="table")
        self._laying: Future[object] | None = None
        self._begun_at = math.inf
        self._asked: deque[tuple[Mapping[str, Array | None], float | None]] = deque(maxlen=1)
        self.task, self.problem = "", ""
        self.tools: Mapping[str, str] = {}
        self.laid: Choice | None = None
        self.shown_by: ShownBy = "person"

    @property
    def busy(self) -> bool:
        return self._laying is not None and not self._laying.done()

    @property
    def shown(self) -> bool:
        """Whether the simulated person has shown this table's task, and left."""
        sample = self._world.held.latest()
        return sample is not None and sample.t_host > self._begun_at + SETTLE_S and not sample.showing

    def lay(self, task: str) -> Choice:
        """Lay a task's table for this seed; return what a take on it is of. Raises ValueError naming the tasks."""
        layout = lay(task, self.seed)
        self.task, self.tools, self._begun_at = task, layout.tools, math.inf
        self._laying = self._background.submit(self._try, lambda: self._world.reset(self.seed, task))
        self.laid = Choice(task, next(iter(layout.objects), ""), f"table {self.seed}", layout.instruction)
        return self.laid

    def next(self) -> Choice:
        """Lay another table of the same task."""
        self.seed += 1
        return self.lay(self.task)

    def again(self) -> None:
        """Lay the same table once more: a take has moved what lies on it."""
        if self.task:
            self.lay(self.task)

    def leave(self) -> None:
        """The next takes are of something that nobody here knows: leave the table as it is."""
        self.task = ""

    def choose_who(self, who: str) -> None:
        """Say who shows the next takes. Raises ValueError naming who may."""
        names = [name for name, _ in SHOWN_BY]
        if who not in names:
            raise ValueError(f"shown by: {who!r}; valid: {names}")
        self.shown_by = names[[str(name) for name in names].index(who)]

    def begin(self) -> None:
        """A take is being recorded: let the simulated person show the task on the table as it lies."""
        if self.shown_by == "person" and self.task:
            self._background.submit(self._try, self._show)

    def hold(self, T_world_tool: Mapping[str, Array | None], opening: float | None = None) -> None:
        """Move held tools by hand, as `WorldProcess.hold`; where the world lags behind, only the newest counts."""
        self._asked.append((T_world_tool, opening))
        self._background.submit(self._try, self._hold_newest)

    def close(self) -> None:
        """Wait for what is under way. Safe to call twice."""
        self._background.shutdown(wait=True, cancel_futures=True)

    def _show(self) -> None:
        self._world.demonstrate(self.task, self.seed, fresh=False)
        self._begun_at = time.monotonic()

    def _hold_newest(self) -> None:
        if self._asked:
            self._world.hold(*self._asked.popleft())

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
            self.problem = ""
        except (OSError, ValueError, RuntimeError) as error:
            self.problem = f"the simulated table: {error}"
            log.info("%s", self.problem)
