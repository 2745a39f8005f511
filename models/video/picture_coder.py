"""The auto-encoder of pictures, Stable Video Diffusion's or a tiny one: what both are asked in one way."""

from typing import TypeAlias

import torch
from diffusers import AutoencoderKLTemporalDecoder, AutoencoderTiny

PictureCoder: TypeAlias = AutoencoderKLTemporalDecoder | AutoencoderTiny


def latents_of(coder: PictureCoder, pixels: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Return latents (N, C, h, w), not scaled, of pixels (N, 3, H, W) in [-1, 1].

    The posterior's mean, or a sample of it where a generator is given; a tiny coder has no posterior.
    """
    if isinstance(coder, AutoencoderTiny):
        tiny: torch.Tensor = coder.encode(pixels).latents
        return tiny
    posterior = coder.encode(pixels).latent_dist
    found: torch.Tensor = posterior.mode() if generator is None else posterior.sample(generator)
    return found


def pixels_of(coder: PictureCoder, latents: torch.Tensor, frames: int) -> torch.Tensor:
    """Return pixels (N, 3, H, W) of latents (N, C, h, w), not scaled; every `frames` of them see each other, but in
    a tiny coder."""
    together = {} if isinstance(coder, AutoencoderTiny) else {"num_frames": frames}
    pixels: torch.Tensor = coder.decode(latents, **together).sample
    return pixels
