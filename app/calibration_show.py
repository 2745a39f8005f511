"""Where the scripted person of a simulated rig holds the board: all over each camera's picture, and leaning to
every side; for several cameras, where they see it together."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hardware.calibration.board import Board
from hardware.calibration.lens import rays
from hardware.geometry import Array, apply, rotation_from_vector, transform
from hardware.types import Camera, require
from hardware.world.process import WorldProcess

PLACES = ((0.5, 0.5), (0.25, 0.3), (0.75, 0.3), (0.75, 0.7), (0.25, 0.7), (0.5, 0.25), (0.5, 0.75), (0.2, 0.5),
          (0.8, 0.5))  # fmt: skip
TILTS = ((0.0, 0.0), (0.45, 0.2), (-0.45, 0.2), (0.2, -0.5), (-0.2, 0.5), (0.5, -0.3), (-0.5, -0.3))
NEAR, FAR = 0.62, 0.42  # share of the picture's width that the board takes
BESIDE_M = 0.33  # of the flange, so that the arm does not hide it
LOWEST_M = 0.02  # above the table
MOST_S = 6.0  # that a place is held where no view is taken


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


class BoardPerson:
    """The scripted person: holds the board where it is wanted next, until it was taken there, or for MOST_S."""

    def __init__(self, world: WorldProcess, poses: Sequence[Array], arm: str = "") -> None:
        """poses: T_world_board (4, 4) to hold it at; with an arm the first is T_flange_board, and it is fixed
        there."""
        self._world, self._poses, self._arm = world, list(poses), arm
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="board")
        self._next, self._taken, self._since = 0, -1, -np.inf
        self.problem = ""

    @property
    def done(self) -> bool:
        """Whether every place was shown."""
        return self._next > len(self._poses)

    def tick(self, taken: int) -> None:
        """Go on once another view was taken; taken: how many there are. Never waits."""
        now = time.monotonic()
        fixed = bool(self._arm) and self._next > 0
        if self.done or fixed or (taken == self._taken and now - self._since < MOST_S):
            return
        self._taken, self._since = taken, now
        T = self._poses[self._next] if self._next < len(self._poses) else None
        self._next += 1
        self._background.submit(self._hold, T)

    def close(self) -> None:
        """Take the board away and wait for that. Safe to call twice."""
        if not self.done:
            self._next = len(self._poses) + 1
            self._background.submit(self._hold, None)
        self._background.shutdown(wait=True)

    def _hold(self, T_world_board: Array | None) -> None:
        try:
            if self._arm and T_world_board is not None:
                self._world.fix_board(self._arm, T_world_board)
            else:
                self._world.hold_board(T_world_board)
        except (OSError, RuntimeError, ValueError) as error:
            self.problem = f"the simulated person: {error}"
