"""Statistics as LeRobot keeps them: of an episode from its rows, of a data set from its episodes."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.geometry import Array

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
NAMES = ("min", "max", "mean", "std", "count", *QUANTILES)
PICTURES = 20  # of an episode and camera

Stats = Mapping[str, Sequence[object]]


def vector_stats(values: Array) -> dict[str, list[float]]:
    """Return the statistics of rows (N, C). What is nan (a sensor that did not see) is left out of them; a column
    that is nan in every row counts as 0."""
    count = len(values)
    values = np.where(np.isfinite(values).any(axis=0, keepdims=True), values, 0.0)
    values = np.where(np.isfinite(values), values, np.nan)
    found = {
        "min": np.nanmin(values, axis=0),
        "max": np.nanmax(values, axis=0),
        "mean": np.nanmean(values, axis=0),
        "std": np.nanstd(values, axis=0),
        "count": np.array([count]),
        **{name: np.nanquantile(values, q, axis=0) for name, q in QUANTILES.items()},
    }
    return {name: found[name].tolist() for name in NAMES}


def picture_stats(pictures: NDArray[np.uint8]) -> dict[str, list[object]]:
    """Return the statistics of pictures (N, H, W, 3), by channel as (3, 1, 1), black 0 to white 1."""
    step = max(1, min(pictures.shape[1:3]) // 150)
    by_channel = pictures[:, ::step, ::step].reshape(-1, 3) / 255.0
    flat = vector_stats(by_channel)
    shaped: dict[str, list[object]] = {name: [[[v]] for v in values] for name, values in flat.items()}
    shaped["count"] = [len(pictures)]
    return shaped


class Total:
    """Joins the statistics of episodes: least, most, mean and deviation exactly, quantiles weighted by length as
    LeRobot does."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, Array]] = {}

    def add(self, episode: Mapping[str, Stats]) -> None:
        for feature, stats in episode.items():
            now = {name: np.asarray(value, float) for name, value in stats.items()}
            n = float(now["count"][0])
            sums = self._sums.setdefault(feature, {})
            for name, value in now.items():
                if name in ("min", "max"):
                    join = np.minimum if name == "min" else np.maximum
                    sums[name] = join(sums[name], value) if name in sums else value
                elif name == "std":
                    square = (value**2 + now["mean"] ** 2) * n
                    sums["square"] = sums.get("square", 0.0) + square
                else:
                    sums[name] = sums.get(name, 0.0) + (value if name == "count" else value * n)

    def result(self) -> dict[str, dict[str, object]]:
        """Return stats.json."""
        return {feature: self._one(sums) for feature, sums in self._sums.items()}

    def _one(self, sums: Mapping[str, Array]) -> dict[str, object]:
        n = float(sums["count"][0])
        mean = sums["mean"] / n
        found = {
            "min": sums["min"],
            "max": sums["max"],
            "mean": mean,
            "std": np.sqrt(np.maximum(sums["square"] / n - mean**2, 0.0)),
            **{name: sums[name] / n for name in QUANTILES},
        }
        return {**{name: value.tolist() for name, value in found.items()}, "count": [math.floor(n)]}
