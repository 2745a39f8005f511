"""Latents and embeddings of clips, computed once: a file for each clip and encoder, lost at no harm.

    CACHE/latents/ENCODER/ab/abcdef.safetensors      ENCODER: digest of all that makes them; abcdef: the clip's key

A file is there whole or not at all, and holds a checksum of its tensors: one that a bad disk changed is made again.
"""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from hardware.whole_file import write_whole
from models.training.data import Clip
from models.training.edm import generator_of, moved_share
from models.video.conditioning import Conditioning, time_ids
from models.video.config import VideoConfig
from models.video.stereo import StereoVideoModel

_CHECKSUM = "crc32"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A clip as the U-Net sees it. latents (F, C, h, w), scaled; scenes (V, C, h, w), embeddings (V, 1, D) of each
    view at t0; moved (F, 1, h, w): the share of each place that differs from the view's scene. float16."""

    latents: torch.Tensor
    scenes: torch.Tensor
    embeddings: torch.Tensor
    moved: torch.Tensor


def encoder_key(model: StereoVideoModel, precision: str) -> str:
    """Return a digest of what makes latents and embeddings: weights, precision, layout, sizes, scene noise."""
    config = model.config
    parts = (
        config.layout, config.size, config.conditioning, config.vae.scaling, config.time_ids.augmentation, precision
    )  # fmt: skip
    digest = hashlib.sha256(repr(parts).encode())
    for part in (model.vae, model.encoder):
        for name, value in part.state_dict().items():
            digest.update(name.encode() + _bytes(value))
    return digest.hexdigest()


@torch.no_grad()
def encode_clip(model: StereoVideoModel, clip: Clip, device: torch.device) -> Encoded:
    """Return a clip's latents; the noise on its scenes follows from its key."""
    sample, config = clip.sample(), model.config
    frames = torch.from_numpy(sample.frames)
    scenes = torch.from_numpy(sample.conditioning)
    text = (sample.text,) if config.conditioning == "text" else ()
    told = model.encode(scenes[None].to(device), text, generator=generator_of("scene", clip.key))
    latents = model.latents(frames[None].to(device))[0]
    firsts = [next(k for k, (view, _) in enumerate(config.layout) if view == v) for v in range(config.views)]
    views = [view for view, _ in config.layout]
    moved = moved_share(frames, scenes[views], config.latent_size)
    tensors = (latents, told.latents[0][firsts], told.embeddings[0][firsts], moved)
    return Encoded(*(t.detach().cpu().half().contiguous() for t in tensors))


def as_batch(
    encoded: list[Encoded], config: VideoConfig, device: torch.device
) -> tuple[torch.Tensor, Conditioning]:
    """Return latents (B, F, C, h, w) and the conditioning of clips, float32."""
    views = [view for view, _ in config.layout]
    latents = torch.stack([e.latents for e in encoded]).float()
    scenes = torch.stack([e.scenes[views] for e in encoded]).float()
    embeddings = torch.stack([e.embeddings[views] for e in encoded]).float()
    told = Conditioning(scenes, embeddings, time_ids(config.time_ids, len(encoded)))
    return latents.to(device), told.to(device)


class LatentStore:
    """The files of one encoder."""

    def __init__(self, folder: Path, encoder: str) -> None:
        self.folder = folder / "latents" / encoder[:32]

    def read(self, clip: Clip) -> Encoded | None:
        """Return a clip's latents, None where they are not here or not as they were written."""
        try:
            # read, not mapped: a file that is cut short would end the process
            tensors = load(self._path(clip).read_bytes())
        except (OSError, SafetensorError):
            return None
        noted = tensors.pop(_CHECKSUM, None)
        if set(tensors) != set(Encoded.__dataclass_fields__) or noted is None or int(noted) != _checksum(tensors):
            return None
        return Encoded(**tensors)

    def write(self, clip: Clip, encoded: Encoded) -> None:
        """Raises OSError."""
        path = self._path(clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = dict(vars(encoded))
        write_whole(path, save({**tensors, _CHECKSUM: torch.tensor(_checksum(tensors))}))

    def _path(self, clip: Clip) -> Path:
        return self.folder / clip.key[:2] / f"{clip.key}.safetensors"


def _checksum(tensors: Mapping[str, torch.Tensor]) -> int:
    crc = 0
    for name in sorted(tensors):
        crc = zlib.crc32(_bytes(tensors[name]), crc)
    return crc


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
