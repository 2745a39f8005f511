"""Imports checkpoints of the papers' authors, in the names of Stability's `sgm` code, as a model folder."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from models.data.clips import Conditioning as ConditionedOn
from models.data.errors import DreamFileError
from models.video import sgm_shapes
from models.video.checkpoint_file import CheckpointFile, open_checkpoint
from models.video.clip_names import clip_origins
from models.video.config import BYTE_VOCABULARY, NORM_GROUPS, PUBLISHED, VIDEO_POLICY, VideoConfig
from models.video.config_file import NAME, config_from_table
from models.video.model_folder import Networks, load_networks, load_svd, load_tokenizer, save_networks
from models.video.networks import build_encoder, build_unet, build_vae, byte_tokenizer
from models.video.sgm_names import unet_origins, vae_origins
from models.video.weights import fill

LAYOUTS: Mapping[str, VideoConfig] = {"sgm-dreamitate": PUBLISHED, "sgm-videopolicy": VIDEO_POLICY}
ABOUT = "dreamdeck"  # what an exported file says of itself


@dataclass(frozen=True)
class ImportOptions:
    """ema: averaged weights instead of the last ones. head_channels: width of an attention head. base: a model
    folder or a stock Stable Video Diffusion that gives what the checkpoint lacks. tokenizer: where CLIP's is."""

    ema: bool = False
    head_channels: int = 64
    base: str = ""
    tokenizer: str = ""


@dataclass(frozen=True)
class Imported:
    """What came of it. left_out: how many weights of other parts stayed behind; from_base: parts the base gave;
    wordless: it is conditioned on text and has no tokenizer yet."""

    config: VideoConfig
    left_out: Mapping[str, int]
    from_base: tuple[str, ...]
    wordless: bool


@dataclass(frozen=True)
class _Found:
    """Where the networks are in a checkpoint: what stands before their names. tower: its kind, and that."""

    unet: str
    vae: str | None
    tower: tuple[ConditionedOn, str] | None

    @property
    def lacking(self) -> tuple[str, ...]:
        """Parts that a base must give, by their names in the config."""
        parts = {"vae": self.vae, "encoder": self.tower}
        return tuple(part for part, found in parts.items() if found is None)


def import_checkpoint(
    path: Path,
    layout: str,
    out: Path,
    options: ImportOptions | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Imported:
    """Write a checkpoint as a model folder; nothing is written unless all of it fits.

    Raises DreamFileError for a file that is broken or hostile, or lists the weights that do not fit.
    """
    options = options or ImportOptions()
    if out.exists():
        raise DreamFileError(out, "folder", "is there already", "a folder that is not there yet")
    report("reading the checkpoint")
    file = open_checkpoint(path)
    found = _find(file, LAYOUTS[layout])
    try:
        config = _config(file, found, LAYOUTS[layout], options)
    except DreamFileError:
        raise
    except ValueError as error:
        raise file.wrong("shapes", str(error)) from error
    base = None
    if found.lacking:
        config, base = _with_base(file, found, config, options)
    report("building the networks")
    networks = Networks(
        build_unet(config),
        base.vae if base and found.vae is None else build_vae(config),
        base.encoder if base and found.tower is None else build_encoder(config),
        base.tokenizer if base else None,
    )
    report("taking over the weights")
    _fill_unet(networks, file, found.unet, config, options.ema)
    if found.vae is not None:
        _fill_vae(networks, file, found.vae, config)
    if found.tower is not None:
        _fill_tower(networks, file, found.tower[1])
    if config.conditioning == "text" and config.encoder.vocabulary == BYTE_VOCABULARY:
        networks.tokenizer = byte_tokenizer()
    if options.tokenizer and config.conditioning == "text":
        networks.tokenizer = load_tokenizer(options.tokenizer)
    report("writing the model")
    save_networks(out, config, networks)
    wordless = config.conditioning == "text" and networks.tokenizer is None
    return Imported(config, _left_out(file, found), found.lacking, wordless)


def _find(file: CheckpointFile, layout: VideoConfig) -> _Found:
    towers = sgm_shapes.tower_prefixes(file)
    kinds: tuple[ConditionedOn, ...] = ("image", "text") if layout.conditioning == "image" else ("text", "image")
    tower = next(((kind, towers[kind]) for kind in kinds if kind in towers), None)
    return _Found(sgm_shapes.unet_prefix(file), sgm_shapes.vae_prefix(file), tower)


def _config(file: CheckpointFile, found: _Found, layout: VideoConfig, options: ImportOptions) -> VideoConfig:
    """Return the layout with the shapes of the checkpoint, and what a file of our own says that no weight tells."""
    said = _said(file)
    config = said or layout
    heads = NORM_GROUPS if said else options.head_channels  # what the file itself says is put in below
    unet = sgm_shapes.unet_shape(file, found.unet, heads)
    if said and len(said.unet.heads) == len(unet.heads):
        unet = replace(unet, heads=said.unet.heads)
    vae = sgm_shapes.vae_shape(file, found.vae) if found.vae is not None else config.vae
    encoder, conditioning = config.encoder, config.conditioning
    if found.tower is not None:
        conditioning = found.tower[0]
        encoder = sgm_shapes.tower_shape(file, *found.tower, config.encoder)
        if said:
            encoder = replace(encoder, heads=said.encoder.heads)
    vae = replace(vae, scaling=config.vae.scaling)
    return replace(config, unet=unet, vae=vae, encoder=encoder, conditioning=conditioning)


def _said(file: CheckpointFile) -> VideoConfig | None:
    """Return the config that a file exported by us carries."""
    if ABOUT not in file.about:
        return None
    try:
        return config_from_table(json.loads(file.about[ABOUT]), file.path)
    except (ValueError, RecursionError) as error:
        raise file.wrong(ABOUT, f"what the file says of itself cannot be read: {error}") from error


def _with_base(
    file: CheckpointFile, found: _Found, config: VideoConfig, options: ImportOptions
) -> tuple[VideoConfig, Networks]:
    """Return the base's networks, and the config with the shapes of those that are taken from it."""
    if not options.base:
        valid = "--base with a model folder or a Stable Video Diffusion directory that has it"
        raise file.wrong(" and ".join(found.lacking), "is not in the checkpoint", valid)
    if (Path(options.base) / NAME).is_file():
        theirs, networks = load_networks(Path(options.base), torch.float32)
    else:
        theirs, networks = load_svd(options.base, config, options.tokenizer, torch.float32)
    taken: dict[str, object] = {part: getattr(theirs, part) for part in found.lacking}
    if "encoder" in taken:
        taken["conditioning"] = theirs.conditioning
        if theirs.unet.cross_attention != config.unet.cross_attention:
            problem = f"the base's embeddings have {theirs.unet.cross_attention} numbers"
            raise file.wrong("encoder", problem, f"{config.unet.cross_attention}, as the U-Net takes them")
    if "vae" in taken and theirs.vae.latent_channels != config.vae.latent_channels:
        raise file.wrong("vae", f"the base's latents have {theirs.vae.latent_channels} channels")
    return replace(config, **taken), networks  # type: ignore[arg-type]


def _fill_unet(networks: Networks, file: CheckpointFile, prefix: str, config: VideoConfig, ema: bool) -> None:
    origins = unet_origins(config.unet, networks.unet.state_dict())
    where = _averaged(file, prefix) if ema else lambda name: f"{prefix}{name}"
    roots = tuple(f"{prefix}{root}." for root in sgm_shapes.UNET_ROOTS)
    also = () if ema else [name for name in file.shapes if name.startswith(roots)]
    fill(networks.unet, origins, file, "U-Net", where, also)


def _averaged(file: CheckpointFile, prefix: str) -> Callable[[str], str]:
    """Return how averaged weights are called: under names without dots, and only those which were trained."""
    before = "model_ema." + prefix.removeprefix("model.").replace(".", "")
    if not any(name.startswith(before) for name in file.shapes):
        raise file.wrong("U-Net", f"no weight's name begins with {before}", "a checkpoint with averaged weights")

    def where(name: str) -> str:
        averaged = before + name.replace(".", "")
        return averaged if averaged in file.shapes else f"{prefix}{name}"

    return where


def _fill_vae(networks: Networks, file: CheckpointFile, prefix: str, config: VideoConfig) -> None:
    vae = networks.vae
    origins = vae_origins(config.vae, vae.state_dict())
    if f"{prefix}quant_conv.weight" not in file.shapes:  # the published engine has none: as one that does nothing
        origins = {name: origin for name, origin in origins.items() if not name.startswith("quant_conv.")}
        with torch.no_grad():
            vae.quant_conv.weight.copy_(torch.eye(2 * config.vae.latent_channels)[..., None, None])
            vae.quant_conv.bias.zero_()
    roots = tuple(f"{prefix}{root}." for root in sgm_shapes.VAE_ROOTS)
    also = [name for name in file.shapes if name.startswith(roots)]
    fill(vae, origins, file, "VAE", lambda name: f"{prefix}{name}", also)


def _fill_tower(networks: Networks, file: CheckpointFile, prefix: str) -> None:
    origins = clip_origins(networks.encoder.state_dict())
    fill(networks.encoder, origins, file, "CLIP tower", lambda name: f"{prefix}{name}")


def _left_out(file: CheckpointFile, found: _Found) -> dict[str, int]:
    """Return how many weights of which other parts stay behind; a policy's U-Net carries its action decoder."""
    taken = tuple(f"{found.unet}{root}." for root in sgm_shapes.UNET_ROOTS)
    if found.vae is not None:
        taken += tuple(f"{found.vae}{root}." for root in sgm_shapes.VAE_ROOTS)
    if found.tower is not None:
        taken += (found.tower[1],)
    others = [name for name in file.shapes if not name.startswith(taken)]
    return dict(Counter(".".join(name.split(".")[:-1][:3]) or name for name in others))
