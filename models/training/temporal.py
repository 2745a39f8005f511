"""Convolutions over time as plain 2-D ones: the same sums, and right in bfloat16 on a CPU."""

from functools import partial

import torch
from torch import nn
from torch.nn.functional import conv2d


def flatten_temporal(network: nn.Module) -> None:
    """Let every convolution over time alone (kernel k x 1 x 1) be computed over (time, places).

    torch 2.13's gradient of a 3-D convolution's weights is wrong (10^13, nan) in bfloat16 on a CPU over few frames.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv3d) and module.kernel_size[1:] == (1, 1):
            module.forward = partial(_over_time, module)  # type: ignore[method-assign]


def _over_time(convolution: nn.Conv3d, x: torch.Tensor) -> torch.Tensor:
    """Return (B, C, T, H, W) of x (B, C, T, H, W)."""
    weight, padding = convolution.weight.squeeze(-1), convolution.padding
    over = conv2d(x.flatten(3), weight, convolution.bias, padding=(int(padding[0]), 0))
    result: torch.Tensor = over.unflatten(3, x.shape[3:])
    return result
