"""Activations computed anew in the backward pass instead of kept: a third more time for most of the memory."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

_BLOCKS = (".resnets.", ".attentions.")


def recompute_blocks(unet: nn.Module) -> None:
    """Keep of every residual and every attention block of a video U-Net its input alone, while gradients are on.

    The blocks' own switch keeps the temporal half of each attention block, which is most of it.
    """
    for name, module in unet.named_modules():
        parent, _, number = name.rpartition(".")
        if number.isdecimal() and f".{parent.rpartition('.')[2]}." in _BLOCKS:
            module.forward = _recomputed(module.forward)


def _recomputed(forward: Callable[..., Any]) -> Callable[..., Any]:
    def again(*given: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*given, **named)
        # nothing in these blocks is random
        return checkpoint(forward, *given, use_reentrant=False, preserve_rng_state=False, **named)

    return again
