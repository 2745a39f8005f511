"""Exports a model folder as one checkpoint in the names of Stability's `sgm` code."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from models.data.errors import DreamFileError
from models.video.clip_names import clip_origins
from models.video.config import VideoConfig
from models.video.config_file import config_table
from models.video.import_sgm import ABOUT
from models.video.model_folder import Networks, load_networks
from models.video.sgm_names import UNET_PREFIX, VAE_PREFIX, unet_origins, vae_origins
from models.video.weights import given

TOWERS = {
    "image": "conditioner.embedders.0.open_clip.model.visual.",
    "text": "conditioner.embedders.0.open_clip.model.",
}
CONDITION_VAE = "conditioner.embedders.3.encoder."


def export_checkpoint(folder: Path, out: Path) -> int:
    """Write the model as a safetensors file that the authors' code loads; return how many weights it holds.

    Their engine has no `quant_conv`: it is folded into the convolution before it, which changes nothing. The
    encoder is there twice, as it is theirs: for latents, and for the condition. Raises DreamFileError, OSError.
    """
    if out.suffix.lower() != ".safetensors":
        raise DreamFileError(out, "file", f"is a {out.suffix or 'file without suffix'}", "a .safetensors file")
    config, networks = load_networks(folder, torch.float32)
    if config.vae.kind != "kl":
        raise DreamFileError(folder, "vae.kind", config.vae.kind, "kl: sgm has no names for another picture coder")
    weights = sgm_weights(config, networks)
    need = sum(t.numel() * t.element_size() for t in weights.values())
    free = shutil.disk_usage(out.absolute().parent).free
    if free < need:
        raise DreamFileError(out, "disk", f"{free / 1e9:.1f} GB are free", f"{need / 1e9:.1f} GB for this model")
    part = out.with_name(f".{out.name}.part")
    try:
        save_file(weights, str(part), {"format": "pt", ABOUT: json.dumps(config_table(config))})
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return len(weights)


def sgm_weights(config: VideoConfig, networks: Networks) -> dict[str, torch.Tensor]:
    """Return all weights of a model under sgm names, contiguous, no two of them in the same memory."""
    unet, vae, tower = (part.state_dict() for part in (networks.unet, networks.vae, networks.encoder))
    coder = given(vae, vae_origins(config.vae, vae))
    parts: Mapping[str, Mapping[str, torch.Tensor]] = {
        UNET_PREFIX: given(unet, unet_origins(config.unet, unet)),
        VAE_PREFIX: _without_quant(coder),
        TOWERS[config.conditioning]: given(tower, clip_origins(tower)),
        CONDITION_VAE: {name: t for name, t in coder.items() if not name.startswith("decoder.")},
    }
    return {
        f"{prefix}{name}": tensor.clone(memory_format=torch.contiguous_format)
        for prefix, part in parts.items()
        for name, tensor in part.items()
    }


def _without_quant(coder: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the auto-encoder's weights with quant_conv folded into the encoder's last convolution."""
    quant = coder["quant_conv.weight"][..., 0, 0]
    last, bias = coder["encoder.conv_out.weight"], coder["encoder.conv_out.bias"]
    folded = {
        "encoder.conv_out.weight": torch.einsum("oi,ichw->ochw", quant, last),
        "encoder.conv_out.bias": quant @ bias + coder["quant_conv.bias"],
    }
    return {name: t for name, t in (coder | folded).items() if not name.startswith("quant_conv.")}
