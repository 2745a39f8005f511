"""Long horizon: dream, execute, look again, up to four times; the best step counts (Dreamitate, section 4.5).

A person chooses and approves each step: nothing here moves an arm. It notices that a dream's plan was run, takes
the next scene as soon as the arms stand, and holds it against the goal.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from app.dreams.goals import Goal, GoalScore, SceneObject, find_object, score
from app.dreams.scene import Scene
from app.dreams.table_witness import TableWitness
from app.events import Listener, Listeners
from app.execution.run_folder import RunFolder
from app.execution.session import ExecutionSession
from app.ledger import Ledger, LedgerError
from hardware.types import Image
from hardware.world.tasks.layout import Verdict
from hardware.world.tasks.push_shape import MOST_PUSHES
from models.data.photo import write_photo
from models.video.config import VideoConfig

State = Literal[
    "off",  # nobody began
    "dream",  # the scene is there: dream from it, choose, approve
    "execute",  # a dream's plan is run
    "look",  # the next scene is being taken
    "blocked",  # it could not be: `message` says why; look again
    "done",  # the last step was taken, or a person ended it
]
Topic = Literal["horizon"]
Look = Callable[[], Scene]
ENDS = ("done", "stopped", "fault", "ready", "offline")  # of a run, as the session of the arms has it
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Aim:
    """What is to go where: an object of the first scene, and its goal."""

    thing: SceneObject
    goal: Goal


def aim_at(scene: Scene, config: VideoConfig, goal: Goal | None) -> Aim | None:
    """Return what steps from a scene are scored by, None without a goal, or where its object is not seen."""
    thing = None if goal is None else find_object(scene, config)
    return None if goal is None or thing is None else Aim(thing, goal)


@dataclass(frozen=True, eq=False)
class HorizonStep:
    """One execution and what came of it. before, after (H, W, 3): view 1's photos; score: None without a goal;
    verdict: by the task's own rule, None on a real table; run: its folder; execution: its id in the ledger."""

    before: Image
    after: Image
    score: GoalScore | None
    verdict: Verdict | None
    run: Path | None
    execution: str

    def record(self, number: int) -> dict[str, object]:
        """Return what the run's record is told, in plain values."""
        found: dict[str, object] = {"step": number}
        if self.score is not None:
            found["iou"] = self.score.iou
            if not np.isnan(self.score.rotation_error):
                found["rotation_error_deg"] = float(np.degrees(self.score.rotation_error))
        if self.verdict is not None:
            found["rule"] = {"success": self.verdict.success, "text": self.verdict.text, **self.verdict.measures}
        return found


class Horizon:
    """Owned by one thread, which calls `pump` about every 30 ms; scenes are taken in another.

    Towards a goal each step is scored as view 1 sees it; without one a simulated table is asked what is so.

    Read: `state`, `message` (for a person), `scene` (what the next dream begins with, no goal painted in), `aim`
    (None where the task has no goal), `start` (the score of the first scene, None until it is known), `steps`,
    `most`.
    """

    def __init__(self, execution: ExecutionSession, ledger: Ledger, witness: TableWitness) -> None:
        self._execution, self._ledger, self._witness = execution, ledger, witness
        self._listeners = Listeners()
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="looking")
        self._looking: Future[tuple[Scene, HorizonStep]] | None = None
        self._scoring: Future[GoalScore] | None = None
        self._look: Look | None = None
        self._end_listening = execution.on_change(self._heed)
        self.state: State = "off"
        self.message = ""
        self.scene: Scene | None = None
        self.aim: Aim | None = None
        self.start: GoalScore | None = None
        self.steps: tuple[HorizonStep, ...] = ()
        self.most = MOST_PUSHES

    @property
    def best(self) -> int | None:
        """Which step came nearest to the goal, None while none is scored."""
        known = [(step.score.iou, -k) for k, step in enumerate(self.steps) if step.score is not None]
        return -max(known)[1] if known else None

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener("horizon")` after every change, in the owner's thread; returns what ends it."""
        return self._listeners.add(listener)

    def begin(self, scene: Scene, look: Look, aim: Aim | None = None, most: int = 0) -> None:
        """Begin with a scene. look(): takes the next one, in another thread (app/dreams/open_scene.py).

        most: steps, 0 for as many as are published: four towards a goal, one without. Raises ValueError while a
        step goes on.
        """
        if self.state in ("execute", "look"):
            raise ValueError("a step goes on: wait for its end")
        self.scene, self._look, self.aim = scene, look, aim
        self.most = most or (MOST_PUSHES if aim is not None else 1)
        self.steps, self.start, self._scoring = (), None, None
        if aim is not None:
            self._scoring = self._background.submit(score, aim.thing, aim.goal, scene.photos[0])
        self._to("dream")

    def look_again(self) -> None:
        """Take the next scene once more, where it was blocked. Raises ValueError elsewhere."""
        if self.state != "blocked":
            raise ValueError("nothing is to be looked at: execute a dream first")
        self._begin_look()

    def end(self) -> None:
        """Let it be over; the best step stays."""
        if self.state not in ("off", "done"):
            self._looking = None
            self._to("done")

    def pump(self) -> None:
        """Take in what was seen. Never blocks."""
        if self._scoring is not None and self._scoring.done():
            self.start, self._scoring = self._scoring.result(), None
            self._listeners.tell("horizon")
        if self._looking is not None and self._looking.done():
            looking, self._looking = self._looking, None
            self._looked(looking)

    def close(self) -> None:
        """Wait for what is being taken. Safe to call twice."""
        self._end_listening()
        self._witness.end()
        self._background.shutdown(wait=True, cancel_futures=True)

    def _heed(self, topic: str) -> None:
        """Follow the arms from the start of a dream's run to its end."""
        arms, plan = self._execution, self._execution.plan
        if topic != "state":
            return
        if self.state == "dream" and arms.state == "running" and plan is not None and plan.track_sha256:
            if self.aim is None:
                self._witness.begin()
            self._to("execute")
        elif self.state == "execute" and not arms.busy and arms.state in ENDS:
            if arms.progress is not None:
                self._begin_look()
            else:  # nothing was run, or the arms are gone
                self._witness.end()
                self._to("dream")

    def _begin_look(self) -> None:
        if self._look is None or self.scene is None:
            return
        run, id = self._execution.run_folder, self._execution.run_id
        how = self._look, self._witness.end, self.scene, self.aim
        self._looking = self._background.submit(_look_after, *how, run, id)
        self._to("look")

    def _looked(self, looking: Future[tuple[Scene, HorizonStep]]) -> None:
        try:
            self.scene, step = looking.result()
        except (ValueError, OSError, RuntimeError) as error:
            self._to("blocked", str(error))
            return
        self.steps = (*self.steps, step)
        problem = self._keep(step)
        self._to("done" if len(self.steps) >= self.most else "dream", problem)

    def _keep(self, step: HorizonStep) -> str:
        """Tell the run's record of the step; return what went wrong with that, for a person."""
        try:
            if step.run is not None:
                RunFolder(step.run).write(horizon=step.record(len(self.steps)))
            if step.execution:
                self._ledger.amend(step.execution, {"horizon": step.record(len(self.steps))})
        except (OSError, LedgerError, KeyError) as error:
            log.warning("step %d is not in the record of its run: %s", len(self.steps), error)
            return f"this step is not in the record of its run: {error}"
        return ""

    def _to(self, state: State, message: str = "") -> None:
        self.state, self.message = state, message
        self._listeners.tell("horizon")


def _look_after(
    look: Look,
    judged: Callable[[], Verdict | None],
    before: Scene,
    aim: Aim | None,
    run: Path | None,
    execution: str,
) -> tuple[Scene, HorizonStep]:
    """Take the scene after a run, keep its photos in the run's folder, and score it."""
    verdict, scene = judged(), look()
    if run is not None:
        for camera, photo in zip(scene.cameras, scene.photos, strict=True):
            write_photo(run / f"after_{camera.name}.png", photo)
    found = None if aim is None else score(aim.thing, aim.goal, scene.photos[0])
    return scene, HorizonStep(before.photos[0], scene.photos[0], found, verdict, run, execution)
