"""The goal of push-shape in a scene: posed or drawn by a person, or the simulated table's own.

It is painted into what the model is shown, and what an execution made of it is held against it.

Masks (H, W) are of the scene's photos, by view.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from app.dreams.scene import Scene, fitted_picture
from app.dreams.table_plane import (
    Mask,
    Outline,
    PlaneView,
    filled,
    height_between,
    middle_of,
    moved,
    outline_of,
    turn_between,
)
from hardware.geometry import Array
from hardware.types import Image, require
from hardware.world.tasks import push_shape
from hardware.world.tasks.layout import Layout
from hardware.world.tasks.table import lay
from models.data.clips import stereo_clip
from models.data.clips_pictures import blend, fit_width
from models.data.errors import DreamFileError
from models.data.masks_found import found_object
from models.video.config import VideoConfig

TASK = "push-shape"


@dataclass(frozen=True)
class GoalPose:
    """x, y [m]: where in the world the object's middle goes; turn [rad]: counterclockwise, seen from above, from
    how it lies in the scene."""

    x: float
    y: float
    turn: float = 0.0


@dataclass(frozen=True, eq=False)
class SceneObject:
    """The object of a scene. photo: of view 1, in which it was found; views: over the plane on which it is moved;
    outlines in the photos, () where a view does not show it; middle (2,) [m] on the plane, by view 1."""

    photo: Image
    views: tuple[PlaneView, ...]
    outlines: tuple[Outline, ...]
    middle: Array

    @property
    def pose(self) -> GoalPose:
        """Where it lies."""
        return GoalPose(float(self.middle[0]), float(self.middle[1]))

    def posed(self, pose: GoalPose) -> tuple[Outline, ...]:
        """Return its outlines in the photos once it lies there."""
        own = [view.outline_on_plane(outline) for view, outline in zip(self.views, self.outlines, strict=True)]
        return tuple(
            view.outline_in_picture(moved(outline or own[0], pose.turn, self.middle, np.array([pose.x, pose.y])))
            for view, outline in zip(self.views, own, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Goal:
    """Where the object is to lie. pose: where somebody gave one."""

    masks: tuple[Mask, ...]
    how: Literal["posed", "drawn", "table"]
    pose: GoalPose | None = None

    def record(self, scene: Scene) -> Mapping[str, object]:
        """Return it in plain values, for a dream's provenance."""
        names = [camera.name for camera in scene.cameras]
        sums = [hashlib.sha256(np.packbits(mask).tobytes()).hexdigest() for mask in self.masks]
        pose = self.pose
        placed = {} if pose is None else {"x_m": pose.x, "y_m": pose.y, "turn_deg": float(np.degrees(pose.turn))}
        return {"how": self.how, **placed, "masks_sha256": dict(zip(names, sums, strict=True))}


@dataclass(frozen=True)
class GoalScore:
    """How near an object came, as published: iou with the goal's mask in view 1, 0..1; rotation_error [rad], nan
    where it was not seen."""

    iou: float
    rotation_error: float


def plane_views(scene: Scene, config: VideoConfig, height: float = 0.0) -> tuple[PlaneView, ...]:
    """Return the cameras of a scene's photos over the plane `height` [m] above the table."""
    fits = [fit_width((p.shape[1], p.shape[0]), config.size, config.zoom) for p in scene.photos]
    return tuple(
        PlaneView(fit.source_camera(camera), scene.T_world_view1 @ T_view1_view, height)
        for fit, camera, T_view1_view in zip(fits, scene.cameras, scene.T_view1_view, strict=True)
    )


def find_object(scene: Scene, config: VideoConfig) -> SceneObject | None:
    """Return the object of a scene: the largest thing that stands out of the cloth by its colour, None where view 1
    shows none. Its outlines are moved on the plane where two views meet in its middle."""
    masks = [found_object(photo, photo) for photo in scene.photos]
    outlines = tuple(() if mask is None else outline_of(mask) for mask in masks)
    if not outlines[0]:
        return None
    views = plane_views(scene, config)
    if len(views) > 1 and outlines[1]:
        height = height_between(views[0], middle_of(outlines[0]), views[1], middle_of(outlines[1]))
        views = tuple(replace(view, height=height) for view in views)
    return SceneObject(scene.photos[0], views, outlines, middle_of(views[0].outline_on_plane(outlines[0])))


def make_goal(scene: Scene, config: VideoConfig, wish: GoalPose | Mask) -> Goal:
    """Return the goal that somebody poses, or draws in view 1's photo. Raises ValueError where the model would not
    see it, DreamFileError where there is no object to be posed."""
    thing = find_object(scene, config)
    if not isinstance(wish, GoalPose):
        goal = drawn_goal(thing.views if thing else plane_views(scene, config), wish)
    elif thing is not None:
        goal = posed_goal(thing, wish)
    else:
        problem, name = "nothing stands out of the cloth", scene.cameras[0].name
        raise DreamFileError("scene", f"object in {name}", problem, "one thing of another colour, or a drawn goal")
    refuse_unseen(goal, config)
    return goal


def posed_goal(thing: SceneObject, pose: GoalPose) -> Goal:
    """Return the goal of an object that goes to a pose. Raises ValueError where view 1 would not see it there."""
    sizes = (view.camera.size for view in thing.views)
    masks = tuple(filled(outline, size) for outline, size in zip(thing.posed(pose), sizes, strict=True))
    where = f"({pose.x:g}, {pose.y:g}) m"
    require(bool(masks[0].any()), f"goal: {where} is outside of the first view; valid: a place inside of it")
    return Goal(masks, "posed", pose)


def drawn_goal(views: tuple[PlaneView, ...], mask: Mask) -> Goal:
    """Return the goal drawn in view 1 (H, W), carried over to the other views by the plane.

    Raises ValueError where it is empty, or drawn for pictures of another size.
    """
    width, height = views[0].camera.size
    require(mask.shape == (height, width), f"goal: {mask.shape[1]}x{mask.shape[0]}; valid: {width}x{height}")
    require(bool(mask.any()), "goal: nothing is drawn; valid: the place of the object, painted")
    on_plane = views[0].outline_on_plane(outline_of(mask))
    others = (filled(view.outline_in_picture(on_plane), view.camera.size) for view in views[1:])
    return Goal((mask, *others), "drawn")


def table_goal(views: tuple[PlaneView, ...], layout: Layout) -> Goal | None:
    """Return the goal that a simulated table has, None where it has none."""
    if layout.T_world_goal is None:
        return None
    thing, T_world_goal = layout.things["thing"], layout.T_world_goal
    cameras = (replace(view.camera, T_world_cam=view.T_world_view) for view in views)
    return Goal(tuple(push_shape.mask(thing, T_world_goal, camera) for camera in cameras), "table")


def usual_goal(scene: Scene, config: VideoConfig) -> Goal | None:
    """Return the goal of the simulated table that a live scene is of, None where that has none."""
    task, _, number = str(scene.origin.get("table", "")).rpartition(" ")
    return table_goal(plane_views(scene, config), lay(task, int(number))) if task == TASK else None


def with_goal(scene: Scene, goal: Goal, config: VideoConfig) -> Scene:
    """Return a scene with the goal painted in as in its training clips, and said in its origin.

    Raises ValueError where the goal is of pictures of another size.
    """
    how = stereo_clip(TASK).goal
    if how is None:
        return scene
    sizes = [mask.shape == photo.shape[:2] for mask, photo in zip(goal.masks, scene.photos, strict=True)]
    require(all(sizes), "goal: it is of other pictures than the scene; valid: a goal of these cameras")
    shares = [_shown(mask, config) for mask in goal.masks]
    bare = [fitted_picture(photo, config) for photo in scene.photos]
    pictures = np.stack([blend(picture, share, how) for picture, share in zip(bare, shares, strict=True)])
    return replace(scene, pictures=pictures, origin={**scene.origin, "goal": goal.record(scene)})


def refuse_unseen(goal: Goal, config: VideoConfig) -> None:
    """Raise ValueError where the goal is outside of what the model is shown of view 1."""
    seen = bool(_shown(goal.masks[0], config).any())
    require(seen, "goal: it is outside of what the model is shown; valid: nearer to the middle of the first view")


def _shown(mask: Mask, config: VideoConfig) -> Array:
    """Return which share 0..1 of each of the model's pixels a mask covers."""
    return fitted_picture(mask.astype(np.uint8) * 255, config) / 255


def score(thing: SceneObject, goal: Goal, now: Image) -> GoalScore:
    """Hold a later photo (H, W, 3) of view 1 against the goal by the published measures."""
    view, mask = thing.views[0], found_object(thing.photo, now)
    if mask is None:
        return GoalScore(0.0, float("nan"))
    lies, wanted = (view.outline_on_plane(outline_of(m)) for m in (mask, goal.masks[0]))
    return GoalScore(push_shape.iou(mask, goal.masks[0]), abs(turn_between(lies, wanted)))
