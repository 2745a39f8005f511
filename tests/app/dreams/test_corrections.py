"""Corrections of a track through the session: they hold, are undone, survive restarts, and say who made them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.dreams.cut_job import joined, only_at, track_with_cuts
from app.dreams.document import DreamDocument
from app.dreams.edits import SetPose
from app.dreams.example import example_folder
from app.dreams.session import DreamSession
from app.dreams.track_job import track_folder
from app.ledger import Ledger
from app.workspace import Workspace, open_workspace
from hardware.geometry import Array, rotation_angle
from hardware.rig import load_rig
from models.corrections import nudged, pose_values
from models.data.dream_folder import load_dream, load_track
from models.tracking.trackers import TrackerChoice
from models.types import Cut, Hint, PoseFix, ToolTrack, Track
from tests.app.jobs import still_track


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def session(workspace: Workspace) -> Iterator[DreamSession]:
    session = _open(workspace)
    _track(session)
    yield session
    session.close()


def _open(workspace: Workspace) -> DreamSession:
    jobs = {"track_job": "tests.app.jobs:still_track", "cut_job": "tests.app.jobs:still_track_with_cuts"}
    session = DreamSession(workspace, Ledger(workspace.ledger), **jobs)
    session.open_example()
    return session


def _track(session: DreamSession) -> None:
    session.retrack()
    assert session.wait(120)
    assert session.message == ""


def _pose(session: DreamSession, t: int, tool: str = "left") -> Array:
    assert session.track is not None
    return session.track.tools[tool].T_view1_tool[t]


def _nudge(session: DreamSession, t: int, by: float = 0.01) -> Array:
    T = nudged(_pose(session, t), [by, 0, 0], [0, 0, 0.1], np.eye(3))
    session.set_pose("left", t, T)
    return T


def _sources(session: DreamSession) -> tuple[str, ...]:
    assert session.track is not None
    return session.track.tools["left"].source


def test_a_given_pose_holds_and_voids_the_plan(session: DreamSession) -> None:
    session.plan = object()  # type: ignore[assignment]
    heard: list[str] = []
    session.on_change(heard.append)
    T = _nudge(session, 4)
    assert np.array_equal(_pose(session, 4), T)
    assert (_sources(session)[4], session.stale, session.plan) == ("corrected", False, None)
    assert {"track", "edits", "plan"} <= set(heard)


def test_a_given_pose_is_a_hard_hint_in_every_view_when_the_dream_is_tracked_again(session: DreamSession) -> None:
    T = _nudge(session, 4)
    _track(session)
    assert session.track is not None
    told = {(hint.tool, hint.view, hint.t, hint.kind) for hint in session.track.hints}
    assert told == {("left", "top", 4, "pose"), ("left", "side", 4, "pose")}
    assert np.array_equal(_pose(session, 4), T)
    assert _pose(session, 5)[2, 3] == pytest.approx(0.72)  # the stand-in's track with two hints
    assert not session.stale


def test_undo_after_tracking_again_brings_the_track_before_the_correction_back(session: DreamSession) -> None:
    before = _pose(session, 4).copy()
    T = _nudge(session, 4)
    _track(session)
    session.undo()
    assert np.array_equal(_pose(session, 4), before)
    assert _pose(session, 5)[2, 3] == pytest.approx(0.70)
    assert not session.stale
    session.redo()
    assert np.array_equal(_pose(session, 4), T)
    assert _pose(session, 5)[2, 3] == pytest.approx(0.72)


def test_marked_frames_are_interpolated_and_said_to_be(session: DreamSession) -> None:
    session.mark_untracked("left", 5, 7)
    assert _sources(session)[4:9] == ("tracked", "interpolated", "interpolated", "interpolated", "tracked")
    session.mark_untracked("left", 5, 8)
    assert set(_sources(session)[5:9]) == {"lost"}
    session.mark_untracked("left", 5, 8, untracked=False)
    assert set(_sources(session)[5:9]) == {"tracked"}


def test_the_track_says_who_corrected_what_in_which_frame_and_so_does_the_ledger(
    session: DreamSession, workspace: Workspace
) -> None:
    _nudge(session, 4)
    session.mark_untracked("left", 6, 7)
    assert session.track is not None
    assert session.folder is not None
    (pose,) = session.track.corrections_at("left", 4)
    (mark,) = session.track.corrections_at("left", 7)
    assert (pose.what, mark.what, mark.first, mark.last) == ("pose", "untracked", 6, 7)
    assert pose.who
    assert pose.when.endswith("+00:00")
    kept = load_track(session.folder)
    assert kept is not None
    assert kept.corrections == session.track.corrections
    record = Ledger(workspace.ledger).get(session.track_id).record
    assert [c["what"] for c in record["corrections"]] == ["pose", "untracked"]


def test_every_correction_and_its_undo_survive_a_restart(session: DreamSession, workspace: Workspace) -> None:
    before = _pose(session, 4).copy()
    T = _nudge(session, 4)
    session.mark_untracked("left", 6, 7)
    session.close()
    again = _open(workspace)
    assert np.allclose(_pose(again, 4), T)
    assert _sources(again)[6] == "interpolated"
    again.undo()
    assert _sources(again)[6] == "tracked"
    again.undo()
    assert np.allclose(_pose(again, 4), before)
    assert not again.can_undo
    again.redo()
    assert np.allclose(_pose(again, 4), T)
    again.close()


@pytest.mark.expects_warnings
@pytest.mark.parametrize("text", ["", "{", '{"edits": [{"edit": "paint"}], "position": 0}', "\x00" * 40])
def test_a_corrupt_history_never_loses_the_corrected_track(
    session: DreamSession, workspace: Workspace, text: str
) -> None:
    T = _nudge(session, 4)
    session.add_hint(Hint("right", "top", 3, (10.0, 10.0, 200.0, 200.0)))
    _track(session)
    assert session.folder is not None
    folder = session.folder
    session.close()
    (folder / "edits.json").write_text(text)
    for _ in range(2):  # and it is still there after the next start
        again = _open(workspace)
        assert np.allclose(_pose(again, 4), T)
        assert _sources(again)[4] == "corrected"
        assert (again.stale, again.can_undo, len(again.hints)) == (False, False, 1)
        assert again.track is not None
        assert [c.what for c in again.track.corrections] == ["pose", "box"]
        again.close()
    assert (folder / "edits.damaged.json").read_text() == text
    assert json.loads((folder / "edits.json").read_text())["position"] == 0


def test_a_track_of_another_program_is_kept_before_it_is_corrected(workspace: Workspace) -> None:
    folder = example_folder(workspace)
    dream = load_dream(folder)
    track = still_track(folder, (), None, TrackerChoice(), lambda _f, _t: None, lambda: False)
    document = DreamDocument(folder)
    document.put_track(track)
    for file in (folder / "tracks").iterdir():
        file.unlink()
    again = DreamDocument(folder)
    assert again.track is not None
    T = nudged(again.track.tools["left"].T_view1_tool[4], [0.01, 0, 0], [0, 0, 0], np.eye(3))
    again.edit(SetPose(PoseFix("left", 4, pose_values(T))))
    last = DreamDocument(folder)
    last.undo()
    assert last.track is not None
    assert np.allclose(last.track.tools["left"].T_view1_tool[4], track.tools["left"].T_view1_tool[4])
    assert len(last.track.tools["left"]) == len(dream)


def test_before_and_after_are_both_there(session: DreamSession) -> None:
    before = _pose(session, 4).copy()
    _nudge(session, 4)
    _track(session)
    assert session.original is not None
    assert np.array_equal(session.original.tools["left"].T_view1_tool[4], before)


def test_a_box_is_copied_to_the_view_that_has_none(session: DreamSession) -> None:
    with pytest.raises(ValueError, match="no box in frame 4"):
        session.copy_hints("left", 4)
    session.add_hint(Hint("left", "top", 4, (300.0, 150.0, 460.0, 300.0)))
    assert session.copy_hints("left", 4) == 1
    assert [(hint.view, hint.kind) for hint in session.hints] == [("top", "box"), ("side", "copied")]
    assert session.copy_hints("left", 4) == 0
    session.undo()
    assert [hint.view for hint in session.hints] == ["top"]


def test_a_cut_makes_the_track_stale_until_it_is_tracked_again_and_undo_brings_the_old_one(
    session: DreamSession,
) -> None:
    with pytest.raises(ValueError, match="no pose in frame 0"):
        session.cut("restart", "left", 0)
    session.cut("split", "left", 6)
    assert session.stale
    with pytest.raises(ValueError, match="track it again"):
        session.make_plan(load_rig())
    _track(session)
    assert not session.stale
    assert session.track is not None
    assert session.track.cuts == (Cut("split", "left", 6),)
    session.undo()
    assert not session.stale
    assert session.track.cuts == ()


def test_joining_and_restarting_keep_what_they_say_they_keep() -> None:
    track = _made_up()
    later = _made_up(4, 0.9)
    whole = joined(track.tools["left"], later.tools["left"], 6)
    assert whole.source == (*track.tools["left"].source[:6], *later.tools["left"].source[1:])
    alone = only_at(track.tools["left"], 3, np.eye(4))
    assert list(np.flatnonzero(alone.found)) == [3]


def _made_up(n: int = 9, depth: float = 0.7) -> Track:
    poses = np.tile(np.eye(4), (n, 1, 1))
    poses[:, 2, 3] = depth
    poses[0] = np.nan
    source = ("lost", *["tracked"] * (n - 1))
    tool = ToolTrack("left", poses, np.ones((n, 2)), np.zeros(n), source)  # type: ignore[arg-type]
    return Track("made-up", {"left": tool})


def test_a_tool_that_is_restarted_from_a_good_frame_is_found_again_by_the_real_tracker(
    workspace: Workspace,
) -> None:
    folder = example_folder(workspace)
    dream = load_dream(folder)
    nothing = lambda _f, _t: None  # noqa: E731
    track = _real(folder, (), None, nothing)
    t = len(dream) // 2
    good = track.tools["left"].T_view1_tool
    cuts = (Cut("restart", "left", t, pose_values(good[t])),)
    again = track_with_cuts(folder, (), track, TrackerChoice(), cuts, nothing, lambda: False)
    assert again.cuts == cuts
    assert again.tools["right"] is track.tools["right"]
    new = again.tools["left"]
    both = new.found & track.tools["left"].found
    assert both.sum() >= 0.8 * track.tools["left"].found.sum()
    apart = np.linalg.norm(new.T_view1_tool[both, :3, 3] - good[both, :3, 3], axis=1)
    assert np.median(apart) < 0.003
    assert np.median(rotation_angle(new.T_view1_tool[both, :3, :3], good[both, :3, :3])) < np.radians(3)


def _real(folder: Path, hints: tuple[Hint, ...], previous: Track | None, nothing: object) -> Track:
    return track_folder(folder, hints, previous, TrackerChoice(), nothing, lambda: False)  # type: ignore[arg-type]
