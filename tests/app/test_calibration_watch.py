"""A camera that was pushed closes the gate before a take, and keeps plans of dreams from being approved."""

from pathlib import Path

import numpy as np

from app.calibration_store import CalibrationStore
from app.calibration_watch import CameraWatch
from hardware.rig import load_rig
from hardware.types import Image


def scene(shift: int = 0) -> Image:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 255, (70, 120), np.uint8)
    whole = np.kron(blocks, np.ones((8, 8), np.uint8))
    return np.repeat(whole[40 : 40 + 448, 40 + shift : 40 + shift + 768, None], 3, axis=2)


def test_a_pushed_camera_is_said_until_it_stands_again(tmp_path: Path) -> None:
    rig = load_rig("sim")
    store = CalibrationStore(tmp_path, rig.name)
    watch = CameraWatch(rig, store)
    assert watch.look({"top": scene()}) == ()  # never calibrated: nothing to hold it against
    store.keep_scene("top", scene())
    assert watch.look({"top": scene()}) == ()
    (said,) = watch.look({"top": scene(9)})
    assert (said.check, said.level, said.stream) == ("camera moved", "bad", "top")
    assert "off by 9 px" in said.text
    assert watch.reasons() == (said.text,)
    assert watch.look({"top": scene()}) == ()
    assert watch.reasons() == ()


def test_what_cannot_be_compared_says_nothing(tmp_path: Path) -> None:
    rig = load_rig("sim")
    store = CalibrationStore(tmp_path, rig.name)
    store.keep_scene("top", scene()[:224, :384])
    watch = CameraWatch(rig, store)
    assert watch.look({"top": scene(9), "nobody": scene()}) == ()
