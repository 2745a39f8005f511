"""Push a flat shape to a given place and heading, in several pushes (Dreamitate, arXiv 2406.16862, section 4.5)."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array, apply, inverse, project
from hardware.types import Camera
from hardware.world.objects import Thing
from hardware.world.tasks.catalogue import colour
from hardware.world.tasks.layout import Layout, Moment, Verdict, drawn_light, lying_at, yaw_of
from hardware.world.tasks.shapes import HEIGHT, HELD_OUT_SHAPES, TRAINING_SHAPES, block_shape, footprint

MOST_PUSHES = 4
# the paper publishes the measures, not a threshold: a trial counts as done at the paper's own mean IoU
DONE_IOU = 0.73


def lay(seed: int, held_out: bool) -> Layout:
    """A letter (a digit or polygon where held out), and a goal ahead of it that pushes from the near side can
    reach."""
    rng = np.random.default_rng([seed, 101, int(held_out)])
    names = HELD_OUT_SHAPES if held_out else TRAINING_SHAPES
    name = str(rng.choice(names))
    shape = block_shape(name, float(rng.uniform(0.1, 0.125)), colour(rng.random(), 0.65, rng.uniform(0.65, 0.95)))
    start = rng.uniform([-0.12, -0.1], [0.12, -0.03])
    yaw = float(rng.uniform(-np.pi, np.pi))
    way, aside, turn = rng.uniform(0.07, 0.13), rng.uniform(-0.5, 0.5), np.radians(rng.uniform(-40, 40))
    goal = lying_at(start + way * np.array([np.sin(aside), np.cos(aside)]), yaw + turn)
    return Layout(
        "push-shape", seed, held_out, f"push the {name} to the marked place", {"thing": shape},
        {"thing": lying_at(start, yaw)}, {"tool": "pusher"}, clip_s=2.0, fps=6.0, T_world_goal=goal,
        friction=float(rng.uniform(0.4, 0.8)), light=drawn_light(rng),
    )  # fmt: skip


def mask(thing: Thing, T_world_thing: Array, camera: Camera) -> NDArray[np.bool_]:
    """The top face of a block shape as the camera's picture (H, W) shows it, nothing hiding it."""
    picture = np.zeros((camera.size[1], camera.size[0]), np.uint8)
    if camera.T_world_cam is None:
        raise ValueError(f"camera {camera.name}: T_world_cam is unknown; a mask needs its place")
    T_cam_thing = inverse(camera.T_world_cam) @ T_world_thing
    for polygon in footprint(thing):
        top = np.column_stack([polygon, np.full(len(polygon), HEIGHT)])
        pixels = np.round(16 * project(camera.K, apply(T_cam_thing, top))).astype(np.int32)
        cv2.fillConvexPoly(picture, pixels, 1, cv2.LINE_8, 4)
    return picture > 0


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks; 0 where both are empty."""
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 0.0


def rotation_error(thing: Thing, T: Array, T_goal: Array) -> float:
    """Angle [rad] between two headings, as small as the shape's own symmetry makes it."""
    return heading_error(thing, yaw_of(T), yaw_of(T_goal))


def heading_error(thing: Thing, yaw: float, wanted: float) -> float:
    """As rotation_error, of two headings [rad]."""
    if thing.order == 0:
        return 0.0
    period = 2 * math.pi / thing.order
    error = (yaw - wanted) % period
    return min(error, period - error)


def judge(layout: Layout, moments: Sequence[Moment], camera: Camera) -> Verdict:
    """IoU with the goal's mask in view 1 at the best moment given, and the heading's error at that moment.

    moments: the ends of the trial's steps, as the paper scores them.
    """
    thing, goal = layout.things["thing"], layout.T_world_goal
    if goal is None or not moments:
        raise ValueError("push-shape: there is no goal, or no moment to judge")
    wanted = mask(thing, goal, camera)
    scores = [iou(mask(thing, m.T_world_thing["thing"], camera), wanted) for m in moments]
    best = int(np.argmax(scores))
    error = np.degrees(rotation_error(thing, moments[best].T_world_thing["thing"], goal))
    text = f"IoU {scores[best]:.2f} with the goal, {error:.0f} degrees off, at step {best + 1} of {len(moments)}"
    return Verdict(scores[best] >= DONE_IOU, {"iou": scores[best], "rotation_error_deg": float(error)}, text)
