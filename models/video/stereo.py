"""The stereo video model: Stable Video Diffusion over diffusers' parts, conditioned frame by frame by view."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import torch
from torch import nn

from hardware.types import require
from models.data.clips import TimeIds
from models.video.clip_pictures import clip_pixels
from models.video.conditioning import Conditioning, time_ids
from models.video.config import VideoConfig
from models.video.model_folder import Networks, load_networks, load_svd, save_networks
from models.video.networks import build_encoder, build_unet, build_vae, byte_tokenizer
from models.video.picture_coder import latents_of, pixels_of
from models.video.unet_pass import predict

Trainable = Literal["attention", "all"]
ATTENTION = (".attn1.", ".attn2.")
ENCODED_AT_ONCE = 768 * 448  # pixels


class StereoVideoModel(nn.Module):
    """unet, vae and encoder with the config that says how they are used.

    Pictures are uint8 RGB tensors of config.size; frames follow config.layout. Nothing here draws random numbers
    but from the generator it is given (the process's own where there is none). In float16 the encoding half of the
    auto-encoder stays float32: its activations are too large for it.
    """

    def __init__(self, config: VideoConfig, networks: Networks) -> None:
        super().__init__()
        self.config = config
        self.unet, self.vae, self.encoder = networks.unet, networks.vae, networks.encoder
        self.tokenizer = networks.tokenizer
        self.vae.requires_grad_(False)
        self.encoder.requires_grad_(False)
        self.eval()

    @classmethod
    def create(cls, config: VideoConfig, seed: int = 0, device: str | torch.device = "cpu") -> "StereoVideoModel":
        """Return a model with random weights, float32; the same for the same seed and device."""
        device = torch.device(device)
        with torch.random.fork_rng([device] if device.type == "cuda" else []), device:
            torch.manual_seed(seed)
            networks = Networks(build_unet(config), build_vae(config), build_encoder(config))
        if config.conditioning == "text":
            networks.tokenizer = byte_tokenizer()
        return cls(config, networks)

    @classmethod
    def load(
        cls, folder: Path, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
    ) -> "StereoVideoModel":
        """Return a saved model. Raises DreamFileError naming the file and what is wrong with it."""
        return cls(*load_networks(folder, dtype)).placed(dtype, device)

    @classmethod
    def from_svd(
        cls,
        source: str | Path,
        config: VideoConfig,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        text_tower: str | Path = "",
    ) -> "StereoVideoModel":
        """Return a model that starts from Stable Video Diffusion: a local diffusers directory or a hub name.

        The networks' shapes are the checkpoint's, the layout and the conditioning are the config's. text_tower: a
        CLIP model's folder or hub name, for conditioning "text". Raises DreamFileError as `load` does.
        """
        return cls(*load_svd(str(source), config, str(text_tower), dtype)).placed(dtype, device)

    def save(self, folder: Path, shared: Mapping[str, Path] = MappingProxyType({})) -> None:
        """Write a diffusers directory, safetensors only, and dreamdeck.toml with the config.

        The folder appears whole or not at all. shared: by "unet", "vae", "encoder" a folder that holds this very
        network already, whose files are linked. Raises DreamFileError where there is a folder already, OSError on a
        full disk.
        """
        save_networks(folder, self.config, Networks(self.unet, self.vae, self.encoder, self.tokenizer), shared)

    def placed(self, dtype: torch.dtype, device: str | torch.device) -> "StereoVideoModel":
        """Move the model there, in that precision, and return it."""
        self.to(device=device, dtype=dtype)
        if dtype == torch.float16 and self.config.vae.kind == "kl":
            self.vae.encoder.float()
            self.vae.quant_conv.float()
        return self

    @property
    def device(self) -> torch.device:
        return self._a_weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Of the U-Net."""
        return self._a_weight.dtype

    @property
    def _a_weight(self) -> torch.Tensor:
        weight: torch.Tensor = self.unet.conv_in.weight
        return weight

    @torch.no_grad()
    def encode(
        self,
        pictures: torch.Tensor,
        text: Sequence[str] = (),
        ids: TimeIds | None = None,
        generator: torch.Generator | None = None,
    ) -> Conditioning:
        """Return what the network is told of B scenes, without gradients.

        pictures (B, V, H, W, 3) uint8: each view at t0. text: a sentence for each scene where the model is
        conditioned on text. ids: the config's unless given; their augmentation is the strength of the noise that
        is put on the pictures before they become latents.
        """
        self._check(pictures, self.config.views, "views")
        scenes, ids = len(pictures), ids or self.config.time_ids
        views = torch.tensor([view for view, _ in self.config.layout], device=self.device)
        clean = self._pixels(pictures)
        noise = torch.randn(clean.shape, generator=generator, device=generator.device if generator else None)
        noisy = (clean + ids.augmentation * noise.to(clean)).to(self.vae.dtype)
        latents = latents_of(self.vae, noisy).unflatten(0, (scenes, -1)).to(self.dtype)
        if self.config.conditioning == "image":
            require(not text, "text: given; this model is conditioned on pictures, not on text")
            embeddings = self._picture_embeddings(clean).unflatten(0, (scenes, -1))[:, views]
        else:
            require(len(text) == scenes, f"text: {len(text)} sentences; valid: one for each of {scenes} scenes")
            embeddings = self._text_embeddings(text)[:, None].expand(-1, len(views), -1)
        return Conditioning(latents[:, views], embeddings[:, :, None], time_ids(ids, scenes, self.device))

    @torch.no_grad()
    def latents(self, pictures: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Return scaled latents (B, F, C, h, w) float32 of pictures (B, F, H, W, 3) uint8, without gradients.

        The posterior's mean, or a sample of it where a generator is given. As many pictures at once as have the
        pixels of a published one: memory does not grow with their number.
        """
        self._check(pictures, None, "frames")
        found: list[torch.Tensor] = []
        width, height = self.config.size
        for some in pictures.flatten(0, 1).split(max(1, ENCODED_AT_ONCE // (width * height))):
            found.append(latents_of(self.vae, self._pixels(some[None]).to(self.vae.dtype), generator))
        latents = torch.cat(found).float() * self.config.vae.scaling
        return latents.reshape(*pictures.shape[:2], *latents.shape[1:])

    @torch.no_grad()
    def decode(self, latents: torch.Tensor, chunk: int = 8) -> torch.Tensor:
        """Return pictures (B, F, H, W, 3) uint8 of scaled latents (B, F, C, h, w), without gradients.

        chunk: frames that are decoded together; memory grows with it, and frames of a chunk see each other.
        """
        require(chunk > 0, f"chunk: {chunk}; valid: over 0")
        found: list[torch.Tensor] = []
        for scene in (latents / self.config.vae.scaling).to(self.dtype):
            for part in scene.split(chunk):
                pixels = pixels_of(self.vae, part, len(part)).float()
                found.append(((pixels + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))
        pictures = torch.cat(found).permute(0, 2, 3, 1)
        return pictures.reshape(*latents.shape[:2], *pictures.shape[1:])

    def network(self, scaled: torch.Tensor, c_noise: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """Return the U-Net's raw prediction (B, F, C, h, w) of scaled noisy latents; c_noise (B,)."""
        beside = torch.cat([scaled.to(self.dtype), conditioning.latents.to(self.dtype)], 2)
        embeddings = conditioning.embeddings.to(self.dtype)
        return predict(self.unet, beside, c_noise, embeddings, conditioning.ids)

    def denoised(self, noisy: torch.Tensor, sigma: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """Return the denoised latents (B, F, C, h, w) float32 that the network sees in noisy ones at sigma (B,).

        EDM preconditioning for v-prediction with sigma_data 1 (Karras et al. 2022; Stable Video Diffusion D.2);
        where config.residual, of what differs from each frame's scene.
        """
        sigma, noisy = sigma.float(), noisy.float()
        s = sigma.reshape(-1, 1, 1, 1, 1)
        norm = (s**2 + 1).sqrt()
        scene = conditioning.latents.float() * (self.config.vae.scaling if self.config.residual else 0.0)
        raw = self.network((noisy - scene) / norm, sigma.log() / 4, conditioning)
        return scene + (noisy - scene) / norm**2 - raw.float() * s / norm

    def train_only(self, trainable: Trainable) -> dict[str, nn.Parameter]:
        """Let only these parameters learn and return them by name.

        "attention" (paper): the spatial and temporal attention layers of the U-Net, self and cross; "all" (released
        code): all of the U-Net. Auto-encoder and CLIP tower stay frozen.
        """
        require(trainable in ("attention", "all"), f"trainable: {trainable!r}; valid: attention, all")
        for name, parameter in self.unet.named_parameters():
            parameter.requires_grad_(trainable == "all" or any(part in name for part in ATTENTION))
        return {name: p for name, p in self.named_parameters() if p.requires_grad}

    def set_scaling(self, scaling: float) -> None:
        """Take another scaling of the latents, for an auto-encoder that was trained here."""
        self.config = replace(self.config, vae=replace(self.config.vae, scaling=scaling))
        self.vae.register_to_config(scaling_factor=scaling)

    def _pixels(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (B * N, 3, H, W) float32 in [-1, 1] of pictures (B, N, H, W, 3)."""
        return pictures.flatten(0, 1).to(self.device).permute(0, 3, 1, 2).float() / 127.5 - 1

    def _picture_embeddings(self, pixels: torch.Tensor) -> torch.Tensor:
        small = clip_pixels(pixels, self.config.encoder.picture)
        embeddings: torch.Tensor = self.encoder(small.to(self.dtype)).image_embeds
        return embeddings.to(self.dtype)

    def _text_embeddings(self, text: Sequence[str]) -> torch.Tensor:
        if self.tokenizer is None:
            raise ValueError(
                "tokenizer: this model has none; put a CLIP tokenizer's files in its folder's tokenizer/"
            )
        words = self.tokenizer(
            list(text),
            padding="max_length",
            max_length=self.config.encoder.positions,
            truncation=True,
            return_tensors="pt",
        )
        embeddings: torch.Tensor = self.encoder(words.input_ids.to(self.device)).text_embeds
        return embeddings.to(self.dtype)

    def _check(self, pictures: torch.Tensor, count: int | None, what: str) -> None:
        width, height = self.config.size
        fine = pictures.ndim == 5 and pictures.shape[2:] == (height, width, 3) and pictures.dtype == torch.uint8
        fine = fine and (count is None or pictures.shape[1] == count)
        valid = f"(scenes, {count or what}, {height}, {width}, 3) uint8"
        require(fine, f"pictures: {tuple(pictures.shape)} {pictures.dtype}; valid: {valid}")
