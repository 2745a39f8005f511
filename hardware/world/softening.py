"""What a video generator does to a clip: soft edges, small warps, noise, views that drift against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from hardware.geometry import Array
from hardware.types import Image


@dataclass(frozen=True)
class Softening:
    """Amounts. blur_px: standard deviation of the blur; warp_px: rms of the local warp; noise: grey levels."""

    blur_px: float = 0.8
    warp_px: float = 0.3
    noise: float = 3.0


def soften(video: Image, amount: Softening, rng: np.random.Generator) -> Image:
    """Return a softened copy of frames (T, H, W, 3).

    Frame 0, which a generator copies from its input, is kept, and what differs little from it is not warped.
    """
    frames, height, width, _ = video.shape
    field = smooth_field((frames, 2, height // 48 + 3, width // 48 + 3), rng) * amount.warp_px
    out = [video[0]]
    for frame, warp in zip(video[1:], field[1:], strict=True):
        dx, dy = (cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC) for part in warp)
        alive = _changed(video[0], frame)
        soft = moved(frame, dx * alive, dy * alive)
        if amount.blur_px > 0:
            soft = cv2.GaussianBlur(soft, (0, 0), amount.blur_px)
        if amount.noise == 0:
            out.append(np.clip(np.round(soft), 0, 255).astype(np.uint8))
            continue
        grain = rng.normal(0, amount.noise, soft.shape)
        blotches = cv2.resize(rng.normal(0, amount.noise, (height // 6, width // 6, 3)), (width, height))
        out.append(np.clip(soft + 0.7 * grain + 0.5 * blotches, 0, 255).astype(np.uint8))
    return np.stack(out)


def _changed(scene: Image, frame: Image) -> Array:
    """1 near everything that is not in the scene, fading to 0 (H, W)."""
    difference = cv2.absdiff(cv2.GaussianBlur(scene, (0, 0), 1.5), cv2.GaussianBlur(frame, (0, 0), 1.5)).max(axis=2)
    near = cv2.dilate((difference > 10).astype(np.uint8), np.ones((25, 25), np.uint8))
    return np.asarray(cv2.GaussianBlur(near.astype(np.float32), (0, 0), 6.0), float)


def smooth_field(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Unit-variance noise of this shape that changes smoothly along its first axis (time)."""
    field = gaussian_filter1d(rng.normal(size=shape), 1.5, axis=0, mode="reflect")
    return np.asarray(field / field.std())


def smooth_drift(frames: int, largest: float, rng: np.random.Generator) -> Array:
    """A smooth offset (T,) that starts at 0 and whose largest magnitude is `largest`."""
    t = np.linspace(0, 1, frames)
    waves = sum(rng.normal() * np.sin(np.pi * k * t * rng.uniform(0.7, 1.2)) / k**2 for k in (1, 2))
    path = np.asarray(waves + rng.normal() * t)
    return np.asarray(path / np.abs(path).max() * largest)


def moved(frame: Image, dx: Array, dy: Array) -> Array:
    """Frame (H, W, 3) whose content is moved by (dx, dy) (H, W) [px]."""
    y, x = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]].astype(np.float32)
    mapped = cv2.remap(
        frame,
        x - dx.astype(np.float32),
        y - dy.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(mapped, float)


def drifted(video: Image, offset: Mapping[str, Array], centres: Mapping[str, Array], radius: float = 85.0) -> Image:
    """Move what surrounds each tool sideways by its own offset (T,) [px], fading out away from it.

    centres: (T, 2) [px] the tool's middle, nan where it is not there.
    """
    frames, height, width, _ = video.shape
    y, x = np.mgrid[0:height, 0:width].astype(float)
    out = [video[0]]
    for t in range(1, frames):
        weights, shifts = [np.full((height, width), 1e-6)], [0.0]
        for role, path in offset.items():
            u, v = centres[role][t]
            if np.isfinite(u) and np.isfinite(v):
                far = np.maximum(np.hypot(x - u, y - v) - radius, 0.0)
                weights.append(np.exp(-((far / 40.0) ** 2)))
                shifts.append(float(path[t]))
        out.append(np.clip(moved(video[t], _blended(weights, shifts), np.zeros_like(x)), 0, 255).astype(np.uint8))
    return np.stack(out)


def _blended(weights: Sequence[Array], shifts: Sequence[float]) -> Array:
    total = np.sum(weights, axis=0)
    mean = np.sum([w * s for w, s in zip(weights, shifts, strict=True)], axis=0) / total
    return np.asarray(mean * np.minimum(total, 1.0))
