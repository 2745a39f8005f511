"""Dreaming: from noise to pictures, by Euler steps along falling noise levels (Karras et al., arXiv 2206.00364)."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from hardware.types import Image, require
from models.video.conditioning import Conditioning
from models.video.config import VideoConfig
from models.video.sample_options import SampleOptions
from models.video.stereo import StereoVideoModel


class SamplingCancelled(Exception):
    """Somebody no longer wants the dream."""


@dataclass(frozen=True, eq=False)
class Step:
    """What can be seen of a candidate after a step. step: 1 to steps; denoised (F, C, h, w): the network's guess of
    its scaled latents, on the model's device."""

    candidate: int
    step: int
    steps: int
    denoised: torch.Tensor


@dataclass(frozen=True, eq=False)
class Candidate:
    """One dream. pictures (F, H, W, 3) in the order of the layout; latents (F, C, h, w) float32, scaled; seconds by
    stage: denoise, decode."""

    number: int
    seed: int
    pictures: Image
    latents: torch.Tensor
    seconds: Mapping[str, float]


def dream(
    model: StereoVideoModel,
    conditioning: Conditioning,
    options: SampleOptions,
    report: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Candidate]:
    """Dream one candidate after the other, each as soon as it is asked for: memory is that of one.

    conditioning: of one scene. report: after every step, in this thread. Raises SamplingCancelled before the next
    step, or the next part to decode, after a cancel; ValueError where the network gives nan.
    """
    require(len(conditioning) == 1, f"conditioning: of {len(conditioning)} scenes; valid: one")
    for number in range(options.candidates):
        yield _candidate(model, conditioning, options, number, report, cancelled)


@torch.inference_mode()
def _candidate(
    model: StereoVideoModel,
    conditioning: Conditioning,
    options: SampleOptions,
    number: int,
    report: Callable[[Step], None] | None,
    cancelled: Callable[[], bool],
) -> Candidate:
    began, device = time.monotonic(), conditioning.latents.device
    levels = noise_levels(options)
    x = start(conditioning, options.seed + number, levels[0])
    scale = guidance_scale(model.config, options).to(device) if options.guided else None
    for step, (sigma, following) in enumerate(pairwise(levels), 1):
        if cancelled():
            raise SamplingCancelled
        clean = _denoised(model, x, sigma, conditioning, scale)
        x = clean + (x - clean) * (following / sigma)
        if report is not None:
            report(Step(number, step, options.steps, clean[0]))
    if not bool(torch.isfinite(x).all()):
        raise ValueError(
            f"candidate {number}: the network gave nan; too large for float16? take bfloat16 or float32"
        )
    denoised = time.monotonic()
    pictures = _decoded(model, x, options.decode_chunk, cancelled)
    seconds = {"denoise": denoised - began, "decode": time.monotonic() - denoised}
    return Candidate(number, options.seed + number, pictures, x[0], seconds)


def noise_levels(options: SampleOptions) -> list[float]:
    """Return the noise levels of all steps, falling, and 0 at the end."""
    least, most = options.sigma_min ** (1 / options.rho), options.sigma_max ** (1 / options.rho)
    ramp = np.linspace(most, least, options.steps) ** options.rho
    return [*(float(sigma) for sigma in ramp), 0.0]


def start(conditioning: Conditioning, seed: int, sigma: float) -> torch.Tensor:
    """Return the noise (1, F, C, h, w) float32 that a dream begins with; the same on every device."""
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn(conditioning.latents.shape, generator=generator, dtype=torch.float32)
    return noise.to(conditioning.latents.device) * float(np.hypot(1.0, sigma))


def guidance_scale(config: VideoConfig, options: SampleOptions) -> torch.Tensor:
    """Return how far each frame (1, F, 1, 1, 1) is led away from what the network sees without a scene."""
    first, last = options.guidance
    t = torch.tensor([t for _, t in config.layout], dtype=torch.float32)
    return (first + (last - first) * t / max(1, config.length - 1)).reshape(1, -1, 1, 1, 1)


def by_view(pictures: Image, scene: Image, config: VideoConfig) -> Image:
    """Return the dream (V, T, H, W, 3) of pictures (F, H, W, 3) in the layout's order.

    scene (V, H, W, 3): what every view shows at t0; what was generated in its place is left out.
    """
    frames = np.empty((config.views, config.length, *pictures.shape[1:]), np.uint8)
    frames[:, 0] = scene
    for picture, (view, t) in zip(pictures, config.layout, strict=True):
        if t > 0:
            frames[view, t] = picture
    return frames


def _denoised(
    model: StereoVideoModel, x: torch.Tensor, sigma: float, conditioning: Conditioning, scale: torch.Tensor | None
) -> torch.Tensor:
    levels = torch.full((1,), sigma, device=x.device)
    clean = model.denoised(x, levels, conditioning)
    if scale is None:
        return clean
    unled = model.denoised(x, levels, conditioning.unconditional())
    return unled + scale * (clean - unled)


def _decoded(model: StereoVideoModel, x: torch.Tensor, chunk: int, cancelled: Callable[[], bool]) -> Image:
    """Return the pictures (F, H, W, 3) of latents (1, F, C, h, w)."""
    parts = []
    for first in range(0, x.shape[1], chunk):
        if cancelled():
            raise SamplingCancelled
        parts.append(model.decode(x[:, first : first + chunk], chunk)[0].cpu())
    return torch.cat(parts).numpy()
