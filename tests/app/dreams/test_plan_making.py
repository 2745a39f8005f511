"""Which poses of a track are planned: a hand that rushes in or out of view is not at work."""

from collections.abc import Sequence

import numpy as np
import pytest

from app.dreams.plan_making import tool_paths
from hardware.geometry import transform
from hardware.rig import load_rig
from hardware.tools import BUILT_IN_TOOLS, load_tool
from hardware.world.scene import scaled_camera
from models.types import Dream, PoseSource, ToolTrack, Track, View

FPS, FASTEST = 10.0, 1.0


def planned(x: Sequence[float], drawn: Sequence[int] = ()) -> list[float]:
    """Where along x [m] the path of a tool goes that is found at x, frame by frame."""
    camera = scaled_camera(load_rig("sim").cameras[0].camera, (24, 14))
    frames = np.zeros((len(x), 14, 24, 3), np.uint8)
    tool = load_tool(BUILT_IN_TOOLS["pusher"])
    dream = Dream("d", FPS, (View(camera, np.eye(4), frames),), {"tool": tool}, np.eye(4))
    poses = np.stack([transform(np.eye(3), [at, 0, 0]) for at in x])
    source: tuple[PoseSource, ...] = tuple("corrected" if k in drawn else "tracked" for k in range(len(x)))
    found = ToolTrack("tool", poses, np.ones((len(x), 1)), np.zeros(len(x)), source)
    path = tool_paths(dream, Track("d", {"tool": found}), (0, len(x) - 1), 0.5, FASTEST)["tool"]
    return [round(float(value), 3) for value in path.T_world_tool[:, 0, 3]]


@pytest.mark.parametrize(
    ("x", "kept"),
    [
        ([0.0, 0.05, 0.1, 0.15], [0.0, 0.05, 0.1, 0.15]),
        ([0.0, 0.3, 0.35, 0.4], [0.3, 0.35, 0.4]),  # rushes in
        ([0.0, 0.2, 0.4, 0.45, 0.5, 0.9], [0.4, 0.45, 0.5]),  # in, at work, and away
        ([0.0, 0.05, 0.5, 0.55], [0.0, 0.05, 0.5, 0.55]),  # a jump amid the work is for a person to look at
        ([0.0, 1.0, 2.0], [1.0, 2.0]),  # two always stay
    ],
)
def test_a_hand_that_rushes_in_or_out_is_left_out(x: list[float], kept: list[float]) -> None:
    assert planned(x) == kept


def test_what_a_person_set_stays() -> None:
    assert planned([0.0, 0.3, 0.35, 0.4], drawn=[0]) == [0.0, 0.3, 0.35, 0.4]
