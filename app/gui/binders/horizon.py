"""Binds the steps towards a goal: each dream that is executed is followed, scored and shown beside the others."""

import queue
from collections.abc import Callable

import cv2
import numpy as np
from PySide6.QtCore import Slot

from app.dreams.candidate_session import MakeOrder
from app.dreams.dreaming import DreamOrder
from app.dreams.goals import Goal, GoalScore, usual_goal
from app.dreams.horizon import Aim, Horizon, HorizonStep, Look, aim_at
from app.dreams.scene import Scene
from app.gui.binders.binder import QuietBinder, Shell
from hardware.types import Image
from models.video.config import VideoConfig
from widgets.horizon_strip import HorizonShown, HorizonStrip, StepCard

GOAL_RGB = (80, 220, 120)
Beginning = tuple[Scene, Look, Aim | None]


class HorizonBinder(QuietBinder):
    """dream_on(): begins to dream the next step."""

    def __init__(self, strip: HorizonStrip, horizon: Horizon, shell: Shell, dream_on: Callable[[], None]) -> None:
        super().__init__(strip)
        self._strip, self._horizon, self._shell = strip, horizon, shell
        self._beginnings: queue.SimpleQueue[Beginning] = queue.SimpleQueue()
        self._forget = horizon.on_change(self._changed)
        strip.dream_wanted.connect(dream_on)
        strip.look_wanted.connect(self._look_again)
        strip.end_wanted.connect(horizon.end)

    @property
    def goes_on(self) -> bool:
        """Whether the next dream is a further step towards the same goal."""
        return self._horizon.state == "dream" and bool(self._horizon.steps)

    @property
    def goal(self) -> Goal | None:
        """Of the steps that go on, None without any."""
        aim = self._horizon.aim if self.goes_on else None
        return aim.goal if aim is not None else None

    def follow(self, make: MakeOrder, config: VideoConfig, look: Look, goal: Goal | None) -> MakeOrder:
        """Return what makes the order, and lets the steps towards its goal begin with its scene.

        look(): takes the next scene, in another thread; goal None: the simulated table's own, where it has one.
        """

        def made() -> DreamOrder:
            order = make()
            wanted = goal or usual_goal(order.scene, config)
            self._beginnings.put((order.scene, look, aim_at(order.scene, config, wanted)))
            return order

        return made

    def tick(self) -> None:
        while not self._beginnings.empty():
            self._begin(*self._beginnings.get())
        self._horizon.pump()

    def close(self) -> None:
        self._forget()

    def _begin(self, scene: Scene, look: Look, aim: Aim | None) -> None:
        try:
            self._horizon.begin(scene, look, aim)
        except ValueError as error:
            self._shell.say(str(error), "warning")

    @Slot()
    def _look_again(self) -> None:
        try:
            self._horizon.look_again()
        except ValueError as error:
            self._shell.say(str(error), "warning")

    def _changed(self, _topic: str) -> None:
        self._strip.show_steps(shown(self._horizon))


def shown(horizon: Horizon) -> HorizonShown | None:
    """Return what the strip shows, None before the first step."""
    if horizon.state == "off" or (horizon.state == "dream" and not horizon.steps):
        return None
    cards = [
        StepCard(f"step {k}", _pictured(step.after, horizon.aim), _result(step), k - 1 == horizon.best)
        for k, step in enumerate(horizon.steps, 1)
    ]
    before = horizon.steps[0].before if horizon.steps else horizon.scene.photos[0] if horizon.scene else None
    if before is not None:
        cards.insert(0, StepCard("before", _pictured(before, horizon.aim), _words(horizon.start)))
    return HorizonShown(
        cards,
        horizon.message or _next(horizon),
        problem=bool(horizon.message),
        can_dream=horizon.state == "dream",
        can_look=horizon.state == "blocked",
        can_end=horizon.state in ("dream", "blocked"),
    )


def _next(horizon: Horizon) -> str:
    taken, most = len(horizon.steps), horizon.most
    if horizon.state == "execute":
        return f"Step {taken + 1} of {most} is being executed."
    if horizon.state == "look":
        return "Looking at the scene."
    if horizon.state == "dream":
        return f"Step {taken} of {most} is done. Dream on from the scene as it is now, or end here."
    if horizon.best is not None:
        return f"Done: step {horizon.best + 1} came nearest to the goal."
    verdict = horizon.steps[-1].verdict if horizon.steps else None
    if verdict is None:
        return "Done."
    return f"{'Done' if verdict.success else 'Not done'} by the task's rule: {verdict.text}."


def _result(step: HorizonStep) -> str:
    if step.verdict is None:
        return _words(step.score)
    return "done" if step.verdict.success else "not done"


def _words(score: GoalScore | None) -> str:
    if score is None:
        return ""
    if np.isnan(score.rotation_error):
        return "the object is not seen"
    return f"IoU {score.iou:.2f} · {np.degrees(score.rotation_error):.0f}° off"


def _pictured(photo: Image, aim: Aim | None) -> Image:
    """Return a photo (H, W, 3) with the goal's outline."""
    if aim is None:
        return photo
    rims, _ = cv2.findContours(aim.goal.masks[0].astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(cv2.drawContours(photo.copy(), rims, -1, GOAL_RGB, 4), np.uint8)
