"""Corrections of a recorded demo's track: undone over restarts, and only what they touch is tracked again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.datasets import track_job
from app.datasets.library import Dataset
from app.datasets.track_review import (
    CORRECTIONS,
    DAMAGED,
    EpisodeReview,
    extended_track,
    is_stale,
    put_track,
    read_review,
    review_from,
    review_values,
)
from app.datasets.tracking import TrackOrder
from app.datasets.wishes import Correct
from app.dreams.edits import AddCut, AddHint, MarkSpan, RemoveHint, SetPose
from models.corrections import pose_values
from models.data.episode_track import TRACK, read_episode_track, write_episode_track
from models.data.errors import DreamFileError
from models.tracking.trackers import BUILT_IN
from models.types import Cut, Dream, Hint, PoseFix, Track
from tests.models.data.sessions import a_track, new_session

BOX = Hint("left", "top", 5, (10.0, 10.0, 30.0, 30.0))
TIMES = 0.05 + 0.1 * np.arange(20)


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    session = new_session(tmp_path / "session", count=4)
    track, dream = a_track()
    write_episode_track(session / "episodes/000001", replace(track, tracker=BUILT_IN), dream, TIMES)
    return session / "episodes/000001"


def _track(episode: Path) -> Track:
    found = read_episode_track(episode)
    assert found is not None
    return found.track


def _correct(episode: Path, *edits: object) -> Dataset:
    dataset = Dataset(episode.parents[1])
    wish = Correct(dataset.rows[0].key, edits, "anna", "2026-01-01T10:00:00")  # type: ignore[arg-type]
    dataset.do(dataset.propose(wish), "anna")
    return dataset


def test_a_frame_marked_untracked_is_bridged_and_undo_after_a_restart_brings_the_track_back(episode: Path) -> None:
    before = _track(episode)
    _correct(episode, MarkSpan("left", 8, 9)).close()
    now = _track(episode)
    assert now.tools["left"].source[8:10] == ("interpolated", "interpolated")
    assert [(c.what, c.first, c.last, c.who) for c in now.corrections] == [("untracked", 8, 9, "anna")]
    dataset = Dataset(episode.parents[1])
    assert dataset.undo() == "track: untracked"
    dataset.close()
    assert not (episode / CORRECTIONS).exists()
    after = _track(episode)
    assert after.tools["left"].source == before.tools["left"].source
    np.testing.assert_array_equal(after.tools["left"].T_view1_tool, before.tools["left"].T_view1_tool)


def test_a_given_pose_holds_and_stays_when_the_whole_demo_is_tracked_anew(episode: Path) -> None:
    T = np.eye(4)
    T[:3, 3] = 0.1, 0.0, 0.6
    _correct(episode, SetPose(PoseFix("left", 6, pose_values(T)))).close()
    review, (track, dream) = read_review(episode), a_track()
    assert review is not None
    assert not is_stale(_track(episode), review)
    for again in (False, True):
        tool = _track(episode).tools["left"]
        np.testing.assert_array_equal(tool.T_view1_tool[6], T)
        assert (tool.source[5], tool.source[6]) == ("tracked", "corrected")
        put_track(episode, replace(track, tracker=BUILT_IN), dream, TIMES, {}, again=again)


def test_a_box_waits_for_the_tracker_and_its_track_is_found_again_by_undo_and_redo(episode: Path) -> None:
    dataset = _correct(episode, AddHint(BOX))
    review = read_review(episode)
    assert review is not None
    assert is_stale(_track(episode), review)
    base = extended_track(episode, review)
    assert base is not None
    track, dream = a_track()
    moved = track.tools["left"].T_view1_tool.copy()
    moved[5, 0, 3] += 0.05
    again = replace(track, tracker=BUILT_IN, hints=(BOX,), tools={"left": _moved(track, moved)})
    put_track(episode, again, dream, TIMES, {}, again=True)
    assert not is_stale(_track(episode), review)
    assert _track(episode).tools["left"].T_view1_tool[5, 0, 3] == pytest.approx(0.10)
    dataset.undo()
    assert _track(episode).hints == ()
    assert _track(episode).tools["left"].T_view1_tool[5, 0, 3] == pytest.approx(0.05)
    dataset.redo()
    assert _track(episode).hints == (BOX,)
    assert _track(episode).tools["left"].T_view1_tool[5, 0, 3] == pytest.approx(0.10)
    dataset.close()


def _moved(track: Track, poses: np.ndarray) -> "object":
    return replace(track.tools["left"], T_view1_tool=poses)


def test_only_what_was_added_is_tracked_again_and_what_was_taken_away_means_all_of_it(
    episode: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[object, object]] = []
    track, dream = a_track()

    def tracker(dream: Dream, *, hints: object, previous: object, **_: object) -> Track:
        given.append((hints, previous))
        return replace(track, tracker=BUILT_IN, hints=hints)  # type: ignore[arg-type]

    monkeypatch.setattr(track_job, "make_tracker", lambda choice: tracker)
    monkeypatch.setattr(
        track_job, "tracking_clip", lambda demo, tools, fps: (replace(dream, tools={"left": None}), TIMES)
    )
    monkeypatch.setattr(track_job, "tool_sha256", lambda tool: "")
    order = TrackOrder(episode, {}, 10.0, again=True)
    dataset = _correct(episode, AddHint(BOX))
    track_job.track_episode(order, lambda share, text: None, lambda: False)
    assert given[-1][0] == (BOX,)
    assert isinstance(given[-1][1], Track)
    row = dataset.rows[0].key
    dataset.do(dataset.propose(Correct(row, (RemoveHint(BOX), AddHint(replace(BOX, t=7))))), "")
    track_job.track_episode(order, lambda share, text: None, lambda: False)
    assert given[-1] == ((replace(BOX, t=7),), None)
    dataset.close()


@pytest.mark.expects_warnings
def test_a_damaged_file_of_corrections_is_set_aside_at_the_next_one(episode: Path) -> None:
    (episode / CORRECTIONS).write_text("{")
    dataset = _correct(episode, MarkSpan("left", 8, 8))
    assert (episode / DAMAGED).read_text() == "{"
    assert _track(episode).tools["left"].source[8] == "interpolated"
    dataset.close()


def test_corrections_are_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    review = EpisodeReview()
    for edit in (
        AddHint(BOX),
        AddCut(Cut("split", "left", 4)),
        MarkSpan("left", 2, 3),
        MarkSpan("left", 9, 9),
        SetPose(PoseFix("left", 6, pose_values(np.eye(4)))),
    ):
        review = review.after(edit, "anna", "now")
    assert review_from(review_values(review), tmp_path) == review
    assert review.after(AddHint(BOX), "anna", "later") == review
    bent = {"tool": "left", "t": 1, "pose": [2.0] * 16}
    for values in (
        {},
        {"format": 1},
        {**review_values(review), "hints": [{"tool": "left"}]},
        {**review_values(review), "poses": [bent]},
    ):
        with pytest.raises(DreamFileError):
            review_from(values, tmp_path)
    spoilt = {**review_values(review), "untracked": [{"tool": "left", "first": -1, "last": 1e9}]}
    with pytest.raises(DreamFileError, match="first"):
        review_from(spoilt, tmp_path)


def test_a_track_without_corrections_leaves_nothing_beside_it(episode: Path) -> None:
    track, dream = a_track()
    put_track(episode, track, dream, TIMES, {"program": "1"}, again=False)
    assert (episode / TRACK).exists()
    assert not (episode / "tracks").exists()
