"""Softened clips: views drift by what was asked, and the scene picture stays as it was."""

import numpy as np
import pytest

from hardware.world.softening import Softening, drifted, smooth_drift, soften


def video() -> np.ndarray:
    frames = np.full((4, 120, 200, 3), 20, np.uint8)
    frames[1:, 40:80, 80:120] = 230
    return frames


def edge(frame: np.ndarray) -> float:
    """Column where the bright square begins."""
    row = frame[60, :, 0].astype(float)
    k = int(np.argmax(row > 125))
    return k - (row[k] - 125) / (row[k] - row[k - 1])


@pytest.mark.parametrize("px", [-5.0, -1.5, 0.5, 4.0])
def test_a_tool_is_moved_sideways_by_its_own_drift(px: float) -> None:
    centres = np.tile([99.5, 59.5], (4, 1))
    moved = drifted(video(), {"tool": np.full(4, px)}, {"tool": centres})
    assert edge(moved[2]) - edge(video()[2]) == pytest.approx(px, abs=0.15)
    assert np.array_equal(moved[0], video()[0])


def test_a_tool_that_is_not_there_moves_nothing() -> None:
    moved = drifted(video(), {"tool": np.full(4, 5.0)}, {"tool": np.full((4, 2), np.nan)})
    assert np.array_equal(moved, video())


def test_drift_is_smooth_and_never_over_its_limit() -> None:
    for seed in range(20):
        path = smooth_drift(13, 5.0, np.random.default_rng(seed))
        assert np.abs(path).max() == pytest.approx(5.0)
        assert path[0] == 0
        assert np.abs(np.diff(path, 2)).max() < 2.0


def test_softening_keeps_the_scene_and_moves_edges_little() -> None:
    soft = soften(video(), Softening(0.8, 0.3, 3.0), np.random.default_rng(1))
    assert np.array_equal(soft[0], video()[0])
    assert abs(edge(soft[2]) - edge(video()[2])) < 1.5
    again = soften(video(), Softening(0.8, 0.3, 3.0), np.random.default_rng(1))
    assert soft.tobytes() == again.tobytes()
