"""What somebody who tracks a dream would notice."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardware.geometry import Array, project, rotation_angle, rotation_from_vector
from models.tracking.stereo_tracker import ALARM_LEVEL, Cancelled, track
from models.types import Dream, Hint, ToolTrack, Track
from tests.bench.track import real_dream
from tests.models.tracking.conftest import Scene
from tests.models.tracking.synthetic import SIZE, clip, path, second_camera, still, wedge


def far(tool: ToolTrack, truth: Array, t: int) -> tuple[float, float]:
    """[mm], [deg]"""
    T = tool.T_view1_tool[t]
    angle = float(np.degrees(rotation_angle(T[:3, :3], truth[t, :3, :3])))
    return 1e3 * float(np.linalg.norm(T[:3, 3] - truth[t, :3, 3])), angle


def test_tools_are_found_where_they_are(pair: Scene) -> None:
    _, poses, found = pair
    for name, truth in poses.items():
        for t in range(2, len(truth)):
            mm, deg = far(found.tools[name], truth, t)
            assert mm < 2.0, f"{name} at {t}: {mm:.1f} mm off"
            assert deg < 2.0, f"{name} at {t}: {deg:.1f} degrees off"


def test_a_tool_that_is_not_there_yet_is_lost_not_guessed(pair: Scene) -> None:
    _, _, found = pair
    for tool in found.tools.values():
        assert tool.source[:2] == ("lost", "lost")
        assert np.isnan(tool.T_view1_tool[:2]).all()
        assert (tool.frame_confidence[:2] == 0).all()


def test_disagreement_of_the_views_is_measured_with_its_sign(pair: Scene) -> None:
    _, _, found = pair
    for tool in found.tools.values():
        assert np.median(tool.stereo_disagreement_px[2:]) == pytest.approx(3.0, abs=1.0)


def test_confidence_is_above_the_alarm_where_the_track_is_right(pair: Scene) -> None:
    _, _, found = pair
    for tool in found.tools.values():
        assert (tool.frame_confidence[2:] > ALARM_LEVEL).all()
        assert np.isfinite(tool.confidence).all()


def test_a_dream_where_nothing_happens_is_all_lost(pair: Scene) -> None:
    dream = pair[0]
    empty = replace(dream, views=tuple(replace(v, frames=still(v.frames[0], len(dream))) for v in dream.views))
    for tool in track(empty).tools.values():
        assert set(tool.source) == {"lost"}


def test_a_dream_of_one_frame_is_lost_and_no_error(pair: Scene) -> None:
    dream = pair[0]
    short = replace(dream, views=tuple(replace(v, frames=v.frames[:1]) for v in dream.views))
    assert track(short).tools["left"].source == ("lost",)


def test_a_tool_that_leaves_and_comes_back_is_lost_and_found_again() -> None:
    poses = path(9, np.array([-0.05, 0.0, 0.6]), np.array([0.01, 0.0, 0.0]), 0.03)
    poses[0] = poses[4:6] = np.nan
    found = track(clip({"tool": wedge()}, {"tool": poses})).tools["tool"]
    assert [s == "lost" for s in found.source] == [True, False, False, False, True, True, False, False, False]
    assert far(found, poses, 8)[0] < 2.0


def test_one_camera_alone_is_tracked() -> None:
    poses = path(6, np.array([-0.03, 0.0, 0.7]), np.array([0.01, 0.005, 0.0]), 0.05)
    poses[0] = np.nan
    found = track(clip({"tool": wedge()}, {"tool": poses}, views=1)).tools["tool"]
    # one camera sees depth only by size: 3% of the distance
    assert all(far(found, poses, t)[0] < 20 for t in range(1, 6))
    assert np.isnan(found.stereo_disagreement_px).all()
    assert found.confidence.shape == (6, 1)


def test_a_plain_mesh_is_tracked_by_its_shape() -> None:
    poses = path(6, np.array([-0.03, 0.0, 0.6]), np.array([0.008, 0.004, 0.0]), 0.05)
    poses[0] = np.nan
    found = track(clip({"tool": wedge(textured=False)}, {"tool": poses}, hand=False)).tools["tool"]
    off = np.array([far(found, poses, t) for t in range(1, 6)])
    assert np.median(off[:, 0]) < 3
    assert np.median(off[:, 1]) < 3
    doubted = found.frame_confidence[1:] < ALARM_LEVEL
    assert ((off[:, 0] < 10) | doubted).all(), off


def spoilt(found: Track, name: str, frames: slice) -> Track:
    """The track with one tool moved and turned away in some frames."""
    tool = found.tools[name]
    poses = tool.T_view1_tool.copy()
    poses[frames, :3, 3] += [0.04, 0.02, 0.0]
    poses[frames, :3, :3] = poses[frames, :3, :3] @ rotation_from_vector(np.array([0, 0, 0.6]))
    return replace(found, tools={**found.tools, name: replace(tool, T_view1_tool=poses)})


def box_of(dream: Dream, name: str, truth: Array, t: int, view: int) -> tuple[float, float, float, float]:
    T = dream.T_view_tool(view, truth[t])
    uv = project(dream.views[view].camera.K, dream.tools[name].mesh.vertices @ T[:3, :3].T + T[:3, 3])
    return (*(uv.min(axis=0) - 2), *(uv.max(axis=0) + 3))


@pytest.fixture(scope="session")
def corrected(pair: Scene) -> tuple[Track, Track]:
    dream, poses, found = pair
    wrong = spoilt(found, "left", slice(4, 7))
    hint = Hint("left", "view2", 5, box_of(dream, "left", poses["left"], 5, 1))
    return wrong, track(dream, hints=[hint], previous=wrong)


def test_a_box_pulls_a_wrong_track_to_the_tool(pair: Scene, corrected: tuple[Track, Track]) -> None:
    _, poses, _ = pair
    for t in range(4, 7):
        assert far(corrected[1].tools["left"], poses["left"], t)[0] < 2.0
    assert corrected[1].tools["left"].source[5] == "hinted"
    assert len(corrected[1].hints) == 1


def test_a_box_leaves_the_rest_of_the_track_alone(corrected: tuple[Track, Track]) -> None:
    before, after = corrected
    for t in (0, 1, 2, 3, 7, 8):
        np.testing.assert_array_equal(after.tools["left"].T_view1_tool[t], before.tools["left"].T_view1_tool[t])
    assert after.tools["right"] is before.tools["right"]


@pytest.mark.parametrize(
    ("hint", "says"),
    [
        (Hint("spoon", "view1", 3, (0, 0, 9, 9)), "spoon"),
        (Hint("left", "view9", 3, (0, 0, 9, 9)), "view9"),
        (Hint("left", "view1", 99, (0, 0, 9, 9)), "99"),
    ],
)
def test_a_box_for_something_that_is_not_there_is_refused(pair: Scene, hint: Hint, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        track(pair[0], hints=[hint])


def test_cancel_ends_the_work_and_leaves_no_thread(pair: Scene) -> None:
    asked = iter(range(10**6))
    with pytest.raises(Cancelled):
        track(pair[0], cancelled=lambda: next(asked) > 20)
    assert not [t for t in threading.enumerate() if t.name.startswith("tracker")]


def test_progress_only_grows(pair: Scene) -> None:
    told: list[float] = []
    track(pair[0], progress=lambda share, text: told.append(share))
    assert told == sorted(told)
    assert 0 < told[-1] <= 1


def test_real_dreams_reach_their_figures(real_dreams: Path) -> None:
    errors_mm, errors_deg, seen = [], [], 0
    reference = json.loads((real_dreams / "poses" / "001.json").read_text())["poses"]
    found = track(real_dream(real_dreams, "001"))
    for row in reference:
        tool = found.tools[row["tool"]]
        seen += bool(tool.found[row["t"]])
        T, R = tool.T_view1_tool[row["t"]], np.array(row["T_top_tool"])
        errors_mm.append(1e3 * np.linalg.norm(T[:3, 3] - R[:3, 3]))
        errors_deg.append(np.degrees(rotation_angle(T[:3, :3], R[:3, :3])))
    assert seen == len(reference)
    assert np.median(errors_mm) < 1.5
    assert np.median(errors_deg) < 1.5
    assert np.percentile(errors_mm, 90) < 4
    assert np.percentile(errors_deg, 90) < 3


def test_the_synthetic_cameras_look_at_one_place() -> None:
    T = np.linalg.inv(second_camera())
    np.testing.assert_allclose(T[:3, :3] @ [0, 0, 0.6] + T[:3, 3], [0, 0, 0.6], atol=1e-12)
    assert SIZE[0] % 8 == 0
