"""The board of the simulated table: seen where it is held, by pinhole and fisheye, and gone when it is taken
away."""

import cv2
import numpy as np
import pytest

from app.calibration.scripted_board import flange_pose, lens_poses
from hardware.calibration.board import WORLD_BOARD, detect
from hardware.calibration.lens import lens_numbers, project_lens
from hardware.geometry import apply, inverse
from hardware.kinematics import ArmKinematics
from hardware.rig import load_rig
from hardware.world.fisheye import Lens
from hardware.world.live import LiveWorld
from hardware.world.render import SceneRenderer


@pytest.mark.parametrize(("rig_name", "number"), [("sim", 0), ("sim-handheld", 1)])
def test_the_cameras_see_the_board_where_it_is_held(rig_name: str, number: int) -> None:
    rig = load_rig(rig_name)
    cameras = tuple(config.camera for config in rig.cameras)
    camera = cameras[number]
    assert camera.T_world_cam is not None
    world = LiveWorld(rig, cameras, {}, "rotation" if rig.arms else "pick-and-place", 1)
    home = {arm.name: arm.home for arm in rig.arms}
    T = lens_poses(camera, WORLD_BOARD)[1]
    world.board.hold(T)
    for _ in range(40):
        world.board.advance(0.25)
    world.advance(0.01, home)
    assert world.board.pose is not None
    np.testing.assert_allclose(world.board.pose, T, atol=1e-9)
    lens = Lens(camera) if camera.model == "fisheye" else None
    with SceneRenderer(world.model, lens.size if lens else camera.size) as renderer:
        rgb = renderer.rgb(world.data, camera.name)
        rgb = lens.picture(rgb) if lens else rgb
        sighting = detect(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8), WORLD_BOARD)
        assert sighting.view is not None, sighting.problem
        points = apply(inverse(camera.T_world_cam) @ T, sighting.view.points(WORLD_BOARD))
        off = sighting.view.pixels - project_lens(lens_numbers(camera), camera.model, points)
        assert np.sqrt((off**2).sum(axis=1).mean()) < 0.7
        world.board.hold(None)
        for _ in range(40):
            world.board.advance(0.25)
        assert world.board.pose is None


def test_a_pose_that_is_none_is_refused() -> None:
    rig = load_rig("sim")
    world = LiveWorld(rig, tuple(config.camera for config in rig.cameras), {}, "rotation", 1)
    with pytest.raises(ValueError, match="rigid transform"):
        world.board.hold(np.zeros((4, 4)))


def test_a_board_that_is_fixed_to_an_arm_goes_along_with_its_flange() -> None:
    rig = load_rig("sim")
    arm = rig.arms[0]
    world = LiveWorld(rig, tuple(config.camera for config in rig.cameras), {}, "rotation", 1)
    T_flange_board = flange_pose(WORLD_BOARD)
    world.board.carry(arm.name, T_flange_board)
    q = {one.name: one.home + 0.1 for one in rig.arms}
    world.advance(0.02, q)
    T = arm.T_world_base @ ArmKinematics.load(arm.model).flange_pose(q[arm.name]) @ T_flange_board
    assert world.board.pose is not None
    np.testing.assert_allclose(world.board.pose, T, atol=1e-9)
    world.board.hold(None)
    assert world.board.carried_by == ""
