"""A camera that was pushed is noticed; hands, objects and light are not taken for it."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from hardware.calibration.scene_check import check_scene
from hardware.types import Camera, Image

CAMERA = Camera("top", np.array([[500.0, 0, 320], [0, 500, 224], [0, 0, 1]]), (640, 448))


def room(seed: int = 0) -> Image:
    """A table with things on it, rendered once per seed."""
    rng = np.random.default_rng(seed)
    scene = cv2.GaussianBlur(rng.normal(90, 40, (520, 720)), (0, 0), 3) * 2
    for _ in range(40):
        x, y = rng.integers(0, [720, 520])
        cv2.rectangle(scene, (int(x), int(y)), (int(x + rng.integers(10, 60)), int(y + rng.integers(10, 60))),
                      float(rng.uniform(20, 220)), -1)  # fmt: skip
    return np.asarray(np.clip(scene, 0, 255), np.uint8)


def taken(scene: Image, shift: tuple[float, float] = (0, 0), turn: float = 0.0, seed: int = 1) -> Image:
    M = cv2.getRotationMatrix2D((320, 224), turn, 1.0)
    M[:, 2] -= [40 + shift[0], 36 + shift[1]]
    seen = cv2.warpAffine(scene, M, (640, 448), flags=cv2.INTER_LINEAR).astype(float)
    return np.asarray(np.clip(seen + np.random.default_rng(seed).normal(0, 3, seen.shape), 0, 255), np.uint8)


def handed(picture: Image) -> Image:
    """An arm across a third of the picture, and other objects."""
    shown = picture.copy()
    cv2.line(shown, (700, 100), (300, 300), 190, 110)
    cv2.circle(shown, (150, 150), 50, 30, -1)
    return shown


def darker(picture: Image) -> Image:
    return np.asarray(0.6 * picture + 12, np.uint8)


@pytest.mark.parametrize("change", [lambda p: p, handed, darker])
def test_a_camera_that_stands_is_left_in_peace(change: Callable[[Image], Image]) -> None:
    scene = room()
    found = check_scene(CAMERA, taken(scene), change(taken(scene, seed=2)))
    assert found.state == "still", found.words
    assert found.shift_px < 0.7


@pytest.mark.parametrize(("shift", "turn"), [((4.0, 1.0), 0.0), ((0, -12.0), 0.0), ((0, 0), 1.5), ((60, 30), 0.0)])
def test_a_camera_that_was_pushed_is_noticed_behind_a_hand(shift: tuple[float, float], turn: float) -> None:
    scene = room()
    found = check_scene(CAMERA, taken(scene), handed(taken(scene, shift, turn, seed=2)))
    assert found.state == "moved", found.words
    if not turn:
        assert found.shift_px == pytest.approx(np.hypot(*shift), abs=1.0)
        assert np.degrees(found.angle_rad) == pytest.approx(np.degrees(np.arctan(np.hypot(*shift) / 500)), abs=0.15)
    assert "calibrate where it stands" in found.words


def test_a_covered_camera_is_unsure_not_moved() -> None:
    scene = room()
    dark = np.full((448, 640), 15, np.uint8)
    assert check_scene(CAMERA, taken(scene), dark).state == "unsure"
    assert check_scene(CAMERA, taken(scene), taken(room(7), seed=3)).state == "unsure"


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        check_scene(CAMERA, np.zeros((448, 640), np.uint8), np.zeros((224, 320), np.uint8))
