"""Training as a job of a process of its own, which alone imports torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

from models.data.errors import DreamFileError
from models.training.config import read_config
from models.training.progress import Progress, TrainingError
from models.training.trainer import train


def train_job(
    config: Path,
    overrides: Sequence[str],
    data: Path,
    out: Path,
    resume: bool,
    cache: Path,
    report: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> dict[str, object]:
    """Train and return how it ended, as plain values; `problem` is not "" where it could not begin or go on."""
    try:
        outcome = train(
            read_config(config, overrides), data, out, lambda p: report(p.fraction, in_words(p)),
            lambda: "cancel" if cancelled() else "run", resume=resume, cache=cache,
        )  # fmt: skip
    except (TrainingError, DreamFileError) as error:
        return {"problem": str(error)}
    checkpoint = str(outcome.checkpoint) if outcome.checkpoint else None
    return {
        "problem": "", "state": outcome.state, "step": outcome.step, "checkpoint": checkpoint, "text": outcome.text
    }  # fmt: skip


def in_words(progress: Progress) -> str:
    """Return one line for a person."""
    parts = [progress.text]
    if progress.loss is not None:
        parts.append(f"step {progress.step} of {progress.steps}, loss {progress.loss:.4g}")
    if progress.samples_per_s is not None:
        parts.append(f"{progress.samples_per_s:.3g} clips/s")
    if progress.left_s is not None:
        parts.append(f"{progress.left_s:.0f} s left")
    return ", ".join(parts)
