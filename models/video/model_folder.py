"""The folder of a video model: a diffusers directory, safetensors only, with dreamdeck.toml beside the networks."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from diffusers import AutoencoderKLTemporalDecoder, AutoencoderTiny, UNetSpatioTemporalConditionModel
from diffusers import __version__ as diffusers_version
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError
from torch import nn
from transformers import CLIPTextModelWithProjection, CLIPTokenizer, CLIPVisionModelWithProjection
from transformers.utils import logging as transformers_logging

from hardware.whole_file import write_whole
from models.data.errors import DreamFileError
from models.data.text_files import to_json
from models.video.clip_pictures import MEAN, STD
from models.video.config import VideoConfig
from models.video.config_file import NAME, read_config, write_config
from models.video.networks import as_published, build_scheduler, encoder_shape, unet_shape, vae_shape
from models.video.picture_coder import PictureCoder

UNET, VAE, SCHEDULER, TOKENIZER, EXTRACTOR = "unet", "vae", "scheduler", "tokenizer", "feature_extractor"
ENCODERS = {"image": "image_encoder", "text": "text_encoder"}
CODERS = {"kl": AutoencoderKLTemporalDecoder, "tiny": AutoencoderTiny}
TOWERS = {"image": CLIPVisionModelWithProjection, "text": CLIPTextModelWithProjection}


@dataclass
class Networks:
    """What a model is made of. tokenizer: of text; None where the model looks at pictures, or has lost it."""

    unet: UNetSpatioTemporalConditionModel
    vae: PictureCoder
    encoder: nn.Module
    tokenizer: CLIPTokenizer | None = None


def part_folders(config: VideoConfig) -> dict[str, str]:
    """Return where each network lies in a folder, by its name in the model."""
    return {"unet": UNET, "vae": VAE, "encoder": ENCODERS[config.conditioning]}


def save_networks(
    folder: Path, config: VideoConfig, networks: Networks, shared: Mapping[str, Path] = MappingProxyType({})
) -> None:
    """Write the folder, whole or not at all. Raises DreamFileError where one is there, OSError on a full disk.

    shared: folders that hold a network just as it is, by its name in the model: their files are linked.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DreamFileError(folder, "folder", "is there already", "a folder that is not there yet")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.part")
    _quiet()
    shutil.rmtree(part, ignore_errors=True)
    try:
        _write(part, config, networks, shared)
        part.replace(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def load_networks(folder: Path, dtype: torch.dtype) -> tuple[VideoConfig, Networks]:
    """Return what a folder holds. Raises DreamFileError naming the part and what is wrong with it."""
    config = read_config(folder)
    networks = _read(str(folder), config, dtype)
    _check_same(folder, config, networks)
    return config, networks


def load_svd(source: str, config: VideoConfig, text_tower: str, dtype: torch.dtype) -> tuple[VideoConfig, Networks]:
    """Return the networks of a stock Stable Video Diffusion, by folder or hub name, and the config in their shapes.

    text_tower: where the text encoder and its tokenizer are, for a config that is conditioned on text.
    """
    local = Path(source).is_dir()
    if "/" not in source and not local:
        raise DreamFileError(source, "model", "is not there", "a diffusers directory, or a hub name")
    networks = Networks(
        _part(UNetSpatioTemporalConditionModel, source, UNET, dtype, local),
        _part(AutoencoderKLTemporalDecoder, source, VAE, dtype, local),
        nn.Identity(),
    )
    if config.conditioning == "image":
        networks.encoder = _part(CLIPVisionModelWithProjection, source, ENCODERS["image"], dtype, local)
    else:
        networks.encoder, networks.tokenizer = load_text_tower(text_tower, dtype)
    as_published(networks.unet)
    return _with_shapes(source, config, networks), networks


def load_text_tower(source: str, dtype: torch.dtype) -> tuple[nn.Module, CLIPTokenizer]:
    """Return a CLIP text encoder with projection and its tokenizer, from a folder or a hub name."""
    valid = "a folder or hub name of a CLIP model, such as laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
    if not source:
        raise DreamFileError("text tower", "source", "is not given; the model is conditioned on text", valid)
    local = Path(source).is_dir()
    inner = "text_encoder" if local and (Path(source) / "text_encoder").is_dir() else ""
    words = "tokenizer" if local and (Path(source) / "tokenizer").is_dir() else ""
    encoder = _part(CLIPTextModelWithProjection, source, inner, dtype, local, strict=False)
    return encoder, load_tokenizer(str(Path(source) / words) if words else source)


def load_tokenizer(source: str) -> CLIPTokenizer:
    """Return CLIP's tokenizer from a folder or a hub name."""
    with _named(source, "tokenizer"):
        return CLIPTokenizer.from_pretrained(source, local_files_only=Path(source).is_dir())


def _write(folder: Path, config: VideoConfig, networks: Networks, shared: Mapping[str, Path]) -> None:
    folder.mkdir()
    tower = ENCODERS[config.conditioning]
    for name, place in part_folders(config).items():
        if name in shared:
            shutil.copytree(shared[name], folder / place, copy_function=_link)
        else:
            getattr(networks, name).save_pretrained(folder / place)
    build_scheduler().save_pretrained(folder / SCHEDULER)
    index: dict[str, object] = {
        "_class_name": "StableVideoDiffusionPipeline" if config.conditioning == "image" else "DiffusionPipeline",
        "_diffusers_version": diffusers_version,
        UNET: ["diffusers", "UNetSpatioTemporalConditionModel"],
        VAE: ["diffusers", CODERS[config.vae.kind].__name__],
        SCHEDULER: ["diffusers", "EulerDiscreteScheduler"],
        tower: ["transformers", TOWERS[config.conditioning].__name__],
    }
    if config.conditioning == "image":
        index[EXTRACTOR] = ["transformers", "CLIPImageProcessor"]
        (folder / EXTRACTOR).mkdir()
        write_whole(folder / EXTRACTOR / "preprocessor_config.json", to_json(_extractor(config.encoder.picture)))
    elif networks.tokenizer is not None:
        index[TOKENIZER] = ["transformers", "CLIPTokenizer"]
        networks.tokenizer.save_pretrained(folder / TOKENIZER)
    write_whole(folder / "model_index.json", to_json(index))
    write_config(folder, config)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _extractor(side: int) -> dict[str, object]:
    square = {"height": side, "width": side}
    return {
        "image_processor_type": "CLIPImageProcessor",
        "crop_size": square,
        "size": {"shortest_edge": side},
        "image_mean": MEAN,
        "image_std": STD,
        "resample": 3,
        **dict.fromkeys(("do_center_crop", "do_convert_rgb", "do_normalize", "do_rescale", "do_resize"), True),
    }


def _read(source: str, config: VideoConfig, dtype: torch.dtype) -> Networks:
    words, conditioning = Path(source) / TOKENIZER, config.conditioning
    return Networks(
        as_published(_part(UNetSpatioTemporalConditionModel, source, UNET, dtype, local=True)),
        _part(CODERS[config.vae.kind], source, VAE, dtype, local=True),
        _part(TOWERS[conditioning], source, ENCODERS[conditioning], dtype, local=True),
        load_tokenizer(str(words)) if conditioning == "text" and words.is_dir() else None,
    )


def _part(kind: Any, source: str, inner: str, dtype: torch.dtype, local: bool, strict: bool = True) -> Any:
    """Return one network, every weight of which is in its file."""
    _quiet()
    files = [file.name for file in (Path(source) / inner).glob("*.safetensors")]
    if local and not files:
        valid = "a diffusers directory"
        raise DreamFileError(Path(source) / inner, "weights", "there is no .safetensors file", valid)
    options: dict[str, object] = {"subfolder": inner} if inner else {}
    if files and all(".fp16." in name for name in files):
        options["variant"] = "fp16"  # stock models come in it alone, too
    options["dtype" if kind in TOWERS.values() else "torch_dtype"] = dtype
    with _named(source, inner or kind.__name__):
        network, found = kind.from_pretrained(
            source, use_safetensors=True, local_files_only=local, output_loading_info=True, **options
        )
    wrong = [f"{name} is missing" for name in found["missing_keys"]]
    wrong += [f"{one[0]} is {_sizes(one[1])}, not {_sizes(one[2])}" for one in found["mismatched_keys"]]
    wrong += [f"{name} is not known" for name in found["unexpected_keys"]] if strict else []
    if wrong:
        shown = "; ".join(sorted(wrong)[:8]) + (f"; and {len(wrong) - 8} more" if len(wrong) > 8 else "")
        raise DreamFileError(source, inner, shown, "the weights that its config.json describes")
    with torch.no_grad():
        for weight in network.parameters():  # off the mapped file, which may be pruned, and to where sums are exact
            weight.data = weight.data.clone()
    return network.eval()


def _sizes(shape: object) -> str:
    return "x".join(map(str, shape)) if isinstance(shape, list | tuple) else str(shape)


@contextmanager
def _named(source: str, part: str) -> Any:
    """Name the model and its part in whatever goes wrong with its files."""
    try:
        yield
    except DreamFileError:
        raise
    except (OSError, SafetensorError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        problem = f"cannot be loaded: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        raise DreamFileError(source, part, problem, "config.json and whole .safetensors files") from error


def _with_shapes(source: str, config: VideoConfig, networks: Networks) -> VideoConfig:
    """Return the config with the shapes of the networks. Raises DreamFileError for a build that is none of ours."""
    readers: Mapping[str, tuple[Callable[[Mapping[str, object]], Any], Mapping[str, object]]] = {
        "unet": (unet_shape, networks.unet.config),
        "vae": (vae_shape, networks.vae.config),
        "encoder": (encoder_shape, json.loads(networks.encoder.config.to_json_string(use_diff=False))),  # type: ignore[union-attr, operator]
    }
    shapes = {}
    for name, (reader, values) in readers.items():
        try:
            shapes[name] = reader(values)
        except ValueError as error:
            raise DreamFileError(source, name, str(error)) from error
    if networks.encoder.config.projection_dim != shapes["unet"].cross_attention:  # type: ignore[union-attr]
        numbers = networks.encoder.config.projection_dim  # type: ignore[union-attr]
        raise DreamFileError(source, "encoder", f"gives {numbers} numbers", f"{shapes['unet'].cross_attention}")
    if networks.unet.config.in_channels != 2 * shapes["vae"].latent_channels:
        problem = f"takes {networks.unet.config.in_channels} channels"
        raise DreamFileError(source, "unet", problem, f"{2 * shapes['vae'].latent_channels}, twice the latents'")
    return replace(config, **shapes)


def _check_same(folder: Path, config: VideoConfig, networks: Networks) -> None:
    """Refuse networks that are not those dreamdeck.toml describes."""
    found = _with_shapes(str(folder), config, networks)
    for part in ("unet", "vae", "encoder"):
        said, is_ = vars(getattr(config, part)), vars(getattr(found, part))
        for field, value in is_.items():
            unused = part == "encoder" and field in _of_other_tower(config)
            if value != said[field] and not unused:
                raise DreamFileError(folder / NAME, f"{part}.{field}", f"{said[field]}", f"{value}, as in {part}")


def _of_other_tower(config: VideoConfig) -> tuple[str, str]:
    return ("vocabulary", "positions") if config.conditioning == "image" else ("picture", "patch")


def _quiet() -> None:
    """Keep the libraries' progress bars off stderr, where a verb says how far it is; and what diffusers says of its
    own AutoencoderTiny: that it does not know a field which it wrote."""
    diffusers_logging.disable_progress_bar()
    diffusers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
