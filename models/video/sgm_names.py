"""How the networks' parts are called in Stability's `sgm` code, derived from their shapes.

Every name of a diffusers network begins with that of a block; blocks are counted here as both codes lay them out,
and a few small tables name what is inside of one.
"""

from collections.abc import Iterable, Mapping

from models.video.config import UNetShape, VaeShape
from models.video.weights import Origin

UNET_PREFIX, VAE_PREFIX = "model.diffusion_model.", "first_stage_model."
VAE_ATTENTION = ".mid_block.attentions.0.to_"
_RESIDUAL = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
_UNET_INSIDE = {
    **{f"spatial_res_block.{ours}": theirs for ours, theirs in _RESIDUAL.items()},
    **{f"temporal_res_block.{ours}": f"time_stack.{theirs}" for ours, theirs in _RESIDUAL.items()},
    "temporal_transformer_blocks": "time_stack",
    "time_pos_embed.linear_1": "time_pos_embed.0",
    "time_pos_embed.linear_2": "time_pos_embed.2",
}
_VAE_INSIDE = {
    "conv_shortcut": "nin_shortcut",
    **{f"spatial_res_block.{name}": name for name in ("norm1", "conv1", "norm2", "conv2")},
    "spatial_res_block.conv_shortcut": "nin_shortcut",
    **{f"temporal_res_block.{ours}": f"time_stack.{theirs}" for ours, theirs in _RESIDUAL.items()},
    "time_mixer.mix_factor": "mix_factor",
    "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
}  # fmt: skip


def unet_origins(shape: UNetShape, names: Iterable[str]) -> dict[str, Origin]:
    """Return where each of the U-Net's weights is, without the checkpoint's prefix."""
    blocks = _unet_blocks(shape)
    return {name: Origin(_renamed(name, blocks, _UNET_INSIDE)) for name in names}


def vae_origins(shape: VaeShape, names: Iterable[str]) -> dict[str, Origin]:
    """Return where each of the auto-encoder's weights is, without the checkpoint's prefix.

    The weights of its attention are matrices here and 1x1 convolutions there.
    """
    blocks = _vae_blocks(shape)
    return {
        name: Origin(
            _renamed(name, blocks, _VAE_INSIDE), pointwise=VAE_ATTENTION in name and name.endswith("weight")
        )
        for name in names
    }


def _unet_blocks(shape: UNetShape) -> dict[str, str]:
    last = len(shape.widths) - 1
    blocks = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
        "conv_in": "input_blocks.0.0",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    n = 1
    for level, attends in enumerate(shape.attention):
        for layer in range(shape.layers):
            blocks[f"down_blocks.{level}.resnets.{layer}"] = f"input_blocks.{n}.0"
            if attends:
                blocks[f"down_blocks.{level}.attentions.{layer}"] = f"input_blocks.{n}.1"
            n += 1
        if level < last:
            blocks[f"down_blocks.{level}.downsamplers.0.conv"] = f"input_blocks.{n}.0.op"
            n += 1
    n = 0
    for block, attends in enumerate(reversed(shape.attention)):
        for layer in range(shape.layers + 1):
            blocks[f"up_blocks.{block}.resnets.{layer}"] = f"output_blocks.{n}.0"
            if attends:
                blocks[f"up_blocks.{block}.attentions.{layer}"] = f"output_blocks.{n}.1"
            n += 1
        if block < last:  # the last of a level's blocks also grows the picture
            place = 2 if attends else 1
            blocks[f"up_blocks.{block}.upsamplers.0.conv"] = f"output_blocks.{n - 1}.{place}.conv"
    return blocks


def _vae_blocks(shape: VaeShape) -> dict[str, str]:
    last = len(shape.widths) - 1
    blocks = {"quant_conv": "quant_conv", "decoder.time_conv_out": "decoder.conv_out.time_mix_conv"}
    for half in ("encoder", "decoder"):
        blocks[f"{half}.conv_in"] = f"{half}.conv_in"
        blocks[f"{half}.conv_norm_out"] = f"{half}.norm_out"
        blocks[f"{half}.conv_out"] = f"{half}.conv_out"
        blocks[f"{half}.mid_block.resnets.0"] = f"{half}.mid.block_1"
        blocks[f"{half}.mid_block.attentions.0"] = f"{half}.mid.attn_1"
        blocks[f"{half}.mid_block.resnets.1"] = f"{half}.mid.block_2"
    for level in range(last + 1):
        for layer in range(2):
            blocks[f"encoder.down_blocks.{level}.resnets.{layer}"] = f"encoder.down.{level}.block.{layer}"
        for layer in range(3):
            blocks[f"decoder.up_blocks.{level}.resnets.{layer}"] = f"decoder.up.{last - level}.block.{layer}"
        blocks[f"encoder.down_blocks.{level}.downsamplers.0.conv"] = f"encoder.down.{level}.downsample.conv"
        blocks[f"decoder.up_blocks.{level}.upsamplers.0.conv"] = f"decoder.up.{last - level}.upsample.conv"
    return blocks


def _renamed(name: str, blocks: Mapping[str, str], inside: Mapping[str, str]) -> str:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        block = ".".join(parts[:end])
        if block in blocks:
            return f"{blocks[block]}{_inner(name[len(block) :], inside)}"
    raise KeyError(f"{name}: no block of the published network holds it")


def _inner(rest: str, inside: Mapping[str, str]) -> str:
    """Return what follows a block's name, such as ".norm1.weight", with the longest known beginning replaced."""
    for ours in sorted(inside, key=len, reverse=True):
        if rest == f".{ours}" or rest.startswith(f".{ours}."):
            return f".{inside[ours]}{rest[len(ours) + 1 :]}"
    return rest
