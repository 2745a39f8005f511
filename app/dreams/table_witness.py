"""What becomes of a simulated table while a dream is executed on it, judged by the task's published rule."""

import logging
import threading
from collections.abc import Callable

from hardware.rig import Rig
from hardware.world.process import WorldProcess, WorldTruth
from hardware.world.tasks.layout import Moment, Verdict
from hardware.world.tasks.table import TASKS, judge, lay

LOOK_EVERY_S = 0.03
log = logging.getLogger(__name__)


class TableWitness:
    """Looks from `begin` to `end`, in a thread of its own; sees nothing of a real table."""

    def __init__(self, rig: Rig, world: Callable[[], WorldProcess | None]) -> None:
        """world(): the one that the arms move in, None where there is none."""
        self._rig, self._world = rig, world
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._verdict: Verdict | None = None
        self._seen: list[WorldTruth] = []

    def begin(self) -> None:
        """Look from now on, until `end`."""
        self.end()
        self._verdict, self._seen = None, []
        world = self._world()
        if world is None:
            return
        self._ended.clear()
        self._thread = threading.Thread(target=self._look, args=(world,), name="table witness")
        self._thread.start()

    def end(self) -> Verdict | None:
        """Look no more; return what the rule says of what was seen, None where nothing was. Waits for a moment."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ended.set()
            thread.join()
            known = self._seen and self._seen[-1].task in TASKS
            self._verdict = _judged(self._seen, self._rig) if known else None
        return self._verdict

    def _look(self, world: WorldProcess) -> None:
        try:
            while not self._ended.wait(LOOK_EVERY_S):
                self._seen.append(world.truth())
        except (OSError, RuntimeError) as error:
            log.info("the simulated table is not looked at any more: %s", error)


def _judged(seen: list[WorldTruth], rig: Rig) -> Verdict:
    last = seen[-1]
    moments = [Moment(s.t_host, s.T_world_object, s.T_world_tool, s.touching) for s in seen]
    return judge(lay(last.task, last.seed, last.held_out), moments, rig.cameras[0].camera)
