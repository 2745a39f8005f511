"""Pictures as the CLIP tower takes them, the way Stable Video Diffusion was trained: blurred, then resized."""

import torch
from torch.nn.functional import conv2d, interpolate, pad

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def clip_pixels(pictures: torch.Tensor, side: int) -> torch.Tensor:
    """Return (N, 3, side, side) normalised pixels of pictures (N, 3, H, W) in [-1, 1].

    The whole picture is squeezed into the square, as the published model does it: a Gaussian blur with sigma
    (factor - 1) / 2 against aliasing, then a bicubic resize with aligned corners.
    """
    for axis in (2, 3):
        pictures = _blurred(pictures, axis, side)
    pictures = interpolate(pictures, size=(side, side), mode="bicubic", align_corners=True)
    mean, std = (torch.tensor(v, device=pictures.device).reshape(1, 3, 1, 1) for v in (MEAN, STD))
    return ((pictures + 1) / 2 - mean) / std


def _blurred(pictures: torch.Tensor, axis: int, side: int) -> torch.Tensor:
    sigma = max((pictures.shape[axis] / side - 1) / 2, 0.001)
    radius = int(max(4 * sigma, 3)) // 2
    x = torch.arange(-radius, radius + 1, device=pictures.device, dtype=pictures.dtype)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (
        (kernel / kernel.sum()).reshape(1, 1, -1, 1) if axis == 2 else (kernel / kernel.sum()).reshape(1, 1, 1, -1)
    )
    around = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
    return conv2d(pad(pictures, around, mode="reflect"), kernel.expand(3, 1, -1, -1), groups=3)
