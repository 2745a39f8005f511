"""What the video U-Net is told of a scene: latents and embeddings for each frame by its view, and the time ids."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from models.data.clips import TimeIds


@dataclass(frozen=True, eq=False)
class Conditioning:
    """For B scenes and F frames of the layout.

    latents (B, F, C, h, w): of each frame's own view at t0, not scaled, to be put beside the noisy ones.
    embeddings (B, F, 1, D): for cross-attention. ids (B, 3): fps, motion bucket, augmentation.
    """

    latents: torch.Tensor
    embeddings: torch.Tensor
    ids: torch.Tensor

    def __len__(self) -> int:
        return len(self.latents)

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> "Conditioning":
        """Return it elsewhere; ids stay float32."""
        return Conditioning(self.latents.to(device, dtype), self.embeddings.to(device, dtype), self.ids.to(device))

    def repeated(self, n: int) -> "Conditioning":
        """Return it n times over, scene by scene: B becomes B * n."""
        return Conditioning(*(t.repeat_interleave(n, 0) for t in (self.latents, self.embeddings, self.ids)))

    def at(self, scenes: slice | Sequence[int]) -> "Conditioning":
        """Return some of the scenes."""
        return Conditioning(self.latents[scenes], self.embeddings[scenes], self.ids[scenes])

    def unconditional(self) -> "Conditioning":
        """Return what guidance is away from: neither picture nor embedding, the same time ids."""
        return self.dropped(torch.ones(len(self), dtype=torch.bool), torch.ones(len(self), dtype=torch.bool))

    def dropped(self, embeddings: torch.Tensor, latents: torch.Tensor) -> "Conditioning":
        """Return it without the embeddings of some scenes and the latents of others, (B,) bool each.

        The published training drops both independently, each in a tenth of the clips.
        """
        keep = [~mask.to(self.latents.device).reshape(-1, 1, 1, 1) for mask in (embeddings, latents)]
        return replace(self, embeddings=self.embeddings * keep[0], latents=self.latents * keep[1][..., None])


def time_ids(ids: TimeIds, scenes: int, device: torch.device | str | None = None) -> torch.Tensor:
    """Return ids (scenes, 3) as the network takes them: fps id, motion bucket, augmentation.

    The fps id is what the network is told, with nothing taken off. Stable Video Diffusion learnt "one less than the
    rate" (the stock pipeline subtracts that one); the recipes of both papers give the id itself.
    """
    return torch.tensor([[ids.fps, ids.motion_bucket, ids.augmentation]], device=device).repeat(scenes, 1)
