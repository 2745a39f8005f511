"""The table that a person touched counts for what is planned and sent, and only upwards."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.calibration.measured_tables import table_file, with_measured_tables
from app.execution.touching import save_table
from hardware.calibration.table_plane import PlaneResult, solve_plane
from hardware.geometry import apply, inverse
from hardware.planner.task import kept_limits
from hardware.planning import default_limits
from hardware.rig import Rig, load_rig
from hardware.robots.ur_limits import merge
from hardware.tools import BUILT_IN_TOOLS, load_tool

RIG = load_rig()


def touched(height: float, slope: float = 0.0, arm: str = "left") -> PlaneResult:
    """The plane z = height + slope * x in world, as this arm would have touched it."""
    xy = np.array([[-0.3, -0.3], [0.3, -0.3], [0.3, 0.3], [-0.3, 0.3]])
    world = np.column_stack([xy, height + slope * xy[:, 0]])
    return solve_plane(apply(inverse(RIG.arm(arm).T_world_base), world))


def lowest(rig: Rig, arm: str = "left") -> float:
    """What the planner keeps; the servo process reads the same from `merge`."""
    config = rig.arm(arm)
    limits = merge(None, replace(config, model="ur5"), rig.safety)
    assert limits.min_tip_height == default_limits(rig, config).min_tip_height
    return limits.min_tip_height


def test_a_higher_table_lifts_every_tip_of_its_arm_and_of_no_other(tmp_path: Path) -> None:
    save_table(tmp_path, "sim", "left", touched(0.004), ())
    rig = with_measured_tables(RIG, tmp_path)
    assert lowest(rig) == pytest.approx(RIG.safety.min_tip_height + 0.004)
    assert rig.arm("left").table_measured
    assert lowest(rig, "right") == RIG.safety.min_tip_height


def test_a_leaning_table_counts_at_its_highest_place(tmp_path: Path) -> None:
    save_table(tmp_path, "sim", "right", touched(0.0, slope=0.01, arm="right"), ())
    rig = with_measured_tables(RIG, tmp_path)
    assert rig.arm("right").table_height == pytest.approx(0.006)


def test_a_lower_table_does_not_loosen_the_rigs_limit(tmp_path: Path) -> None:
    save_table(tmp_path, "sim", "left", touched(-0.004), ())
    assert lowest(with_measured_tables(RIG, tmp_path)) == RIG.safety.min_tip_height


def test_the_height_of_a_tools_task_is_above_the_touched_table() -> None:
    tool = replace(load_tool(BUILT_IN_TOOLS["brush"]), min_tip_height=0.03)
    limits = default_limits(RIG, RIG.arm("left"))
    assert kept_limits(limits, tool, 0.004).min_tip_height == pytest.approx(0.034)


def test_what_was_touched_on_another_rig_or_taken_away_does_not_count(tmp_path: Path) -> None:
    save_table(tmp_path, "lab", "left", touched(0.004), ())
    assert lowest(with_measured_tables(RIG, tmp_path)) == RIG.safety.min_tip_height
    save_table(tmp_path, "sim", "left", touched(0.004), ())
    rig = with_measured_tables(RIG, tmp_path)
    table_file(tmp_path, "left").unlink()
    assert lowest(with_measured_tables(rig, tmp_path)) == RIG.safety.min_tip_height


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("normal = [", "normal = [1.0, ", "normal"),
        ("offset = ", "offset = nan # ", "offset"),
        ("offset = ", "offset = 2.0 # ", "touch the table again"),
        ("measured = ", "when = ", "measured"),
        ("rig = ", "rig = [", "syntax"),
    ],
)
def test_a_broken_measurement_is_named_and_not_guessed(before: str, after: str, said: str, tmp_path: Path) -> None:
    path = save_table(tmp_path, "sim", "left", touched(0.004), ())
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(ValueError, match=rf"table_left\.toml: .*{said}"):
        with_measured_tables(RIG, tmp_path)
