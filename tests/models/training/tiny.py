"""A model that trains in a second, on demos of a second."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file

from models.training.config import (
    DataSettings,
    GallerySettings,
    SaveSettings,
    TrainConfig,
    TrainSettings,
    VaeSettings,
)
from models.training.progress import Outcome, Progress
from models.training.trainer import train
from models.video.config import EncoderShape, UNetShape, VaeShape, VideoConfig

MODEL = VideoConfig(
    length=3,
    size=(48, 32),
    unet=UNetShape((32,), (1,), (True,), layers=1, cross_attention=16, time_embed=8),
    vae=VaeShape(widths=(32, 32)),
    encoder=EncoderShape(32, 1, 1, 32, picture=32, patch=16, vocabulary=514),
)
STEPS = 4


def tiny(**train_changes: object) -> TrainConfig:
    """Return one step of the picture coder and three of the U-Net; checkpoints after steps 1, 2 and 4."""
    learned = {
        "steps": 3, "accumulation": 2, "learning_rate": 1e-3, "trainable": "all", "gradient_checkpointing": False,
        "mixed_precision": "no", "device": "cpu", "ema": 0.5,
    }  # fmt: skip
    return TrainConfig(
        model=MODEL,
        data=DataSettings(held_out=1),
        train=TrainSettings(**{**learned, **train_changes}),  # type: ignore[arg-type]
        vae=VaeSettings(steps=1, batch=1, pictures=2, warmup=1),
        save=SaveSettings(every=2, keep_last=3),
        gallery=GallerySettings(every=0),
    )


def brief(**train_changes: object) -> TrainConfig:
    """Return two steps of the U-Net, a checkpoint after each."""
    base = tiny(**{"steps": 2, "accumulation": 1, "ema": 0.0, **train_changes})
    return replace(base, vae=VaeSettings(), save=SaveSettings(every=1))


class Killed(BaseException):
    """What a kill looks like from within: nothing of the program's own handling runs."""


class Payload:
    """What makes a file, `mark`, when somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


class Told:
    """Hears what a run says; asks it to stop, or kills it, after a step."""

    def __init__(self, stop_after: int = -1, how: Literal["pause", "cancel", "kill"] = "cancel") -> None:
        self.heard: list[Progress] = []
        self._after, self._how = stop_after, how

    def report(self, progress: Progress) -> None:
        self.heard.append(progress)

    def control(self) -> Literal["run", "pause", "cancel"]:
        if self._after < 0 or not self.heard or self.heard[-1].step < self._after:
            return "run"
        if self._how == "kill":
            raise Killed
        return self._how


def run(config: TrainConfig, data: Path, out: Path, told: Told | None = None, *, resume: bool = False) -> Outcome:
    told = told or Told()
    torch.set_num_threads(1)
    return train(config, data, out, told.report, told.control, resume=resume, cache=out.parent / "cache")


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint, by file and name."""
    return {
        f"{path.relative_to(checkpoint)}:{name}": value
        for path in sorted(checkpoint.rglob("*.safetensors"))
        for name, value in load_file(path).items()
    }


def same(a: Path, b: Path) -> bool:
    """Whether two checkpoints hold the same tensors, bit for bit."""
    mine, other = weights(a), weights(b)
    return mine.keys() == other.keys() and all(torch.equal(mine[name], other[name]) for name in mine)


def killed(what: Callable[[], object]) -> None:
    """Do something that is killed half way."""
    try:
        what()
    except Killed:
        return
    raise AssertionError("it was not killed")
