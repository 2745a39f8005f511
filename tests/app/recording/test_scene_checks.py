"""Whether the picture of the bare scene is bare."""

import cv2
import numpy as np

from app.recording.scene_checks import moved_fraction, reached_in, scene_faults, skin_fraction
from hardware.types import Image


def table(seed: int = 0) -> np.ndarray:
    """A wooden table with a blue thing on it."""
    noise = np.random.default_rng(seed).normal(0, 2, (240, 320, 3))
    wood = np.full((240, 320, 3), (178, 132, 88.0)) + noise
    wood[90:130, 140:190] = (40, 70, 180)
    return np.clip(wood, 0, 255).astype(np.uint8)


def test_a_hand_that_reaches_into_the_bare_scene_is_seen_and_a_wooden_table_is_not() -> None:
    grey = np.full((240, 320, 3), 60, np.uint8)
    hand = grey.copy()
    cv2.line(hand, (160, 239), (170, 120), (224, 172, 140), 40)
    assert skin_fraction(hand) > 0.03
    assert skin_fraction(grey) == 0.0
    assert scene_faults({"top": table()}, {"top": table(1)}) == ()
    (fault,) = scene_faults({"top": hand}, {"top": hand})
    assert fault.check == "hand in the scene"


def test_something_that_moves_in_the_bare_scene_is_seen_and_noise_and_flicker_are_not() -> None:
    later = table(1)
    assert moved_fraction(table(), later) == 0.0
    assert moved_fraction(table(), np.clip(later.astype(int) + 6, 0, 255).astype(np.uint8)) == 0.0
    later[20:60, 30:80] = 20
    assert moved_fraction(table(), later) > 0.01


def with_arm(picture: Image) -> Image:
    """Something grey that stands still and comes in over the upper edge."""
    seen = picture.copy()
    cv2.line(seen, (120, -20), (150, 120), (235, 235, 230), 30)
    return seen


def test_an_arm_that_stands_still_is_told_by_the_bare_scene_before() -> None:
    bare, arm = {"top": table()}, {"top": with_arm(table(1))}
    assert scene_faults(arm, arm) == ()  # by itself it is a thing like any other
    (fault,) = scene_faults(arm, arm, bare)
    assert (fault.check, fault.stream) == ("arm in the scene", "top")


def test_another_object_another_light_or_another_camera_is_no_arm() -> None:
    moved = table(1)
    moved[90:130, 140:190] = (178, 132, 88)
    moved[40:90, 200:260] = (40, 70, 180)
    assert reached_in(table(), moved) == 0.0
    dusk = np.clip(table(1) * 0.7, 0, 255).astype(np.uint8)
    assert reached_in(table(), dusk) < 0.03
    turned = np.ascontiguousarray(table(1)[::-1, ::-1])
    turned[:, :200] = 30
    assert reached_in(table(), turned) == 0.0
    assert reached_in(table(), table()[::2, ::2]) == 0.0


def test_an_arm_whose_joints_are_known_is_told_by_its_name() -> None:
    picture = {"top": table()}
    (fault,) = scene_faults(picture, picture, arms={"top": {"left": 0.12, "right": 0.0}})
    assert fault.check == "arm in the scene"
    assert "the left arm covers 12.0%" in fault.text
