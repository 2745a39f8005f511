"""A camera on its stand, found with the arm of the simulated rig: the board fixed to its flange goes from stop to
stop, pictures lag behind the arm as real ones do."""

import time

import cv2
import numpy as np
import pytest

from app.calibration.arm_motion import stops_around
from app.calibration.scripted_board import ahead_pose, flange_pose
from app.calibration.session import CalibrationSession
from hardware.calibration.board import WORLD_BOARD, detect
from hardware.calibration.hand_eye import HandEyeResult, solve_hand_eye
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array, inverse
from hardware.kinematics import ArmKinematics
from hardware.mounting import default_tools
from hardware.rig import load_rig
from hardware.types import Frame
from hardware.world.live import LiveWorld
from hardware.world.render import SceneRenderer
from tests.calibrate_tour import POSES

LOOKING = np.radians([0.0, -40.3, 0.0, 0.8, 0.0, 41.0, 0.0])
LAG_S = 0.3


@pytest.mark.slow
def test_the_camera_is_found_by_the_arm_though_its_pictures_lag_behind() -> None:
    rig = load_rig("sim")
    arm, camera = rig.arms[0], rig.cameras[0].camera
    assert camera.T_world_cam is not None
    kinematics = ArmKinematics.load(arm.model)
    world = LiveWorld(rig, tuple(config.camera for config in rig.cameras), {}, "rotation", 1)
    world.board.carry(arm.name, flange_pose(WORLD_BOARD))
    stops = stops_around(kinematics, LOOKING, wrist=False).q
    pictures = []
    with SceneRenderer(world.model, camera.size) as renderer:
        for q in stops:
            world.advance(0.02, {arm.name: q})
            pictures.append(renderer.rgb(world.data, camera.name))
    at, since, index = 0, time.monotonic(), 0

    def grab(name: str) -> Frame | None:
        nonlocal index
        index += 1
        now = time.monotonic()
        shown = at if now - since > LAG_S else max(0, at - 1)
        return Frame(name, index, now - LAG_S, 0.0, pictures[shown])

    def flange() -> Array | None:
        return np.asarray(kinematics.flange_pose(stops[at]))

    session = CalibrationSession("stand", (camera,), WORLD_BOARD, grab, flange)
    try:
        for k in range(len(stops)):
            at, since = k, time.monotonic()
            while time.monotonic() - since < 4.0 and len(session.taken) <= k:
                session.pump()
                time.sleep(0.005)
        end = time.monotonic() + 60
        while (session.solving or session.result is None) and time.monotonic() < end:
            session.pump()
            time.sleep(0.01)
        result = session.result
    finally:
        session.close()
    assert isinstance(result, HandEyeResult), session.problem
    away, turned = pose_difference(result.T_hand_cam, inverse(arm.T_world_base) @ camera.T_world_cam)
    assert away < 1.5e-3
    assert turned < np.radians(0.1)
    assert result.report.verdict in ("good", "usable"), result.report.words


@pytest.mark.slow
def test_the_camera_on_the_wrist_of_the_simulated_rig_is_found_from_its_stops() -> None:
    rig = load_rig("sim-wrist")
    arm, config = rig.arms[0], next(c for c in rig.cameras if c.camera.name == "wrist")
    T_flange_cam = config.T_mount_cam
    assert T_flange_cam is not None
    kinematics = ArmKinematics.load(arm.model)
    begin = POSES["over the table"]
    T_world_cam = arm.T_world_base @ kinematics.flange_pose(begin) @ T_flange_cam
    tools = default_tools(rig)
    world = LiveWorld(rig, tuple(one.camera for one in rig.cameras), tools, "rotation", 1)
    world.board.hold(ahead_pose(WORLD_BOARD, T_world_cam))
    views, poses = [], []
    with SceneRenderer(world.model, config.camera.size) as renderer:
        for _ in range(20):
            world.advance(0.25, {arm.name: begin})
        for q in stops_around(kinematics, begin, wrist=True, T_flange_cam=T_flange_cam).q:
            world.advance(0.02, {arm.name: q})
            grey = cv2.cvtColor(renderer.rgb(world.data, "wrist"), cv2.COLOR_RGB2GRAY)
            view = detect(np.asarray(grey, np.uint8), WORLD_BOARD).view
            if view is not None:
                views.append(view)
                poses.append(kinematics.flange_pose(q))
    assert len(views) >= 10
    result = solve_hand_eye("wrist", config.camera, WORLD_BOARD, views, poses)
    away, turned = pose_difference(result.T_hand_cam, T_flange_cam)
    assert away < 1.5e-3, result.report.words
    assert turned < np.radians(0.1)
