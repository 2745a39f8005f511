"""Where the scripted person of a simulated rig holds the board: all over each camera's picture, and leaning to
every side; for several cameras, where they see it together; on the table; and the gripper, to look at it."""

from collections.abc import Sequence

import numpy as np

from hardware.calibration.board import WORLD_THICKNESS, Board
from hardware.calibration.lens import rays
from hardware.geometry import Array, apply, inverse, rotation_from_vector, transform
from hardware.types import Camera, require

PLACES = ((0.5, 0.5), (0.25, 0.3), (0.75, 0.3), (0.75, 0.7), (0.25, 0.7), (0.5, 0.25), (0.5, 0.75), (0.2, 0.5),
          (0.8, 0.5))  # fmt: skip
TILTS = ((0.0, 0.0), (0.45, 0.2), (-0.45, 0.2), (0.2, -0.5), (-0.2, 0.5), (0.5, -0.3), (-0.5, -0.3))
NEAR, FAR = 0.62, 0.42  # share of the picture's width that the board takes
ON_TABLE = ((0.5, 0.5), (0.3, 0.4), (0.7, 0.6), (0.35, 0.65), (0.65, 0.35))
GRIPPER_BOARD = (0.0, 0.05)  # [m] where the board lies that the gripper's camera looks at
ABOVE_FINGERS_RAD = 0.5
BESIDE_M = 0.33  # of the flange, so that the arm does not hide it
LOWEST_M = 0.02  # above the table


def lens_poses(camera: Camera, board: Board, count: int = 20) -> list[Array]:
    """Return T_world_board (4, 4) to calibrate one camera's lens. Raises ValueError where its place is unknown."""
    T_world_cam = _place(camera)
    found = []
    for k in range(count):
        u, v = PLACES[k % len(PLACES)]
        ray = rays(camera, np.array([[u * camera.size[0], v * camera.size[1]]]))[0]
        share = NEAR if k % 3 else FAR
        far = board.size[0] * float(camera.K[0, 0]) / (share * camera.size[0])
        T = _facing(ray * far, TILTS[k % len(TILTS)], 0.25 * np.sin(2.4 * k), board)
        found.append(_above_table(T_world_cam @ T, board, T_world_cam[:3, 3]))
    return found


def shared_poses(cameras: Sequence[Camera], board: Board, count: int = 14) -> list[Array]:
    """Return T_world_board (4, 4) that all cameras see, over the middle of the table. Raises ValueError as
    above."""
    eyes = np.stack([_place(camera)[:3, 3] for camera in cameras])
    found = []
    for k in range(count):
        across, along = 0.12 * np.sin(2.1 * k), 0.08 * np.cos(1.3 * k)
        centre = np.array([across, along, 0.10 + 0.16 * (k % 4) / 3])
        to_eyes = eyes - centre
        sight = (to_eyes / np.linalg.norm(to_eyes, axis=1, keepdims=True)).mean(axis=0)
        z = -sight / np.linalg.norm(sight)
        x = np.array([1.0, 0.0, 0.0]) - z * z[0]
        x /= np.linalg.norm(x)
        lean = 0.7 * np.array(TILTS[k % len(TILTS)])
        R = np.stack([x, np.cross(z, x), z], axis=1) @ rotation_from_vector(
            np.array([*lean, 0.3 * np.sin(3.1 * k)])
        )
        middle = np.array([board.size[0] / 2, board.size[1] / 2, 0.0])
        found.append(_above_table(transform(R, centre - R @ middle), board, eyes.mean(axis=0)))
    return found


def _place(camera: Camera) -> Array:
    known = camera.T_world_cam is not None
    require(known, f"camera {camera.name}: its place is unknown; nobody knows where to hold the board")
    return np.asarray(camera.T_world_cam)


def _facing(centre: Array, tilt: tuple[float, float], spin: float, board: Board) -> Array:
    """T_cam_board (4, 4) with the board's middle there, facing the camera but for a tilt [rad]."""
    z = centre / np.linalg.norm(centre)
    x = np.array([1.0, 0.0, 0.0]) - z * z[0]
    x /= np.linalg.norm(x)
    facing = np.stack([x, np.cross(z, x), z], axis=1)
    R = facing @ rotation_from_vector(np.array([*tilt, 0.0])) @ rotation_from_vector(np.array([0.0, 0.0, spin]))
    return transform(R, centre - R @ np.array([board.size[0] / 2, board.size[1] / 2, 0.0]))


def _above_table(T: Array, board: Board, eye: Array) -> Array:
    """The same board nearer to the eye where it would reach into the table."""
    width, height = board.size
    corners = np.array([[0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]])
    low = float(apply(T, corners)[:, 2].min())
    if low >= LOWEST_M:
        return T
    middle = apply(T, corners).mean(axis=0)
    way = (eye - middle) / np.linalg.norm(eye - middle)
    lifted = T.copy()
    lifted[:3, 3] += way * (LOWEST_M - low) / max(float(way[2]), 0.2)
    return lifted


def flange_pose(board: Board) -> Array:
    """Return T_flange_board (4, 4): beside the flange, printed side up where the flange points down."""
    width, height = board.size
    return transform(np.eye(3), [BESIDE_M - width / 2, -height / 2, 0.02])


FACE_UP = np.diag([1.0, -1.0, -1.0])  # z goes into the board


def lying_pose(board: Board, centre: Array, spin: float = 0.0) -> Array:
    """Return T_world_board (4, 4) of the simulated board on the table, its middle over centre (2,) [m]."""
    R = rotation_from_vector(np.array([0.0, 0.0, spin])) @ FACE_UP
    middle = R @ np.array([board.size[0] / 2, board.size[1] / 2, 0.0])
    return transform(R, np.array([*centre[:2], WORLD_THICKNESS]) - middle)


def table_poses(camera: Camera, board: Board) -> list[Array]:
    """Return T_world_board (4, 4) on the table, where one camera sees it. Raises ValueError where its place is
    unknown, or it looks past the table."""
    T_world_cam, found = _place(camera), []
    for k, (u, v) in enumerate(ON_TABLE):
        ray = T_world_cam[:3, :3] @ rays(camera, np.array([[u * camera.size[0], v * camera.size[1]]]))[0]
        require(
            ray[2] < -0.1, f"camera {camera.name}: it looks past the table; nobody knows where to lay the board"
        )
        centre = T_world_cam[:3, 3] - ray * (T_world_cam[2, 3] / ray[2])
        found.append(lying_pose(board, centre, 0.3 * k))
    return found


def ahead_pose(board: Board, T_world_eye: Array) -> Array:
    """Return T_world_board (4, 4) on the table, where a camera looks; below it where it looks past."""
    way, at = T_world_eye[:3, 2], T_world_eye[:3, 3]
    far = -at[2] / way[2] if way[2] < -0.5 else 0.0
    return lying_pose(board, at + far * way)


def gripper_poses(board: Board, T_gripper_cam: Array, count: int = 20) -> list[Array]:
    """Return T_world_gripper (4, 4) from which its camera sees the board on the table, leaning to every side. The
    board is seen above the fingers, which stand in the middle of that camera's picture."""
    centre, found = np.array([*GRIPPER_BOARD, WORLD_THICKNESS]), []
    over_fingers = rotation_from_vector(np.array([-ABOVE_FINGERS_RAD, 0.0, 0.0]))
    for k in range(count):
        lean = 0.9 * np.array(TILTS[k % len(TILTS)])
        ahead = rotation_from_vector(np.array([*lean, 0.0])) @ np.array([0.0, 0.0, 1.0])
        far = 0.28 + 0.03 * (k % 3)
        z = -ahead / np.linalg.norm(ahead)
        spin = np.pi / 2 + 0.7 * np.sin(1.9 * k)
        x = np.array([np.cos(spin), np.sin(spin), 0.0])
        x -= z * (x @ z)
        x /= np.linalg.norm(x)
        T_world_cam = transform(np.stack([x, np.cross(z, x), z], axis=1) @ over_fingers, centre + far * ahead)
        found.append(T_world_cam @ inverse(T_gripper_cam))
    return found
