"""An episode plays without the window waiting: pictures, curves and filmstrip come as they are read."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.datasets.player import STRIP, EpisodePlayer
from app.datasets.statistics import Look, counts, lengths, look, twins
from app.datasets.thumbnails import SIZE as THUMB
from app.datasets.thumbnails import Thumbnails, thumbnail
from hardware.recording.mcap_log import MCAP, open_episode
from hardware.recording.note import NOTE, read_note
from models.data.dataset_index import DemoRow, session_rows
from models.data.episode_track import write_episode_track
from tests.models.data.sessions import RATE, a_track, new_session


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_session(tmp_path_factory.mktemp("session"), episodes=2, count=45)


def _wait(there: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_picture_at_a_time_comes_and_curves_and_film_follow(session: Path) -> None:
    folder = session / "episodes" / "000001"
    player = EpisodePlayer(folder, read_note(folder / NOTE))
    try:
        with open_episode(folder) as reader:
            recorded = [frame.rgb for frame in reader.frames("top")]
        for k in (20, 21, 5, 44):
            t = k / RATE + 0.01
            _wait(lambda t=t, k=k: np.array_equal(player.frame_at("top", t), recorded[k]))
        _wait(lambda: player.film is not None)
        assert player.cameras == ("top", "side")
        assert player.curves is not None
        assert set(player.curves.values) == {"t265", "force", "grip", "left_arm", "left_arm_commanded"}
        assert len(player.curves.picture_times) == 45
        assert player.film is not None
        assert len(player.film.pictures) == STRIP
        np.testing.assert_array_equal(player.film.frame_at("top", 0.0), recorded[0])
        assert player.frame_at("attic", 0.0) is None
    finally:
        player.close()
        player.close()


def test_what_cannot_be_read_is_told_and_ends_the_player(tmp_path: Path) -> None:
    folder = new_session(tmp_path / "s", count=4) / "episodes" / "000001"
    note = read_note(folder / NOTE)
    (folder / MCAP).write_bytes(b"no mcap")
    player = EpisodePlayer(folder, note)
    _wait(lambda: player.problem)
    assert MCAP in player.problem
    _wait(lambda: player.ended)
    player.close()


def test_thumbnails_come_when_they_are_asked_for_and_a_broken_recording_has_none(
    session: Path, tmp_path: Path
) -> None:
    broken = DemoRow(9, session=str(tmp_path))
    made = Thumbnails()
    try:
        row = session_rows(session)[0]
        _wait(lambda: made.get(row) is not None)
        picture = made.get(row)
        assert picture is not None
        assert max(picture.shape[1] / THUMB[0], picture.shape[0] / THUMB[1]) == pytest.approx(1.0, abs=0.02)
        made.get(broken)
        _wait(lambda: made.version == 2)
        assert made.get(broken) is None
    finally:
        made.close()
    assert thumbnail(broken) is None


def test_statistics_tell_where_demos_begin_and_which_are_nearly_the_same(session: Path) -> None:
    rows = session_rows(session)
    looks = [look(row) for row in rows]
    np.testing.assert_allclose(looks[0].path[0], [0.0, 0.1, 0.2], atol=1e-9)
    (pair,) = twins(looks)
    assert {pair.a, pair.b} == {row.key for row in rows}
    assert pair.path_m == pytest.approx(0.0, abs=1e-9)
    moved = Look(looks[1].cut, looks[1].path + 0.05, looks[1].picture, float("nan"))
    assert twins([looks[0], moved]) == ()
    assert twins([]) == ()


def test_a_tracked_demo_begins_where_its_tool_is_and_says_how_far_the_views_disagree(tmp_path: Path) -> None:
    session = new_session(tmp_path / "s", count=30)
    track, dream = a_track()
    write_episode_track(session / "episodes" / "000001", track, dream, np.arange(20) * 0.04)
    found = look(session_rows(session)[0])
    np.testing.assert_allclose(found.path[0], [0.0, 0.0, 0.2], atol=1e-9)
    assert found.stereo_px == 0.5


def test_counts_are_those_of_the_table() -> None:
    rows = [DemoRow(k, task="a" if k < 3 else "b", success=k == 0 or None, duration_s=k + 0.5) for k in range(4)]
    found = counts(rows)
    assert (found.demos, found.seconds, found.by_task) == (4, 8.0, (("a", 3), ("b", 1)))
    assert dict(found.by_success) == {"yes": 1, "unknown": 3}
    assert sum(n for _, _, n in found.lengths) == 4
    assert lengths([]) == ()
