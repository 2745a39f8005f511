"""A force sensor's zero and scale from weights, and what speaks against believing them."""

import numpy as np
import pytest

from hardware.calibration.force_scale import Loaded, solve_force, weight


def load(mass: float, rng: np.random.Generator, off: float = 0.0) -> Loaded:
    """0.0005 N a count, zero at 312 counts."""
    counts = weight(mass) / 0.0005 + 312 + off + rng.normal(0, 20, 30)
    return Loaded(weight(mass), tuple(counts))


def test_zero_and_scale_are_found() -> None:
    rng = np.random.default_rng(0)
    result = solve_force([load(m, rng) for m in (0.0, 0.2, 0.5, 1.0, 0.0)])
    assert result.newton_per_count == pytest.approx(0.0005, rel=3e-3)
    assert result.zero_count == pytest.approx(312, abs=30)
    assert result.verdict == "good", result.words


def test_two_weights_alone_are_usable_and_say_so() -> None:
    rng = np.random.default_rng(0)
    result = solve_force([load(0.0, rng), load(1.0, rng)])
    assert result.verdict == "usable"
    assert "a third tells" in result.words


def test_a_sensor_that_drifts_is_told() -> None:
    rng = np.random.default_rng(0)
    result = solve_force([load(0.0, rng), load(0.5, rng), load(0.0, rng, off=2500)])
    assert result.verdict == "again"
    assert "same load read" in result.words


def test_equal_loads_and_a_silent_sensor_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="heavier"):
        solve_force([load(0.5, rng), load(0.51, rng)])
    with pytest.raises(ValueError, match="the same under every load"):
        solve_force([Loaded(0.0, (5.0,) * 12), Loaded(9.8, (5.0,) * 12)])
    with pytest.raises(ValueError, match="3 readings"):
        solve_force([Loaded(0.0, (5.0,) * 3), Loaded(9.8, (5.0,) * 12)])
