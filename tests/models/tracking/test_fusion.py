"""Each view alone, then one pose from all of them: what the fused track says, and when it must not be trusted."""

from collections.abc import Mapping

import numpy as np
import pytest

from hardware.geometry import Array, inverse, rotation_angle, rotation_from_vector, transform
from models.tracking.fusion import fuse, make
from models.tracking.per_view import ViewTrack, one_view
from models.tracking.stereo_tracker import ALARM_LEVEL
from models.tracking.trackers import TrackerChoice
from models.types import Dream, Hint, PoseSource, Track
from tests.models.tracking.synthetic import clip, path, second_camera, wedge

FRAMES = 4
Seen = list[ViewTrack]


@pytest.fixture(scope="module")
def scene() -> tuple[Dream, Array]:
    """A dream whose pictures do not matter, and where its tool is."""
    poses = path(FRAMES, np.array([0.02, 0.01, 0.6]), np.array([0.004, 0.0, 0.002]), 0.05)
    return clip({"tool": wedge()}, {"tool": poses}, hand=False), poses


def _seen(poses: Array, change: Mapping[int, Array] | None = None) -> Seen:
    """What two perfect per-view trackers say; change by view: a motion (4, 4) in that camera's frame."""
    out = []
    for v, T_view1_view in enumerate((np.eye(4), second_camera())):
        T = (change or {}).get(v, np.eye(4)) @ inverse(T_view1_view) @ poses
        out.append(ViewTrack(T, np.full(FRAMES, 0.9), ("tracked",) * FRAMES))
    return out


def test_views_that_agree_give_the_pose_that_both_saw(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    fused = fuse(dream, "tool", _seen(poses))
    assert fused.T_view1_tool == pytest.approx(poses, abs=1e-9)
    assert fused.stereo_disagreement_px == pytest.approx(np.zeros(FRAMES), abs=1e-6)
    assert fused.frame_confidence == pytest.approx(np.full(FRAMES, 0.9))


def test_a_wrong_depth_in_each_view_costs_nothing(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    seen = _seen(poses)
    for view, share in zip(seen, (1.03, 0.98), strict=True):
        view.T_view_tool[:, :3, 3] *= share
    fused = fuse(dream, "tool", seen)
    assert fused.T_view1_tool[:, :3, 3] == pytest.approx(poses[:, :3, 3], abs=1e-3)


def test_a_turn_that_the_views_read_differently_is_halved(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    seen = _seen(poses)
    turn = transform(rotation_from_vector([0, 0, 0.2]), np.zeros(3))
    seen[1].T_view_tool[:] = seen[1].T_view_tool @ turn
    fused = fuse(dream, "tool", seen)
    assert rotation_angle(fused.T_view1_tool[:, :3, :3], poses[:, :3, :3]) == pytest.approx(np.full(FRAMES, 0.1))


def test_drift_of_the_views_is_reported_as_second_minus_first(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    seen = _seen(poses)
    aside = transform(np.eye(3), [0.006, 0, 0])  # 6 mm at 0.6 m and 300 px: 3 px
    seen[1].T_view_tool[:] = aside @ seen[1].T_view_tool
    fused = fuse(dream, "tool", seen)
    assert fused.stereo_disagreement_px == pytest.approx(np.full(FRAMES, 3.0), abs=0.2)


def test_views_that_contradict_each_other_raise_the_alarm_and_the_surer_one_is_kept(
    scene: tuple[Dream, Array],
) -> None:
    dream, poses = scene
    turned = _seen(poses)
    turned[1].T_view_tool[:] = turned[1].T_view_tool @ transform(rotation_from_vector([0, 0, 3.0]), np.zeros(3))
    turned[1].confidence[:] = 0.7
    fused = fuse(dream, "tool", turned)
    assert (fused.frame_confidence < ALARM_LEVEL).all()
    assert rotation_angle(fused.T_view1_tool[:, :3, :3], poses[:, :3, :3]) == pytest.approx(
        np.zeros(FRAMES), abs=1e-6
    )
    away = _seen(poses, {1: transform(np.eye(3), [0.15, 0, 0])})
    assert (fuse(dream, "tool", away).frame_confidence < ALARM_LEVEL).all()


def test_a_tool_that_one_view_lost_keeps_a_pose_under_alarm_and_one_that_both_lost_none(
    scene: tuple[Dream, Array],
) -> None:
    dream, poses = scene
    seen = _seen(poses)
    lost: tuple[PoseSource, ...] = ("lost", "lost", "tracked", "tracked")
    gone = np.where((np.arange(FRAMES) < 2)[:, None, None], np.nan, seen[1].T_view_tool)
    seen[1] = ViewTrack(gone, seen[1].confidence, lost)
    first: tuple[PoseSource, ...] = ("lost", "tracked", "tracked", "tracked")
    seen[0] = ViewTrack(seen[0].T_view_tool, seen[0].confidence, first)
    fused = fuse(dream, "tool", seen)
    assert fused.source == first
    assert np.isnan(fused.T_view1_tool[0]).all()
    assert fused.T_view1_tool[1] == pytest.approx(poses[1])
    assert fused.frame_confidence[1] == 0
    assert fused.frame_confidence[2] > ALARM_LEVEL


def test_a_per_view_tracker_that_forgets_a_view_is_an_error(scene: tuple[Dream, Array]) -> None:
    dream, poses = scene
    with pytest.raises(ValueError, match="2 views of 4"):
        fuse(dream, "tool", _seen(poses)[:1])


def test_a_view_alone_stands_where_its_camera_stood(scene: tuple[Dream, Array]) -> None:
    dream, _ = scene
    alone = one_view(dream, 1)
    assert [view.name for view in alone.views] == ["view2"]
    assert alone.T_world_view1 == pytest.approx(second_camera())


@pytest.fixture(scope="module")
def tracked() -> tuple[Dream, Array, Track]:
    poses = path(6, np.array([0.02, 0.01, 0.6]), np.array([0.006, -0.003, 0.002]), 0.05)
    poses[0] = np.nan
    dream = clip({"tool": wedge(seed=1)}, {"tool": poses}, drift_px=3.0)
    hint = Hint("tool", "view1", 3, _box(dream, poses[3]))
    return dream, poses, make(TrackerChoice("fusion"))(dream, hints=[hint])


def _box(dream: Dream, T: Array) -> tuple[float, float, float, float]:
    p = dream.tools["tool"].mesh.vertices @ T[:3, :3].T + T[:3, 3]
    uv = p[:, :2] / p[:, 2:] * 300 + [160, 112]
    return (*uv.min(axis=0).tolist(), *uv.max(axis=0).tolist())


def test_the_fusion_tracker_finds_a_tool_and_how_far_the_views_drift(tracked: tuple[Dream, Array, Track]) -> None:
    _, poses, track = tracked
    tool = track.tools["tool"]
    assert track.tracker == "fusion"
    assert tool.found[1:].all()
    distance = np.linalg.norm(tool.T_view1_tool[1:, :3, 3] - poses[1:, :3, 3], axis=1)
    assert np.median(distance) < 0.003
    turn = rotation_angle(tool.T_view1_tool[1:, :3, :3], poses[1:, :3, :3])
    assert np.degrees(np.median(turn)) < 4.0
    assert np.median(tool.stereo_disagreement_px[1:]) == pytest.approx(3.0, abs=1.0)
    assert (tool.frame_confidence[1:] > ALARM_LEVEL).all()


def test_a_box_in_one_view_is_obeyed_there_and_marks_the_fused_frame(tracked: tuple[Dream, Array, Track]) -> None:
    assert tracked[2].tools["tool"].source[3] == "hinted"
    assert tracked[2].hints[0].t == 3
