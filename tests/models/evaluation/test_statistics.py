"""Intervals of few trials: they hold what they are of, narrow with more, and as often as they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.statistics import difference, mean, normalised, rate

numbers = st.floats(-100, 100).map(lambda v: round(v, 3))
samples = st.lists(numbers, min_size=1, max_size=12)
quick = settings(deadline=None, max_examples=25)


def test_a_rate_has_the_published_wilson_interval() -> None:
    found = rate(37, 40)  # Newcombe 1998 has the formula; worked by hand
    z, n, p = 1.959964, 40, 37 / 40
    middle, half = (p + z * z / (2 * n)) / (1 + z * z / n), z / (1 + z * z / n)
    half *= math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (found.value, found.low, found.high) == pytest.approx((p, middle - half, middle + half), abs=1e-6)


@quick
@given(st.integers(0, 60), st.integers(1, 60))
def test_a_rate_lies_in_its_interval_and_that_in_0_to_1(successes: int, trials: int) -> None:
    successes = min(successes, trials)
    found = rate(successes, trials)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high > found.low
    other = rate(trials - successes, trials)
    assert (other.low, other.high) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-9)


@quick
@given(samples)
def test_a_mean_lies_in_its_interval_and_that_among_the_values(values: list[float]) -> None:
    found = mean(values)
    slack = 1e-9 + 1e-9 * max(map(abs, values))
    assert min(values) - slack <= found.low <= found.value + slack
    assert found.value - slack <= found.high <= max(values) + slack
    assert found == mean(values)


@quick
@given(samples, numbers, st.sampled_from([-2.0, 0.5, 3.0]))
def test_a_mean_moves_and_stretches_with_its_values(values: list[float], shift: float, factor: float) -> None:
    one, other = mean(values), mean(factor * np.array(values) + shift)
    ends = sorted((factor * one.low + shift, factor * one.high + shift))
    assert (other.low, other.high) == pytest.approx(ends, abs=1e-6)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = [(found := mean(rng.normal(3.0, 1.0, 32))).low <= 3.0 <= found.high for _ in range(200)]
    assert 0.88 <= np.mean(held) <= 0.99


def test_pairs_say_more_than_two_heaps() -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(0, 1.0, 30)  # some tables are harder than others, for everybody
    better = table + 0.2 + rng.normal(0, 0.05, 30)
    assert difference(better, table).low > 0.1
    assert mean(better).low < mean(table).high


@quick
@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=2, max_size=10), numbers)
def test_nothing_scores_0_and_the_demonstrator_1_in_whatever_unit(
    rows: list[tuple[float, float, float]], shift: float
) -> None:
    policy, nothing, demonstrator = map(np.array, zip(*rows, strict=True))
    demonstrator = nothing + 1.0 + np.abs(demonstrator - nothing)
    assert normalised(nothing, nothing, demonstrator).value == 0
    whole = normalised(demonstrator, nothing, demonstrator)
    assert (whole.value, whole.low, whole.high) == pytest.approx((1, 1, 1))
    one = normalised(policy, nothing, demonstrator)
    other = normalised(shift - 3 * policy, shift - 3 * nothing, shift - 3 * demonstrator)
    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high), rel=1e-6, abs=1e-9)


def test_a_demonstrator_who_does_nothing_makes_no_score() -> None:
    assert math.isnan(normalised([1.0, 2.0], [0.5, 0.5], [0.5, 0.5]).value)


@pytest.mark.parametrize(("values", "what"), [([], "shapes"), ([[1.0]], "shapes"), ([float("nan")], "nan")])
def test_what_is_no_sample_is_refused(values: list[float], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        mean(values)


def test_trials_that_are_not_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="same trials"):
        difference([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="successes"):
        rate(0, 0)
