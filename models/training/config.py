"""What a training run is told: one typed config, read from TOML, that a form can be made of. Knows no torch.

Defaults are what Dreamitate published (arXiv 2406.16862, and the released code where the paper is silent); rows of
a form mark what differs. A run that goes on must keep the fields that are `locked`, and the model.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.data.clips import GoalBlend, StereoClip, stereo_clip
from models.data.errors import DreamFileError
from models.data.text_files import read_table, to_toml
from models.training.model_rows import model_rows
from models.training.settings import (
    SettingError,
    SettingRow,
    check_section,
    read_values,
    refuse_unknown,
    section_rows,
    setting,
    with_overrides,
)
from models.video.config import VideoConfig
from models.video.config_file import config_from_table

SYSTEMS = ("dreamitate",)


@dataclass(frozen=True)
class ClipSettings:
    """Which pictures of a demo are a clip; `length` and size are the model's."""

    task: str = setting("", "only demos of this task; empty: all demos")
    views: tuple[str, ...] = setting(
        (), "cameras by name, in the model's order; empty: the demo's first ones", locked=True
    )
    duration_s: float = setting(
        2.0, "a clip is taken from so much of a demo", unit="s", published=2.0, low=0.1, locked=True
    )
    part: str = setting(
        "begin",
        "which part, where the demo is longer than the clip",
        choices=("begin", "end", "spread"),
        locked=True,
    )
    goal: bool = setting(
        False, "paint the goal of push-shape into the pictures (needs masks)", published=False, locked=True
    )

    def __post_init__(self) -> None:
        check_section(self, "clip")


@dataclass(frozen=True)
class DataSettings:
    """Which demos are trained on."""

    held_out: int = setting(
        4, "demos that are never trained on and are dreamt for the gallery", unit="demos", low=0, locked=True
    )
    successes_only: bool = setting(True, "leave out demos that are labelled as failed")
    changed: str = setting(
        "refuse", "a run that goes on and finds other demos than it began with", choices=("refuse", "accept")
    )

    def __post_init__(self) -> None:
        check_section(self, "data")


@dataclass(frozen=True)
class TrainSettings:
    """How the U-Net is trained: EDM with v-prediction, one noise level for each clip."""

    steps: int = setting(16384, "steps of the optimizer (push-shape: 17408)", unit="steps", published=16384, low=0)
    batch: int = setting(1, "clips at once on each GPU (published: four GPUs)", unit="clips", published=1, low=1)
    accumulation: int = setting(
        4,
        "batches whose gradients are added up for a step; published: batch x batches x GPUs = 4",
        unit="batches",
        low=1,
    )
    learning_rate: float = setting(1e-5, "of the optimizer", published=1e-5, low=0)
    schedule: str = setting(
        "constant", "the learning rate over time", published="constant", choices=("constant", "cosine")
    )
    warmup: int = setting(0, "steps in which the learning rate rises from 0", unit="steps", published=0, low=0)
    optimizer: str = setting("adam", "which optimizer", published="adam", choices=("adam", "adamw"), locked=True)
    weight_decay: float = setting(0.0, "of adamw", published=0.0, low=0)
    gradient_clip: float = setting(0.0, "largest norm of the gradient; 0: any", published=0.0, low=0)
    ema: float = setting(
        0.0, "decay of averaged weights, which are then dreamt with; 0: none", published=0.0, low=0, high=0.99999,
        locked=True,
    )  # fmt: skip
    trainable: str = setting(
        "attention", "what of the U-Net learns: its attention (paper) or all of it (released code)",
        published="attention", choices=("attention", "all"), locked=True,
    )  # fmt: skip
    sigma_mean: float = setting(
        1.0, "mean of the noise level's logarithm (Stable Video Diffusion's own: 0.7)", published=1.0, locked=True
    )
    sigma_std: float = setting(1.6, "spread of the noise level's logarithm", published=1.6, low=0, locked=True)
    condition_dropout: float = setting(
        0.1, "how often the embedding, and by itself the picture, is left out", published=0.1, low=0, high=1,
        locked=True,
    )  # fmt: skip
    moving_weight: float = setting(
        0.0, "how much more a place counts where the clip differs from its scene (hand, tool, object)",
        published=0.0, low=0, locked=True,
    )  # fmt: skip
    gradient_checkpointing: bool = setting(True, "computes activations twice and keeps few: less memory, slower")
    mixed_precision: str = setting("bf16", "what is computed in half precision", choices=("no", "bf16", "fp16"))
    device: str = setting("auto", "where it computes", choices=("auto", "cpu", "cuda"))

    def __post_init__(self) -> None:
        check_section(self, "train")


@dataclass(frozen=True)
class VaeSettings:
    """How the picture coder is trained before the U-Net; steps 0 keeps the one it begins with."""

    steps: int = setting(0, "steps before those of the U-Net", unit="steps", published=0, low=0)
    batch: int = setting(4, "clips at once, some pictures of each", unit="clips", low=1)
    pictures: int = setting(4, "pictures in a row of one view", unit="pictures", low=1)
    learning_rate: float = setting(5e-4, "of the optimizer (adamw); falls to 0 as a cosine", low=0)
    warmup: int = setting(100, "steps in which the learning rate rises from 0", unit="steps", low=0)
    crop: int = setting(
        0, "side of the squares that it learns from, around what moves; 0: whole pictures", unit="px", low=0
    )
    kl_weight: float = setting(1e-6, "weight of the latents' divergence from a unit normal", low=0)
    latent_noise: float = setting(0.05, "noise on the latents of a tiny coder, which has no posterior", low=0)
    square_weight: float = setting(0.0, "weight of the square error beside the absolute one", low=0)
    edge_weight: float = setting(1.0, "weight of the error of differences between neighbouring pixels", low=0)
    moving_weight: float = setting(
        4.0, "how much more a pixel counts where the picture differs from its scene (hand, tool, object)", low=0
    )

    def __post_init__(self) -> None:
        check_section(self, "vae")


@dataclass(frozen=True)
class SaveSettings:
    """Checkpoints."""

    every: int = setting(500, "steps between checkpoints", unit="steps", low=1)
    keep_last: int = setting(3, "newest checkpoints that are kept", low=1)
    keep_every: int = setting(0, "checkpoints at multiples of so many steps are kept for good; 0: none", low=0)

    def __post_init__(self) -> None:
        check_section(self, "save")


@dataclass(frozen=True)
class GallerySettings:
    """Held-out scenes that are dreamt while it trains."""

    every: int = setting(1000, "steps between galleries; 0: none", unit="steps", low=0)
    scenes: int = setting(4, "held-out clips that are dreamt", low=0)
    steps: int = setting(30, "denoising steps", published=30, low=1)
    guidance: float = setting(1.0, "guidance; 1: none (released code: 2)", published=1.0, low=1, high=100)
    decode_chunk: int = setting(4, "pictures that are decoded at once", low=1)
    seed: int = setting(0, "of the dreams' noise", low=0)
    sigma_max: float = setting(700.0, "noise level that a dream begins with", published=700.0, low=1, high=1e5)
    tools: tuple[str, ...] = setting(
        (), "ROLE=NAME of tools that are tracked in dreams and in demos, to compare them; takes seconds a scene"
    )

    def __post_init__(self) -> None:
        check_section(self, "gallery")


SECTIONS: Mapping[str, type] = {
    "clip": ClipSettings, "data": DataSettings, "train": TrainSettings, "vae": VaeSettings, "save": SaveSettings,
    "gallery": GallerySettings,
}  # fmt: skip
_TOP = ("system", "seed", "start", "text_tower")


@dataclass(frozen=True)
class TrainConfig:
    """One run. start: what it begins from: "" random weights, a folder that a run or an import made, a diffusers
    directory of Stable Video Diffusion, or its name on the hub."""

    system: str = setting("dreamitate", "what is trained", choices=SYSTEMS, locked=True)
    seed: int = setting(0, "of weights, order and noise: the same seed gives the same run", low=0, locked=True)
    start: str = setting(
        "", "what it begins from: a folder, or a name on the hub; empty: random weights",
        published="stabilityai/stable-video-diffusion-img2vid-xt",
    )  # fmt: skip
    text_tower: str = setting("", "conditioned on text, and started from Stable Video Diffusion: a CLIP model")
    model: VideoConfig = field(default_factory=VideoConfig)
    clip: ClipSettings = field(default_factory=ClipSettings)
    data: DataSettings = field(default_factory=DataSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    vae: VaeSettings = field(default_factory=VaeSettings)
    save: SaveSettings = field(default_factory=SaveSettings)
    gallery: GallerySettings = field(default_factory=GallerySettings)

    def __post_init__(self) -> None:
        check_section(self, "")
        if self.steps == 0:
            raise SettingError("train.steps", "0, and vae.steps too", "1 and more for one of them")
        if self.model.arrangement != "clip":
            raise SettingError("model.arrangement", f"{self.model.arrangement!r}", "clip")
        factor, most = self.model.vae.factor, min(self.model.size)
        if self.vae.crop % factor or self.vae.crop > most:
            raise SettingError("vae.crop", f"{self.vae.crop}", f"a multiple of {factor}, at most {most}")
        views = self.model.views
        if len(self.clip.views) not in (0, views):
            raise SettingError("clip.views", f"{list(self.clip.views)}", f"{views} (model.views), or none")
        if self.train.optimizer == "adam" and self.train.weight_decay:
            raise SettingError("train.weight_decay", f"{self.train.weight_decay:g} with adam", "0, or adamw")

    @property
    def steps(self) -> int:
        """Steps of the whole run: the picture coder's, then the U-Net's."""
        return self.vae.steps + self.train.steps

    @property
    def recipe(self) -> StereoClip:
        """The clip's recipe."""
        return StereoClip(
            views=self.clip.views,
            cameras=self.model.views,
            fps=self.model.fps,
            duration_s=self.clip.duration_s,
            part=self.clip.part,  # type: ignore[arg-type]
            length=self.model.length,
            size=self.model.size,
            zoom=self.model.zoom,
            conditioning=self.model.conditioning,
            time_ids=self.model.time_ids,
            goal=GoalBlend() if self.clip.goal else None,
        )


def read_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Return the config of a TOML file, with "section.field=value" texts set. Raises DreamFileError."""
    try:
        return config_from(with_overrides(read_table(path), overrides), path)
    except SettingError as error:
        raise DreamFileError(path, error.field, error.problem, error.valid) from error


def config_from(table: Mapping[str, object], path: Path) -> TrainConfig:
    """Return a config from plain values; what is not named keeps its default.

    Raises SettingError, and DreamFileError, which names the path, for the model.
    """
    refuse_unknown(table, [*_TOP, "model", *SECTIONS], "")
    top = read_values(TrainConfig, {name: table[name] for name in _TOP if name in table}, "")
    sections = {name: kind(**read_values(kind, table.get(name, {}), name)) for name, kind in SECTIONS.items()}
    return TrainConfig(**top, model=_model(table.get("model", {}), path), **sections)  # type: ignore[arg-type]


def _model(table: object, path: Path) -> VideoConfig:
    if not isinstance(table, Mapping):
        raise SettingError("model", f"is a {type(table).__name__}", "a table of named fields")
    try:
        return config_from_table(table, path)
    except DreamFileError as error:
        raise DreamFileError(path, f"model.{error.field}", error.problem, error.valid) from error


def to_table(config: TrainConfig) -> dict[str, object]:
    """Return plain values that `config_from` reads back."""
    return dataclasses.asdict(config)


def config_text(config: TrainConfig) -> str:
    """Return the config as TOML."""
    return to_toml(to_table(config))


def form_rows(config: TrainConfig) -> tuple[SettingRow, ...]:
    """Return a row for each field, with what is published for the clip's task."""
    rows = [*section_rows(config, ""), *model_rows(config.model)]
    for name in SECTIONS:
        rows += section_rows(getattr(config, name), name)
    published = _published(config.clip.task)
    return tuple(
        dataclasses.replace(row, setting=dataclasses.replace(row.setting, published=published[row.key]))
        if row.key in published
        else row
        for row in rows
    )


def locked_differences(mine: TrainConfig, runs: TrainConfig) -> list[str]:
    """Return in words what differs of what a run that goes on must keep; runs: the config that it began with."""
    pairs = zip(form_rows(mine), form_rows(runs), strict=True)
    return [
        f"{a.key}: {a.value!r}, the run's is {b.value!r}"
        for a, b in pairs
        if a.setting.locked and a.value != b.value
    ]


def _published(task: str) -> Mapping[str, object]:
    """Return what the paper has for a task in particular."""
    clip = stereo_clip(task)
    return {
        "model.fps": clip.fps,
        "model.time_ids.fps": clip.time_ids.fps,
        "clip.duration_s": clip.duration_s,
        "clip.goal": clip.goal is not None,
        "train.steps": 17408 if task == "push-shape" else 16384,
    }
