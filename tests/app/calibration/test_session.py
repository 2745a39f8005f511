"""A calibration as a person goes through it: views taken by themselves when the board rests, solved, kept."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.calibration.desk import Around, CalibrationDesk
from app.calibration.scripted_board import lens_poses, shared_poses
from app.calibration.session import CalibrationSession
from app.calibration.store import CalibrationStore
from hardware.calibration.board import A3
from hardware.calibration.lens import lens_numbers, project_lens
from hardware.geometry import Array, apply, inverse
from hardware.rig import load_rig
from hardware.types import Camera, Frame, Image
from tests.hardware.calibration.rendering import PINHOLE, held_boards, renderer

BLANK = np.full((480, 640, 3), 90, np.uint8)


class Shown:
    """A camera in front of which the board goes from place to place, each time a view was taken."""

    def __init__(self, poses: list[Array]) -> None:
        rng = np.random.default_rng(0)
        self.pictures = [np.repeat(renderer("left", A3).picture(T, rng)[..., None], 3, axis=2) for T in poses]
        self.now: Image = BLANK
        self.index = 0

    def grab(self, _name: str) -> Frame | None:
        self.index += 1
        return Frame("left", self.index, time.monotonic(), 0.0, self.now)


def until(session: CalibrationSession, there: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        session.pump()
        time.sleep(0.005)


@pytest.fixture(scope="module")
def shown() -> Shown:
    return Shown(held_boards(A3, 10, np.random.default_rng(2)))


@pytest.fixture
def session(shown: Shown) -> Iterator[CalibrationSession]:
    shown.now = BLANK
    made = CalibrationSession("lens", (replace(PINHOLE, distortion=np.zeros(4)),), A3, shown.grab)
    yield made
    made.close()


def test_views_are_taken_by_themselves_where_the_board_rests_and_the_lens_is_found(
    session: CalibrationSession, shown: Shown
) -> None:
    until(session, lambda: "left" in session.seen)
    assert session.seen["left"].problem == "no board in the picture"
    for k, picture in enumerate(shown.pictures, 1):
        shown.now = picture
        until(session, lambda k=k: len(session.taken) == k)  # type: ignore[misc]
    until(session, lambda: session.result is not None and not session.solving)
    report = session.report
    assert report is not None
    assert len(report.views) == len(shown.pictures)
    kept = session.calibration("bench")
    assert kept.cameras[0].K[0, 0] == pytest.approx(PINHOLE.K[0, 0], rel=0.01)
    # a board that stays is not taken again
    before = len(session.taken)
    looked = shown.index
    until(session, lambda: shown.index > looked + 8)
    assert len(session.taken) == before


def test_a_view_can_be_taken_by_hand_and_removed(session: CalibrationSession, shown: Shown) -> None:
    session.automatic = False
    shown.now = shown.pictures[0]
    until(session, lambda: session.can_take)
    session.take()
    assert len(session.taken) == 1
    session.remove(0)
    assert not session.taken
    with pytest.raises(ValueError, match="0 views; valid: 8 or more"):
        session.calibration("bench")


def test_a_camera_that_fails_is_told_and_looked_at_again() -> None:
    def grab(_name: str) -> Frame | None:
        raise OSError("left: unplugged")

    session = CalibrationSession("lens", (PINHOLE,), A3, grab)
    try:
        until(session, lambda: "left" in session.seen)
        assert session.seen["left"].problem == "left: unplugged"
    finally:
        session.close()


def sim_cameras() -> list[Camera]:
    return [config.camera for config in load_rig("sim").cameras]


def seen_share(camera: Camera, T_world_board: Array) -> float:
    """How much of the board is inside a camera's picture, corners counted; 0 from behind."""
    assert camera.T_world_cam is not None
    T = inverse(camera.T_world_cam) @ T_world_board
    if T[:3, 2] @ T[:3, 3] < 0:
        return 0.0
    pixels = project_lens(lens_numbers(camera), camera.model, apply(T, A3.points))
    return float(((pixels > 0) & (pixels < camera.size)).all(axis=1).mean())


def test_the_simulated_person_holds_the_board_where_the_cameras_see_it() -> None:
    top, side = sim_cameras()
    alone = [seen_share(top, T) for T in lens_poses(top, A3)]
    assert np.mean(alone) > 0.85
    assert min(alone) > 0.4
    together = [min(seen_share(top, T), seen_share(side, T)) for T in shared_poses((top, side), A3)]
    assert np.mean(together) > 0.8
    low = [apply(T, np.array([[0, 0, 0], [0.378, 0, 0], [0.378, 0.252, 0], [0, 0.252, 0]]))[:, 2].min()
           for T in (*lens_poses(top, A3), *shared_poses((top, side), A3))]  # fmt: skip
    assert min(low) > 0.0


def desk(folder: Path, frame: Frame | None) -> CalibrationDesk:
    rig = load_rig("sim")
    return CalibrationDesk(rig, CalibrationStore(folder, rig.name), lambda _n: frame, lambda _n: frame, Around())


def test_nothing_starts_without_pictures_or_arms_and_says_what_to_do(tmp_path: Path) -> None:
    dark = desk(tmp_path, None)
    assert "F8" in dark.reason
    with pytest.raises(ValueError, match="F8"):
        dark.start()
    lit = desk(tmp_path, Frame("top", 0, 0.0, 0.0, BLANK))
    lit.choose("wrist", "side", "a4")
    assert "Connect the arms" in lit.reason
    with pytest.raises(ValueError, match="no arm is connected"):
        lit.stops()
    lit.choose("lens", "nobody", "a9")
    assert (lit.task, lit.camera, lit.board.name) == ("lens", "side", "a4")
    with pytest.raises(ValueError, match="simulated table is off"):
        lit.let_person(True)


def test_the_printed_board_lies_in_the_workspace(tmp_path: Path) -> None:
    path = desk(tmp_path, None).print_board("a3")
    assert path.name == "board-a3.pdf"
    assert path.read_bytes().startswith(b"%PDF-1.7")
