"""A board in a picture: found to a fraction of a pixel, and told apart from what is no board of this kind."""

import cv2
import numpy as np
import pytest

from hardware.calibration.board import A3, A4, Board, black_rectangles, board_picture, detect
from hardware.calibration.lens import board_pose, lens_numbers, project_lens, rays
from hardware.calibration.poses import pose_difference
from hardware.geometry import Array, apply
from hardware.types import Camera, Image
from tests.hardware.calibration.rendering import PINHOLE, WIDE, board_at, renderer


def shown(camera: str, board: Board, T: Array, noise: float = 2.0) -> Image:
    return renderer(camera, board, noise=noise).picture(T, np.random.default_rng(3))


@pytest.mark.parametrize(("name", "camera"), [("left", PINHOLE), ("gripper", WIDE)])
def test_corners_are_found_to_a_tenth_of_a_pixel(name: str, camera: Camera) -> None:
    T = board_at(A3, [0.03, -0.01, 0.55 if name == "left" else 0.25], [0.3, -0.35], 0.2)
    sighting = detect(shown(name, A3, T), A3)
    assert sighting.view is not None, sighting.problem
    view = sighting.view
    assert len(view.ids) > 0.7 * A3.corners
    truth = project_lens(lens_numbers(camera), camera.model, apply(T, view.points(A3)))
    off = np.linalg.norm(view.pixels - truth, axis=1)
    assert np.median(off) < 0.1


def test_the_board_is_where_it_was_held() -> None:
    T = board_at(A4, [0.02, 0.01, 0.4], [0.4, 0.3], -0.3)
    view = detect(shown("left", A4, T), A4).view
    assert view is not None
    away, turned = pose_difference(board_pose(PINHOLE, A4, view), T)
    assert away < 1e-3
    assert turned < np.radians(0.3)


def test_a_mirrored_picture_is_told() -> None:
    picture = shown("left", A4, board_at(A4, [0, 0, 0.4], [0.2, 0.2]))
    sighting = detect(np.ascontiguousarray(picture[:, ::-1]), A4)
    assert sighting.view is None
    assert "mirrored" in sighting.problem


def test_the_other_sheet_is_named() -> None:
    sighting = detect(shown("left", A4, board_at(A4, [0, 0, 0.4], [0.2, 0.2])), A3)
    assert sighting.view is None
    assert "this is board a4, not a3" in sighting.problem


def test_a_board_with_another_grid_is_refused() -> None:
    printed = Board("mine", 7, 8, 0.028, 0.021)
    sighting = detect(shown("left", printed, board_at(printed, [0, 0, 0.4], [0.1, 0.2])), A4)
    assert sighting.view is None
    assert "another board" in sighting.problem


def test_a_covered_board_asks_for_more_of_it() -> None:
    picture = shown("left", A4, board_at(A4, [0, 0, 0.4], [0.0, 0.2]))
    picture[:, 245:] = 90
    sighting = detect(picture, A4)
    assert sighting.view is None
    assert "corners" in sighting.problem


def test_an_empty_picture_says_so() -> None:
    assert detect(np.full((480, 640), 80, np.uint8), A4).problem == "no board in the picture"


def test_the_black_of_a_board_overlaps_nowhere_and_is_opencvs_own_board() -> None:
    px = 4000.0
    ours = board_picture(A4, px, 0.0) < 128
    total = sum(w * h for _, _, w, h in black_rectangles(A4)) * px * px
    assert ours.sum() == pytest.approx(total, rel=1e-6)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_100)
    theirs = cv2.aruco.CharucoBoard((9, 6), A4.square, A4.marker, dictionary).generateImage(ours.shape[::-1]) < 128
    assert (ours != theirs).mean() < 0.01


@pytest.mark.parametrize("camera", [PINHOLE, WIDE])
def test_rays_lead_back_to_their_pixels(camera: Camera) -> None:
    turn = np.random.default_rng(0).uniform(0, 2 * np.pi, 200)
    pixels = [320, 240] + np.linspace(1, 235, 200)[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    back = project_lens(lens_numbers(camera), camera.model, 0.7 * rays(camera, pixels))
    np.testing.assert_allclose(back, pixels, atol=1e-3)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"columns": 2}, "columns 2"),
        ({"marker": 0.03}, "marker 0.03"),
        ({"dictionary": "DICT_7X7_50"}, "DICT_7X7_50"),
        ({"first_id": 90}, "markers 90 to 116"),
    ],
)
def test_a_board_that_cannot_be_is_refused_with_its_field(wrong: dict[str, object], named: str) -> None:
    fields: dict[str, object] = {"name": "x", "columns": 9, "rows": 6, "square": 0.028, "marker": 0.021}
    with pytest.raises(ValueError, match=named):
        Board(**(fields | wrong))  # type: ignore[arg-type]
