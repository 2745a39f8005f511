"""A camera that was pushed closes the gate before a take, and keeps plans of dreams from being approved."""

import time
from pathlib import Path

import numpy as np

from app.calibration.moved_cameras import CameraWatch, LiveWatch
from app.calibration.store import CalibrationStore
from hardware.rig import load_rig
from hardware.types import Frame, Image


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


def test_a_camera_that_was_moved_stays_so_while_something_hides_the_scene(tmp_path: Path) -> None:
    rig = load_rig("sim")
    store = CalibrationStore(tmp_path, rig.name)
    store.keep_scene("top", scene())
    watch = CameraWatch(rig, store)
    watch.look({"top": scene(9)})
    hidden = np.full_like(scene(), 90)
    assert len(watch.look({"top": hidden})) == 1
    assert watch.reasons()
    watch.look({"top": scene()})
    assert watch.look({"top": hidden}) == ()


def test_cameras_that_are_on_are_looked_at_now_and_then_and_told_once(tmp_path: Path) -> None:
    rig = load_rig("sim")
    store = CalibrationStore(tmp_path, rig.name)
    store.keep_scene("top", scene())
    shown, on = {"top": scene()}, [False]

    def grab(name: str) -> Frame | None:
        if name == "side":
            raise OSError("side: unplugged")
        return Frame(name, 0, 0.0, 0.0, shown[name])

    watch = CameraWatch(rig, store)
    live = LiveWatch(watch, lambda: ("top", "side") if on[0] else (), grab, every_s=0.0)
    said: list[str] = []

    def look(times: int = 3) -> None:
        for _ in range(times):
            said.extend(live.pump())
            while live._looking is not None and not live._looking.done():
                time.sleep(0.005)

    try:
        shown["top"] = scene(9)
        look()
        assert not watch.reasons()
        on[0] = True
        look()
        assert len(said) == 1
        assert watch.reasons() == (said[0],)
        shown["top"] = scene()
        look()
        assert not watch.reasons()
    finally:
        live.close()
