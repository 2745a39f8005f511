"""Reads off an `sgm` checkpoint what it is: where its networks are and which shapes they have."""

import re
from collections.abc import Mapping
from dataclasses import replace

from models.video.checkpoint_file import CheckpointFile
from models.video.config import EncoderShape, UNetShape, VaeShape
from models.video.sgm_names import UNET_PREFIX, VAE_PREFIX

UNET_ROOTS = ("time_embed", "label_emb", "input_blocks", "middle_block", "output_blocks", "out")
VAE_ROOTS = ("encoder", "decoder", "quant_conv", "post_quant_conv")
HEADS = {1280: 16, 1664: 16, 1408: 16}  # of OpenCLIP's ViT-H, bigG and g; other towers have heads of 64


def unet_prefix(file: CheckpointFile) -> str:
    """Return what stands before every name of the U-Net. Raises DreamFileError where there is none."""
    found = prefix(file, "input_blocks.0.0.weight", UNET_PREFIX)
    if found is None:
        raise file.wrong("U-Net", f"no weight is called {UNET_PREFIX}input_blocks.0.0.weight", "an sgm checkpoint")
    return found


def vae_prefix(file: CheckpointFile) -> str | None:
    """Return what stands before every name of the temporal auto-encoder, or None where there is none."""
    return prefix(file, "decoder.conv_out.time_mix_conv.weight", VAE_PREFIX)


def tower_prefixes(file: CheckpointFile) -> dict[str, str]:
    """Return what stands before the names of the OpenCLIP towers that are there: "image", "text"."""
    image = prefix(file, "visual.conv1.weight")
    texts = [
        n for n in file.shapes if n.endswith("transformer.resblocks.0.attn.in_proj_weight") and "visual." not in n
    ]
    found = {} if image is None else {"image": f"{image}visual."}
    return found | ({"text": texts[0].partition("transformer.")[0]} if texts else {})


def prefix(file: CheckpointFile, ending: str, usual: str = "") -> str | None:
    """Return what stands before a name, the usual prefix where there are several."""
    found = [name[: -len(ending)] for name in file.shapes if name.endswith(ending)]
    found = [p for p in found if p == "" or p.endswith(".")]
    return usual if usual in found else min(found, key=len, default=None)


def unet_shape(file: CheckpointFile, prefix: str, head_channels: int) -> UNetShape:
    """Return the shape of the U-Net. head_channels: width of an attention head, which no weight tells."""
    size = _Sizes(file, prefix, "U-Net")
    levels: list[list[int]] = [[]]
    attention: list[bool] = [False]
    for n in range(1, size.count("input_blocks")):
        if size.has(f"input_blocks.{n}.0.op.weight"):
            levels.append([])
            attention.append(False)
            continue
        levels[-1].append(size.of(f"input_blocks.{n}.0.in_layers.2.weight", 4)[0])
        attention[-1] |= size.has(f"input_blocks.{n}.1.proj_in.weight")
    widths = tuple(level[0] if level else 0 for level in levels)
    if any(len(level) != len(levels[0]) or set(level) != {w} for level, w in zip(levels, widths, strict=True)):
        raise file.wrong("U-Net", f"its levels have widths {levels}", "equally many equal ones in each level")
    if head_channels <= 0 or any(width % head_channels for width in widths):
        problem = f"heads of {head_channels} channels do not divide its widths {widths}"
        raise file.wrong("U-Net", problem, "--head-channels as num_head_channels in the network's configuration")
    attending = next((n for n in range(1, size.count("input_blocks")) if _attends(size, n)), 0)
    if not attending:
        raise file.wrong("U-Net", "it has no attention", "a network like that of Stable Video Diffusion")
    return UNetShape(
        widths=widths,
        heads=tuple(width // head_channels for width in widths),
        attention=tuple(attention),
        layers=len(levels[0]),
        cross_attention=size.of(f"input_blocks.{attending}.1.transformer_blocks.0.attn2.to_k.weight", 2)[1],
        time_embed=size.of("label_emb.0.0.weight", 2)[1] // 3,
    )


def vae_shape(file: CheckpointFile, prefix: str) -> VaeShape:
    """Return the shape of the auto-encoder."""
    size = _Sizes(file, prefix, "VAE")
    levels = size.count("encoder.down")
    widths = tuple(size.of(f"encoder.down.{level}.block.0.conv1.weight", 4)[0] for level in range(levels))
    return VaeShape(widths=widths, latent_channels=size.of("decoder.conv_in.weight", 4)[1])


def tower_shape(file: CheckpointFile, kind: str, prefix: str, like: EncoderShape) -> EncoderShape:
    """Return the shape of an OpenCLIP tower, "image" or "text"; what no weight tells is as in `like`."""
    size = _Sizes(file, prefix, "CLIP tower")
    places, width = size.of("positional_embedding", 2)
    shape = replace(
        like,
        width=width,
        layers=size.count("transformer.resblocks"),
        heads=HEADS.get(width, max(1, width // 64)),
        hidden=size.of("transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
    )
    if kind == "text":
        return replace(shape, vocabulary=size.of("token_embedding.weight", 2)[0], positions=places)
    patch = size.of("conv1.weight", 4)[2]
    return replace(shape, picture=round((places - 1) ** 0.5) * patch, patch=patch)


def _attends(size: "_Sizes", n: int) -> bool:
    return size.has(f"input_blocks.{n}.1.transformer_blocks.0.attn2.to_k.weight")


class _Sizes:
    """The sizes of one network's weights, by names without its prefix."""

    def __init__(self, file: CheckpointFile, prefix: str, part: str) -> None:
        self._file, self._prefix, self._part = file, prefix, part
        self._sizes: Mapping[str, tuple[int, ...]] = {
            name[len(prefix) :]: shape for name, shape in file.shapes.items() if name.startswith(prefix)
        }

    def has(self, name: str) -> bool:
        return name in self._sizes

    def of(self, name: str, dims: int) -> tuple[int, ...]:
        """Return a weight's shape; DreamFileError where it is not there or has another number of dimensions."""
        shape = self._sizes.get(name)
        if shape is None or len(shape) != dims:
            problem = "is missing" if shape is None else f"has shape {shape}"
            raise self._file.wrong(self._part, f"{self._prefix}{name} {problem}", f"{dims} dimensions")
        return shape

    def count(self, name: str) -> int:
        """Return how many numbered blocks of that name there are."""
        numbers = [int(m[1]) for key in self._sizes if (m := re.match(rf"{re.escape(name)}\.(\d{{1,4}})\.", key))]
        return max(numbers, default=-1) + 1
