"""Writes a model folder again with half the bytes: weights alone, in float16."""

from pathlib import Path

from models.data.errors import DreamFileError
from models.video.config import VideoConfig
from models.video.stereo import StereoVideoModel

LARGEST = 65504.0  # of float16


def export_half(folder: Path, out: Path) -> VideoConfig:
    """Write a model, or a checkpoint of a training run, as a model folder in float16; return its config.

    Computed with in float32 it dreams as before, but for rounding. Raises DreamFileError where a weight is too
    large, and as `StereoVideoModel.load` and `save`.
    """
    model = StereoVideoModel.load(folder)
    for name, weight in model.named_parameters():
        if (largest := float(weight.detach().abs().max())) > LARGEST:
            raise DreamFileError(folder, name, f"is up to {largest:g}", f"at most {LARGEST:g}")
    model.half().save(out)
    return model.config
