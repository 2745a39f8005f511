"""The table from a board that lies on it: its height and lean, with the paper's thickness taken off."""

import numpy as np
import pytest

from hardware.calibration.board import A4
from hardware.calibration.board_plane import solve_board_plane
from hardware.geometry import inverse, rotation_from_vector, transform
from tests.hardware.calibration.rendering import PINHOLE, seen_view

T_BASE_CAM = transform(rotation_from_vector(np.array([np.pi + 0.35, 0.05, 0.05])), [0.4, -0.2, 0.6])
LEAN = rotation_from_vector(np.array([0.01, 0.0, 0.0]))
FACE_UP = np.diag([1.0, -1.0, -1.0])  # a board's z goes into it: down


def test_the_table_lies_under_the_board() -> None:
    rng, thickness = np.random.default_rng(0), 0.005
    places = [([0.25, 0.0, 0.0], 0.2), ([0.32, 0.06, 0.0], -0.4), ([0.28, -0.02, 0.0], 1.0)]
    views = []
    for place, spin in places:
        R = LEAN @ FACE_UP @ rotation_from_vector(np.array([0.0, 0.0, spin]))
        at = LEAN @ (np.array(place) + np.array([0.0, 0.0, -0.012 + thickness]))
        views.append(seen_view(PINHOLE, A4, inverse(T_BASE_CAM) @ transform(R, at), rng))
    plane = solve_board_plane(PINHOLE, A4, views, T_BASE_CAM, thickness)
    np.testing.assert_allclose(plane.normal, LEAN[:, 2], atol=3e-3)
    assert plane.offset == pytest.approx(-0.012, abs=5e-4)
    assert plane.verdict in ("good", "fair"), plane.words


def test_no_view_and_a_thickness_that_is_none_are_refused() -> None:
    with pytest.raises(ValueError, match="views: none"):
        solve_board_plane(PINHOLE, A4, [], T_BASE_CAM)
    view = seen_view(PINHOLE, A4, transform(np.eye(3), [-0.1, -0.1, 0.5]), np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"thickness: 5\.0 m; valid: 0 to 0\.05"):
        solve_board_plane(PINHOLE, A4, [view], T_BASE_CAM, 5.0)
