"""A person's corrections of a track as plain functions: what was meant is what comes out, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.geometry import exp_se3, inverse, project, rotation_angle
from hardware.types import Camera, Mesh, Tool
from models.corrections import (
    LONGEST_GAP,
    copied_hints,
    corrected,
    difference,
    moved_in_depth,
    moved_in_view,
    nudged,
    pose_hints,
    pose_values,
    projected_box,
    spans,
    turned_in_view,
)
from models.types import Dream, Hint, PoseFix, ToolTrack, Track, View

FRAMES = 9
K = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
_frames = st.sets(st.integers(1, FRAMES - 1), max_size=6)
_twists = st.lists(st.floats(-0.2, 0.2), min_size=6, max_size=6)


def _dream() -> Dream:
    cube = Mesh(0.03 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float), _FACES)
    side = exp_se3([0.0, -0.7, 0.0, 0.45, 0.0, 0.15])
    pictures = np.zeros((FRAMES, 480, 640, 3), np.uint8)
    views = tuple(View(Camera(n, K, (640, 480)), T, pictures) for n, T in (("top", np.eye(4)), ("side", side)))
    return Dream("made-up", 6.0, views, {"left": Tool("cube", cube, np.eye(4), np.zeros(3))}, np.eye(4))


_FACES = np.array([[0, 1, 3], [0, 3, 2], [4, 7, 5], [4, 6, 7], [0, 5, 1], [0, 4, 5]], np.int32)


def _track() -> Track:
    poses = np.stack([exp_se3([0.02 * t, 0.01 * t, 0, 0.01 * t, 0, 0.7]) for t in range(FRAMES)])
    poses[0] = np.nan
    tool = ToolTrack(
        "left", poses, np.full((FRAMES, 2), 0.8), np.zeros(FRAMES), ("lost", *["tracked"] * (FRAMES - 1))
    )
    return Track("made-up", {"left": tool})


def test_without_corrections_the_track_is_the_trackers_own() -> None:
    track = _track()
    assert corrected(track, (), ()) is track


@given(_frames, _twists)
def test_a_given_pose_is_exactly_what_is_shown_and_no_other_frame_moves(
    frames: set[int], twist: list[float]
) -> None:
    track = _track()
    T = track.tools["left"].T_view1_tool[3] @ exp_se3(twist)
    after = corrected(track, [PoseFix("left", t, pose_values(T)) for t in frames], ()).tools["left"]
    for t in range(1, FRAMES):
        given = t in frames
        assert np.array_equal(after.T_view1_tool[t], T if given else track.tools["left"].T_view1_tool[t])
        assert after.source[t] == ("corrected" if given else "tracked")
        assert after.frame_confidence[t] == pytest.approx(1.0 if given else 0.8)


@given(_frames)
def test_marked_frames_lie_between_their_good_neighbours_or_are_lost(frames: set[int]) -> None:
    before = _track().tools["left"]
    after = corrected(_track(), (), {("left", t) for t in frames}).tools["left"]
    for first, last in spans(frames):
        bridged = first > 1 and last < FRAMES - 1 and last - first < LONGEST_GAP
        for t in range(first, last + 1):
            assert after.source[t] == ("interpolated" if bridged else "lost")
            assert after.frame_confidence[t] == 0.0
            if bridged:  # the tool moves evenly here, so that the straight line is the truth
                assert np.allclose(after.T_view1_tool[t, :3, 3], before.T_view1_tool[t, :3, 3], atol=1e-12)
                assert rotation_angle(after.T_view1_tool[t, :3, :3], before.T_view1_tool[t, :3, :3]) < 1e-3
    untouched = [t for t in range(FRAMES) if t not in frames]
    assert np.array_equal(after.T_view1_tool[untouched], before.T_view1_tool[untouched], equal_nan=True)


def test_a_pose_in_a_marked_span_counts_more_than_the_mark() -> None:
    T = _track().tools["left"].T_view1_tool[4]
    after = corrected(_track(), [PoseFix("left", 4, pose_values(T))], {("left", t) for t in range(2, 7)})
    assert after.tools["left"].source[2:7] == (
        "interpolated",
        "interpolated",
        "corrected",
        "interpolated",
        "interpolated",
    )


@given(st.sets(st.integers(0, 30)))
def test_spans_cover_every_frame_once(frames: set[int]) -> None:
    covered = [t for first, last in spans(frames) for t in range(first, last + 1)]
    assert covered == sorted(frames)


@settings(max_examples=30)
@given(st.floats(-40, 40), st.floats(-40, 40), st.sampled_from([0, 1]))
def test_a_drag_in_a_picture_moves_the_tool_by_the_pixels_of_the_drag(dx: float, dy: float, number: int) -> None:
    view, T = _dream().views[number], exp_se3([0.1, 0.2, 0.3, 0.05, -0.02, 0.7])
    moved = moved_in_view(view, T, (dx, dy))
    seen = [project(K, (inverse(view.T_view1_view) @ pose)[None, :3, 3])[0] for pose in (T, moved)]
    assert np.allclose(seen[1] - seen[0], (dx, dy), atol=1e-6)
    assert np.allclose(moved[:3, :3], T[:3, :3])


@settings(max_examples=30)
@given(st.floats(-0.5, 0.5), st.floats(-0.1, 0.1), st.sampled_from([0, 1]))
def test_turning_and_depth_keep_the_tools_place_in_the_picture(angle: float, by: float, number: int) -> None:
    view, T = _dream().views[number], exp_se3([0.1, 0.2, 0.3, 0.05, -0.02, 0.7])
    for pose in (turned_in_view(view, T, angle), moved_in_depth(view, T, by)):
        a, b = (project(K, (inverse(view.T_view1_view) @ p)[None, :3, 3])[0] for p in (T, pose))
        assert np.allclose(a, b, atol=1e-6)
    turned = rotation_angle(turned_in_view(view, T, angle)[:3, :3], T[:3, :3])
    assert turned == pytest.approx(abs(angle), abs=1e-6)


@given(_twists)
def test_a_nudge_and_the_same_nudge_back_lead_to_where_one_was(twist: list[float]) -> None:
    T, move, turn = exp_se3([0.1, 0.2, 0.3, 0.05, -0.02, 0.7]), twist[3:], [twist[0], 0.0, 0.0]
    there = nudged(T, move, turn, np.eye(3))
    back = nudged(there, np.negative(move).tolist(), np.negative(turn).tolist(), np.eye(3))
    assert np.allclose(back, T, atol=1e-12)


def test_a_box_is_copied_to_where_the_other_view_sees_the_same_tool() -> None:
    dream = _dream()
    truth = exp_se3([0.1, 0.2, 0.3, 0.02, 0.03, 0.7])
    wrong = moved_in_view(dream.views[0], truth, (25.0, -10.0))
    drawn = projected_box(dream.views[0], dream.tools["left"], truth)
    wanted = projected_box(dream.views[1], dream.tools["left"], truth)
    assert drawn is not None
    assert wanted is not None
    (copy,) = copied_hints(dream, Hint("left", "top", 3, drawn), wrong)
    assert (copy.view, copy.t, copy.kind) == ("side", 3, "copied")
    assert np.allclose(copy.box, wanted, atol=1.5)


def test_a_pose_means_a_box_in_every_view_and_none_behind_a_camera() -> None:
    dream, T = _dream(), exp_se3([0, 0, 0, 0, 0, 0.7])
    assert [h.view for h in pose_hints(dream, "left", 2, T)] == ["top", "side"]
    T[2, 3] = -1.0
    assert pose_hints(dream, "left", 2, T) == ()


def test_the_difference_is_told_in_metres_and_radians() -> None:
    T = nudged(_track().tools["left"].T_view1_tool[3], [0.003, 0, 0], [0, 0, 0.1], np.eye(3))
    after = corrected(_track(), [PoseFix("left", 3, pose_values(T))], ())
    apart = difference(_track().tools["left"], after.tools["left"], 3)
    assert apart == pytest.approx((0.003, 0.1))
    assert difference(_track().tools["left"], after.tools["left"], 0) is None


def test_a_pose_that_is_not_rigid_is_refused_with_tool_and_frame() -> None:
    with pytest.raises(ValueError, match=r"pose of left at t=3: .* is not a rigid transform"):
        PoseFix("left", 3, tuple(np.ones(16)))
