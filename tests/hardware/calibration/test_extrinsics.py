"""Several cameras and one board: where they stand is found together, a camera on its own is named."""

from dataclasses import replace

import numpy as np
import pytest

from hardware.calibration.board import A3, BoardView
from hardware.calibration.extrinsics import Shot, solve_extrinsics
from hardware.calibration.poses import pose_difference
from hardware.calibration.report import tilt_of
from hardware.geometry import Array, inverse, rotation_from_vector, transform
from tests.hardware.calibration.rendering import PINHOLE, board_at, held_boards, seen_view

T_LEFT_RIGHT = transform(rotation_from_vector(np.array([0.02, -0.6, 0.05])), [0.34, 0.02, 0.11])
T_LEFT_TOP = transform(rotation_from_vector(np.array([0.5, 0.03, 0.1])), [0.05, 0.28, 0.06])
CAMERAS = (PINHOLE, replace(PINHOLE, name="right"), replace(PINHOLE, name="top"))
PLACES = {"left": np.eye(4), "right": T_LEFT_RIGHT, "top": T_LEFT_TOP}


def shots(count: int, seed: int = 0, noise: float = 0.08) -> list[Shot]:
    rng = np.random.default_rng(seed)
    found: list[Shot] = []
    for T in held_boards(A3, count, rng):
        seen = {c.name: seen_view(c, A3, inverse(PLACES[c.name]) @ T, rng, noise) for c in CAMERAS}
        found.append({name: view for name, view in seen.items() if len(view.ids) > 12})
    return found


def check(T: Array, truth: Array) -> None:
    away, turned = pose_difference(T, truth)
    assert away < 1e-3
    assert turned < np.radians(0.05)


def test_three_cameras_are_placed_within_a_millimetre() -> None:
    result = solve_extrinsics(CAMERAS, shots(14), A3)
    for name, truth in PLACES.items():
        check(result.T_view1_cam[name], truth)
    assert result.report.verdict == "good", result.report.words
    assert result.report.sigma["right_m"] < 1e-3


def test_cameras_that_share_no_picture_are_tied_through_a_third() -> None:
    pairs: list[Shot] = []
    for k, shot in enumerate(shots(16, seed=3)):
        out = "top" if k % 2 else "left"
        pairs.append({name: view for name, view in shot.items() if name != out})
    result = solve_extrinsics(CAMERAS, pairs, A3)
    check(result.T_view1_cam["top"], T_LEFT_TOP)


def test_a_shot_of_a_board_that_moved_is_left_out_and_named() -> None:
    some = shots(12, seed=4)
    view = some[3]["right"]
    some[3] = {**some[3], "right": BoardView(view.ids, view.pixels + np.array([14.0, -9.0]), view.size)}
    result = solve_extrinsics(CAMERAS[:2], [{n: s[n] for n in ("left", "right") if n in s} for s in some], A3)
    check(result.T_view1_cam["right"], T_LEFT_RIGHT)
    assert any(error.left_out and error.name.startswith("shot 4") for error in result.report.views)


def test_a_camera_that_never_saw_the_board_with_another_is_named() -> None:
    alone = [{name: view for name, view in shot.items() if name != "top"} for shot in shots(8)]
    with pytest.raises(ValueError, match="top never saw the board together with left, right"):
        solve_extrinsics(CAMERAS, alone, A3)


def test_too_few_shots_and_copies_are_refused() -> None:
    with pytest.raises(ValueError, match="views: 3; valid: 4 or more"):
        solve_extrinsics(CAMERAS[:2], shots(3), A3)
    with pytest.raises(ValueError, match="copies"):
        solve_extrinsics(CAMERAS[:2], shots(3) * 3, A3)


def test_one_camera_has_nothing_to_be_told_from() -> None:
    with pytest.raises(ValueError, match="two or more"):
        solve_extrinsics(CAMERAS[:1], shots(5), A3)


def test_a_tilted_board_says_to_which_side() -> None:
    assert tilt_of(A3, board_at(A3, [0, 0, 0.8], [0.0, 0.0])) == "face on"
    # turned about the picture's y so that its right edge comes nearer, it faces left
    assert tilt_of(A3, board_at(A3, [0, 0, 0.8], [0.0, 0.5])) == "left"
    assert tilt_of(A3, board_at(A3, [0, 0, 0.8], [-0.5, 0.0])) == "up"
