"""The smallest video models that have every part of the published one."""

import torch

from models.data.clips import Conditioning
from models.video.config import BYTE_VOCABULARY, EncoderShape, UNetShape, VaeShape, VideoConfig
from models.video.stereo import StereoVideoModel


def tiny(
    conditioning: Conditioning = "image", views: int = 2, length: int = 2, size: tuple[int, int] = (16, 24)
) -> VideoConfig:
    """Return a config of a few ten thousand weights: two levels everywhere."""
    return VideoConfig(
        views=views,
        length=length,
        size=size,
        conditioning=conditioning,
        unet=UNetShape((32, 64), (1, 2), (True, False), 1, cross_attention=16, time_embed=8),
        vae=VaeShape(widths=(32, 32)),
        encoder=EncoderShape(32, 1, 2, 64, picture=32, patch=16, vocabulary=BYTE_VOCABULARY),
    )


def scenes(config: VideoConfig, count: int = 1, seed: int = 0) -> torch.Tensor:
    """Return pictures (count, V, H, W, 3) uint8 of noise: each view of each scene is another."""
    width, height = config.size
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, config.views, height, width, 3), dtype=torch.uint8, generator=generator)


def noisy(model: StereoVideoModel, count: int = 1, seed: int = 1) -> torch.Tensor:
    """Return latents (count, F, C, h, w) of noise."""
    config = model.config
    shape = (count, len(config.layout), config.vae.latent_channels, *config.latent_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
