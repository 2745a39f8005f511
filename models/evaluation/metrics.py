"""How good a dream is, held against what was really shown: by its pictures, and by what a tracker reads from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from hardware.geometry import Array
from hardware.types import Image, Tool, require
from models.evaluation.tracks import difference, middle, worst
from models.types import Dream, ToolTrack, Track

PEAK = 255.0
WINDOW, SPREAD = 11, 1.5  # of SSIM's Gaussian window [px]
K1, K2 = 0.01, 0.03


def psnr(a: Image, b: Image) -> Array:
    """Return the peak signal to noise ratio (...) [dB] of pictures (..., H, W, 3) uint8; inf where equal."""
    _same(a, b)
    error = ((a.astype(np.float64) - b) ** 2).mean(axis=(-3, -2, -1))
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(PEAK**2 / error))


def ssim(a: Image, b: Image) -> Array:
    """Return the structural similarity (...), 1 for equal, of pictures (..., H, W, 3) uint8 of at least 11x11.

    Wang et al. 2004: Gaussian window of 11x11 with sigma 1.5, each channel by itself, no window over the rim.
    """
    _same(a, b)
    require(
        min(a.shape[-3:-1]) >= WINDOW, f"pictures: {a.shape[-2]}x{a.shape[-3]}; valid: {WINDOW}x{WINDOW} or more"
    )
    pairs = zip(a.reshape(-1, *a.shape[-3:]), b.reshape(-1, *b.shape[-3:]), strict=True)
    return np.array([_ssim(x.astype(np.float64), y.astype(np.float64)) for x, y in pairs]).reshape(a.shape[:-3])


@dataclass(frozen=True)
class ToolAgreement:
    """One tool of a dream against the same tool as it was shown; nan where there is nothing to compare.

    followed: share of the frames in which the shown tool was found in which the dreamt one was too; distances of
    the tracked centres [mm] and angles [deg] where both were found; confidence: median, of the dream's weaker view;
    disagreement_px: median of how far the views of the dream, of what was shown, contradict each other [px].
    """

    followed: float
    position_mm: float
    position_worst_mm: float
    rotation_deg: float
    rotation_worst_deg: float
    confidence: float
    disagreement_px: float
    shown_disagreement_px: float

    def values(self) -> dict[str, float]:
        """The same by name."""
        return asdict(self)


def tool_agreement(dream: Dream, tool: Tool, dreamt: ToolTrack, shown: ToolTrack) -> ToolAgreement:
    """Hold a tool's track in a dream against its track in the demonstration that began with the same scene.

    dream: whose cameras both were seen by. Worst: what 90% of the frames stay under. Raises ValueError where the
    tracks are not of the dream's length.
    """
    apart = difference(dream, tool, dreamt, shown)
    expected = int(shown.found.sum())
    return ToolAgreement(
        followed=float((dreamt.found & shown.found).sum() / expected) if expected else float("nan"),
        position_mm=middle(apart.mm),
        position_worst_mm=worst(apart.mm),
        rotation_deg=middle(apart.deg),
        rotation_worst_deg=worst(apart.deg),
        confidence=middle(dreamt.frame_confidence[dreamt.found]),
        disagreement_px=middle(np.abs(dreamt.stereo_disagreement_px)),
        shown_disagreement_px=middle(np.abs(shown.stereo_disagreement_px)),
    )


def track_agreement(dream: Dream, dreamt: Track, shown: Track) -> Mapping[str, ToolAgreement]:
    """Return the same by role, for all tools of the dream. Raises ValueError where one was not tracked in both."""
    for track, what in ((dreamt, "dreamt"), (shown, "shown")):
        missing = set(dream.tools) - set(track.tools)
        require(not missing, f"{what} track: no {sorted(missing)}; valid: {sorted(dream.tools)}")
    return {
        role: tool_agreement(dream, tool, dreamt.tools[role], shown.tools[role])
        for role, tool in dream.tools.items()
    }


def _same(a: Image, b: Image) -> None:
    fits = a.shape == b.shape and a.ndim >= 3 and a.shape[-1] == 3 and a.dtype == b.dtype == np.uint8
    require(fits, f"pictures: {a.shape} {a.dtype} and {b.shape} {b.dtype}; valid: two of (..., H, W, 3) uint8")


def _ssim(x: Array, y: Array) -> float:
    def mean(v: Array) -> Array:
        return np.asarray(cv2.GaussianBlur(v, (WINDOW, WINDOW), SPREAD))

    mx, my = mean(x), mean(y)
    xx, yy, xy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (K1 * PEAK) ** 2, (K2 * PEAK) ** 2
    similar = ((2 * mx * my + c1) * (2 * xy + c2)) / ((mx * mx + my * my + c1) * (xx + yy + c2))
    rim = WINDOW // 2
    return float(similar[rim:-rim, rim:-rim].mean())
