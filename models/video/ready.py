"""A model made ready to dream: where it computes, how exactly, and what it is told of one scene."""

from pathlib import Path

import torch

from hardware.types import Image
from models.video.conditioning import Conditioning
from models.video.sample_options import Precision
from models.video.sampler_speed import speed_up
from models.video.stereo import StereoVideoModel

SAME_NOISE = 0  # seed of the noise on the scene's pictures: candidates differ by what they begin with alone


def usual(device: str, precision: Precision | None) -> tuple[str, Precision]:
    """Return what is taken for "" and None: a GPU where there is one, and float16 on it, else float32."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return device, precision or ("float16" if device.startswith("cuda") else "float32")


def ready_model(folder: Path, device: str, precision: Precision, compiled: bool) -> StereoVideoModel:
    """Return the model of a folder, for sampling alone. Raises as `StereoVideoModel.load`."""
    model = StereoVideoModel.load(folder, getattr(torch, precision), device)
    speed_up(model, compiled=compiled)
    return model


def look(model: StereoVideoModel, scene: Image, text: str) -> Conditioning:
    """Return what the network is told of a scene (V, H, W, 3); text: for a model that is told in words."""
    texts = [text] if model.config.conditioning == "text" else []
    generator = torch.Generator("cpu").manual_seed(SAME_NOISE)
    return model.encode(torch.from_numpy(scene)[None], texts, generator=generator)
