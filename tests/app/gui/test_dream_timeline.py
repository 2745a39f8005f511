"""What the tracker is unsure of is drawn as such: a curve a view, and no path through doubtful poses."""

from pathlib import Path

import numpy as np
import pytest

from app.dreams.example import example_folder
from app.gui.binders.dream_clock import DreamClock
from app.gui.binders.dream_pictures import Overlays, sure_only
from app.gui.binders.dream_timeline import timeline
from app.workspace import open_workspace
from hardware.rig import load_rig
from models.data.dream_folder import load_dream
from models.types import Dream, ToolTrack, Track

FIRST, STRAY = 2, 3


@pytest.fixture(scope="module")
def dream(tmp_path_factory: pytest.TempPathFactory) -> Dream:
    return load_dream(example_folder(open_workspace(Path(tmp_path_factory.mktemp("workspace")))))


@pytest.fixture
def track(dream: Dream) -> Track:
    """Two tools that come into view at frame 2; at frame 3 the left one is somewhere else, says one view."""
    tools = {}
    for role in ("left", "right"):
        poses = np.tile(np.eye(4), (len(dream), 1, 1))
        poses[:, :3, 3] = [0.0, 0.0, 0.6]
        confidence = np.tile([0.9, 0.8], (len(dream), 1))
        if role == "left":
            poses[STRAY, :3, 3] = [3.0, 0.0, 0.6]
            confidence[STRAY] = [0.7, 0.1]
        poses[:FIRST] = np.nan
        source = (*["lost"] * FIRST, *["tracked"] * (len(dream) - FIRST))
        tools[role] = ToolTrack(role, poses, confidence, np.zeros(len(dream)), source)  # type: ignore[arg-type]
    return Track(dream.name, tools)


def test_every_tool_has_a_confidence_curve_a_view(dream: Dream, track: Track) -> None:
    clock = DreamClock(dream.fps, len(dream))
    data = timeline(load_rig("sim"), dream, track, clock, (0, len(dream) - 1), ())
    curves = {curve.name: curve for curve in data.lanes[0].curves}
    assert list(curves) == ["left top", "left side", "right top", "right side"]
    assert [curve.dashed for curve in curves.values()] == [False, True, False, True]
    assert curves["left top"].color == curves["left side"].color != curves["right top"].color
    assert np.isnan(curves["left side"].value[:FIRST]).all()
    assert (curves["left top"].value[STRAY], curves["left side"].value[STRAY]) == (0.7, 0.1)


def test_no_path_is_drawn_through_a_doubtful_pose(dream: Dream, track: Track) -> None:
    path = sure_only(track.tools["left"], track.tools["left"].T_view1_tool[:, :3, 3])
    assert np.flatnonzero(np.isnan(path).any(axis=1)).tolist() == [*range(FIRST), STRAY]
    overlays = Overlays(dream)
    overlays.show_track(track)
    left = overlays.tools("top", len(dream) - 1)[0]
    assert np.isnan(left.past[STRAY]).all()
    assert len(left.outline)
