"""What a number of trials can say: intervals of rates and means, and a score between two references.

Intervals are of `LEVEL` of confidence, and come out the same every time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from hardware.geometry import Array
from hardware.types import require

LEVEL = 0.95
RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """A value and the bounds of its confidence interval; bounds are nan where nothing bounds it."""

    value: float
    low: float
    high: float


def rate(successes: int, trials: int) -> Interval:
    """Return the share of successes with its Wilson score interval (1927). Raises ValueError without trials."""
    require(0 <= successes <= trials and trials > 0, f"successes: {successes} of {trials}; valid: of 1 or more")
    found = binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    return Interval(successes / trials, float(found.low), float(found.high))


def mean(values: ArrayLike, seed: int = 0) -> Interval:
    """Return the mean of values (N,) with its percentile bootstrap interval (Efron 1979)."""
    sample = _samples(values)[0]
    means = sample[_drawn(len(sample), seed)].mean(axis=1)
    return _interval(float(sample.mean()), means)


def difference(a: ArrayLike, b: ArrayLike, seed: int = 0) -> Interval:
    """Return the mean of a - b (N,) of the same trials, trials drawn anew as pairs."""
    one, other = _samples(a, b)
    return mean(one - other, seed)


def normalised(policy: ArrayLike, nothing: ArrayLike, demonstrator: ArrayLike, seed: int = 0) -> Interval:
    """Return (policy - nothing) / (demonstrator - nothing) of the means of the same trials (N,), trials drawn anew.

    0 is as good as doing nothing, 1 as good as the demonstrator, whichever way the measure is better. All nan where
    the demonstrator does no better than nothing. Draws in which he does not are left out of the interval.
    """
    p, n, d = _samples(policy, nothing, demonstrator)
    gained, possible = p - n, d - n
    if possible.mean() == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    drawn = _drawn(len(p), seed)
    whole = possible[drawn].mean(axis=1)
    usable = whole * possible.mean() > 0
    scores = gained[drawn].mean(axis=1)[usable] / whole[usable]
    return _interval(float(gained.mean() / possible.mean()), scores)


def _samples(*samples: ArrayLike) -> tuple[Array, ...]:
    arrays = tuple(np.asarray(sample, float) for sample in samples)
    shapes = [array.shape for array in arrays]
    fits = all(array.ndim == 1 and len(array) for array in arrays) and len(set(shapes)) == 1
    require(fits, f"samples of shapes {shapes}; valid: (N,), of the same trials, one or more")
    require(all(np.isfinite(array).all() for array in arrays), "samples: nan or inf; valid: numbers")
    return arrays


def _drawn(count: int, seed: int) -> NDArray[np.int64]:
    """Which of `count` trials each of RESAMPLES draws takes (RESAMPLES, count)."""
    return np.random.default_rng(seed).integers(count, size=(RESAMPLES, count))


def _interval(value: float, drawn: Array) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
