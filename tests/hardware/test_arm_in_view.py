"""An arm in a camera's picture, from its joints: there where it can be seen, nothing where it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from hardware.arm_in_view import covered
from hardware.geometry import transform
from hardware.kinematics import ArmKinematics
from hardware.rig import load_rig
from hardware.types import Camera

RIG = load_rig("sim")
K = np.array([[400.0, 0, 319.5], [0, 400.0, 239.5], [0, 0, 1]])


def looking_at(point: np.ndarray, away: float = 1.2) -> Camera:
    """A camera at the person's side that looks along y, its z axis, at a point in world."""
    R = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    return Camera("top", K, (640, 480), T_world_cam=transform(R, point - [0, away, 0]))


@pytest.mark.parametrize("name", ["left", "right"])
def test_an_arm_before_the_camera_covers_some_of_its_picture_and_one_behind_it_none(name: str) -> None:
    arm = RIG.arm(name)
    wrist = (arm.T_world_base @ ArmKinematics.load(arm.model).flange_pose(arm.home))[:3, 3]
    camera = looking_at(wrist)
    q = {arm.name: arm.home}
    assert 0.02 < covered(RIG, q, camera)[name] < 0.6
    assert camera.T_world_cam is not None
    behind = replace(camera, T_world_cam=camera.T_world_cam @ transform(np.diag([1.0, -1, -1]), [0, 0, 0]))
    assert covered(RIG, q, behind)[name] == 0.0
    aside = replace(camera, T_world_cam=transform(np.eye(3), [0, 5.0, 0]) @ camera.T_world_cam)
    assert covered(RIG, q, aside)[name] == 0.0


def test_a_camera_whose_place_nobody_knows_says_nothing() -> None:
    arm = RIG.arms[0]
    assert covered(RIG, {arm.name: arm.home}, Camera("top", K, (640, 480))) == {}


def test_a_fisheye_sees_the_arm_where_a_pinhole_sees_it() -> None:
    arm = RIG.arms[0]
    wrist = (arm.T_world_base @ ArmKinematics.load(arm.model).flange_pose(arm.home))[:3, 3]
    pinhole = looking_at(wrist, 3.0)
    fisheye = replace(pinhole, model="fisheye", distortion=np.zeros(4))
    seen = [covered(RIG, {arm.name: arm.home}, camera)[arm.name] for camera in (pinhole, fisheye)]
    assert seen[0] == pytest.approx(seen[1], rel=0.25)
