"""What went wrong while training, for a person: what it was, what is kept, what to do."""

import errno

import torch

from models.training.config import TrainConfig
from models.training.progress import TrainingError

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def explained(error: BaseException, config: TrainConfig, kept: str) -> TrainingError | None:
    """Return an error that says what to do, None for one that nobody foresaw; kept: what of the run is safe."""
    if isinstance(error, TrainingError):
        return TrainingError(_joined(str(error), kept))
    if out_of_memory(error):
        return TrainingError(_joined("there is not enough memory for this", *ways_out(config), kept))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TrainingError(_joined(f"the disk is full ({error.filename or str(error)})", "make room", kept))
    if isinstance(error, OSError | ValueError | KeyError):
        return TrainingError(_joined(str(error), kept))
    return None


def out_of_memory(error: BaseException) -> bool:
    """Say whether memory ran out, of the GPU or of the computer."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def ways_out(config: TrainConfig) -> list[str]:
    """Return what would need less memory, the least painful first."""
    train, size = config.train, config.model.size
    ways = []
    if train.batch > 1:
        ways.append(
            f"train.batch={train.batch // 2} with train.accumulation={train.accumulation * 2} learns the same"
        )
    if config.vae.steps and config.vae.batch > 1:
        ways.append(f"vae.batch={config.vae.batch // 2} halves it for the picture coder")
    if not train.gradient_checkpointing:
        ways.append("train.gradient_checkpointing=true keeps fewer activations")
    if train.mixed_precision == "no":
        ways.append("train.mixed_precision=bf16 halves activations")
    if train.trainable == "all":
        ways.append("train.trainable=attention needs far less for the optimizer")
    if config.gallery.decode_chunk > 1:
        ways.append("gallery.decode_chunk=1 if it happened in the gallery")
    return [*ways, f"pictures under model.size={size[0]}x{size[1]}, or fewer frames than {config.model.length}"]


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
