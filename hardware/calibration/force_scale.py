"""A force sensor's zero and scale, from known weights hung on it (or pressed on a kitchen scale)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hardware.calibration.report import Verdict, judge
from hardware.geometry import Array
from hardware.types import require

GRAVITY = 9.80665  # [m/s^2], standard
LEAST_READINGS = 10
LEAST_FORCE = 1.0  # [N] between the lightest and the heaviest


@dataclass(frozen=True, eq=False)
class Loaded:
    """Readings [counts, or whatever the sensor says] while a known force [N] pressed."""

    force: float
    readings: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class ForceResult:
    """newton = newton_per_count * (count - zero_count); off [N] by load, from the line; noise [N] one standard
    deviation of a reading; drift [N] how far two readings of the same load lie apart, nan where none came twice."""

    newton_per_count: float
    zero_count: float
    off: tuple[float, ...]
    noise: float
    drift: float
    verdict: Verdict
    words: str


def weight(mass: float) -> float:
    """Return the force [N] of a mass [kg]."""
    return mass * GRAVITY


def solve_force(loads: Sequence[Loaded]) -> ForceResult:
    """Return zero and scale from two loads or more, one of which may be nothing.

    Raises ValueError in words for a person: too few loads or readings, loads that are equal, a sensor that does not
    answer to them.
    """
    require(len(loads) >= 2, f"loads: {len(loads)}; valid: two or more, one of them nothing")
    for load in loads:
        fine = len(load.readings) >= LEAST_READINGS and bool(np.isfinite(load.readings).all())
        require(
            fine, f"load {load.force:g} N: {len(load.readings)} readings; valid: {LEAST_READINGS} or more numbers"
        )
    force = np.array([load.force for load in loads])
    require(
        float(np.ptp(force)) >= LEAST_FORCE,
        f"loads: {np.ptp(force):.2f} N apart; valid: {LEAST_FORCE:g} N or more; hang on a heavier weight",
    )
    mean = np.array([np.median(load.readings) for load in loads])
    wavering = np.array([np.std(load.readings) for load in loads])
    slope, offset = np.polyfit(mean, force, 1) if np.ptp(mean) > 0 else (np.nan, np.nan)
    clear = float(np.ptp(mean)) > 5 * float(wavering.max()) / np.sqrt(LEAST_READINGS)
    require(
        bool(np.isfinite(slope)) and clear,
        "sensor: it says the same under every load; is it connected, and zeroed?",
    )
    off = slope * mean + offset - force
    noise, drift = float(abs(slope) * wavering.max()), _drift(force, slope * mean)
    share = 100 * float(np.abs(off).max() / np.ptp(force))
    again = 0.0 if np.isnan(drift) else drift
    figures = (
        (share, 1.0, 5.0, f"the loads lie up to {np.abs(off).max():.2f} N off a line; was anything else touched"),
        (noise, 0.1, 1.0, f"the sensor wavers by {noise:.2f} N"),
        (again, 0.1, 0.5, f"the same load read {again:.2f} N apart"),
        (3 - len(loads), 0, 3, "two loads always lie on a line; a third tells how straight it is"),
    )
    what = f"{len(loads)} loads lie within {np.abs(off).max():.2f} N of a line, {slope:.3g} N a count"
    verdict, words = judge(figures, what, "")
    return ForceResult(float(slope), float(-offset / slope), tuple(map(float, off)), noise, drift, verdict, words)


def _drift(force: Array, told: Array) -> float:
    apart = [abs(told[a] - told[b]) for a in range(len(force)) for b in range(a) if force[a] == force[b]]
    return float(max(apart)) if apart else float("nan")
