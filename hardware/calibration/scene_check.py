"""Has a camera been moved since it was calibrated? Its picture of then against that of now.

Patches of the old picture are looked for near their place in the new one. What stood still in the room agrees on
one shift and turn of the whole picture; hands, arms and objects agree on nothing and drop out (RANSAC). A camera
that was moved so far that no patch is near its place is found by its features (ORB) instead.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from hardware.geometry import Array
from hardware.types import Camera, Image, require

State = Literal["still", "moved", "unsure"]
WIDTH = 640  # pictures are compared at this width
PATCH, REACH, STEP = 40, 24, 28  # [px]
SOFT = 1.2  # blur [px] against the sensor's noise
LEAST_CONTRAST = 1.5  # grey levels in a patch that can be found again
LEAST_SCORE = 0.55
LEAST_PATCHES = 8
LEAST_AGREEING = 0.4  # share of the patches that were found which must agree
STILL_PX = 1.0  # of a picture WIDTH wide; a shift below is none
AGREE_PX = 1.5


@dataclass(frozen=True)
class SceneCheck:
    """state: still, moved, or unsure where too little of the old picture is seen; shift_px: how far the picture's
    middle moved, in pixels of the camera; angle_rad: the turn of the camera that does as much; share: of the
    patches that agree."""

    state: State
    shift_px: float
    angle_rad: float
    share: float
    words: str


def check_scene(camera: Camera, before: Image, now: Image) -> SceneCheck:
    """Compare two pictures (H, W) or (H, W, 3) of one camera. Raises ValueError where their sizes differ."""
    require(
        before.shape[:2] == now.shape[:2],
        f"pictures of {camera.name}: {before.shape[1::-1]} and {now.shape[1::-1]}; valid: one size",
    )
    old, new = _small(before), _small(now)
    scale = before.shape[1] / old.shape[1]
    here, there = _patches(old, new)
    way = _agreed(here, there, old.shape)
    if way is None:
        here, there = _features(old, new)
        way = _agreed(here, there, old.shape)
    if way is None:
        words = (
            f"{camera.name}: too little of the picture from the calibration is seen; clear the view and look again"
        )
        return SceneCheck("unsure", 0.0, 0.0, 0.0, words)
    small_px, share = way
    focal = float(camera.K[0, 0]) * before.shape[1] / camera.size[0]
    shift = small_px * scale
    angle = float(np.arctan2(shift, focal))
    if small_px < STILL_PX:
        return SceneCheck("still", shift, angle, share, f"{camera.name}: stands as it was calibrated")
    words = (
        f"{camera.name} was moved since it was calibrated: its picture is off by {shift:.0f} px, as after a turn "
        f"of {np.degrees(angle):.1f} degrees; put it back, or calibrate where it stands now"
    )
    return SceneCheck("moved", shift, angle, share, words)


def _small(picture: Image) -> Image:
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if grey.shape[1] > WIDTH:
        height = round(grey.shape[0] * WIDTH / grey.shape[1])
        grey = cv2.resize(grey, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), SOFT), np.uint8)


def _patches(old: Image, new: Image) -> tuple[Array, Array]:
    """Where patches were (N, 2) and are (N, 2) [px]."""
    here, there = [], []
    edge = PATCH // 2 + REACH
    for y in range(edge, old.shape[0] - edge, STEP):
        for x in range(edge, old.shape[1] - edge, STEP):
            half = PATCH // 2
            patch = old[y - half : y + half, x - half : x + half]
            if float(patch.std()) < LEAST_CONTRAST:
                continue
            window = new[y - edge : y + edge, x - edge : x + edge]
            if float(window.std()) < LEAST_CONTRAST:
                continue
            scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
            _, best, _, (u, v) = cv2.minMaxLoc(scores)
            inside = 0 < u < scores.shape[1] - 1 and 0 < v < scores.shape[0] - 1
            if best < LEAST_SCORE or not inside:
                continue
            here.append((x, y))
            there.append(
                (x + u - REACH + _peak(scores[v, u - 1 : u + 2]), y + v - REACH + _peak(scores[v - 1 : v + 2, u]))
            )
    return np.array(here, float).reshape(-1, 2), np.array(there, float).reshape(-1, 2)


def _peak(three: Array) -> float:
    """Where a parabola through three values has its top, -0.5 to 0.5."""
    left, middle, right = (float(v) for v in three)
    bent = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bent, -0.5, 0.5)) if bent < -1e-9 else 0.0


def _features(old: Image, new: Image) -> tuple[Array, Array]:
    orb = cv2.ORB.create(800, fastThreshold=8)
    keys_old, words_old = orb.detectAndCompute(old, None)
    keys_new, words_new = orb.detectAndCompute(new, None)
    if words_old is None or words_new is None:
        return np.zeros((0, 2)), np.zeros((0, 2))
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(words_old, words_new)
    pairs = [pair for pair in pairs if pair.distance < 50]
    here = np.array([keys_old[pair.queryIdx].pt for pair in pairs], float).reshape(-1, 2)
    there = np.array([keys_new[pair.trainIdx].pt for pair in pairs], float).reshape(-1, 2)
    return here, there


def _agreed(here: Array, there: Array, shape: tuple[int, ...]) -> tuple[float, float] | None:
    """How far [px] most patches moved, and their share; None where too few agree on one movement of the picture."""
    if len(here) < LEAST_PATCHES:
        return None
    moved, agree = cv2.estimateAffinePartial2D(
        here, there, method=cv2.RANSAC, ransacReprojThreshold=AGREE_PX, maxIters=2000, confidence=0.995
    )
    if moved is None:
        return None
    kept = agree.ravel().astype(bool)
    if kept.sum() < LEAST_PATCHES or kept.mean() < LEAST_AGREEING:
        return None
    corners = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]) * [shape[1], shape[0]]
    way = corners @ moved[:, :2].T + moved[:, 2] - corners
    return float(np.linalg.norm(way, axis=1).mean()), float(kept.mean())
