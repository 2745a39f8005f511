"""Builds the networks that a config describes, from diffusers' and transformers' classes."""

from collections.abc import Mapping

from diffusers import (
    AutoencoderKLTemporalDecoder,
    AutoencoderTiny,
    EulerDiscreteScheduler,
    UNetSpatioTemporalConditionModel,
)
from diffusers.models.resnet import SpatioTemporalResBlock
from torch import nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from models.video.config import EncoderShape, UNetShape, VaeShape, VideoConfig
from models.video.picture_coder import PictureCoder

PUBLISHED_EPS = 1e-5
FRESH_LOG_VARIANCE = -4.0  # of latents; at 0 their noise hides the pictures for the first hundreds of steps
LONG_SIGMA, SHORT_SIGMA = 700.0, 0.002
START, END = "<|startoftext|>", "<|endoftext|>"


def build_unet(config: VideoConfig) -> UNetSpatioTemporalConditionModel:
    """Return the U-Net with fresh weights."""
    shape = config.unet
    kinds = ["CrossAttn" if attends else "" for attends in shape.attention]
    unet = UNetSpatioTemporalConditionModel(
        sample_size=config.latent_size,
        in_channels=2 * config.vae.latent_channels,
        out_channels=config.vae.latent_channels,
        down_block_types=tuple(f"{kind}DownBlockSpatioTemporal" for kind in kinds),
        up_block_types=tuple(f"{kind}UpBlockSpatioTemporal" for kind in reversed(kinds)),
        block_out_channels=shape.widths,
        addition_time_embed_dim=shape.time_embed,
        projection_class_embeddings_input_dim=3 * shape.time_embed,
        layers_per_block=shape.layers,
        cross_attention_dim=shape.cross_attention,
        num_attention_heads=shape.heads,
        num_frames=len(config.layout),
    )
    return as_published(unet)


def as_published(unet: UNetSpatioTemporalConditionModel) -> UNetSpatioTemporalConditionModel:
    """Give the norms of the residual blocks the epsilon that Stable Video Diffusion was trained with.

    diffusers builds most of them with 1e-6; the original network has 1e-5 in all (docs/decisions/0031).
    """
    for block in unet.modules():
        if isinstance(block, SpatioTemporalResBlock):
            for part in (block.spatial_res_block, block.temporal_res_block):
                part.norm1.eps = part.norm2.eps = PUBLISHED_EPS
    return unet


def build_vae(config: VideoConfig) -> PictureCoder:
    """Return the auto-encoder with fresh weights; a posterior is at first surer than a unit normal."""
    shape = config.vae
    if shape.kind == "tiny":
        deeper = (shape.layers,) * (len(shape.widths) - 1)
        return AutoencoderTiny(
            encoder_block_out_channels=shape.widths,
            decoder_block_out_channels=shape.widths,
            num_encoder_blocks=(1, *deeper),
            num_decoder_blocks=(*deeper, 1),
            latent_channels=shape.latent_channels,
            scaling_factor=shape.scaling,
        )
    vae = AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D",) * len(shape.widths),
        block_out_channels=shape.widths,
        layers_per_block=shape.layers,
        latent_channels=shape.latent_channels,
        sample_size=max(config.size),
        scaling_factor=shape.scaling,
        force_upcast=True,
    )
    nn.init.constant_(vae.quant_conv.bias[shape.latent_channels :], FRESH_LOG_VARIANCE)
    return vae


def build_encoder(config: VideoConfig) -> nn.Module:
    """Return the CLIP tower with fresh weights: of pictures or of text."""
    shape = config.encoder
    common = {
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "projection_dim": config.unet.cross_attention,
        "hidden_act": shape.activation,
    }
    if config.conditioning == "image":
        vision = CLIPVisionConfig(image_size=shape.picture, patch_size=shape.patch, **common)
        tower: nn.Module = CLIPVisionModelWithProjection(vision)
        return tower
    text = CLIPTextConfig(
        vocab_size=shape.vocabulary,
        max_position_embeddings=shape.positions,
        bos_token_id=shape.vocabulary - 2,
        eos_token_id=shape.vocabulary - 1,
        pad_token_id=shape.vocabulary - 1,
        **common,
    )
    reader: nn.Module = CLIPTextModelWithProjection(text)
    return reader


def byte_tokenizer() -> CLIPTokenizer:
    """Return CLIP's tokenizer before any merge: a token for each byte, for models that are made here.

    Its 514 tokens are the first 512 of CLIP's own vocabulary and the two that begin and end a text.
    """
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(others))]
    words = [*letters, *(letter + "</w>" for letter in letters), START, END]
    return CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[])


def build_scheduler() -> EulerDiscreteScheduler:
    """Return Stable Video Diffusion's sampler settings: Euler, Karras sigmas 0.002 to 700, v-prediction."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        num_train_timesteps=1000,
        prediction_type="v_prediction",
        interpolation_type="linear",
        use_karras_sigmas=True,
        sigma_min=SHORT_SIGMA,
        sigma_max=LONG_SIGMA,
        timestep_spacing="leading",
        timestep_type="continuous",
        steps_offset=1,
    )


def unet_shape(values: Mapping[str, object]) -> UNetShape:
    """Return the shape that a diffusers config of a U-Net has. Raises ValueError where it is none of ours."""
    widths = _numbers(values, "block_out_channels")
    heads = values.get("num_attention_heads")
    kinds = values.get("down_block_types")
    return UNetShape(
        widths=widths,
        heads=(heads,) * len(widths) if isinstance(heads, int) else _numbers(values, "num_attention_heads"),
        attention=tuple(str(kind).startswith("CrossAttn") for kind in kinds)
        if isinstance(kinds, list | tuple)
        else (),
        layers=_number(values, "layers_per_block"),
        cross_attention=_number(values, "cross_attention_dim"),
        time_embed=_number(values, "addition_time_embed_dim"),
    )


def vae_shape(values: Mapping[str, object]) -> VaeShape:
    """Return the shape that a diffusers config of an auto-encoder has. Raises ValueError as above."""
    scaling = values.get("scaling_factor")
    if not isinstance(scaling, int | float):
        raise ValueError(f"scaling_factor: {scaling}; valid: a number over 0")
    channels = _number(values, "latent_channels")
    if "num_encoder_blocks" in values:
        widths, blocks = _numbers(values, "encoder_block_out_channels"), _numbers(values, "num_encoder_blocks")
        return VaeShape("tiny", widths, blocks[-1], channels, float(scaling))
    layers = _number(values, "layers_per_block")
    return VaeShape("kl", _numbers(values, "block_out_channels"), layers, channels, float(scaling))


def encoder_shape(values: Mapping[str, object]) -> EncoderShape:
    """Return the shape that a transformers config of a CLIP tower has. Raises ValueError as above."""
    activation = values.get("hidden_act")
    if activation not in ("gelu", "quick_gelu"):
        raise ValueError(f"hidden_act: {activation}; valid: gelu, quick_gelu")
    names = {
        "width": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads",
        "hidden": "intermediate_size", "picture": "image_size", "patch": "patch_size",
        "vocabulary": "vocab_size", "positions": "max_position_embeddings",
    }  # fmt: skip
    found = {ours: _number(values, theirs) for ours, theirs in names.items() if theirs in values}
    return EncoderShape(**found, activation=activation)


def _number(values: Mapping[str, object], name: str) -> int:
    found = values.get(name)
    if not isinstance(found, int):
        raise ValueError(f"{name}: {found}; valid: one whole number")
    return found


def _numbers(values: Mapping[str, object], name: str) -> tuple[int, ...]:
    found = values.get(name)
    if not isinstance(found, list | tuple) or not all(isinstance(n, int) for n in found):
        raise ValueError(f"{name}: {found}; valid: whole numbers")
    return tuple(found)
