"""What the scripted person of a simulated rig does for each calibration."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from app.calibration import scripted_person as people
from app.calibration.scripted_board import (
    GRIPPER_BOARD,
    ahead_pose,
    flange_pose,
    lens_poses,
    lying_pose,
    shared_poses,
    table_poses,
)
from app.calibration.wizard import Task
from hardware.calibration.board import WORLD_BOARD
from hardware.geometry import Array
from hardware.rig import Rig
from hardware.world.process import WorldProcess

WORDS: Mapping[Task, str] = {
    "lens": "A simulated person holds the board",
    "cameras": "A simulated person holds the board",
    "wrist": "A simulated board lies before the wrist",
    "stand": "A simulated board is fixed to the arm",
    "table": "A simulated person lays the board",
    "tracker": "A simulated person turns the gripper",
    "opening": "A simulated person moves the fingers",
    "force": "A simulated person hangs weights on it",
}


def person_for(
    task: Task, world: WorldProcess, rig: Rig, camera: str, arm: str, T_world_flange: Array | None
) -> people.ScriptedPerson:
    """Return the person who helps. camera: the chosen one; arm: the chosen one, "" for none; T_world_flange (4, 4)
    of it, None while that is not known. Raises ValueError where nobody knows where to hold or lay the board."""
    if task == "opening":
        return people.moves_fingers(world)
    if task == "force":
        return people.hangs_weights(world)
    if task == "stand":
        return people.fixes_board(world, arm, flange_pose(WORLD_BOARD))
    if task == "wrist":
        if T_world_flange is None:
            raise ValueError("no arm is connected; connect the arms first (Ctrl+Return)")
        config = next(config for config in rig.cameras if config.camera.name == camera)
        T_flange_eye = np.eye(4) if config.T_mount_cam is None else config.T_mount_cam
        return people.lays_board(world, ahead_pose(WORLD_BOARD, T_world_flange @ T_flange_eye))
    if task == "cameras":
        standing = [config.camera for config in rig.cameras if not config.mounted_on]
        return people.holds_board(world, shared_poses(standing, WORLD_BOARD))
    config = next(config for config in rig.cameras if config.camera.name == camera)
    if task == "tracker":
        T_gripper_cam = np.eye(4) if config.T_mount_cam is None else config.T_mount_cam
        return people.turns_gripper(world, lying_pose(WORLD_BOARD, np.array(GRIPPER_BOARD)), T_gripper_cam)
    if task == "table":
        return people.holds_board(world, table_poses(config.camera, WORLD_BOARD))
    eye = config.camera
    if config.on_arm and T_world_flange is not None and config.T_mount_cam is not None:
        eye = replace(eye, T_world_cam=T_world_flange @ config.T_mount_cam)
    return people.holds_board(world, lens_poses(eye, WORLD_BOARD))
