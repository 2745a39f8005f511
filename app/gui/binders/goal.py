"""Binds the goal that a person poses or paints on the scene of a new dream."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
from PySide6.QtCore import Slot

from app.dreams.goal_draft import GoalDraft, Pixel
from app.dreams.goals import Goal, GoalPose
from app.dreams.scene import Scene
from app.gui.binders.binder import QuietBinder, Shell
from models.data.masks import Stroke
from models.video.config import VideoConfig
from widgets.goal_editor import GoalEditor, GoalShown
from widgets.views.types import OutlineDrag

STEP = 1 / 200  # of view 1's width, by an arrow key
TURN_DEG = 5.0


class GoalBinder(QuietBinder):
    """Its editor is hidden while there is no scene with a goal.

    Read: `goal` (None: nobody made one, the usual one counts), `draft` (None without a scene).
    """

    def __init__(self, editor: GoalEditor, shell: Shell) -> None:
        super().__init__(editor)
        self._editor, self._shell = editor, shell
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="goal")
        self._making: Future[GoalDraft] | None = None
        self.draft: GoalDraft | None = None
        editor.hide()
        editor.dragged.connect(self._drag)
        editor.nudged.connect(self._nudge)
        editor.pose_typed.connect(self._type)
        editor.stroke_drawn.connect(self._brush)
        editor.undo_wanted.connect(partial(self._change, GoalDraft.undo))
        editor.redo_wanted.connect(partial(self._change, GoalDraft.redo))
        editor.clear_wanted.connect(partial(self._change, GoalDraft.clear))

    @property
    def goal(self) -> Goal | None:
        return self.draft.goal if self.draft is not None else None

    def take(self, scene: Scene | None, config: VideoConfig | None, usual: Goal | None = None) -> None:
        """Let a goal be made on this scene; None: on none. usual: what counts until then."""
        self.draft = self._making = None
        self._editor.setVisible(scene is not None and config is not None)
        if scene is not None and config is not None:
            names = [camera.name for camera in scene.cameras]
            self._editor.show_pictures(dict(zip(names, scene.photos, strict=True)))
            self._editor.show_goal(GoalShown(can_pose=False, words="Looking for the object…"))
            self._making = self._background.submit(GoalDraft, scene, config, usual)

    def tick(self) -> None:
        if self._making is not None and self._making.done():
            making, self._making = self._making, None
            self.draft = making.result()
            self._show()

    def close(self) -> None:
        self._background.shutdown(wait=True, cancel_futures=True)

    @Slot(object)
    def _drag(self, drag: OutlineDrag) -> None:
        if drag.given_up:
            self._change(GoalDraft.let_go)
            return
        view = list(self._editor.views).index(drag.view)
        turn = drag.kind == "turn"
        self._change(lambda draft: draft.drag(view, turn, drag.start, drag.now, drag.done), held=not drag.done)

    @Slot(float, float, float)
    def _nudge(self, right: float, up: float, turn: float) -> None:
        step = 0.0 if self.draft is None else STEP * self.draft.views[0].camera.size[0]
        self._change(lambda draft: draft.nudge(step * right, step * up, math.radians(TURN_DEG * turn)))

    @Slot(float, float, float)
    def _type(self, x_mm: float, y_mm: float, degrees: float) -> None:
        typed = GoalPose(x_mm / 1000, y_mm / 1000, math.radians(degrees))
        if self.draft is None or (x_mm, y_mm, degrees) == _numbers(self.draft.place):
            return
        self._change(lambda draft: draft.put(typed))

    @Slot(bool, float, object)
    def _brush(self, add: bool, radius: float, points: Sequence[Pixel]) -> None:
        self._change(lambda draft: draft.brush(Stroke(add, radius, tuple(points))))

    def _change(self, change: Callable[[GoalDraft], None], held: bool = False) -> None:
        if self.draft is None:
            return
        try:
            change(self.draft)
        except ValueError as error:
            self._shell.say(str(error), "warning")
        self._show(held)

    def _show(self, held: bool = False) -> None:
        draft = self.draft
        if draft is None:
            return
        goal = None if held else draft.goal or draft.usual
        self._editor.show_goal(
            GoalShown(
                draft.outlines,
                () if goal is None else [mask.astype(np.uint8) * 255 for mask in goal.masks],
                _numbers(draft.place),
                _words(draft),
                "" if draft.goal else "the table's own" if draft.usual else "not set yet",
                draft.part,
                draft.thing is not None,
                draft.can_undo,
                draft.can_redo,
            )
        )


def _numbers(pose: GoalPose | None) -> tuple[float, float, float] | None:
    """Whole millimetres and degrees, as the editor shows them."""
    if pose is None:
        return None
    degrees = (math.degrees(pose.turn) + 180) % 360 - 180
    return float(round(1000 * pose.x)), float(round(1000 * pose.y)), float(round(degrees))


def _words(draft: GoalDraft) -> str:
    goal = draft.goal
    if goal is None and draft.thing is None:
        return "No object stands out of the cloth: paint with the brush where it is to go."
    if goal is None and draft.usual is not None:
        return "The simulated table's own goal. Drag it, or paint, for another."
    if goal is None:
        return "Drag the object's outline to where it is to go."
    how = "Painted" if goal.how == "drawn" else "Posed"
    return (
        f"{how} by hand: what the model is shown. Millimetres in the world; the turn is from how the object lies."
    )
