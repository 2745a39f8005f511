"""One synthetic clip of two mirrored tools and its track, shared by the tests that only read them."""

import numpy as np
import pytest

from hardware.geometry import Array
from models.tracking.stereo_tracker import track
from models.types import Dream, Track
from tests.models.tracking.synthetic import clip, path, wedge

Scene = tuple[Dream, dict[str, Array], Track]


@pytest.fixture(scope="session")
def pair() -> Scene:
    """Left stands right of right: only the pictures tell which is which. Both come into view after frame 1."""
    tools = {"left": wedge(seed=1), "right": wedge(mirrored=True, seed=2)}
    step = np.array([0.006, -0.004, 0.003])
    poses = {
        "left": path(9, np.array([0.06, 0.03, 0.60]), step, 0.05),
        "right": path(9, np.array([-0.12, 0.02, 0.62]), step, -0.04),
    }
    for each in poses.values():
        each[:2] = np.nan
    dream = clip(tools, poses, drift_px=3.0)
    return dream, poses, track(dream)
