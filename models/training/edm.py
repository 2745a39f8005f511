"""The loss of EDM (Karras et al. 2022, arXiv 2206.00364) as Stable Video Diffusion has it, and its random numbers.

Every draw of a run has random numbers of its own, which follow from the run's seed and the draw's number alone. So
the order of draws, the number of GPUs and where a run was interrupted change none of them.
"""

import hashlib
from dataclasses import dataclass

import torch

from models.training.config import TrainSettings


@dataclass(frozen=True, eq=False)
class Noise:
    """Of B clips: sigma (B,); noise as the latents; no_embedding, no_latents (B,) bool: what is left out."""

    sigma: torch.Tensor
    noise: torch.Tensor
    no_embedding: torch.Tensor
    no_latents: torch.Tensor


def generator_of(*numbers: int | str) -> torch.Generator:
    """Return a generator on the CPU that is the same for the same numbers."""
    digest = hashlib.sha256(repr(numbers).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def draw_noise(shape: tuple[int, ...], generator: torch.Generator, settings: TrainSettings) -> Noise:
    """Return the random numbers of one clip (B = 1); shape: of its latents (F, C, h, w).

    ln sigma is normal, one sigma a clip; embedding and picture are left out independently.
    """
    sigma = torch.exp(settings.sigma_mean + settings.sigma_std * torch.randn(1, generator=generator))
    left_out = torch.rand(2, generator=generator) < settings.condition_dropout
    return Noise(sigma, torch.randn((1, *shape), generator=generator), left_out[:1], left_out[1:])


def stacked(draws: list[Noise], device: torch.device) -> Noise:
    """Return the noise of several clips as one batch on a device."""
    fields = ("sigma", "noise", "no_embedding", "no_latents")
    return Noise(*(torch.cat([getattr(draw, name) for draw in draws]).to(device) for name in fields))


def edm_weight(sigma: torch.Tensor) -> torch.Tensor:
    """Return (1 + sigma^2) / sigma^2, with sigma_data 1: errors of the v-prediction count alike at every level."""
    return (1 + sigma**2) / sigma**2


def edm_loss(
    denoised: torch.Tensor, latents: torch.Tensor, sigma: torch.Tensor, moving: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the mean weighted square error of denoised latents (B, F, C, h, w); sigma (B,).

    moving (B, F, 1, h, w): a further weight for each place; its mean over a clip is 1.
    """
    error = (denoised.float() - latents.float()) ** 2
    if moving is not None:
        error = error * moving
    return (edm_weight(sigma).reshape(-1, 1, 1, 1, 1) * error).mean()


def moved_share(pictures: torch.Tensor, scenes: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return how much of each place (F, 1, h, w), 0 to 1, differs from its view's scene: hand, tool, what it moved.

    pictures, scenes (F, H, W, 3) uint8; size (h, w). Differences of up to 16 levels are noise.
    """
    return torch.nn.functional.interpolate(_away(pictures, scenes)[:, None].float(), size=size, mode="area")


def square_around_moved(
    pictures: torch.Tensor, scenes: torch.Tensor, side: int, generator: torch.Generator
) -> tuple[slice, slice]:
    """Return rows and columns of a square in pictures (F, H, W, 3) around any place that differs from its scene, or
    around any at all where none does."""
    away = _away(pictures, scenes).any(dim=0)
    places = away.nonzero() if bool(away.any()) else torch.ones_like(away).nonzero()
    place = places[int(torch.randint(len(places), (1,), generator=generator))].tolist()
    first = [min(max(at - side // 2, 0), length - side) for at, length in zip(place, away.shape, strict=True)]
    return slice(first[0], first[0] + side), slice(first[1], first[1] + side)


def _away(pictures: torch.Tensor, scenes: torch.Tensor) -> torch.Tensor:
    return (pictures.short() - scenes.short()).abs().amax(dim=-1) > 16


def moving_weight(share: torch.Tensor, extra: float) -> torch.Tensor:
    """Return the weight of each place, 1 + extra where all of it differs, scaled to mean 1 in each clip.

    share (B, F, 1, h, w).
    """
    weight = 1 + extra * share
    return weight / weight.mean(dim=tuple(range(1, weight.ndim)), keepdim=True)
