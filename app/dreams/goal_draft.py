"""The goal that a person makes on a scene: posed and mended with a brush, or drawn alone. Every step can be undone.

What is moved after it was drawn over takes the object's own shape again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.dreams.goals import (
    Goal,
    GoalPose,
    SceneObject,
    drawn_goal,
    find_object,
    plane_views,
    posed_goal,
    refuse_unseen,
)
from app.dreams.scene import Scene
from app.dreams.table_plane import Mask, Outline, PlaneView, middle_of, outline_of, turn_between
from hardware.geometry import Array
from models.data.clips_pictures import fit_width
from models.data.masks import Stroke, mask_of
from models.video.config import VideoConfig

Pixel = tuple[float, float]


@dataclass(frozen=True)
class _Made:
    """What a person did: pose, None for none; strokes over it, in view 1's photo."""

    pose: GoalPose | None = None
    strokes: tuple[Stroke, ...] = ()


class GoalDraft:
    """A goal on one scene. Making one takes a tenth of a second.

    Read: `thing` (the object, None where none was found), `views`, `usual`, `can_undo`, `can_redo`.
    """

    def __init__(self, scene: Scene, config: VideoConfig, usual: Goal | None = None) -> None:
        """usual: what counts until a person made one, such as the simulated table's own."""
        self.thing = find_object(scene, config)
        self.views: tuple[PlaneView, ...] = self.thing.views if self.thing else plane_views(scene, config)
        self.usual, self._config = usual, config
        self._start = _pose_of(self.thing, usual)
        self._history: tuple[_Made, ...] = (_Made(),)
        self._at = 0
        self._held: GoalPose | None = None
        self._goal: tuple[_Made, Goal | None] = (_Made(), None)

    @property
    def goal(self) -> Goal | None:
        """What a person made, None while that is nothing: then `usual` counts."""
        made = self._now
        if made is not self._goal[0]:
            self._goal = (made, self._goal_of(made))
        return self._goal[1]

    @property
    def place(self) -> GoalPose | None:
        """Where the object is to lie, and while it is dragged, where it is held; where it lies, without a goal."""
        return self._now.pose or self._start

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """The goal's outlines in the photos by view; without one the object's own, to be taken from there."""
        made = self._now
        if self.thing is not None and made.pose is not None and not made.strokes:
            return self.thing.posed(made.pose)
        goal = self.goal or self.usual
        if goal is not None:
            return tuple(outline_of(mask) for mask in goal.masks)
        return self.thing.outlines if self.thing is not None else ()

    @property
    def part(self) -> tuple[int, int, int, int]:
        """The part of the photos that the model is shown: left, top, width, height [px]."""
        return fit_width(self.views[0].camera.size, self._config.size, self._config.zoom).box

    @property
    def can_undo(self) -> bool:
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        return self._at + 1 < len(self._history)

    def put(self, pose: GoalPose) -> None:
        """Let the object lie there. Raises ValueError where there is none, or the model would not see it."""
        if self.thing is None:
            raise ValueError("no object stands out of the cloth here: draw the goal with the brush")
        self._held = None
        refuse_unseen(posed_goal(self.thing, pose), self._config)
        self._push(_Made(pose))

    def drag(self, view: int, turn: bool, start: Pixel, now: Pixel, done: bool) -> None:
        """Move or turn the goal with what lies under a pixel of a view's photo; it holds once it is `done`."""
        pose = self._dragged(view, turn, start, now)
        if pose is None:
            return
        if done:
            self.put(pose)
        else:
            self._held = pose

    def let_go(self) -> None:
        """Let the goal lie where it lay before it was dragged."""
        self._held = None

    def nudge(self, right: float, up: float, turn: float) -> None:
        """Move the goal by pixels of view 1's photo, and turn it [rad] counterclockwise. Raises as `put`."""
        pose = self._base
        if pose is None:
            return
        x, y = self.views[0].in_picture(np.array([[pose.x, pose.y]]))[0]
        place = self.views[0].on_plane(np.array([[x + right, y - up]]))[0]
        self.put(GoalPose(float(place[0]), float(place[1]), pose.turn + turn))

    def brush(self, stroke: Stroke) -> None:
        """Paint or erase in view 1's photo."""
        self._push(replace(self._committed, strokes=(*self._committed.strokes, stroke)))

    def clear(self) -> None:
        """Take away all that was made."""
        self._push(_Made())

    def undo(self) -> None:
        self._at = max(0, self._at - 1)

    def redo(self) -> None:
        self._at = min(len(self._history) - 1, self._at + 1)

    @property
    def _committed(self) -> _Made:
        return self._history[self._at]

    @property
    def _now(self) -> _Made:
        return self._committed if self._held is None else replace(self._committed, pose=self._held)

    @property
    def _base(self) -> GoalPose | None:
        """Where the object lies before it is moved."""
        return self._committed.pose or self._start

    def _dragged(self, view: int, turn: bool, start: Pixel, now: Pixel) -> GoalPose | None:
        base = self._base
        a, b = self.views[view].on_plane(np.array([start, now]))
        if base is None or not np.isfinite([a, b]).all():
            return None
        if not turn:
            return replace(base, x=base.x + float(b[0] - a[0]), y=base.y + float(b[1] - a[1]))
        return replace(base, turn=base.turn + _angle(b - [base.x, base.y]) - _angle(a - [base.x, base.y]))

    def _push(self, made: _Made) -> None:
        self._history = (*self._history[: self._at + 1], made)
        self._at += 1

    def _goal_of(self, made: _Made) -> Goal | None:
        if made.pose is not None and self.thing is not None and not made.strokes:
            return posed_goal(self.thing, made.pose)
        if not made.strokes:
            return None
        below = self._mask_below(made)
        painted = _painted(below, made.strokes)
        return drawn_goal(self.views, painted) if painted.any() else None

    def _mask_below(self, made: _Made) -> Mask:
        if made.pose is not None and self.thing is not None:
            return posed_goal(self.thing, made.pose).masks[0]
        width, height = self.views[0].camera.size
        return np.zeros((height, width), bool) if self.usual is None else self.usual.masks[0]


def _pose_of(thing: SceneObject | None, usual: Goal | None) -> GoalPose | None:
    """Return where a first move begins: at the usual goal, else where the object lies."""
    if thing is None or usual is None:
        return thing.pose if thing else None
    view = thing.views[0]
    lies, wanted = (view.outline_on_plane(o) for o in (thing.outlines[0], outline_of(usual.masks[0])))
    x, y = middle_of(wanted)
    return GoalPose(float(x), float(y), turn_between(lies, wanted))


def _painted(mask: Mask, strokes: Sequence[Stroke]) -> Mask:
    drawn = mask_of("", 0.0, mask, "person")
    for stroke in strokes:
        drawn = drawn.brushed(stroke)
    return drawn.picture > 0


def _angle(way: Array) -> float:
    return float(np.arctan2(way[1], way[0]))
