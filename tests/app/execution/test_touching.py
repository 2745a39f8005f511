"""The two wizards without a window: touches in, words and a saved result out."""

from pathlib import Path

import numpy as np
import pytest

from app.execution.touching import Touching, save_table, table_words, tip_in_flange, tool_with_tip
from hardware.calibration.table_plane import PlaneResult
from hardware.calibration.tool_tip import TipResult
from hardware.geometry import Array, rotation_from_vector, transform
from hardware.tools import BUILT_IN_TOOLS, load_tool
from models.data.text_files import read_table

TIP = np.array([0.01, -0.02, 0.13])
LEANS = rotation_from_vector(np.array([[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0.4], [-0.4, 0.3, 1.0], [0.2, -0.6, -0.5]]))


def pose(R: Array, touched: Array, tip: Array = TIP) -> Array:
    R = R @ np.diag([1.0, -1.0, -1.0])
    return transform(R, touched - R @ tip)


def test_four_touches_find_the_tip_of_the_tool() -> None:
    touching = Touching("tip")
    assert "Fix a sharp point" in touching.step
    for R in LEANS[:3]:
        touching = touching.added(pose(R, np.array([0.4, 0, 0.01])))
    assert "1 more" in touching.step
    assert touching.result is None
    result = touching.added(pose(LEANS[3], np.array([0.4, 0, 0.01]))).result
    assert isinstance(result, TipResult)
    tool = tool_with_tip(load_tool(BUILT_IN_TOOLS["brush"]), result)
    np.testing.assert_allclose(tip_in_flange(tool), TIP, atol=1e-9)


def test_a_touch_without_moving_is_refused_and_one_can_be_done_again() -> None:
    touching = Touching("tip")
    for k, R in enumerate(LEANS):
        slipped = 0.004 if k == 2 else 0.0
        touching = touching.added(pose(R, np.array([0.4, slipped, 0.01])))
    with pytest.raises(ValueError, match="has not moved"):
        touching.added(touching.poses[0])
    with pytest.raises(ValueError, match="connect the arm"):
        touching.added(np.full((4, 4), np.nan))
    better = touching.added(pose(LEANS[2], np.array([0.4, 0.001, 0.01])), at=2)
    assert isinstance(touching.result, TipResult)
    assert isinstance(better.result, TipResult)
    assert better.result.rms < touching.result.rms
    assert len(better.poses) == 5
    assert len(better.without(2).poses) == 4


def test_the_touched_table_is_said_against_the_rigs_and_saved(tmp_path: Path) -> None:
    T_world_base = transform(np.eye(3), [-0.6, 0.0, 0.02])
    touching = Touching("table", tip=TIP)
    for k, (x, y) in enumerate([(0.3, -0.3), (0.7, -0.3), (0.7, 0.3), (0.3, 0.3)]):
        touching = touching.added(pose(LEANS[k], np.array([x, y, -0.017])))
    plane = touching.result
    assert isinstance(plane, PlaneResult)
    assert table_words(plane, T_world_base) == "The table is +3.0 mm against the rig's and leans 0.00 degrees."
    table = read_table(save_table(tmp_path, "sim", "left", plane, touching.poses))
    assert table["offset"] == pytest.approx(-0.017)
    assert table["normal"] == pytest.approx([0, 0, 1])
    assert (table["arm"], table["frame"], table["touches"]) == ("left", "base", 4)
