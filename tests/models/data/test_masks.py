"""Masks of objects and the steps of a demo: what a person paints is kept and can be taken back."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from models.data.errors import DreamFileError
from models.data.masks import (
    MASKS,
    ObjectMask,
    Stroke,
    final_masks,
    mask_of,
    picture_of,
    read_masks,
    runs_of,
    write_masks,
)
from models.data.masks_found import found_object
from models.data.steps import Step, find_steps, found_marks, is_bare, marked_steps
from tests.models.data.memory_demo import MemoryDemo


@settings(deadline=None, max_examples=40)
@given(arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_run_lengths_give_the_mask_back(mask: np.ndarray) -> None:
    runs = runs_of(mask)
    assert sum(runs) == mask.size
    assert np.array_equal(picture_of(runs, (mask.shape[1], mask.shape[0])) > 0, mask)


def test_strokes_paint_erase_and_can_be_undone_after_a_restart(tmp_path: Path) -> None:
    empty = mask_of("top", 1.5, np.zeros((60, 80), bool), "colour")
    painted = empty.brushed(Stroke(True, 6, ((20, 20), (50, 20))))
    erased = painted.brushed(Stroke(False, 3, ((30, 20),)))
    assert painted.picture[20, 30] == 255
    assert painted.picture[27, 30] == 0
    assert (erased.picture[20, 30], erased.picture[20, 45]) == (0, 255)
    write_masks(tmp_path, [erased.undone()])
    (again,) = read_masks(tmp_path)
    assert np.array_equal(again.picture, painted.picture)
    assert np.array_equal(again.redone().picture, erased.picture)
    assert not again.undone().undone().picture.any()
    assert again.undone().undone().undone().position == 0
    other = again.brushed(Stroke(True, 2, ((5, 50),)))
    assert len(other.strokes) == 2
    assert other.redone() == other


def test_the_last_mask_of_a_camera_is_the_goal() -> None:
    first = np.zeros((4, 6), bool)
    second = ~first
    masks = [mask_of("top", 2.0, second, "x"), mask_of("top", 0.5, first, "x"), mask_of("side", 0.1, first, "x")]
    goals = final_masks(masks)
    assert goals["top"].all()
    assert not goals["side"].any()


GOOD = {"camera": "top", "t": 1, "size": [4, 4], "runs": [16], "strokes": []}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"runs": [3]}, "runs of 3"),
        ({"runs": [20, -4]}, "runs"),
        ({"runs": [15.5, 0.5]}, "runs"),
        ({"size": [99999, 4]}, "size"),
        ({"strokes": [{"add": True}]}, "points"),
        ({"strokes": [{"add": True, "radius": 3, "points": []}]}, "points"),
        ({"strokes": [{"add": True, "radius": -3, "points": [[1, 1]]}]}, "radius"),
        ({"strokes": [{"add": True, "radius": 3, "points": [[1e9, 1]]}]}, "points"),
        ({"t": None}, "t: is missing"),
        ({"position": 3}, "position"),
    ],
)
def test_a_spoilt_file_is_named_with_its_field(tmp_path: Path, change: dict[str, object], named: str) -> None:
    (tmp_path / MASKS).write_text(json.dumps({"format": 1, "masks": [GOOD | change]}))
    with pytest.raises(DreamFileError, match=named) as error:
        read_masks(tmp_path)
    assert MASKS in str(error.value)


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / MASKS).write_text(json.dumps({"format": 2, "masks": []}))
    with pytest.raises(DreamFileError, match="too old"):
        read_masks(tmp_path)


def test_a_mask_that_does_not_fill_its_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="valid: 16"):
        ObjectMask("top", 0.0, (4, 4), (3, 4))
    with pytest.raises(ValueError, match="position"):
        ObjectMask("top", 0.0, (1, 1), (1,), position=1)
    with pytest.raises(ValueError, match="radius"):
        Stroke(True, 0, ((1, 1),))


def test_steps_begin_with_the_last_bare_picture() -> None:
    times = np.arange(20) / 6
    bare = np.ones(20, bool)
    bare[[*range(3, 9), 12, *range(14, 20)]] = False
    marks = found_marks(times, bare)
    assert [round(mark.t * 6) for mark in marks] == [2, 13]  # one picture is a flicker, no step
    assert {mark.by for mark in marks} == {"scene difference"}
    assert found_marks(times, np.ones(20, bool)) == ()


class Visited(MemoryDemo):
    """Somebody reaches in from below twice; an object that moves inside changes nothing."""

    def picture(self, camera: int, k: int) -> np.ndarray:
        rgb = np.full((self.size[1], self.size[0], 3), 40, np.uint8)
        rgb[60:70, 80 + k // 4 : 95 + k // 4] = 200
        if 20 <= k < 50 or 90 <= k < 130:
            rgb[70:, 70:110] = (200, 160, 140)
        return rgb


def test_steps_are_found_where_somebody_reaches_in() -> None:
    demo = Visited(size=(192, 112), t=np.arange(151) / 30)
    marks = find_steps(demo, "top")
    assert [round(mark.t * 30) for mark in marks] == [15, 85]
    demo.steps = marks
    assert [(round(30 * s.scene_s), round(30 * s.end_s)) for s in marked_steps(demo)] == [(15, 85), (85, 150)]
    assert marked_steps(MemoryDemo()) == ()
    assert is_bare(demo.picture(0, 0), demo.picture(0, 150))
    with pytest.raises(ValueError, match="rising"):
        Step(1.0, 1.0)


def table(x: float, y: float, *, hand: bool = False) -> np.ndarray:
    """A dark, uneven cloth with a green T on it."""
    rng = np.random.default_rng(3)
    folds = cv2.resize(rng.normal(0, 5, (6, 8)).astype(np.float32), (384, 224), interpolation=cv2.INTER_CUBIC)
    rgb = np.clip(24 + folds[..., None] + rng.normal(0, 1.5, (224, 384, 3)), 0, 255)
    shape = letter(x, y)
    rgb[shape] = np.clip(np.array([70, 200, 150]) + rng.normal(0, 6, (shape.sum(), 3)), 0, 255)
    picture = np.asarray(rgb, np.uint8)
    if hand:
        cv2.line(picture, (200, 223), (int(x) + 8, int(y) + 30), (205, 150, 120), 30)
        cv2.rectangle(picture, (int(x) - 22, int(y) + 16), (int(x) + 26, int(y) + 34), (240, 240, 245), -1)
    return picture


def letter(x: float, y: float) -> np.ndarray:
    mask = np.zeros((224, 384), np.uint8)
    cv2.rectangle(mask, (int(x) - 24, int(y) - 20), (int(x) + 24, int(y) - 8), 1, -1)
    cv2.rectangle(mask, (int(x) - 6, int(y) - 8), (int(x) + 6, int(y) + 16), 1, -1)
    return mask > 0


def overlap(a: np.ndarray | None, b: np.ndarray) -> float:
    return 0.0 if a is None else float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("hand", [False, True])
def test_the_object_is_found_by_its_colour_where_it_was_pushed_to(hand: bool) -> None:
    assert overlap(found_object(table(150, 120), table(150, 120)), letter(150, 120)) > 0.95
    assert overlap(found_object(table(150, 120), table(190, 70, hand=hand)), letter(190, 70)) > 0.9


def test_a_table_without_an_object_has_no_mask() -> None:
    bare = np.asarray(np.clip(np.random.default_rng(0).normal(25, 2, (224, 384, 3)), 0, 255), np.uint8)
    assert found_object(bare, table(150, 120)) is None
    assert found_object(table(150, 120), bare) is None
