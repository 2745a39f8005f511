"""The same dreams in less time: what sampling alone can leave out, and what a GPU likes better."""

import torch
from diffusers.models.attention_processor import Attention
from torch import nn

from hardware.types import require
from models.video.stereo import StereoVideoModel


class OneToken:
    """Attention to a single token, which every query attends to in full: only its value counts.

    The same numbers as attention gives, without queries, keys and softmax. All cross-attention of this model is so:
    a frame has one embedding.
    """

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return (B, 1, C) for encoder_hidden_states (B, 1, D), to be added to what every query stands for."""
        tokens = 0 if encoder_hidden_states is None else encoder_hidden_states.shape[1]
        require(tokens == 1, f"cross-attention: {tokens} tokens; valid: one")
        value: torch.Tensor = attn.to_out[0](attn.to_v(encoder_hidden_states))
        return value


def speed_up(model: StereoVideoModel, *, compiled: bool = False) -> None:
    """Make the model's U-Net ready for sampling, in place; not for training.

    compiled: by torch.compile, which takes minutes at the first step and pays off over many dreams.
    """
    one_token(model.unet)
    if next(model.parameters()).is_cuda:
        channels_last(model)
    if compiled:
        # block by block: a block is compiled once for all places where one of its shape is
        for block in (*model.unet.down_blocks, model.unet.mid_block, *model.unet.up_blocks):
            block.compile()


def one_token(unet: nn.Module) -> None:
    """Let cross-attention leave out what a single token makes no use of."""
    for name, module in unet.named_modules():
        if name.endswith("attn2") and isinstance(module, Attention):
            module.set_processor(OneToken())


def is_unused(name: str) -> bool:
    """Whether a weight of the U-Net makes no difference with a single token: its gradient is 0."""
    return ".attn2.to_q." in name or ".attn2.to_k." in name or ("transformer_blocks." in name and ".norm2." in name)


def channels_last(model: nn.Module) -> None:
    """Store what 2-D convolutions learnt in the order in which tensor cores read it."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
