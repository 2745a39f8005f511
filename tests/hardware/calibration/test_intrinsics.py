"""A lens from views of a board: the true one is found, what cannot be told is refused in words."""

import numpy as np
import pytest

from hardware.calibration.board import A3, A4, BoardView
from hardware.calibration.intrinsics import IntrinsicsResult, lens_change, solve_intrinsics
from hardware.geometry import Array
from hardware.types import Camera
from tests.hardware.calibration.rendering import PINHOLE, WIDE, board_at, held_boards, seen_view


def views(camera: Camera, poses: list[Array], noise: float = 0.05) -> list[BoardView]:
    rng = np.random.default_rng(1)
    found = [seen_view(camera, A3, T, rng, noise) for T in poses]
    return [view for view in found if len(view.ids) > 12]


def solved(camera: Camera, count: int = 20) -> IntrinsicsResult:
    wide = camera.model == "fisheye"
    poses = held_boards(A3, count, np.random.default_rng(2), wide=wide)
    return solve_intrinsics(camera.name, views(camera, poses), A3, camera.model)


@pytest.mark.parametrize("camera", [PINHOLE, WIDE])
def test_the_lens_is_found_within_three_permille(camera: Camera) -> None:
    result = solved(camera)
    assert result.camera.K[0, 0] == pytest.approx(camera.K[0, 0], rel=3e-3)
    assert result.camera.K[1, 1] == pytest.approx(camera.K[1, 1], rel=3e-3)
    assert lens_change(camera, result.camera) < 1.5
    assert result.report.verdict in ("good", "usable"), result.report.words
    assert result.report.rms < 0.15
    # it says how sure it is, and that is about true
    assert abs(result.camera.K[0, 0] - camera.K[0, 0]) < 5 * result.report.sigma["fx_px"] + 0.05


def test_a_view_that_was_shaken_is_left_out_and_named() -> None:
    rng = np.random.default_rng(5)
    good = views(PINHOLE, held_boards(A3, 16, rng))
    shaken = BoardView(good[4].ids, good[4].pixels + rng.normal(0, 6, good[4].pixels.shape), good[4].size)
    result = solve_intrinsics("left", [*good[:4], shaken, *good[5:]], A3)
    out = [view.name for view in result.report.views if view.left_out]
    assert out == ["view 5"]
    assert "left out" in result.report.words
    assert result.camera.K[0, 0] == pytest.approx(PINHOLE.K[0, 0], rel=3e-3)


def test_a_board_never_tilted_is_refused() -> None:
    flat = [board_at(A3, [x, y, 0.6], [0.0, 0.0]) for x in (-0.1, 0, 0.1) for y in (-0.08, 0, 0.08)]
    with pytest.raises(ValueError, match="leans the same way"):
        solve_intrinsics("left", views(PINHOLE, flat), A3)


def test_a_board_tilted_one_way_only_is_refused() -> None:
    one = [board_at(A3, [0.02 * k - 0.1, 0, 0.6], [0.0, 0.1 * k - 0.5]) for k in range(11)]
    with pytest.raises(ValueError, match="one axis only"):
        solve_intrinsics("left", views(PINHOLE, one), A3)


def test_too_few_views_and_copies_of_one_are_refused() -> None:
    poses = held_boards(A3, 6, np.random.default_rng(0))
    with pytest.raises(ValueError, match="views: 6; valid: 8 or more"):
        solve_intrinsics("left", views(PINHOLE, poses), A3)
    with pytest.raises(ValueError, match="6 that differ, 6 are copies"):
        solve_intrinsics("left", views(PINHOLE, poses) * 2, A3)


def test_pictures_of_two_sizes_are_refused() -> None:
    some = views(PINHOLE, held_boards(A3, 12, np.random.default_rng(0)))
    small = [BoardView(v.ids, v.pixels / 2, (320, 240)) for v in some[6:]]
    with pytest.raises(ValueError, match="several sizes"):
        solve_intrinsics("left", [*some[:6], *small], A3)


def test_few_views_of_the_middle_get_advice_instead_of_praise() -> None:
    rng = np.random.default_rng(4)
    middle = [board_at(A4, [0, 0, 0.9], rng.uniform(0.2, 0.5, 2) * rng.choice([-1, 1], 2)) for _ in range(9)]
    found = [seen_view(PINHOLE, A4, T, rng) for T in middle]
    report = solve_intrinsics("left", found, A4).report
    assert report.verdict != "good"
    assert "Show the board" in report.words
