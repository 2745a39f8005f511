"""Calibrating as a new user does, in the real window with the simulated rigs: what is found is held against what is
so."""

from pathlib import Path

import numpy as np
import pytest

from app.calibration.calibrated_rig import with_calibrations
from app.calibration.measured_tables import with_measured_tables
from app.calibration.store import CalibrationStore
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array, inverse
from hardware.rig import Rig, load_rig
from hardware.rig_devices import CameraConfig
from hardware.world.sensing import MEASURED, NEWTON_PER_COUNT, T_GRIPPER_TRACKER
from tests.calibrate_tour import CalibrateTour, take_arm, take_board, take_gripper

pytestmark = pytest.mark.alone


def found(workspace: Path, rig: str) -> Rig:
    used = with_calibrations(load_rig(rig), CalibrationStore(workspace, rig))
    assert not used.problems
    return used.rig


def camera(rig: Rig, name: str) -> CameraConfig:
    return next(config for config in rig.cameras if config.camera.name == name)


def near(found: Array | None, truth: Array | None, metres: float, degrees: float) -> None:
    assert found is not None
    assert truth is not None
    away, turned = pose_difference(found, truth)
    assert away < metres, 1e3 * away
    assert turned < np.radians(degrees), np.degrees(turned)


def test_the_opening_of_the_simulated_gripper_is_calibrated_and_told_by_it(tmp_path: Path) -> None:
    tour = CalibrateTour(tmp_path, "sim-handheld")
    try:
        tour.cameras()
        tour.choose("opening")
        tour.start()
        tour.until("both ends", lambda: tour.session.report is not None and tour.session.taken[-1].level > 0.11)  # type: ignore[index]
        tour.save()
    finally:
        tour.close()
    opening = found(tmp_path, "sim-handheld").sensors[1].aruco
    assert opening is not None
    assert (opening.closed, opening.opened) == pytest.approx(MEASURED, abs=1.5e-3)


@pytest.mark.slow
def test_lens_cameras_and_table_are_found_from_a_board_that_is_held_and_laid(tmp_path: Path) -> None:
    take_board(tmp_path)
    rig, truth = found(tmp_path, "sim"), load_rig("sim")
    assert camera(rig, "top").camera.K[0, 0] == pytest.approx(566.4, rel=0.005)
    top, side = (camera(rig, name).camera.T_world_cam for name in ("top", "side"))
    real = [camera(truth, name).camera.T_world_cam for name in ("top", "side")]
    assert top is not None
    assert side is not None
    near(inverse(top) @ side, inverse(np.asarray(real[0])) @ np.asarray(real[1]), 3e-3, 0.3)
    left = with_measured_tables(truth, tmp_path).arm("left")
    assert left.table_measured
    assert left.table_height < 0.006


@pytest.mark.slow
def test_a_camera_on_its_stand_and_one_on_the_wrist_are_found_while_the_arm_moves(tmp_path: Path) -> None:
    take_arm(tmp_path)
    rig, truth = found(tmp_path, "sim-wrist"), load_rig("sim-wrist")
    near(camera(rig, "top").camera.T_world_cam, camera(truth, "top").camera.T_world_cam, 3e-3, 0.3)
    near(camera(rig, "wrist").T_mount_cam, camera(truth, "wrist").T_mount_cam, 3e-3, 0.3)


@pytest.mark.slow
def test_the_sensors_of_the_handheld_gripper_are_found(tmp_path: Path) -> None:
    take_gripper(tmp_path)
    pose, opening, force = found(tmp_path, "sim-handheld").sensors
    near(pose.T_sensor_gripper, inverse(T_GRIPPER_TRACKER), 4e-3, 0.5)
    assert opening.aruco is not None
    assert (opening.aruco.closed, opening.aruco.opened) == pytest.approx(MEASURED, abs=1.5e-3)
    assert force.force is not None
    assert force.force.newton_per_count == pytest.approx(NEWTON_PER_COUNT, rel=0.01)
