"""What a dream looks like while it is denoised: a straight line from latents to colours instead of a decoder."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from hardware.types import Image
from models.video.config import VideoConfig


@dataclass(frozen=True, eq=False)
class LatentColours:
    """The linear map (C + 1, 3) from latents, and one, to colours 0..255 that suits one auto-encoder best."""

    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, latents: torch.Tensor, pictures: Image) -> "LatentColours":
        """Return the best map in the least squares, from pictures (V, H, W, 3) and their latents (V, C, h, w)."""
        height, width = latents.shape[-2:]
        shrunk = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in pictures]
        wanted = np.stack(shrunk).reshape(-1, 3).astype(np.float32)
        # a little ridge: a scene of one colour must not make wild weights
        given = _with_one(latents)
        square = given.T @ given + 1e-3 * len(given) * np.eye(given.shape[1], dtype=np.float32)
        return cls(np.linalg.solve(square, given.T @ wanted).astype(np.float32))

    def pictures(self, latents: torch.Tensor) -> Image:
        """Return pictures (F, h, w, 3) of latents (F, C, h, w), not scaled: those that an encoder gives."""
        frames, _, height, width = latents.shape
        colours = _with_one(latents) @ self.weights
        return np.asarray(colours.clip(0, 255).reshape(frames, height, width, 3), np.uint8)


def sheet(frames: Image, config: VideoConfig) -> Image:
    """Return the pictures (F, h, w, 3) of a layout as one (V * h, T * w, 3): rows are views, time to the right.

    What the layout does not hold is left black.
    """
    _, height, width, _ = frames.shape
    out = np.zeros((config.views, height, config.length, width, 3), np.uint8)
    for frame, (view, t) in zip(frames, config.layout, strict=True):
        out[view, :, t] = frame
    return out.reshape(config.views * height, config.length * width, 3)


def _with_one(latents: torch.Tensor) -> NDArray[np.float32]:
    flat = latents.detach().float().movedim(1, -1).reshape(-1, latents.shape[1]).cpu().numpy()
    return np.column_stack([flat, np.ones(len(flat), np.float32)])
