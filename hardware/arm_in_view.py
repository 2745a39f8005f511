"""How much of a camera's picture an arm covers, from where its joints and the camera are."""

from collections.abc import Mapping

import cv2
import numpy as np

from hardware.arm_model import link_hulls, link_poses, mounted_hull
from hardware.geometry import Array, apply, inverse, project
from hardware.kinematics import ArmKinematics
from hardware.mounting import default_tools
from hardware.rig import Rig
from hardware.types import Camera

WIDTH = 160  # [px] of the mask in which arms are drawn
NEAREST = 0.05  # [m] before a camera


def covered(rig: Rig, q: Mapping[str, Array], camera: Camera) -> dict[str, float]:
    """Return by arm which fraction of a camera's picture its moving parts cover, with the tool of the rig file.

    q: joints (J,) [rad] by arm name. Empty where nobody knows the camera's place.
    """
    if camera.T_world_cam is None:
        return {}
    T_cam_world = inverse(camera.T_world_cam)
    parts = {name: [apply(T_cam_world, part) for part in _parts(rig, name, q[name])] for name in q}
    return {name: _fraction(camera, found) for name, found in parts.items()}


def _parts(rig: Rig, name: str, q: Array) -> list[Array]:
    """Corners (N, 3) in world of an arm's convex parts that move."""
    arm = rig.arm(name)
    links = zip(link_poses(arm.model, q), link_hulls(arm.model), strict=True)
    moving = [apply(arm.T_world_base @ T, mesh.vertices) for T, (_, mesh) in links][1:]  # the base always stands
    tool = default_tools(rig).get(arm.role)
    if tool is not None:
        T_base_tool = ArmKinematics.load(arm.model).flange_pose(q) @ tool.T_flange_tool
        moving.append(apply(arm.T_world_base @ T_base_tool, mounted_hull(tool).vertices))
    return moving


def _fraction(camera: Camera, parts: list[Array]) -> float:
    scale = WIDTH / camera.size[0]
    mask = np.zeros((max(1, round(camera.size[1] * scale)), WIDTH), np.uint8)
    for points in parts:
        ahead = points[points[:, 2] > NEAREST]
        if len(ahead) < 3:
            continue
        # what lies far outside the picture is as good as at its rim, and whole numbers hold it
        seen = np.clip(_pixels(camera, ahead) * scale, -10 * WIDTH, 10 * WIDTH)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(seen).astype(np.int32)), 1)
    return float(mask.mean())


def _pixels(camera: Camera, points: Array) -> Array:
    """Where points (N, 3) of the camera's frame are in its picture (N, 2) [px]; a pinhole's distortion is left out,
    which moves an outline by no more than it matters here."""
    if camera.model == "fisheye":
        bent = np.resize(camera.distortion, 4) if len(camera.distortion) else np.zeros(4)
        seen = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), camera.K, bent)[0]
        return np.asarray(seen).reshape(-1, 2)
    return project(camera.K, points)
