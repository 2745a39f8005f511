"""Tables that look the same before two demos are found, whatever the light does; a thing that was moved tells."""

import numpy as np

from app.datasets.statistics import SCENE, Look, same_scenes
from hardware.geometry import Array


def _look(number: int, scene: Array | None) -> Look:
    made = None if scene is None else np.asarray(scene - np.median(scene, axis=(0, 1)), np.float32)
    return Look((("s", number, 1), 0.0, 4.0), np.zeros((8, 3)), None, float("nan"), made)


def _table(x: int, light: float = 0.0) -> Array:
    noise = np.random.default_rng(x).normal(0, 1.5, (SCENE[1], SCENE[0], 3))
    table = 60.0 + noise
    table[20:24, x : x + 4] = (200, 40, 40)
    return np.asarray(table + light)


def test_a_thing_that_was_moved_by_its_width_makes_another_scene_and_light_does_not() -> None:
    looks = [_look(1, _table(10)), _look(2, _table(10, light=15)), _look(3, _table(14)), _look(4, None)]
    (pair,) = same_scenes(looks)
    assert (pair.a[1], pair.b[1]) == (1, 2)
    assert pair.levels < 10


def test_one_scene_has_no_twin() -> None:
    assert same_scenes([_look(1, _table(10)), _look(2, None)]) == ()
