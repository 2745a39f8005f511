"""What the markers on a gripper's fingers measure while it is closed, and while it is open (`measured` in
rig.toml)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardware.calibration.report import Verdict, judge
from hardware.geometry import Array
from hardware.types import require

LEAST_READINGS = 10
LEAST_RANGE = 0.01  # [m] between closed and open


@dataclass(frozen=True)
class WidthResult:
    """closed, opened [m]: what the markers measure at either end (sensors/aruco_opening.py: OpeningMeter.measure);
    travel [m] how far it opens, by a ruler; noise [m] one standard deviation of the opening."""

    closed: float
    opened: float
    travel: float
    noise: float
    verdict: Verdict
    words: str


def solve_width(closed: Sequence[float | None], opened: Sequence[float | None], travel: float) -> WidthResult:
    """Return both ends from readings [m] taken while nothing moved; None where a marker was not seen.

    Raises ValueError in words for a person: markers that were not seen, fingers that did not move.
    """
    require(0.005 <= travel <= 0.5, f"travel: {travel} m; valid: 0.005 to 0.5, measured with a ruler")
    shut, wide = _seen(closed, "closed"), _seen(opened, "open")
    low, high = float(np.median(shut)), float(np.median(wide))
    require(
        abs(high - low) >= LEAST_RANGE,
        f"fingers: the markers moved by {1e3 * abs(high - low):.1f} mm; valid: {1e3 * LEAST_RANGE:g} mm or more; "
        "close the gripper for the first half, open it for the second",
    )
    per_m = travel / abs(high - low)
    noise = per_m * float(max(_spread(shut), _spread(wide)))
    missed = 1 - (len(shut) + len(wide)) / (len(closed) + len(opened))
    figures = (
        (1e3 * noise, 0.5, 2.0, f"the opening wavers by {1e3 * noise:.1f} mm; more light, or larger markers"),
        (missed, 0.05, 0.5, f"the markers were missed in {100 * missed:.0f}% of the pictures"),
        (abs(per_m - 1), 0.15, 0.5, f"the markers move {1e3 * abs(high - low):.0f} mm while the gripper opens "
         f"{1e3 * travel:.0f} mm; is marker_size right"),
    )  # fmt: skip
    what = f"opening known to {1e3 * noise:.2f} mm over {1e3 * travel:.0f} mm"
    verdict, words = judge(figures, what, "")
    return WidthResult(low, high, travel, noise, verdict, words)


def _seen(readings: Sequence[float | None], state: str) -> Array:
    seen = np.array([value for value in readings if value is not None and np.isfinite(value)], float)
    require(
        len(seen) >= LEAST_READINGS,
        f"markers: seen in {len(seen)} of {len(readings)} pictures of the {state} gripper; valid: {LEAST_READINGS} "
        "or more; are both markers in the picture, and lit?",
    )
    return seen


def _spread(values: Array) -> float:
    """One standard deviation, whatever a few wild ones say."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
