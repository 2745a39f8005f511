"""Colour jitter of a window: each camera its own, the same over time (Video Policy, arXiv 2508.00795)."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hardware.types import require

GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True)
class ColourJitter:
    """How far brightness, contrast and saturation may go from 1, and hue from 0 [turns]."""

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.05

    def __post_init__(self) -> None:
        largest = max(self.brightness, self.contrast, self.saturation)
        fine = (
            min(self.brightness, self.contrast, self.saturation, self.hue) >= 0 and largest <= 1 and self.hue <= 0.5
        )
        require(fine, f"jitter: {self}; valid: 0 to 1, hue 0 to 0.5")

    def apply(
        self, frames: NDArray[np.uint8], cameras: Sequence[int], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return frames (N, H, W, 3) changed; cameras (N,): which camera each is of (`recipe.layout`)."""
        out = np.empty_like(frames)
        of = np.asarray(cameras)
        for camera in dict.fromkeys(cameras):
            out[of == camera] = self._one(frames[of == camera], rng)
        return out

    def _one(self, frames: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        factors = [1 + rng.uniform(-x, x) for x in (self.brightness, self.contrast, self.saturation)]
        turn = rng.uniform(-self.hue, self.hue)
        rgb: NDArray[np.float32] = frames.astype(np.float32)
        for step in rng.permutation(4):
            if step == 0:
                rgb = np.asarray(rgb * factors[0], np.float32)
            elif step == 1:
                middle = (rgb @ GREY).mean(axis=(1, 2))[:, None, None, None]
                rgb = np.asarray(middle + (rgb - middle) * factors[1], np.float32)
            elif step == 2:
                grey = (rgb @ GREY)[..., None]
                rgb = np.asarray(grey + (rgb - grey) * factors[2], np.float32)
            else:
                rgb = _turned(rgb, turn)
            np.clip(rgb, 0, 255, out=rgb)
        return np.asarray(np.rint(rgb), np.uint8)


def _turned(rgb: NDArray[np.float32], turn: float) -> NDArray[np.float32]:
    """Return colours with their hue moved by so many turns."""
    flat = np.ascontiguousarray(rgb.reshape(-1, rgb.shape[-2], 3)) / np.float32(255)
    hsv = cv2.cvtColor(flat, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + np.float32(360 * turn)) % 360
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.float32).reshape(rgb.shape) * np.float32(255)
