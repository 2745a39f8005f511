"""The table from a board that lies on it, seen by a calibrated camera."""

from collections.abc import Sequence

import numpy as np

from hardware.calibration.board import Board, BoardView
from hardware.calibration.lens import board_pose
from hardware.calibration.table_plane import PlaneResult, solve_plane
from hardware.geometry import Array, apply
from hardware.types import Camera, require


def solve_board_plane(
    camera: Camera, board: Board, views: Sequence[BoardView], T_frame_cam: Array, thickness: float = 0.0
) -> PlaneResult:
    """Return the table under boards that lie on it, in the frame that T_frame_cam (4, 4) leads to (base or world).

    thickness [m]: of board and paper, taken off. Each view is a place of the board; its four corners count.
    Raises ValueError in words where there is no view, or the plane is no table.
    """
    require(len(views) > 0, "views: none; valid: one or more of a board that lies on the table")
    require(0 <= thickness <= 0.05, f"thickness: {thickness} m; valid: 0 to 0.05")
    width, height = board.size
    marks = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    under = np.column_stack([marks, np.full(len(marks), thickness)])  # z goes into the board
    points = [apply(T_frame_cam @ board_pose(camera, board, view), under) for view in views]
    return solve_plane(np.concatenate(points))
