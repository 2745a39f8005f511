"""A camera and an arm, on the wrist and on a stand: found, or refused with what the wrist has to do."""

import numpy as np
import pytest

from hardware.calibration.board import A4, Board, BoardView
from hardware.calibration.hand_eye import HandEyeResult, Kind, solve_hand_eye
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array, inverse, rotation_from_vector, transform
from tests.hardware.calibration.rendering import PINHOLE, board_at, seen_view

T_FLANGE_CAM = transform(rotation_from_vector(np.array([0.1, -0.05, 1.5])), [0.04, -0.06, 0.05])
T_BASE_BOARD = transform(rotation_from_vector(np.array([3.0, 0.2, 0.1])), [0.45, 0.1, 0.01])
T_BASE_CAM = transform(rotation_from_vector(np.array([-2.2, 0.3, 0.1])), [0.5, -0.5, 0.6])
T_FLANGE_BOARD = transform(rotation_from_vector(np.array([0.1, 0.3, 0.2])), [-0.1, -0.08, 0.05])


def boards(count: int, rng: np.random.Generator, turn: float = 1.0, shift: float = 1.0) -> list[Array]:
    """Where the camera sees the board while the wrist leans to every side."""
    poses = []
    for _ in range(count):
        tilt = turn * rng.uniform(0.2, 0.5, 2) * rng.choice([-1, 1], 2)
        centre = np.array([0.0, 0.0, 0.42]) + shift * rng.uniform(-0.05, 0.05, 3)
        poses.append(board_at(A4, centre, tilt, turn * rng.uniform(-0.6, 0.6)))
    return poses


def stops(kind: Kind, T_cam_board: list[Array]) -> list[Array]:
    if kind == "wrist":
        return [T_BASE_BOARD @ inverse(T) @ inverse(T_FLANGE_CAM) for T in T_cam_board]
    return [T_BASE_CAM @ T @ inverse(T_FLANGE_BOARD) for T in T_cam_board]


def shaken(poses: list[Array], rng: np.random.Generator) -> list[Array]:
    """What an arm says: right to 0.1 mm and 0.01 degrees or so."""
    off = [transform(rotation_from_vector(rng.normal(0, 1e-4, 3)), rng.normal(0, 1e-4, 3)) for _ in poses]
    return [T @ d for T, d in zip(poses, off, strict=True)]


def solved(kind: Kind, seen: list[Array], board: Board = A4, noise: float = 0.08) -> HandEyeResult:
    rng = np.random.default_rng(8)
    views = [seen_view(PINHOLE, A4, T, rng, noise) for T in seen]
    return solve_hand_eye(kind, PINHOLE, board, views, shaken(stops(kind, seen), rng))


@pytest.mark.parametrize(("kind", "truth"), [("wrist", T_FLANGE_CAM), ("stand", T_BASE_CAM)])
def test_the_camera_is_found_within_a_millimetre_and_a_half(kind: Kind, truth: Array) -> None:
    result = solved(kind, boards(14, np.random.default_rng(1)))
    away, turned = pose_difference(result.T_hand_cam, truth)
    assert away < 1.5e-3
    assert turned < np.radians(0.1)
    assert result.report.verdict == "good", result.report.words
    assert abs(result.scale - 1) < 0.005


def test_a_wrist_that_only_shifted_is_refused() -> None:
    with pytest.raises(ValueError, match="it only shifted"):
        solved("wrist", boards(10, np.random.default_rng(1), turn=0.0))


def test_a_wrist_that_turned_about_one_axis_is_refused() -> None:
    spun = [board_at(A4, [0.01 * k - 0.05, 0, 0.42], [0.3, 0.0], 0.2 * k - 1.0) for k in range(10)]
    with pytest.raises(ValueError, match="one axis only"):
        solved("wrist", spun)


def test_copies_of_a_pose_do_not_count() -> None:
    seen = boards(4, np.random.default_rng(1)) * 3
    views = [seen_view(PINHOLE, A4, T, np.random.default_rng(0)) for T in seen]
    with pytest.raises(ValueError, match="4 that differ, 8 are copies"):
        solve_hand_eye("wrist", PINHOLE, A4, views, stops("wrist", seen))


def test_a_print_of_another_size_is_told() -> None:
    larger = Board("a4", A4.columns, A4.rows, A4.square * 1.05, A4.marker * 1.05)
    result = solved("wrist", boards(14, np.random.default_rng(1)), larger)
    assert result.scale == pytest.approx(1 / 1.05, abs=0.01)
    assert result.report.verdict != "good"
    assert "ruler" in result.report.words


def test_a_pose_at_which_the_board_slipped_is_left_out_and_named() -> None:
    rng = np.random.default_rng(3)
    seen = boards(14, rng)
    poses = stops("wrist", seen)
    seen[6] = seen[6] @ transform(rotation_from_vector(np.array([0, 0, 0.15])), [0.02, 0.01, 0.0])
    views = [seen_view(PINHOLE, A4, T, rng) for T in seen]
    result = solve_hand_eye("wrist", PINHOLE, A4, views, poses)
    assert [view.name for view in result.report.views if view.left_out] == ["pose 7"]
    assert pose_difference(result.T_hand_cam, T_FLANGE_CAM)[0] < 1.5e-3


def test_views_and_poses_must_be_as_many() -> None:
    view = BoardView(np.arange(12), np.zeros((12, 2)), (640, 480))
    with pytest.raises(ValueError, match="2 of 1 poses"):
        solve_hand_eye("wrist", PINHOLE, A4, [view, view], [np.eye(4)])
