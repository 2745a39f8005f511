"""A new user's first day: calibrate with the wizard, record, trim, relabel, track 20 demos, export, re-import, and
see the same."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.calibration.store import CalibrationStore
from app.cli import main
from models.data.demo import Demo
from models.data.session_demo import SessionDemo, open_session_demos
from tests.calibrate_tour import CalibrateTour
from tests.demos_tour import CTRL, DemosTour

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(5400)]
DEMOS, IN_WINDOW = 20, 2
TRACK_S = 3600.0


def verb(*words: object) -> None:
    assert main([str(word) for word in words]) == 0, words


def calibrate_and_record(workspace: Path) -> None:
    """Lens of the first camera and both to each other; then takes of what the simulated person shows."""
    tour = CalibrateTour(workspace)
    try:
        tour.cameras()
        for task, camera, count in (("lens", "top", 8), ("cameras", "", 4)):
            tour.choose(task, camera)  # type: ignore[arg-type]
            tour.start()
            tour.taken(count)
            tour.save()
        tour.desk.board.trigger("cameras.close")
        tour.until("the cameras off", lambda: tour.desk.board["cameras.open"].isEnabled())
        tour.cameras()  # what was calibrated counts from here on
        tour.press(Qt.Key.Key_2, CTRL)
        tour.says("HANDS OUT")
        tour.choose_task("rotation")
        for _ in range(IN_WINDOW):
            tour.take(8.0)
            tour.keep()
    finally:
        tour.close()


def look_through(workspace: Path) -> None:
    """Trim one demo, write the instruction of another, and track them all, by keys."""
    tour = DemosTour(workspace, workspace)
    try:
        tour.desk.board.trigger("go.demos")
        tour.until(lambda: len(tour.demos.rows) == DEMOS)
        tour.page.table.selectRow(0)
        tour.ready()
        tour.page.playback.seek(0.5)
        tour.press(Qt.Key.Key_I)
        tour.page.table.selectRow(1)
        tour.ready()
        tour.press(Qt.Key.Key_E)
        tour.press(Qt.Key.Key_A, CTRL)
        for letter in "turn it slowly":
            tour.press(Qt.Key[f"Key_{letter.upper()}"] if letter != " " else Qt.Key.Key_Space)
        tour.press(Qt.Key.Key_Return)
        tour.press(Qt.Key.Key_A, CTRL)
        tour.press(Qt.Key.Key_T, CTRL)
        tour.until(lambda: all(row.tracked for row in tour.demos.rows), TRACK_S)
    finally:
        tour.close()


def same(before: Sequence[Demo], after: Sequence[Demo]) -> None:
    assert len(before) == len(after) == DEMOS
    for one, two in zip(before, after, strict=True):
        assert (two.labels.instruction, two.labels.success) == (one.labels.instruction, one.labels.success)
        assert two.duration_s == pytest.approx(one.duration_s, abs=2.0 / one.streams["top"].rate_hz)
        old, new = one.times("top"), two.times("top")
        kept = [(k, int(np.abs(new - t).argmin())) for k, t in enumerate(old) if np.abs(new - t).min() < 1e-3]
        assert len(kept) > 0.9 * len(old)
        first, second = (
            demo.pictures("top", [pair[side] for pair in kept]).astype(float)
            for side, demo in enumerate((one, two))
        )
        assert np.abs(first - second).mean() < 1.0
        for name in tracks_of(one):
            np.testing.assert_allclose(two.times(name), one.times(name), atol=1e-3)
            np.testing.assert_allclose(two.values(name), one.values(name), atol=1e-6)


def tracks_of(demo: Demo) -> list[str]:
    return [name for name, stream in demo.streams.items() if stream.kind == "track"]


def test_a_day_from_the_first_calibration_to_the_demos_that_came_back(tmp_path: Path) -> None:
    calibrate_and_record(tmp_path)
    (day,) = (tmp_path / "recordings").iterdir()
    shown = open_session_demos(day)
    assert len(shown) == IN_WINDOW
    lens = CalibrationStore(tmp_path, "sim").newest("intrinsics", "top")
    assert lens is not None
    for demo in shown:
        camera = demo.camera("top")
        assert camera is not None
        np.testing.assert_allclose(camera.K, lens.cameras[0].K)
    rest = tmp_path / "recordings" / "2026-03-01"
    verb("record", "--rig", "sim", "--task", "rotation", "--episodes", DEMOS - IN_WINDOW, "--size", "768x448",
         "--instruction", "turn it", "--dataset", rest, "--workspace", tmp_path)  # fmt: skip
    look_through(tmp_path)
    recorded = open_session_demos(tmp_path / "recordings")
    assert [demo.labels.instruction for demo in recorded].count("turn it slowly") == 1
    assert sum(demo.piece.start > 0 for demo in recorded if isinstance(demo, SessionDemo)) == 1
    found = np.concatenate([demo.values(name)[:, 0] for demo in recorded for name in tracks_of(demo)])
    assert np.isfinite(found).mean() > 0.5
    out, back = tmp_path / "exported", tmp_path / "back"
    verb("dataset", "export", tmp_path / "recordings", "--format", "lerobot", "--out", out, "--workspace", tmp_path)
    verb("dataset", "import", out, "--out", back, "--workspace", tmp_path)
    same(recorded, open_session_demos(back))
