"""Where a held tool goes when a person points into a picture, turns a wheel or pushes a stick: pure geometry."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from hardware.geometry import Array, ray_directions, rotation_from_vector, transform
from hardware.types import Camera

REACH_X, REACH_Y = (-0.45, 0.45), (-0.45, 0.35)  # [m] of the table, where a hand gets to
HIGHEST = 0.3  # [m] over the lowest that a tool can be
STEEPEST = 1.2  # [rad] of pitch
SHALLOWEST = 0.05  # of a ray's slope: beyond it a pixel is worth too much table
Wish = tuple[float, float, float, float]  # right, away, up, counterclockwise, each -1..1


@dataclass(frozen=True)
class HandPose:
    """A held tool by hand. x, y, z [m] of its origin in the world; yaw, pitch, roll [rad], zero: along +x, flat;
    lowest [m]: the least z."""

    x: float = 0.0
    y: float = -0.3
    z: float = 0.0
    yaw: float = np.pi / 2  # working end away from the person
    pitch: float = 0.0
    roll: float = 0.0
    lowest: float = 0.0


def table_point(camera: Camera, share: tuple[float, float], height: float) -> Array | None:
    """Return the point (3,) [m] of the horizontal plane at `height` that a picture shows there.

    share: from the picture's left and from its top, 0..1. None where the camera's place is not known, or its view
    does not meet the plane in front of it.
    """
    if not can_point(camera) or camera.T_world_cam is None:
        return None
    pixel = np.array([share]) * camera.size - 0.5
    if camera.distortion.size:
        pixel = cv2.undistortPoints(pixel[:, None], camera.K, camera.distortion, P=camera.K)[:, 0]
    way = camera.T_world_cam[:3, :3] @ ray_directions(camera.K, pixel)[0]
    eye = camera.T_world_cam[:3, 3]
    if abs(way[2]) < SHALLOWEST or (far := (height - eye[2]) / way[2]) <= 0:
        return None
    return np.asarray(eye + far * way)


def can_point(camera: Camera) -> bool:
    """Return whether a place in this camera's picture tells one on the table."""
    return camera.T_world_cam is not None and camera.model == "pinhole"


def pointed(hand: HandPose, camera: Camera, share: tuple[float, float]) -> HandPose:
    """Return the hand over the table's point under a place in a picture, at its height; as it was where there is
    none."""
    point = table_point(camera, share, hand.z)
    return hand if point is None else within_reach(replace(hand, x=float(point[0]), y=float(point[1])))


def moved(hand: HandPose, step: Mapping[str, float]) -> HandPose:
    """Return the hand moved by steps of its fields [m], [rad], as far as it reaches."""
    return within_reach(replace(hand, **{name: getattr(hand, name) + by for name, by in step.items()}))


def within_reach(hand: HandPose) -> HandPose:
    return replace(
        hand,
        x=_limited(hand.x, REACH_X),
        y=_limited(hand.y, REACH_Y),
        z=_limited(hand.z, (hand.lowest, hand.lowest + HIGHEST)),
        pitch=_limited(hand.pitch, (-STEEPEST, STEEPEST)),
    )


def tool_pose(hand: HandPose) -> Array:
    """Return T_world_tool (4, 4) of a built-in tool: +z up, working end along the heading, then pitched, rolled."""
    turns = [
        rotation_from_vector(angle * axis)
        for angle, axis in zip((hand.yaw, hand.pitch, hand.roll), np.eye(3)[::-1], strict=True)
    ]
    return transform(turns[0] @ turns[1] @ turns[2], [hand.x, hand.y, hand.z])


def gripper_pose(hand: HandPose) -> Array:
    """Return T_world_gripper (4, 4): fingers down, opening along y at the yaw that they come in with."""
    turn = rotation_from_vector(np.array([0.0, 0.0, hand.yaw - np.pi / 2]))
    down = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    return transform(turn @ down, [hand.x, hand.y, hand.z])


def lowest_height(corners: Array) -> float:
    """Return the least z [m] of a flat tool with these corners (V, 3) in its frame: its underside on the table."""
    return -float(corners[:, 2].min())


def _limited(value: float, span: tuple[float, float]) -> float:
    return min(max(value, span[0]), span[1])
