"""What a run trains one after the other: the picture coder, where it shall, and then the video U-Net."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from diffusers import AutoencoderTiny
from torch import nn

from models.training.config import TrainConfig, VaeSettings
from models.training.data import Clip
from models.training.edm import (
    Noise,
    draw_noise,
    edm_loss,
    generator_of,
    moved_share,
    moving_weight,
    square_around_moved,
    stacked,
)
from models.training.latents import Encoded, as_batch
from models.training.optimise import Rules, vae_rules, video_rules
from models.training.recompute import recompute_blocks
from models.training.temporal import flatten_temporal
from models.video.conditioning import Conditioning
from models.video.picture_coder import latents_of, pixels_of
from models.video.sampler_speed import is_unused, one_token
from models.video.stereo import StereoVideoModel

HELD_OUT_DRAWS, MOST_HELD_OUT = 4, 16
Loaded = Callable[[Clip], Encoded]


@dataclass(frozen=True)
class Draw:
    """One clip that is shown. number: which draw of the stage, from its beginning and over all GPUs."""

    number: int
    clip: Clip


class Stage(Protocol):
    """name, rules; loss: gives the loss of a batch; parameters: what learns, by its name in the model."""

    name: str
    rules: Rules
    loss: nn.Module

    @property
    def parameters(self) -> Mapping[str, nn.Parameter]: ...

    def batch(self, draws: Sequence[Draw], device: torch.device) -> tuple[object, ...]:
        """Return what `loss` takes. What is random follows from the draws' numbers."""
        ...

    def held_out_loss(self, clips: Sequence[Clip], device: torch.device) -> float | None:
        """Return the loss of held-out clips, with the same random numbers each time; None of no clip."""
        ...


class VideoLoss(nn.Module):
    """The EDM loss of the U-Net, the only part of the model that is a part of this."""

    def __init__(self, model: StereoVideoModel, extra: float) -> None:
        super().__init__()
        self.unet, self._model, self._extra = model.unet, (model,), extra

    def forward(self, latents: torch.Tensor, told: Conditioning, noise: Noise, moved: torch.Tensor) -> torch.Tensor:
        """latents (B, F, C, h, w); moved (B, F, 1, h, w)."""
        noisy = latents + noise.noise * noise.sigma.reshape(-1, 1, 1, 1, 1)
        clean = self._model[0].denoised(noisy, noise.sigma, told.dropped(noise.no_embedding, noise.no_latents))
        weight = moving_weight(moved, self._extra) if self._extra else None
        return edm_loss(clean, latents, noise.sigma, weight)


class VideoStage:
    """The U-Net, on latents that were computed before."""

    name = "video"

    def __init__(self, config: TrainConfig, model: StereoVideoModel, loaded: Loaded) -> None:
        self.rules = video_rules(config)
        self._config, self._model, self._loaded = config, model, loaded
        model.vae.requires_grad_(False)
        learn = model.train_only(config.train.trainable)  # type: ignore[arg-type]
        one_token(model.unet)
        for name, parameter in learn.items():
            parameter.requires_grad_(not is_unused(name))
        self.parameters = {name: p for name, p in learn.items() if p.requires_grad}
        flatten_temporal(model.unet)
        if config.train.gradient_checkpointing:
            recompute_blocks(model.unet)
        self.loss: nn.Module = VideoLoss(model, config.train.moving_weight)

    def batch(self, draws: Sequence[Draw], device: torch.device) -> tuple[object, ...]:
        encoded = [self._loaded(draw.clip) for draw in draws]
        generators = [generator_of(self._config.seed, self.name, draw.number) for draw in draws]
        return self._batch(encoded, generators, device)

    @torch.no_grad()
    def held_out_loss(self, clips: Sequence[Clip], device: torch.device) -> float | None:
        losses = []
        for clip in clips[:MOST_HELD_OUT]:
            encoded = [self._loaded(clip)] * HELD_OUT_DRAWS
            generators = [generator_of("held out", clip.key, k) for k in range(HELD_OUT_DRAWS)]
            losses.append(float(self.loss(*self._batch(encoded, generators, device))))
        return sum(losses) / len(losses) if losses else None

    def _batch(
        self, encoded: list[Encoded], generators: Sequence[torch.Generator], device: torch.device
    ) -> tuple[object, ...]:
        latents, told = as_batch(encoded, self._model.config, device)
        noise = [draw_noise(tuple(latents.shape[1:]), g, self._config.train) for g in generators]
        moved = torch.stack([e.moved for e in encoded]).float().to(device)
        return latents, told, stacked(noise, device), moved


class VaeLoss(nn.Module):
    """Error of pictures and of their edges, and a little pull of the latents to a unit normal.

    A coder with a posterior is noised by it; the latents of one without by `latent_noise`.
    """

    vae: Any

    def __init__(self, vae: nn.Module, settings: VaeSettings) -> None:
        super().__init__()
        self.vae, self._settings = vae, settings

    def forward(self, pictures: torch.Tensor, moved: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """pictures (B, P, H, W, 3) uint8; moved (B, P, 1, H, W); noise (B * P, C, h, w)."""
        settings, weight = self._settings, moving_weight(moved, self._settings.moving_weight).flatten(0, 1)
        wanted = pictures.flatten(0, 1).permute(0, 3, 1, 2).float() / 127.5 - 1
        if isinstance(self.vae, AutoencoderTiny):
            latents = latents_of(self.vae, wanted)
            pull, noisy = 0.5 * (latents**2).mean(), latents + settings.latent_noise * noise
        else:
            posterior = self.vae.encode(wanted).latent_dist
            pull = 0.5 * (posterior.mean**2 + posterior.var - 1 - posterior.logvar).mean()
            noisy = posterior.mean + posterior.std * noise
        off = pixels_of(self.vae, noisy, pictures.shape[1]) - wanted
        error = (weight * (off.abs() + settings.square_weight * off**2)).mean()
        edges = sum(
            (weight.narrow(axis, 1, weight.shape[axis] - 1) * off.diff(dim=axis).abs()).mean() for axis in (2, 3)
        )
        loss: torch.Tensor = error + settings.edge_weight * edges + settings.kl_weight * pull
        return loss


class VaeStage:
    """The picture coder, on pictures in a row of one view of a clip."""

    name = "vae"

    def __init__(self, config: TrainConfig, model: StereoVideoModel) -> None:
        self.rules = vae_rules(config)
        self._config, self._model = config, model
        model.unet.requires_grad_(False)
        model.vae.requires_grad_(True)
        if config.model.vae.kind == "kl" and config.model.vae.layers == 1:
            # nothing passes through this attention
            model.vae.decoder.mid_block.attentions.requires_grad_(False)
        flatten_temporal(model.vae)
        self.parameters = {f"vae.{name}": p for name, p in model.vae.named_parameters() if p.requires_grad}
        self.loss: nn.Module = VaeLoss(model.vae, config.vae)

    def batch(self, draws: Sequence[Draw], device: torch.device) -> tuple[object, ...]:
        generators = [generator_of(self._config.seed, self.name, draw.number) for draw in draws]
        return self._batch([draw.clip for draw in draws], generators, device)

    @torch.no_grad()
    def held_out_loss(self, clips: Sequence[Clip], device: torch.device) -> float | None:
        losses = [
            float(self.loss(*self._batch([clip], [generator_of("held out", clip.key)], device)))
            for clip in clips[:MOST_HELD_OUT]
        ]
        return sum(losses) / len(losses) if losses else None

    def _batch(
        self, clips: Sequence[Clip], generators: Sequence[torch.Generator], device: torch.device
    ) -> tuple[object, ...]:
        parts = [self._pictures(clip, g) for clip, g in zip(clips, generators, strict=True)]
        pictures, moved, noise = (torch.cat([part[k] for part in parts]).to(device) for k in range(3))
        return pictures, moved, noise

    def _pictures(self, clip: Clip, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return some pictures in a row (1, P, H, W, 3), how much of them moved, and noise of their latents."""
        config, sample = self._model.config, clip.sample()
        view = int(torch.randint(config.views, (1,), generator=generator))
        rows = [k for k, (v, _) in enumerate(config.layout) if v == view]
        count = min(self._config.vae.pictures, len(rows))
        first = int(torch.randint(len(rows) - count + 1, (1,), generator=generator))
        pictures = torch.from_numpy(sample.frames[rows[first] : rows[first] + count])
        scenes = torch.from_numpy(sample.conditioning[view])[None]
        if self._config.vae.crop:
            top, left = square_around_moved(pictures, scenes, self._config.vae.crop, generator)
            pictures, scenes = (p[:, top, left] for p in (pictures, scenes))
        height, width = pictures.shape[1:3]
        small = (height // config.vae.factor, width // config.vae.factor)
        noise = torch.randn((count, config.vae.latent_channels, *small), generator=generator)
        return pictures[None], moved_share(pictures, scenes, (height, width))[None], noise


@torch.no_grad()
def unit_scaling(model: StereoVideoModel, clips: Sequence[Clip], device: torch.device) -> float:
    """Return the scaling by which the latents of clips, not scaled, have unit variance."""
    count = total = squares = 0.0
    for clip in clips:
        sample = torch.from_numpy(clip.sample().frames[None])
        plain = (model.latents(sample.to(device)) / model.config.vae.scaling).double()
        count, total, squares = count + plain.numel(), total + float(plain.sum()), squares + float((plain**2).sum())
    return float((squares / count - (total / count) ** 2) ** -0.5)
