"""How a run begins: which model, whether its demos are the same as before, and whether there is room for it."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
from accelerate import Accelerator

from models.data.errors import DreamFileError
from models.training.checkpoint import checkpoints_in, newest_whole, require_room, size_of
from models.training.config import TrainConfig
from models.training.data import TrainingData, changes
from models.training.model_rows import model_rows
from models.training.progress import TrainingError
from models.training.run_folder import CHECKPOINTS, RunFolder
from models.video.config_file import NAME
from models.video.stereo import StereoVideoModel

_FOUND_ANEW = "model.vae.scaling"


def make_accelerator(config: TrainConfig) -> Accelerator:
    """Return what computes. Raises TrainingError where there is no such device."""
    if config.train.device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("train.device: cuda, and torch sees no GPU; valid here: cpu, auto")
    return Accelerator(mixed_precision=config.train.mixed_precision, cpu=config.train.device == "cpu")


def checkpoint_to_go_on(folder: Path, say: Callable[[str], None]) -> Path | None:
    """Return the newest whole checkpoint, None where none was saved. Raises TrainingError where all are damaged."""
    found = newest_whole(folder, say)
    if found is None and (damaged := checkpoints_in(folder)):
        raise TrainingError(
            f"{folder}: none of {len(damaged)} checkpoints is whole (see log.txt); begin another run, or take "
            "them away"
        )
    return found


def load_model(config: TrainConfig, saved: Path | None, device: torch.device) -> StereoVideoModel:
    """Return the model of a checkpoint, else of what the run starts from, in float32. Raises DreamFileError."""
    if saved is not None:
        return StereoVideoModel.load(saved, device=device)
    if not config.start:
        return StereoVideoModel.create(config.model, config.seed).placed(torch.float32, device)
    start = Path(config.start)
    if (start / NAME).exists():
        model = StereoVideoModel.load(start, device=device)
    else:
        model = StereoVideoModel.from_svd(config.start, config.model, device=device, text_tower=config.text_tower)
    _require_same(model, config)
    return model


def _require_same(model: StereoVideoModel, config: TrainConfig) -> None:
    """Raise DreamFileError where what the run starts from is not what the config says."""
    for wanted, found in zip(model_rows(config.model), model_rows(model.config), strict=True):
        if wanted.value != found.value and wanted.key != _FOUND_ANEW:
            raise DreamFileError(
                config.start, wanted.key, f"is {found.value!r}; the config has {wanted.value!r}", "the same"
            )


def check_same_demos(folder: RunFolder, data: TrainingData, config: TrainConfig) -> None:
    """Compare the demos with those that a run began with. Raises TrainingError naming the differences."""
    noted = folder.provenance().get("data")
    before = noted.get("demos") if isinstance(noted, dict) else None
    found = changes(before, data.demos) if isinstance(before, dict) else []
    if not found:
        return
    if config.data.changed == "refuse":
        raise TrainingError(
            f"these are not the demos that the run began with: {in_short(found)}; put them back, or go on "
            "with these by data.changed=accept"
        )
    folder.log(f"goes on with other demos: {in_short(found)}")


def in_short(rows: list[str]) -> str:
    """Return the first few of many."""
    return "; ".join(rows[:5]) + (f"; and {len(rows) - 5} more" if len(rows) > 5 else "")


def check_room(out: Path, model: StereoVideoModel, config: TrainConfig) -> None:
    """Raise TrainingError where the disk has no room for the checkpoints that are kept."""
    learn = [_count(model.unet) if config.train.steps else 0, _count(model.vae) if config.vae.steps else 0]
    own = 4 * (sum(learn) + (3 if config.train.ema else 2) * max(learn))
    frozen = 4 * (_count(model) - sum(learn))
    kept = config.save.keep_last + 1  # the oldest goes when the newest is there
    needed = kept * own + min(kept, 2) * frozen - size_of(*checkpoints_in(out / CHECKPOINTS))
    require_room(out, max(own + frozen, needed), f"training with {config.save.keep_last} checkpoints")


def provenance(
    config: TrainConfig, data: TrainingData, folder: Path, accelerator: Accelerator
) -> dict[str, object]:
    """Return where a run comes from, as JSON values."""
    return {
        "data": {
            "folder": str(folder.absolute()),
            "digest": data.digest,
            "demos": dict(data.demos),
            "held_out": sorted({clip.demo for clip in data.held_out}),
            "left_out": list(data.left_out),
        },
        "start": config.start,
        "processes": accelerator.num_processes,
        "device": str(accelerator.device),
        "program": {name: version(name) for name in ("dreamdeck", "torch", "diffusers")},
    }


def _count(part: torch.nn.Module) -> int:
    return sum(p.numel() for p in part.parameters())
