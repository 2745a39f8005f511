"""The opening of a gripper: both ends from what the markers say, with words where they do not say it."""

import numpy as np
import pytest

from hardware.calibration.finger_width import solve_width


def test_both_ends_are_found_and_wild_readings_do_not_count() -> None:
    rng = np.random.default_rng(0)
    closed = [*(0.03 + rng.normal(0, 1e-4, 30)), None, 0.2]
    opened = [*(0.115 + rng.normal(0, 1e-4, 30)), None]
    result = solve_width(closed, opened, 0.085)
    assert result.closed == pytest.approx(0.03, abs=1e-4)
    assert result.opened == pytest.approx(0.115, abs=1e-4)
    assert result.verdict == "good", result.words


def test_markers_that_move_much_less_than_the_gripper_are_told() -> None:
    result = solve_width([0.03] * 12, [0.06] * 12, 0.085)
    assert result.verdict == "again"
    assert "marker_size" in result.words


def test_a_gripper_that_did_not_move_is_refused() -> None:
    with pytest.raises(ValueError, match=r"moved by 1\.0 mm"):
        solve_width([0.03] * 12, [0.031] * 12, 0.085)


def test_markers_that_nobody_saw_are_refused() -> None:
    with pytest.raises(ValueError, match="seen in 3 of 20 pictures of the open gripper"):
        solve_width([0.03] * 20, [0.1] * 3 + [None] * 17, 0.085)
