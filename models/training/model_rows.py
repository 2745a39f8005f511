"""The model's part of a training config, as rows of a form: its networks' numbers beside the published ones."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from models.training.settings import Setting, SettingRow, kind_of
from models.video.config import PUBLISHED, VideoConfig

_HELP: Mapping[str, tuple[str, str]] = {
    "views": ("cameras", ""),
    "length": ("frames of each view, the scene's first", "frames"),
    "arrangement": ("which views and times the network's frames are", ""),
    "size": ("width and height of the pictures", "px"),
    "residual": ("predict how frames differ from their view's scene, instead of the frames", ""),
    "zoom": ("how many times less than the aspect allows is shown, around the middle", ""),
    "conditioning": ("embeddings of each view's scene (paper), or of a sentence (released code)", ""),
    "fps": ("rate of a clip's pictures (scooping, sweeping: 5)", "1/s"),
    "time_ids.fps": ("rate that the network is told", "1/s"),
    "time_ids.motion_bucket": ("how much motion the network is told", ""),
    "time_ids.augmentation": ("strength of the noise on the scene's pictures", ""),
    "unet.widths": ("channels of each level of the U-Net", ""),
    "unet.heads": ("heads of attention of each level", ""),
    "unet.attention": ("which levels have attention", ""),
    "unet.layers": ("residual blocks of each level", ""),
    "unet.cross_attention": ("numbers of an embedding", ""),
    "unet.time_embed": ("numbers of an embedded time id", ""),
    "vae.kind": ("the picture coder: Stable Video Diffusion's (kl), or one without norms (tiny)", ""),
    "vae.widths": ("channels of each level of the picture coder", ""),
    "vae.layers": ("residual blocks of each level of the picture coder", ""),
    "vae.latent_channels": ("channels of the latents", ""),
    "vae.scaling": ("what latents are multiplied by; found anew where the picture coder is trained", ""),
    "encoder.width": ("width of the CLIP tower", ""),
    "encoder.layers": ("layers of the CLIP tower", ""),
    "encoder.heads": ("heads of attention of the CLIP tower", ""),
    "encoder.hidden": ("width of its feed-forward layers", ""),
    "encoder.picture": ("side of the picture that it looks at", "px"),
    "encoder.patch": ("side of its patches", "px"),
    "encoder.vocabulary": ("words of one that reads text", ""),
    "encoder.positions": ("longest text", "tokens"),
    "encoder.activation": ("between its feed-forward layers", ""),
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "arrangement": ("clip",),
    "conditioning": ("image", "text"),
    "encoder.activation": ("gelu", "quick_gelu"),
}


def model_rows(config: VideoConfig) -> Iterator[SettingRow]:
    """Yield the model's fields in order; a run that goes on keeps all of them."""
    for (name, value), (_, published) in zip(_values(config, ""), _values(PUBLISHED, ""), strict=True):
        text, unit = _HELP[name]
        known = Setting(text, unit, published, choices=_CHOICES.get(name, ()), locked=True)
        yield SettingRow(f"model.{name}", _kind(value), value, published, known)


def _values(part: object, where: str) -> Iterator[tuple[str, object]]:
    for field in fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        if is_dataclass(value):
            yield from _values(value, f"{where}{field.name}.")
        else:
            yield where + field.name, value


def _kind(value: object) -> str:
    if isinstance(value, tuple):
        return "flags" if isinstance(value[0], bool) else "numbers"
    return kind_of(type(value))
